//! The edge network between the per-node halves of its first layer and its head, in chunks of edges that stay in the L2 cache.

use super::head::Head;
use super::pairs::Pairs;
use super::rows::{First, FirstGradients, activate, activate_with_slope, pull_first};
use crate::fill::{Blocks, even_bounds, fill, fill_one};
use crate::host::Real;
use crate::product::{Packed, Products, Target, multiply};
use crate::simd::Matrix;
use std::ops::Range;

/// Edges that pass through the network at once, about.
const CHUNK: usize = 320;

/// Tasks of a backward pass, about; each holds one copy of the second layer's weight gradient.
const TASKS: usize = 12;

/// What the edges read.
pub(super) struct Edges<'a, T> {
    pub(super) pairs: &'a Pairs,
    /// D.
    pub(super) width: usize,
    /// The products of the second layer.
    pub(super) products: Products,
    /// Each node's half of the first layer as a receiver, bias included, `[N, D]`.
    pub(super) receivers: &'a [T],
    /// Each node's half of the first layer as a sender, `[N, D]`.
    pub(super) senders: &'a [T],
    /// The first layer's weights of the two squared distances, `[D]` each; zeros where there is no geometry.
    pub(super) distance_weights: [&'a [T]; 2],
    /// The second layer's weight, `[D, D]`.
    pub(super) second: &'a [T],
    /// The points now and at the start, `[N, 3]` each.
    pub(super) points: Option<[&'a [T]; 2]>,
}

/// The head's results, and what the backward pass needs.
pub(super) struct Forward<T> {
    pub(super) out: Vec<T>,
    pub(super) kept: Kept<T>,
}

/// The second layer before its bias, `[E, D]`, and what the head keeps of each edge; both empty where no backward pass follows.
pub(super) struct Kept<T> {
    hidden: Vec<T>,
    head: Vec<T>,
}

/// The gradients of what [`Edges`] holds, and of the head's parameters.
pub(super) struct Backward<T> {
    pub(super) receivers: Vec<T>,
    pub(super) senders: Vec<T>,
    /// Of the points now and at the start, `[N, 6]`.
    pub(super) points: Vec<T>,
    /// Of the second weight `[D, D]`, then of the two distance weights `[D]`, then the head's.
    pub(super) sums: Vec<T>,
}

pub(super) fn forward<T: Real>(edges: &Edges<T>, head: &impl Head<T>, keep: bool) -> Forward<T> {
    let width = edges.width;
    let nodes = edges.pairs.chunks(0..edges.pairs.layout().nodes(), CHUNK);
    let starts = edges.pairs.starts(&nodes);
    let per_edge = |columns| Blocks { bounds: &starts, width: if keep { columns } else { 0 } };
    let shapes = [Blocks { bounds: &nodes, width: head.columns() }, per_edge(width), per_edge(head.kept())];
    let work = width * width * edges.pairs.len();
    let second = Packed::new(Matrix::transposed(edges.second, width), [width, width], edges.products);
    let [out, hidden, kept] = fill(work, shapes, |chunk, [out, hidden, kept]| {
        let receivers = nodes[chunk]..nodes[chunk + 1];
        let count = starts[chunk + 1] - starts[chunk];
        let mut scratch = vec![T::default(); if keep { 0 } else { count * (width + head.kept()) }];
        let (z, kept) = if keep { (hidden, kept) } else { scratch.split_at_mut(count * width) };
        let mut a = vec![T::default(); count * width];
        let distances = edges.distances(&receivers);
        for (receiver, part) in edges.each(&receivers) {
            activate(edges.first(receiver, &distances, &part), &mut a[part.start * width..part.end * width]);
        }
        multiply(Target { values: z, stride: width, add: false }, Matrix::dense(&a, width), &second, count);
        for ((receiver, part), out) in edges.each(&receivers).zip(out.chunks_exact_mut(head.columns())) {
            let kept = &mut kept[part.start * head.kept()..part.end * head.kept()];
            head.forward(receiver, &z[part.start * width..part.end * width], kept, out);
        }
    });
    Forward { out, kept: Kept { hidden, head: kept } }
}

/// The backward pass, with `gradient` that of the head's results.
pub(super) fn backward<T: Real>(edges: &Edges<T>, head: &impl Head<T>, kept: &Kept<T>, gradient: &[T]) -> Backward<T> {
    let width = edges.width;
    let nodes = edges.pairs.blocks(edges.pairs.len() / TASKS);
    let each: Vec<usize> = (0..nodes.len()).collect();
    let per_node = |width| Blocks { bounds: &nodes, width };
    let size = width * width + 2 * width + head.parameters();
    let shapes = [per_node(width), per_node(width), per_node(6), Blocks { bounds: &each, width: size }];
    let work = width * width * edges.pairs.len();
    let second = Packed::new(Matrix::dense(edges.second, width), [width, width], edges.products);
    let [receivers, senders, points, sums] = fill(work, shapes, |block, [receivers, senders, points, sums]| {
        let first = nodes[block];
        let chunks = edges.pairs.chunks(first..nodes[block + 1], CHUNK);
        let largest = edges.pairs.starts(&chunks).windows(2).map(|pair| pair[1] - pair[0]).max().unwrap_or(0);
        let second = &second;
        let mut chunk = Chunk { edges, second, first, scratch: vec![T::default(); 3 * largest * width], receivers, senders, points, sums };
        for pair in chunks.windows(2) {
            chunk.pull(head, &(pair[0]..pair[1]), kept, gradient);
        }
    });
    Backward { receivers, senders, points, sums: added_up(&sums, size) }
}

/// The sum of rows of `width` entries, in order, each column by one task.
fn added_up<T: Real>(rows: &[T], width: usize) -> Vec<T> {
    let bounds = even_bounds(width, 1, 4096);
    fill_one(rows.len(), Blocks { bounds: &bounds, width: 1 }, |block, sums: &mut [T]| {
        for row in rows.chunks_exact(width) {
            sums.iter_mut().zip(&row[bounds[block]..]).for_each(|(sum, &value)| *sum += value);
        }
    })
}

/// The state of one task of the backward pass: its share of the results, and scratch memory for one chunk.
struct Chunk<'a, T> {
    edges: &'a Edges<'a, T>,
    second: &'a Packed<T>,
    /// The first node of the task.
    first: usize,
    scratch: Vec<T>,
    receivers: &'a mut [T],
    senders: &'a mut [T],
    points: &'a mut [T],
    sums: &'a mut [T],
}

