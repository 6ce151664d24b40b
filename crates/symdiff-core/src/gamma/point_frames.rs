//! Weighted frames from the points of a cloud, which nowhere jump.
//!
//! n − 1 points about their mean name a rotation by Gram–Schmidt, and the volume that they span (the length of one vector of the plane, the area of
//! two in space) is small exactly where Gram–Schmidt is about to fail. Weighted by its square, the frames of all choices of points turn with the
//! cloud, and their average is as smooth as the kernel: at symmetric clouds too, where [`crate::PrincipalAxes`] jump.
//!
//! # Source
//! Dym, Lawrence, Siegel, "Equivariant frames and the impossibility of continuous canonicalization", arXiv 2402.16077.

use super::principal::Scatter;
use crate::{Frame, Frames, MarkovKernel, OnGroup, Result};
use candle_core::{DType, Device, Tensor};
use symdiff_groups::{Chart, Cloud, Dense, Error, GramSchmidt, Group, MatrixGroup, SpecialOrthogonal};
use symdiff_ops::Noise;

/// The frames of all choices of one point (n = 2) or of two in order (n = 3) out of m: all of them for [`crate::Averaged`] over SO(n), differentiable;
/// or one at random as a γ on SO(n) or O(n), without a gradient.
///
/// In the average, choices that span less than 10⁻⁶ of what orthogonal vectors of their lengths would get the identity as frame: their weight is below
/// 10⁻¹². As a γ, a choice is drawn by its weight, and under O(n) the last axis points either way; points on one line through their mean, of which no
/// frame turns with them, get a draw of Haar.
///
/// # Cost
/// In the average m passes of the kernel for n = 2, m·(m − 1) for n = 3; as a γ one, and a time on the host that grows with m.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PointFrames<G = SpecialOrthogonal>(pub G);

const WHAT: &str = "frames of points";

impl<G: Group> OnGroup for PointFrames<G> {
    type Group = G;

    fn group(&self) -> &G {
        &self.0
    }
}

/// One choice of points, with the probability that is its weight.
impl<X: Scatter, G: MatrixGroup> MarkovKernel<X> for PointFrames<G>
where
    GramSchmidt: Chart<G>,
{
    type Out = G::Element;

    fn sample(&self, x: &X, noise: Noise) -> Result<G::Element> {
        let n = self.0.n();
        if n != 2 && n != 3 {
            return Err(Error::Dimension { what: WHAT, n, exists: "n = 2 and n = 3" }.into());
        }
        let [choice, rest] = noise.split();
        let (samples, clouds) = (x.samples(), x.scatter()?);
        let uniform = choice.uniform(&samples, &[], DType::F64, &Device::Cpu)?.to_vec1::<f64>()?;
        // Columns that no point fills: the last one, whose sign is all that is read of it, and all those of a line.
        let mut raw: Vec<Vec<Vec<f64>>> = rest.normal(&samples, &[n, n], DType::F64, &Device::Cpu)?.to_vec3()?;
        for ((matrix, points), u) in raw.iter_mut().zip(&clouds).zip(uniform) {
            for (column, point) in drawn(points, n, u).into_iter().flatten().enumerate() {
                (0..n).for_each(|row| matrix[row][column] = points[point][row]);
            }
        }
        let raw = Tensor::new(raw, &x.device())?.to_dtype(x.dtype())?;
        Ok(GramSchmidt::columns().project(&self.0, &raw)?)
    }
}

/// The points of one choice, in their order that with which the sum of weights passes the share `u` of all; `None` of points on one line.
///
/// Over b, |a|²|b|² − (a·b)² sums to |a|²·Σ|b|² − aᵀ(Σ b·bᵀ)a: so a is chosen first and b given a, in a time that grows with m and not with m².
fn drawn(points: &[Vec<f64>], n: usize, u: f64) -> Option<Vec<usize>> {
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let squares: Vec<f64> = points.iter().map(|point| dot(point, point)).collect();
    let size: f64 = squares.iter().sum();
    let moments: Vec<Vec<f64>> = (0..n).map(|i| (0..n).map(|j| points.iter().map(|point| point[i] * point[j]).sum()).collect()).collect();
    let weights: Vec<f64> = match n {
        3 => points
            .iter()
            .zip(&squares)
            .map(|(a, square)| square * size - dot(a, &moments.iter().map(|row| dot(row, a)).collect::<Vec<_>>()))
            .collect(),
        _ => squares.clone(),
    };
    let total: f64 = weights.iter().sum();
    if total <= 1e-12 * if n == 3 { size * size } else { 0.0 } || !total.is_finite() {
        return None;
    }
    let (a, rest) = passed(&weights, u * total)?;
    if n != 3 {
        return Some(vec![a]);
    }
    let mut given: Vec<f64> = points.iter().zip(&squares).map(|(b, square)| squares[a] * square - dot(&points[a], b).powi(2)).collect();
    given[a] = 0.0;
    Some(vec![a, passed(&given, rest)?.0])
}

/// The place at which the sum of weights passes `at`, and how far into its weight that is.
fn passed(weights: &[f64], at: f64) -> Option<(usize, f64)> {
    let (mut rest, mut last) = (at, None);
    for (place, weight) in weights.iter().copied().enumerate().filter(|(_, weight)| *weight > 0.0) {
        if rest < weight {
            return Some((place, rest));
        }
        rest -= weight;
        last = Some((place, weight));
    }
    // Rounding may leave the sum just below the last share.
    last
}

