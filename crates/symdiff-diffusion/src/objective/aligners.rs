//! Group elements that bring data close to noise.

use candle_core::{DType, Tensor};
use pathfinding::matrix::Matrix;
use pathfinding::prelude::kuhn_munkres_min;
use symdiff_core::MarkovKernel;
use symdiff_groups::{Chart, CompactGroup, Matrices, MatrixGroup, Permutations, Points, Polar, Symmetric};
use symdiff_ops::{Batched, Noise, segment_sum};

/// The element g of O(n) or SO(n) that minimises Σ|g·x_i − y_i|² over the points of (x, y), found by the polar chart from M = Σ y_i·x_iᵀ.
///
/// Where several are as good, as for points on a line, a Haar draw decides: a millionth of one is added to M, scaled to M's norm. So g turns with y, in law, always.
///
/// `points` reads a state's points off it, all about the same centre; what they read must be detached, since an aligner has no gradient.
///
/// # Source
/// Kabsch, Acta Cryst. A32 (1976).
#[derive(Clone, Copy, Debug)]
pub struct Kabsch<G, F> {
    group: G,
    points: F,
}

impl<G, F> Kabsch<G, F> {
    /// Rotations of `group` for the points that `points` reads off a state.
    pub fn new(group: G, points: F) -> Self {
        Self { group, points }
    }
}

impl<S, G, F> MarkovKernel<(S, S)> for Kabsch<G, F>
where
    G: MatrixGroup + CompactGroup<Element = Matrices>,
    Polar: Chart<G>,
    F: Fn(&S) -> symdiff_core::Result<Points>,
{
    type Out = Matrices;

    fn sample(&self, (x, y): &(S, S), noise: Noise) -> symdiff_core::Result<Matrices> {
        let (x, y) = read(&self.points, x, y)?;
        let n = self.group.n();
        let overlap = overlap(&x, &y, n)?;
        let ties = self.group.haar(&x, noise)?.as_tensor().to_dtype(DType::F64)?;
        let norms = overlap.sqr()?.sum_keepdim((1, 2))?.sqrt()?;
        let nudge = ((norms * 1e-6)? + 1e-30)?.broadcast_mul(&ties)?;
        Ok(Polar.project(&self.group, &(overlap + nudge)?.to_dtype(x.dtype())?)?)
    }
}

/// M = Σ y_i·x_iᵀ of each sample, `[B, n, n]` in f64.
fn overlap(x: &Points, y: &Points, n: usize) -> symdiff_core::Result<Tensor> {
    let rows = |points: &Points| untracked(points)?.to_dtype(DType::F64).map_err(symdiff_core::Error::from);
    let products = rows(y)?.unsqueeze(2)?.broadcast_mul(&rows(x)?.unsqueeze(1)?)?.flatten_from(1)?;
    Ok(segment_sum(&products, x.layout())?.reshape(((), n, n))?)
}

/// The permutation g of each sample's nodes that minimises Σ|x_i − y_g(i)|² over the points of (x, y), by the Hungarian method.
///
/// # Cost
/// O(n³) for n nodes, on the host.
#[derive(Clone, Copy, Debug)]
pub struct Assignment<F> {
    points: F,
}

impl<F> Assignment<F> {
    /// Permutations by the points that `points` reads off a state; they must be detached.
    pub fn new(points: F) -> Self {
        Self { points }
    }
}

impl<S, F: Fn(&S) -> symdiff_core::Result<Points>> MarkovKernel<(S, S)> for Assignment<F> {
    type Out = Permutations;

    fn sample(&self, (x, y): &(S, S), _: Noise) -> symdiff_core::Result<Permutations> {
        let (x, y) = read(&self.points, x, y)?;
        let rows = |points: &Points| -> symdiff_core::Result<Vec<Vec<f64>>> { Ok(untracked(points)?.to_dtype(DType::F64)?.to_vec2()?) };
        let (from, to, layout) = (rows(&x)?, rows(&y)?, x.layout());
        let images = (0..layout.len()).map(|sample| assigned(&from[layout.rows(sample)], &to[layout.rows(sample)]));
        Ok(Symmetric::ragged(layout.clone()).element(images.collect())?)
    }
}

/// Where each of `from` goes. Costs are compared as integers, at 2⁴⁰ parts of the largest.
fn assigned(from: &[Vec<f64>], to: &[Vec<f64>]) -> Vec<u32> {
    let cost = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum::<f64>();
    let costs: Vec<f64> = from.iter().flat_map(|a| to.iter().map(|b| cost(a, b))).collect();
    let largest = costs.iter().copied().fold(f64::MIN_POSITIVE, f64::max);
    let whole = costs.into_iter().map(|cost| (cost / largest * 2f64.powi(40)) as i64).collect();
    let Ok(matrix) = Matrix::from_vec(from.len(), to.len(), whole) else { return (0..from.len() as u32).collect() };
    kuhn_munkres_min(&matrix).1.into_iter().map(|place| place as u32).collect()
}

/// The points of both states, which must be as many, sample by sample.
fn read<S>(points: impl Fn(&S) -> symdiff_core::Result<Points>, x: &S, y: &S) -> symdiff_core::Result<(Points, Points)> {
    let (x, y) = (points(x)?, points(y)?);
    if x.layout().offsets() == y.layout().offsets() {
        return Ok((x, y));
    }
    let [of_x, of_y] = [&x, &y].map(|points| points.layout().sizes().collect::<Vec<_>>());
    let expected = format!("as many points in each sample as the data have, {of_x:?}");
    Err(symdiff_groups::Error::Shape { what: "alignment of data with noise", got: of_y, expected }.into())
}

fn untracked(points: &Points) -> symdiff_core::Result<&Tensor> {
    if points.positions().track_op() {
        return Err(symdiff_groups::Error::Tracked { what: "alignment of data with noise" }.into());
    }
    Ok(points.positions())
}