impl<T: Real> Chunk<'_, T> {
    fn pull(&mut self, head: &impl Head<T>, receivers: &Range<usize>, kept: &Kept<T>, gradient: &[T]) {
        let (edges, width) = (self.edges, self.edges.width);
        let places = edges.pairs.edges(receivers);
        let count = places.len();
        let distances = edges.distances(receivers);
        let [a, slope, dz] = thirds(&mut self.scratch, count * width);
        let (dw, rest) = self.sums.split_at_mut(width * width);
        let (dw_distances, head_sums) = rest.split_at_mut(2 * width);

        for (receiver, part) in edges.each(receivers) {
            let range = part.start * width..part.end * width;
            activate_with_slope(edges.first(receiver, &distances, &part), &mut a[range.clone()], &mut slope[range.clone()]);
            let all = places.start + part.start..places.start + part.end;
            let hidden = &kept.hidden[all.start * width..all.end * width];
            let kept = &kept.head[all.start * head.kept()..all.end * head.kept()];
            let gradient = &gradient[receiver * head.columns()..][..head.columns()];
            let sample = edges.pairs.senders(receiver).0;
            let points = &mut self.points[6 * (sample.start - self.first)..6 * (sample.end - self.first)];
            head.backward(receiver, [hidden, kept, gradient], &mut dz[range], head_sums, points);
        }

        let dz = &*dz;
        let edges_by_channel = Packed::new(Matrix::dense(a, width), [count, width], edges.products);
        multiply(Target { values: dw, stride: width, add: true }, Matrix::transposed(dz, width), &edges_by_channel, width);
        let da = a;
        multiply(Target { values: da, stride: width, add: false }, Matrix::dense(dz, width), self.second, count);

        let (dw_near, dw_far) = dw_distances.split_at_mut(width);
        let mut d_distances = [vec![T::default(); count], vec![T::default(); count]];
        for (receiver, part) in edges.each(receivers) {
            let range = part.start * width..part.end * width;
            let sample = edges.pairs.senders(receiver).0;
            let own = receiver - self.first;
            let to = FirstGradients {
                base: &mut self.receivers[own * width..][..width],
                senders: &mut self.senders[(sample.start - self.first) * width..(sample.end - self.first) * width],
                distances: d_distances.each_mut().map(|d| &mut d[part.clone()]),
                weights: [&mut *dw_near, &mut *dw_far],
            };
            pull_first(edges.first(receiver, &distances, &part), &da[range.clone()], &slope[range], to);
        }
        self.pull_distances(receivers, &d_distances);
    }

    /// The slope of a squared distance: twice the difference, to the receiver, and with the other sign to the sender.
    fn pull_distances(&mut self, receivers: &Range<usize>, gradients: &[Vec<T>; 2]) {
        let Some(points) = self.edges.points else { return };
        for (receiver, part) in self.edges.each(receivers) {
            let (sample, skip) = self.edges.pairs.senders(receiver);
            let start = sample.start;
            let senders = sample.filter(|sender| sender - start != skip);
            for (edge, sender) in part.zip(senders) {
                for (which, x) in points.iter().enumerate() {
                    let double = gradients[which][edge] + gradients[which][edge];
                    for axis in 0..3 {
                        let pull = double * (x[3 * receiver + axis] - x[3 * sender + axis]);
                        self.points[6 * (receiver - self.first) + 3 * which + axis] += pull;
                        self.points[6 * (sender - self.first) + 3 * which + axis] += -pull;
                    }
                }
            }
        }
    }
}

