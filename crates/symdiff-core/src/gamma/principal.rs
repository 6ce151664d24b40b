//! Frames from the principal axes of a cloud.
//!
//! Where the covariance has n different eigenvalues, its eigenvectors are axes fixed by the cloud up to n signs: a set of 2ⁿ frames
//! that turns with the cloud. Averaging over the set is exactly equivariant; so is, in law, drawing one of them.
//!
//! The axes jump where two eigenvalues meet (symmetric tops, collinear or single points), and there they are arbitrary: no continuous choice exists.
//! They are computed on the host in f64 and carry no gradient.
//!
//! # Source
//! Puny et al., "Frame averaging for invariant and equivariant network design", arXiv 2110.03336, section 3.1.

use crate::{Frame, Frames, MarkovKernel, OnGroup, Result};
use candle_core::{DType, Tensor};
use symdiff_groups::{Cloud, Dense, Group, Matrices, MatrixGroup, Orthogonal, Points, SpecialOrthogonal};
use symdiff_ops::{Batched, Noise, centre};

/// A state with points to take the axes of.
pub trait Scatter: Batched {
    /// Each sample's points `[n_i, n]` about their mean, in f64 on the host.
    ///
    /// # Errors
    /// When the points are tracked, since the axes carry no gradient.
    fn scatter(&self) -> Result<Vec<Vec<Vec<f64>>>>;
}

impl Scatter for Cloud {
    fn scatter(&self) -> Result<Vec<Vec<Vec<f64>>>> {
        let x = untracked(self.tensor())?;
        Ok(x.broadcast_sub(&x.mean_keepdim(1)?)?.to_vec3()?)
    }
}

impl Scatter for Points {
    fn scatter(&self) -> Result<Vec<Vec<Vec<f64>>>> {
        let rows: Vec<Vec<f64>> = centre(&untracked(self.positions())?, self.layout())?.to_vec2()?;
        Ok((0..self.layout().len()).map(|sample| rows[self.layout().rows(sample)].to_vec()).collect())
    }
}

fn untracked(x: &Tensor) -> Result<Tensor> {
    if x.track_op() {
        return Err(symdiff_groups::Error::Tracked { what: "principal axes" }.into());
    }
    Ok(x.to_dtype(DType::F64)?)
}

/// The principal axes as frames: all of them for [`crate::Averaged`], or one at random as a γ.
///
/// Which sign of an axis the eigensolver returns depends on the pose, and so do the axes where eigenvalues are equal. Where that matters, as with one draw for several states or at
/// symmetric clouds, γ is `PrincipalAxes(group)` with [`haar_symmetrised`](crate::MarkovKernelExt::haar_symmetrised): equivariant in law at every cloud.
#[derive(Clone, Copy, Debug)]
pub struct PrincipalAxes<G>(pub G);

impl<G: Group> OnGroup for PrincipalAxes<G> {
    type Group = G;

    fn group(&self) -> &G {
        &self.0
    }
}

/// A group of matrices whose elements can be chosen by signs of given axes.
trait Signed: MatrixGroup {
    /// The elements of `matrices`.
    fn checked(&self, matrices: &Tensor) -> symdiff_groups::Result<Matrices>;
    /// Whether only rotations count, so that the last sign follows from the others.
    const PROPER: bool;
}

impl Signed for Orthogonal {
    fn checked(&self, matrices: &Tensor) -> symdiff_groups::Result<Matrices> {
        self.element(matrices)
    }
    const PROPER: bool = false;
}

impl Signed for SpecialOrthogonal {
    fn checked(&self, matrices: &Tensor) -> symdiff_groups::Result<Matrices> {
        self.element(matrices)
    }
    const PROPER: bool = true;
}

