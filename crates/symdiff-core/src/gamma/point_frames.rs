//! Weighted frames from the points of a cloud, which nowhere jump.
//!
//! n − 1 points about their mean name a rotation by Gram–Schmidt, and the volume that they span (the length of one vector of the plane, the area of
//! two in space) is small exactly where Gram–Schmidt is about to fail. Weighted by its square, the frames of all choices of points turn with the
//! cloud, and their average is as smooth as the kernel: at symmetric clouds too, where [`crate::PrincipalAxes`] jump.
//!
//! # Source
//! Dym, Lawrence, Siegel, "Equivariant frames and the impossibility of continuous canonicalization", arXiv 2402.16077.

use crate::{Frame, Frames, OnGroup, Result};
use candle_core::{DType, Tensor};
use symdiff_groups::{Chart, Cloud, Dense, Error, GramSchmidt, MatrixGroup, SpecialOrthogonal};

/// The frames of all choices of one point (n = 2) or of two in order (n = 3) out of m, for [`crate::Averaged`] over SO(n). Differentiable.
///
/// Choices that span less than 10⁻⁶ of what orthogonal vectors of their lengths would get the identity as frame: their weight is below 10⁻¹².
///
/// # Cost
/// m passes of the kernel for n = 2, m·(m − 1) for n = 3.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PointFrames(pub SpecialOrthogonal);

const WHAT: &str = "frames of points";

impl OnGroup for PointFrames {
    type Group = SpecialOrthogonal;

    fn group(&self) -> &SpecialOrthogonal {
        &self.0
    }
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