impl<'a, T: Real> Edges<'a, T> {
    /// Each receiver with its edges, counted from the first edge of the range.
    fn each(&self, receivers: &Range<usize>) -> impl Iterator<Item = (usize, Range<usize>)> + use<'a, T> {
        let (pairs, start) = (self.pairs, self.pairs.edges(receivers).start);
        receivers.clone().map(move |receiver| {
            let edges = pairs.edges(&(receiver..receiver + 1));
            (receiver, edges.start - start..edges.end - start)
        })
    }

    fn first<'b>(&'b self, receiver: usize, distances: &'b [Vec<T>; 2], part: &Range<usize>) -> First<'b, T> {
        let (sample, skip) = self.pairs.senders(receiver);
        First {
            base: &self.receivers[receiver * self.width..][..self.width],
            senders: &self.senders[sample.start * self.width..sample.end * self.width],
            skip,
            distances: distances.each_ref().map(|d| &d[part.clone()]),
            weights: self.distance_weights,
        }
    }

    /// The squared distances now and at the start of the edges into a range of nodes; zeros without geometry.
    fn distances(&self, receivers: &Range<usize>) -> [Vec<T>; 2] {
        let count = self.pairs.edges(receivers).len();
        let Some(points) = self.points else { return [vec![T::default(); count], vec![T::default(); count]] };
        points.map(|x| {
            let mut distances = Vec::with_capacity(count);
            for receiver in receivers.clone() {
                let (sample, skip) = self.pairs.senders(receiver);
                let start = sample.start;
                distances.extend(sample.filter(|sender| sender - start != skip).map(|sender| squared_distance(x, receiver, sender)));
            }
            distances
        })
    }
}

pub(super) fn squared_distance<T: Real>(x: &[T], i: usize, j: usize) -> T {
    (0..3).fold(T::default(), |sum, axis| {
        let d = x[3 * i + axis] - x[3 * j + axis];
        d.fma(d, sum)
    })
}

fn thirds<T>(scratch: &mut [T], size: usize) -> [&mut [T]; 3] {
    let (a, rest) = scratch.split_at_mut(size);
    let (b, rest) = rest.split_at_mut(size);
    [a, b, &mut rest[..size]]
}