macro_rules! principal {
    ($($group:ty),*) => {$(
        /// All choices of signs, equally weighted.
        impl<X: Scatter> Frames<X> for PrincipalAxes<$group> {
            fn frames(&self, x: &X) -> Result<Vec<Frame<$group>>> {
                let (axes, b) = (axes_of(x)?, x.samples().len());
                let free = self.0.n() - usize::from(<$group>::PROPER);
                let weight = (Tensor::ones(b, x.dtype(), &x.device())? / f64::powi(2.0, free as i32))?;
                let choices = 0..1_u32 << free;
                choices.map(|bits| Ok(Frame { element: oriented(&self.0, x, &axes, &vec![bits; b])?, weight: weight.clone() })).collect()
            }
        }

        /// One choice of signs, uniformly.
        impl<X: Scatter> MarkovKernel<X> for PrincipalAxes<$group> {
            type Out = Matrices;

            fn sample(&self, x: &X, noise: Noise) -> Result<Matrices> {
                let bits = noise.integers(&x.samples(), 0..1 << self.0.n())?;
                oriented(&self.0, x, &axes_of(x)?, &bits)
            }
        }
    )*};
}
principal!(Orthogonal, SpecialOrthogonal);

/// The matrices whose columns are the axes, column j reversed where bit j is set; the last completes a rotation if the group wants one.
fn oriented<G: Signed>(group: &G, x: &impl Batched, axes: &[Axes], bits: &[u32]) -> Result<Matrices> {
    let n = group.n();
    let mut values = Vec::with_capacity(axes.len() * n * n);
    for (axes, bits) in axes.iter().zip(bits) {
        let mut signs: Vec<f64> = (0..n).map(|j| if bits >> j & 1 == 1 { -1.0 } else { 1.0 }).collect();
        if G::PROPER {
            let others: f64 = signs[..n - 1].iter().product();
            signs[n - 1] = axes.handedness * others;
        }
        values.extend((0..n * n).map(|at| axes.columns[at / n][at % n] * signs[at % n]));
    }
    let matrices = Tensor::from_vec(values, (axes.len(), n, n), &x.device())?.to_dtype(x.dtype())?;
    Ok(group.checked(&matrices)?)
}

/// Orthonormal eigenvectors as columns, by falling eigenvalue, and the sign of their determinant.
struct Axes {
    columns: Vec<Vec<f64>>,
    handedness: f64,
}

fn axes_of(x: &impl Scatter) -> Result<Vec<Axes>> {
    Ok(x.scatter()?.iter().map(|points| axes(points)).collect())
}

fn axes(points: &[Vec<f64>]) -> Axes {
    let n = points.first().map_or(0, Vec::len);
    let moment = |i: usize, j: usize| points.iter().map(|p| p[i] * p[j]).sum::<f64>();
    let covariance = (0..n).map(|i| (0..n).map(|j| moment(i, j)).collect()).collect();
    let (values, vectors) = jacobi(covariance);
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by(|&a, &b| values[b].total_cmp(&values[a]));
    let inversions = (0..n).flat_map(|i| (0..i).map(move |j| (j, i))).filter(|&(j, i)| order[j] > order[i]).count();
    let columns = vectors.iter().map(|row| order.iter().map(|&j| row[j]).collect()).collect();
    Axes { columns, handedness: if inversions % 2 == 0 { 1.0 } else { -1.0 } }
}

/// Eigenvalues and eigenvectors (columns, a proper rotation) of a symmetric matrix by Jacobi's rotations.
fn jacobi(mut a: Vec<Vec<f64>>) -> (Vec<f64>, Vec<Vec<f64>>) {
    let n = a.len();
    let mut v: Vec<Vec<f64>> = (0..n).map(|i| (0..n).map(|j| f64::from(u8::from(i == j))).collect()).collect();
    for _ in 0..50 {
        for (p, q) in (0..n).flat_map(|q| (0..q).map(move |p| (p, q))) {
            if a[p][q] == 0.0 {
                continue;
            }
            let theta = (a[q][q] - a[p][p]) / (2.0 * a[p][q]);
            let t = theta.signum() / (theta.abs() + theta.hypot(1.0));
            let c = 1.0 / t.hypot(1.0);
            let s = t * c;
            let rotated = |x: f64, y: f64| (c * x - s * y, s * x + c * y);
            for row in &mut a {
                (row[p], row[q]) = rotated(row[p], row[q]);
            }
            let (upper, lower) = a.split_at_mut(q);
            for (x, y) in upper[p].iter_mut().zip(&mut lower[0]) {
                (*x, *y) = rotated(*x, *y);
            }
            for row in &mut v {
                (row[p], row[q]) = rotated(row[p], row[q]);
            }
        }
    }
    ((0..n).map(|i| a[i][i]).collect(), v)
}
