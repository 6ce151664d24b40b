//! The loops over the edges into one receiver, vectorised over the channels.

use crate::host::Real;
use crate::simd::{sigmoid, sum2, vectorised};

/// The first layer at the edges into one receiver: z = base + sender + Σ distance·weight.
#[derive(Clone, Copy)]
pub(super) struct First<'a, T> {
    /// The receiver's half, bias included, `[D]`.
    pub(super) base: &'a [T],
    /// The halves of all nodes of its sample, `[n, D]`.
    pub(super) senders: &'a [T],
    /// Which of them does not send.
    pub(super) skip: usize,
    /// The squared distances now and at the start, one per edge.
    pub(super) distances: [&'a [T]; 2],
    /// Their weights, `[D]` each.
    pub(super) weights: [&'a [T]; 2],
}

/// Where the first layer's gradients go.
pub(super) struct FirstGradients<'a, T> {
    pub(super) base: &'a mut [T],
    pub(super) senders: &'a mut [T],
    pub(super) distances: [&'a mut [T]; 2],
    pub(super) weights: [&'a mut [T]; 2],
}

/// The second layer at the edges into one receiver: z, without its bias, `[edges, D]`, and the linear map that reads m = silu(z + bias): a weight
/// per channel and a bias (the gate's, or the read-out's).
#[derive(Clone, Copy)]
pub(super) struct Second<'a, T> {
    pub(super) z: &'a [T],
    pub(super) bias: &'a [T],
    pub(super) reader: &'a [T],
    pub(super) reader_bias: T,
}

/// Where the second layer's gradients go: each edge's `dz` (written), and the sums over edges (added to).
pub(super) struct SecondGradients<'a, T> {
    pub(super) dz: &'a mut [T],
    pub(super) bias: &'a mut [T],
    pub(super) reader: &'a mut [T],
    pub(super) reader_bias: &'a mut T,
}

vectorised! {
    /// a = silu(z) of the first layer.
    pub(super) fn activate<T>(first: First<T>, a: &mut [T]) {
        for (edge, z) in edges(&first) {
            let a = &mut a[edge * z.width()..][..z.width()];
            for (c, a) in a.iter_mut().enumerate() {
                let z = z.at(c);
                *a = z * sigmoid(z);
            }
        }
    }

    /// a = silu(z) of the first layer, and its slope silu′(z).
    pub(super) fn activate_with_slope<T>(first: First<T>, a: &mut [T], slope: &mut [T]) {
        let one = T::one_if(true);
        for (edge, z) in edges(&first) {
            let a = &mut a[edge * z.width()..][..z.width()];
            let slope = &mut slope[edge * z.width()..][..z.width()];
            for (c, (a, slope)) in a.iter_mut().zip(slope).enumerate() {
                let z = z.at(c);
                let s = sigmoid(z);
                *a = z * s;
                *slope = s * z.fma(one - s, one);
            }
        }
    }

    /// From the gradient of a to those of everything that z is computed from.
    pub(super) fn pull_first<T>(first: First<T>, da: &[T], slope: &[T], to: FirstGradients<T>) {
        let width = first.base.len();
        let base = &mut to.base[..width];
        let [w_near, w_far] = first.weights.map(|weights| &weights[..width]);
        let [d_near, d_far] = to.distances;
        let [dw_near, dw_far] = to.weights.map(|weights| &mut weights[..width]);
        let mut dz = vec![T::default(); width];
        let dz = &mut dz[..width];
        let senders = to.senders.chunks_exact_mut(width).enumerate().filter(|(place, _)| *place != first.skip);
        for (edge, (_, sender)) in senders.enumerate() {
            let (da, slope) = (&da[edge * width..][..width], &slope[edge * width..][..width]);
            let (near, far) = (first.distances[0][edge], first.distances[1][edge]);
            for c in 0..width {
                dz[c] = da[c] * slope[c];
                base[c] += dz[c];
                dw_near[c] = near.fma(dz[c], dw_near[c]);
                dw_far[c] = far.fma(dz[c], dw_far[c]);
            }
            sender.iter_mut().zip(&*dz).for_each(|(sender, &dz)| *sender += dz);
            d_near[edge] = sum2(dz, w_near, |dz, w| dz * w);
            d_far[edge] = sum2(dz, w_far, |dz, w| dz * w);
        }
    }

    /// out = Σ over edges of gate·m; the gate is sigmoid(reader·m + `reader_bias`), or 1 where there is no reader.
    pub(super) fn sum_messages<T>(second: Second<T>, out: &mut [T]) {
        let width = out.len();
        let mut m = vec![T::default(); width];
        for z in second.z.chunks_exact(width) {
            message(z, second.bias, &mut m);
            let gate = gate(&second, &m);
            for (out, &m) in out.iter_mut().zip(&m) {
                *out = gate.fma(m, *out);
            }
        }
    }

    /// The backward pass of [`sum_messages`], with `dout` the gradient of its result.
    pub(super) fn pull_messages<T>(second: Second<T>, dout: &[T], to: SecondGradients<T>) {
        let width = dout.len();
        let (mut m, mut slope) = (vec![T::default(); width], vec![T::default(); width]);
        let one = T::one_if(true);
        for (z, dz) in second.z.chunks_exact(width).zip(to.dz.chunks_exact_mut(width)) {
            message_with_slope(z, second.bias, &mut m, &mut slope);
            if second.reader.is_empty() {
                for (((dz, bias), &dout), &slope) in dz.iter_mut().zip(&mut *to.bias).zip(dout).zip(&slope) {
                    *dz = dout * slope;
                    *bias += *dz;
                }
                continue;
            }
            let gate = gate(&second, &m);
            let through = sum2(dout, &m, |dout, m| dout * m) * gate * (one - gate);
            *to.reader_bias += through;
            pull_channels(&m, &slope, [(gate, dout), (through, second.reader)], dz, [&mut *to.bias, &mut *to.reader]);
        }
    }

    /// One number per edge: reader·m + `reader_bias`.
    pub(super) fn read_out<T>(second: Second<T>, out: &mut [T]) {
        let width = second.bias.len();
        let mut m = vec![T::default(); width];
        for (z, out) in second.z.chunks_exact(width).zip(out) {
            message(z, second.bias, &mut m);
            *out = sum2(&m, second.reader, |m, w| m * w) + second.reader_bias;
        }
    }

    /// The backward pass of [`read_out`], with `dout` the gradients of its results.
    pub(super) fn pull_read_out<T>(second: Second<T>, dout: &[T], to: SecondGradients<T>) {
        let width = second.bias.len();
        let (mut m, mut slope) = (vec![T::default(); width], vec![T::default(); width]);
        for ((z, dz), &dout) in second.z.chunks_exact(width).zip(to.dz.chunks_exact_mut(width)).zip(dout) {
            message_with_slope(z, second.bias, &mut m, &mut slope);
            *to.reader_bias += dout;
            let none = (T::default(), second.reader);
            pull_channels(&m, &slope, [none, (dout, second.reader)], dz, [&mut *to.bias, &mut *to.reader]);
        }
    }
}

