//! The edge network on tensors: the per-node halves of its first layer, and the graph node's backward pass.

use super::Reach;
use super::engine::{self, Backward, Edges, Forward, Kept};
use super::head::{Displacement, Message};
use super::pairs::Pairs;
use crate::host::{Real, elements, tensor};
use crate::product::{Packed, Part, Products, Target, multiply, product};
use crate::simd::Matrix;
use crate::{Pullback, Result, shape};
use candle_core::Tensor;

/// The edge network's two layers, weight and bias each.
#[derive(Clone, Copy, Debug)]
pub struct EdgeMlp<'a> {
    /// Weight `[D, 2D + 2]` over \[receiver | sender | squared distance now | at the start\] (`[D, 2D]` without points), bias `[D]`.
    pub first: [&'a Tensor; 2],
    /// Weight `[D, D]`, bias `[D]`.
    pub second: [&'a Tensor; 2],
    /// The products of both layers.
    pub products: Products,
}

/// A call without its tensors.
#[derive(Clone)]
pub(super) struct Call {
    pub(super) op: &'static str,
    pub(super) pairs: Pairs,
    /// D.
    pub(super) width: usize,
    pub(super) products: Products,
    pub(super) kind: Kind,
    /// Whether a backward pass may follow.
    pub(super) keep: bool,
}

/// What becomes of an edge's m.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    Message { gated: bool },
    Displacement(Reach),
}

/// D, once all shapes are known to belong together.
pub(super) fn check(op: &'static str, h: &Tensor, points: Option<[&Tensor; 2]>, mlp: &EdgeMlp, pairs: &Pairs) -> Result<usize> {
    let d = shape::channels(op, "h", h, pairs.layout())?;
    let inputs = 2 * d + if points.is_some() { 2 } else { 0 };
    shape::exact(op, "first weight", mlp.first[0], &[d, inputs], "for a receiver's and a sender's channels and the distances")?;
    shape::exact(op, "first bias", mlp.first[1], &[d], "one entry a channel of h")?;
    shape::exact(op, "second weight", mlp.second[0], &[d, d], "one row and one column a channel of h")?;
    shape::exact(op, "second bias", mlp.second[1], &[d], "one entry a channel of h")?;
    for x in points.into_iter().flatten() {
        shape::exact(op, "points", x, &[pairs.layout().nodes(), 3], "one point a node")?;
    }
    Ok(d)
}

/// The value and the pullback of a call on \[h, W₁, b₁, W₂, b₂, the head's parameters, the points\].
pub(super) fn run<T: Real>(inputs: &[Tensor], call: Call) -> Result<(Tensor, Pullback)> {
    let inputs: Vec<Tensor> = inputs.iter().map(Tensor::contiguous).collect::<candle_core::Result<_>>()?;
    let (halves, Forward { out, kept }) = with_slices(call.op, &inputs, |slices: &[&[T]]| {
        let halves = Halves::new(&call, slices);
        let forward = call.forward(slices, &halves);
        Ok((halves, forward))
    })?;
    let out = tensor(out, &[call.pairs.layout().nodes(), call.columns()])?;
    let pullback: Pullback = Box::new(move |gradient| {
        let dims: Vec<Vec<usize>> = inputs.iter().map(|input| input.dims().to_vec()).collect();
        let gradients = with_slices(call.op, std::slice::from_ref(gradient), |gradient| {
            with_slices(call.op, &inputs, |slices| Ok(call.backward(slices, &halves, &kept, gradient[0])))
        })?;
        gradients.into_iter().zip(dims).map(|(gradient, dims)| Ok(Some(tensor(gradient, &dims)?))).collect()
    });
    Ok((out, pullback))
}

/// The per-node parts of the first layer, and its columns for the distances (zeros without points).
struct Halves<T> {
    receivers: Vec<T>,
    senders: Vec<T>,
    distance_weights: Vec<T>,
}

impl<T: Real> Halves<T> {
    fn new(call: &Call, slices: &[&[T]]) -> Self {
        let (d, [h, first, bias]) = (call.width, [slices[0], slices[1], slices[2]]);
        let (n, stride) = (call.pairs.layout().nodes(), first.len() / d);
        let half = |from: usize, bias| {
            let weight = Packed::new(Matrix::transposed(&first[from..], stride), [d, d], call.products);
            product(bias, &[Part::new(Matrix::dense(h, d), d)], &weight, n)
        };
        let (receivers, senders) = (half(0, Some(bias)), half(d, None));
        let mut distance_weights = vec![T::default(); 2 * d];
        for (k, column) in distance_weights.chunks_exact_mut(d).enumerate().take(stride - 2 * d) {
            column.iter_mut().zip(first.chunks_exact(stride)).for_each(|(weight, row)| *weight = row[2 * d + k]);
        }
        Self { receivers, senders, distance_weights }
    }
}

impl Call {
    /// The width of the result.
    pub(super) fn columns(&self) -> usize {
        match self.kind {
            Kind::Message { .. } => self.width,
            Kind::Displacement(_) => 3,
        }
    }