impl Frames<Cloud> for PointFrames {
    fn frames(&self, x: &Cloud) -> Result<Vec<Frame<SpecialOrthogonal>>> {
        let choices = self.choices(x)?;
        let squares: Vec<Tensor> = choices.iter().map(|vectors| squared_volume(vectors)).collect::<Result<_>>()?;
        let total = total(&squares)?;
        let frame = |(vectors, square): (&Vec<Tensor>, &Tensor)| -> Result<Frame<SpecialOrthogonal>> {
            let raw = spanned(vectors, square)?.to_dtype(x.tensor().dtype())?;
            let element = GramSchmidt::columns().project(&self.0, &raw)?;
            Ok(Frame { element, weight: (square / &total)?.to_dtype(x.tensor().dtype())? })
        };
        choices.iter().zip(&squares).map(frame).collect()
    }
}

impl PointFrames {
    /// Every choice of n − 1 of the points about their mean, `[B, n]` each, in f64.
    fn choices(self, x: &Cloud) -> Result<Vec<Vec<Tensor>>> {
        let (_, m, n) = x.tensor().dims3()?;
        let points = x.tensor().to_dtype(DType::F64)?;
        let points = points.broadcast_sub(&points.mean_keepdim(1)?)?;
        let point = |i: usize| -> Result<Tensor> { Ok(points.narrow(1, i, 1)?.squeeze(1)?) };
        match (self.0.n(), n) {
            (2, 2) => (0..m).map(|i| Ok(vec![point(i)?])).collect(),
            (3, 3) => (0..m * m).filter(|at| at / m != at % m).map(|at| Ok(vec![point(at / m)?, point(at % m)?])).collect(),
            (2 | 3, _) => {
                let (got, expected) = (x.tensor().dims().to_vec(), format!("[B, m, {}]", self.0.n()));
                Err(Error::Shape { what: WHAT, got, expected }.into())
            }
            (n, _) => Err(Error::Dimension { what: WHAT, n, exists: "n = 2 and n = 3" }.into()),
        }
    }
}

fn squared_norm(x: &Tensor) -> Result<Tensor> {
    Ok(x.sqr()?.sum(1)?)
}

/// |u|² or |u × v|², `[B]`.
fn squared_volume(vectors: &[Tensor]) -> Result<Tensor> {
    match vectors {
        [u, v] => squared_norm(&((u.roll(-1, 1)? * v.roll(1, 1)?)? - (u.roll(1, 1)? * v.roll(-1, 1)?)?)?),
        _ => squared_norm(&vectors[0]),
    }
}

/// The vectors as the first columns of matrices `[B, n, n]`, whose last column Gram–Schmidt does not read; the identity where they span next to nothing.
fn spanned(vectors: &[Tensor], square: &Tensor) -> Result<Tensor> {
    let (b, n) = vectors[0].dims2()?;
    let mut largest = Tensor::ones(b, DType::F64, square.device())?;
    for vector in vectors {
        largest = (largest * squared_norm(&vector.detach())?)?;
    }
    let degenerate = square.detach().le(&(largest * 1e-12)?)?.reshape((b, 1, 1))?.broadcast_as((b, n, n))?;
    let identity = Tensor::eye(n, DType::F64, square.device())?.broadcast_as((b, n, n))?;
    let columns: Vec<&Tensor> = vectors.iter().chain(&vectors[..1]).collect();
    Ok(degenerate.where_cond(&identity, &Tensor::stack(&columns, 2)?)?)
}

/// The sum of the squared volumes, `[B]`, none of which may vanish.
fn total(squares: &[Tensor]) -> Result<Tensor> {
    let refused = |sample| {
        let why = "has all its points on one line through their mean, so that no frame turns with it; draw one from Haar instead".into();
        Error::NotAnElement { what: WHAT, sample, why }
    };
    if squares.is_empty() {
        return Err(refused(0).into());
    }
    let total = Tensor::stack(squares, 0)?.sum(0)?;
    let values: Vec<f64> = total.detach().to_vec1()?;
    match values.iter().position(|&v| v <= 0.0 || !v.is_finite()) {
        Some(sample) => Err(refused(sample).into()),
        None => Ok(total),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Against the sum over all pairs: the choice is that with which it passes the share.
    #[test]
    fn the_choice_is_that_of_the_sum_over_all_pairs() {
        let points: Vec<Vec<f64>> = (0..7).map(|i| (1..=3).map(|j| f64::from((i * 5 + j * j * 3) % 11) - 4.5).collect()).collect();
        let dot = |a: usize, b: usize| points[a].iter().zip(&points[b]).map(|(a, b)| a * b).sum::<f64>();
        let pairs: Vec<[usize; 2]> = (0..7).flat_map(|a| (0..7).filter(move |b| *b != a).map(move |b| [a, b])).collect();
        let weights: Vec<f64> = pairs.iter().map(|[a, b]| dot(*a, *a) * dot(*b, *b) - dot(*a, *b).powi(2)).collect();
        let total: f64 = weights.iter().sum();
        let mut sum = 0.0;
        for (pair, weight) in pairs.iter().zip(weights) {
            // In the middle of its share, where rounding does not matter.
            let found = drawn(&points, 3, (sum + 0.5 * weight) / total);
            assert!(weight < 1e-9 * total || found.as_deref() == Some(pair.as_slice()), "{pair:?}: {found:?}");
            sum += weight;
        }
        let line: Vec<Vec<f64>> = [-1.0, 0.25, 0.75].iter().map(|at| vec![*at, 2.0 * at, -at]).collect();
        assert_eq!(drawn(&line, 3, 0.5), None);
        assert_eq!(drawn(&[vec![-3.0, 0.0], vec![1.0, 0.0], vec![2.0, 0.0]], 2, 0.7), Some(vec![1]));
    }
}