/// The terms of z at one edge.
struct Terms<'a, T> {
    base: &'a [T],
    sender: &'a [T],
    near: T,
    far: T,
    w_near: &'a [T],
    w_far: &'a [T],
}

impl<T: Real> Terms<'_, T> {
    #[inline(always)]
    fn width(&self) -> usize {
        self.base.len()
    }

    #[inline(always)]
    fn at(&self, c: usize) -> T {
        self.far.fma(self.w_far[c], self.near.fma(self.w_near[c], self.base[c] + self.sender[c]))
    }
}

/// The edges into the receiver. An iterator, so that the loops over channels stay in the function that is compiled for the vector units: a closure would
/// be compiled without them.
#[inline(always)]
fn edges<'a, T: Real>(first: &First<'a, T>) -> impl Iterator<Item = (usize, Terms<'a, T>)> + use<'a, T> {
    let First { base, senders, skip, distances: [near, far], weights } = *first;
    let width = base.len();
    let [w_near, w_far] = weights.map(|weights| &weights[..width]);
    let senders = senders.chunks_exact(width).enumerate().filter(move |(place, _)| *place != skip);
    senders
        .enumerate()
        .map(move |(edge, (_, sender))| (edge, Terms { base, sender: &sender[..width], near: near[edge], far: far[edge], w_near, w_far }))
}

#[inline(always)]
fn message<T: Real>(z: &[T], bias: &[T], m: &mut [T]) {
    for ((m, &z), &bias) in m.iter_mut().zip(z).zip(bias) {
        let z = z + bias;
        *m = z * sigmoid(z);
    }
}

#[inline(always)]
fn message_with_slope<T: Real>(z: &[T], bias: &[T], m: &mut [T], slope: &mut [T]) {
    let one = T::one_if(true);
    for (((m, slope), &z), &bias) in m.iter_mut().zip(slope).zip(z).zip(bias) {
        let z = z + bias;
        let s = sigmoid(z);
        *m = z * s;
        *slope = s * z.fma(one - s, one);
    }
}

#[inline(always)]
fn gate<T: Real>(second: &Second<T>, m: &[T]) -> T {
    if second.reader.is_empty() {
        return T::one_if(true);
    }
    sigmoid(sum2(m, second.reader, |m, w| m * w) + second.reader_bias)
}

/// With dm the sum of `terms`, each a factor times a row: dz = dm·slope, and what it adds to the gradients of the bias and of the reader
/// (the second term's factor times m).
#[inline(always)]
fn pull_channels<T: Real>(m: &[T], slope: &[T], terms: [(T, &[T]); 2], dz: &mut [T], [bias, reader]: [&mut [T]; 2]) {
    let width = m.len();
    let [(f, x), (g, y)] = terms;
    let (x, y, slope) = (&x[..width], &y[..width], &slope[..width]);
    let (dz, bias, reader) = (&mut dz[..width], &mut bias[..width], &mut reader[..width]);
    for c in 0..width {
        dz[c] = f.fma(x[c], g * y[c]) * slope[c];
        bias[c] += dz[c];
        reader[c] = g.fma(m[c], reader[c]);
    }
}