    fn edges<'a, T: Real>(&'a self, slices: &[&'a [T]], halves: &'a Halves<T>) -> Edges<'a, T> {
        let (near, far) = halves.distance_weights.split_at(self.width);
        let points = if let [.., x, y] = slices[5 + self.head_inputs()..] { Some([x, y]) } else { None };
        Edges {
            pairs: &self.pairs,
            width: self.width,
            products: self.products,
            receivers: &halves.receivers,
            senders: &halves.senders,
            distance_weights: [near, far],
            second: slices[3],
            points,
        }
    }

    /// How many parameters the head has.
    pub(super) fn head_inputs(&self) -> usize {
        match self.kind {
            Kind::Message { gated } => 2 * usize::from(gated),
            Kind::Displacement(_) => 1,
        }
    }

    fn message<'a, T: Real>(&'a self, slices: &[&'a [T]], gated: bool) -> Message<'a, T> {
        Message { pairs: &self.pairs, bias: slices[4], gate: gated.then(|| [slices[5], slices[6]]) }
    }

    fn displacement<'a, T: Real>(&'a self, slices: &[&'a [T]], reach: Reach) -> Displacement<'a, T> {
        Displacement { pairs: &self.pairs, bias: slices[4], reader: slices[5], points: slices[6], reach }
    }

    fn forward<T: Real>(&self, slices: &[&[T]], halves: &Halves<T>) -> Forward<T> {
        let edges = self.edges(slices, halves);
        match self.kind {
            Kind::Message { gated } => engine::forward(&edges, &self.message(slices, gated), self.keep),
            Kind::Displacement(reach) => engine::forward(&edges, &self.displacement(slices, reach), self.keep),
        }
    }

    /// The gradients of the inputs, in order.
    fn backward<T: Real>(&self, slices: &[&[T]], halves: &Halves<T>, kept: &Kept<T>, gradient: &[T]) -> Vec<Vec<T>> {
        let edges = self.edges(slices, halves);
        let Backward { receivers, senders, points, sums } = match self.kind {
            Kind::Message { gated } => engine::backward(&edges, &self.message(slices, gated), kept, gradient),
            Kind::Displacement(reach) => engine::backward(&edges, &self.displacement(slices, reach), kept, gradient),
        };
        let d = self.width;
        let [second, distance_weights, bias, reader] = [d * d, 2 * d, d, d].map({
            let mut rest = &sums[..];
            move |length| {
                let (part, after) = rest.split_at(length);
                rest = after;
                part
            }
        });
        let [h, first, first_bias] = pull_halves(slices[0], slices[1], [&receivers, &senders], distance_weights, self.products);
        let mut gradients = vec![h, first, first_bias, second.to_vec(), bias.to_vec()];
        match self.kind {
            Kind::Message { gated: true } => gradients.extend([reader.to_vec(), sums[sums.len() - 1..].to_vec()]),
            Kind::Message { gated: false } => {}
            Kind::Displacement(_) => gradients.push(reader.to_vec()),
        }
        if edges.points.is_some() {
            gradients.extend([0, 3].map(|from| points.chunks_exact(6).flat_map(|row| &row[from..from + 3]).copied().collect()));
        }
        gradients
    }
}

/// The gradients of h, W₁ and b₁ from those of the two halves and of the distances' columns.
fn pull_halves<T: Real>(h: &[T], first: &[T], halves: [&[T]; 2], distance_weights: &[T], products: Products) -> [Vec<T>; 3] {
    let d = distance_weights.len() / 2;
    let (n, stride) = (h.len() / d, first.len() / d);
    let (mut dh, mut dw, mut db) = (vec![T::default(); n * d], vec![T::default(); d * stride], vec![T::default(); d]);
    let nodes = Packed::new(Matrix::dense(h, d), [n, d], products);
    for (which, half) in halves.into_iter().enumerate() {
        let weight = Packed::new(Matrix::dense(&first[which * d..], stride), [d, d], products);
        multiply(Target { values: &mut dh, stride: d, add: which > 0 }, Matrix::dense(half, d), &weight, n);
        let target = Target { values: &mut dw[which * d..], stride, add: false };
        multiply(target, Matrix::transposed(half, d), &nodes, d);
    }
    for (k, column) in distance_weights.chunks_exact(d).enumerate().take(stride - 2 * d) {
        dw.chunks_exact_mut(stride).zip(column).for_each(|(row, &weight)| row[2 * d + k] = weight);
    }
    for row in halves[0].chunks_exact(d) {
        db.iter_mut().zip(row).for_each(|(db, &value)| *db += value);
    }
    [dh, dw, db]
}

/// Runs `body` on the elements of contiguous tensors.
fn with_slices<T: Real, R>(op: &'static str, tensors: &[Tensor], body: impl FnOnce(&[&[T]]) -> Result<R>) -> Result<R> {
    let guards: Vec<_> = tensors.iter().map(Tensor::storage_and_layout).collect();
    let slices = guards.iter().map(|(storage, layout)| elements(op, "an argument", storage, layout)).collect::<Result<Vec<&[T]>>>()?;
    body(&slices)
}
