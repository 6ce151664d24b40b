//! What is done with an edge's m = silu(second layer): summed up as a message, or read out as a step along the edge.

use super::Reach;
use super::engine::squared_distance;
use super::pairs::Pairs;
use super::rows::{Second, SecondGradients, pull_messages, pull_read_out, read_out, sum_messages};
use crate::host::Real;

/// The end of the edge network, at the edges into one receiver. z is the second layer without its bias, `[edges, D]`.
pub(super) trait Head<T: Real>: Sync {
    /// Width of the result.
    fn columns(&self) -> usize;
    /// How many numbers per edge are kept for the backward pass.
    fn kept(&self) -> usize;
    /// The length of the parameters' gradients, the second bias (`[D]`, first) included.
    fn parameters(&self) -> usize;
    /// Writes the receiver's row of the result.
    fn forward(&self, receiver: usize, z: &[T], kept: &mut [T], out: &mut [T]);
    /// From \[z, kept, the gradient of the receiver's row\]: writes dz, adds to the parameters' `sums`, and to the gradients of the
    /// points of the receiver's sample, `[n, 6]`, of which the first three columns are those of the points now.
    fn backward(&self, receiver: usize, given: [&[T]; 3], dz: &mut [T], sums: &mut [T], points: &mut [T]);
}

/// Σⱼ gate(mᵢⱼ)·mᵢⱼ / divisor.
pub(super) struct Message<'a, T> {
    pub(super) pairs: &'a Pairs,
    pub(super) bias: &'a [T],
    /// Weight `[D]` and bias `[1]` of the gate's logit.
    pub(super) gate: Option<[&'a [T]; 2]>,
}

impl<T: Real> Message<'_, T> {
    fn second<'b>(&'b self, z: &'b [T]) -> Second<'b, T> {
        let (reader, reader_bias) = self.gate.map_or((&[][..], T::default()), |[weight, bias]| (weight, bias[0]));
        Second { z, bias: self.bias, reader, reader_bias }
    }
}

impl<T: Real> Head<T> for Message<'_, T> {
    fn columns(&self) -> usize {
        self.bias.len()
    }

    fn kept(&self) -> usize {
        0
    }

    fn parameters(&self) -> usize {
        2 * self.bias.len() + 1
    }

    fn forward(&self, receiver: usize, z: &[T], _: &mut [T], out: &mut [T]) {
        sum_messages(self.second(z), out);
        let factor = T::from_f64(self.pairs.factor(receiver));
        for out in out {
            *out *= factor;
        }
    }

    fn backward(&self, receiver: usize, [z, _, gradient]: [&[T]; 3], dz: &mut [T], sums: &mut [T], _: &mut [T]) {
        let factor = T::from_f64(self.pairs.factor(receiver));
        let dout: Vec<T> = gradient.iter().map(|&gradient| gradient * factor).collect();
        pull_messages(self.second(z), &dout, gradients(dz, sums, self.bias.len()));
    }
}

/// Σⱼ uᵢⱼ·sᵢⱼ / divisor, with uᵢⱼ = (xᵢ − xⱼ) / (|xᵢ − xⱼ| + constant) and sᵢⱼ = reader·mᵢⱼ, or range·tanh of it.
pub(super) struct Displacement<'a, T> {
    pub(super) pairs: &'a Pairs,
    pub(super) bias: &'a [T],
    pub(super) reader: &'a [T],
    pub(super) points: &'a [T],
    pub(super) reach: Reach,
}

/// Added to squared distances under the root, so that its slope at coincident points is finite.
const SOFTENING: f64 = 1e-8;

impl<T: Real> Displacement<'_, T> {
    fn second<'b>(&'b self, z: &'b [T]) -> Second<'b, T> {
        Second { z, bias: self.bias, reader: self.reader, reader_bias: T::default() }
    }

    /// The step along an edge and its slope, from what was read out.
    fn step(&self, read: T) -> [f64; 2] {
        match self.reach.range {
            Some(range) => {
                let tanh = read.to_f64().tanh();
                [range * tanh, range * (1.0 - tanh * tanh)]
            }
            None => [read.to_f64(), 1.0],
        }
    }

    /// The senders of a node with xᵢ − xⱼ, |xᵢ − xⱼ| and the factor that makes the difference a unit, nearly.
    fn towards(&self, receiver: usize) -> impl Iterator<Item = (usize, [f64; 3], f64, f64)> {
        let (sample, skip) = self.pairs.senders(receiver);
        let start = sample.start;
        sample.map(move |sender| sender - start).filter(move |&place| place != skip).map(move |place| {
            let sender = start + place;
            let difference = [0, 1, 2].map(|axis| (self.points[3 * receiver + axis] - self.points[3 * sender + axis]).to_f64());
            let length = (squared_distance(self.points, receiver, sender).to_f64() + SOFTENING).sqrt();
            (place, difference, length, 1.0 / (length + self.reach.constant))
        })
    }
}

impl<T: Real> Head<T> for Displacement<'_, T> {
    fn columns(&self) -> usize {
        3
    }

    fn kept(&self) -> usize {
        1
    }

    fn parameters(&self) -> usize {
        2 * self.bias.len() + 1
    }

    fn forward(&self, receiver: usize, z: &[T], read: &mut [T], out: &mut [T]) {
        read_out(self.second(z), read);
        let mut total = [0.0; 3];
        for (&read, (_, difference, _, unit)) in read.iter().zip(self.towards(receiver)) {
            let step = self.step(read)[0] * unit;
            total.iter_mut().zip(difference).for_each(|(total, d)| *total += d * step);
        }
        let factor = self.pairs.factor(receiver);
        out.iter_mut().zip(total).for_each(|(out, total)| *out = T::from_f64(total * factor));
    }

    fn backward(&self, receiver: usize, [z, read, gradient]: [&[T]; 3], dz: &mut [T], sums: &mut [T], points: &mut [T]) {
        let factor = self.pairs.factor(receiver);
        let gradient: Vec<f64> = gradient.iter().map(|gradient| gradient.to_f64() * factor).collect();
        let own = receiver - self.pairs.senders(receiver).0.start;
        let mut dread = Vec::with_capacity(read.len());
        for (&read, (sender, difference, length, unit)) in read.iter().zip(self.towards(receiver)) {
            let [step, slope] = self.step(read);
            let along: f64 = gradient.iter().zip(difference).map(|(g, d)| g * d).sum();
            dread.push(T::from_f64(along * unit * slope));
            for axis in 0..3 {
                let pull = step * unit * (gradient[axis] - difference[axis] * along * unit / length);
                points[6 * own + axis] += T::from_f64(pull);
                points[6 * sender + axis] += T::from_f64(-pull);
            }
        }
        pull_read_out(self.second(z), &dread, gradients(dz, sums, self.bias.len()));
    }
}

/// The head's sums: of the second bias `[D]`, of the reader `[D]`, of its bias.
fn gradients<'a, T>(dz: &'a mut [T], sums: &'a mut [T], width: usize) -> SecondGradients<'a, T> {
    let (bias, rest) = sums.split_at_mut(width);
    let (reader, last) = rest.split_at_mut(width);
    SecondGradients { dz, bias, reader, reader_bias: &mut last[0] }
}
