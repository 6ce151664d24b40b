//! Orthonormalisation in f64, differentiable, whatever the dtype of its input.

use crate::{Error, Result, if_served};
use candle_core::{D, DType, Device, Tensor};
use symdiff_ops::gram_schmidt3::{By, gram_schmidt3};

/// Whether columns or rows are orthonormalised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Columns,
    Rows,
}

/// The orthonormal factor of `raw`, `[B, n, n]`, in its dtype: its columns (rows) are what Gram–Schmidt makes of the columns (rows) of `raw`
/// in order. With `proper`, the last one takes the sign that makes the determinant 1.
pub(crate) fn orthonormalised(what: &'static str, raw: &Tensor, side: Side, proper: bool) -> Result<Tensor> {
    let (_, n, m) = raw.dims3().map_err(|_| shape_error(what, raw))?;
    if n != m {
        return Err(shape_error(what, raw));
    }
    let by_op = if n == 3 && !proper { by_op(raw, side)? } else { None };
    let factor = by_op.map_or_else(|| composed(raw, side, proper), Ok)?;
    require_finite(what, &factor)?;
    Ok(factor)
}

/// The factor in O(3) from the op, where it serves the dtype and the device.
fn by_op(raw: &Tensor, side: Side) -> Result<Option<Tensor>> {
    if_served(gram_schmidt3(raw, if side == Side::Rows { By::Rows } else { By::Columns }))
}

/// The factor from Candle's own operations.
fn composed(raw: &Tensor, side: Side, proper: bool) -> Result<Tensor> {
    let rows = match side {
        Side::Rows => raw.clone(),
        Side::Columns => raw.transpose(1, 2)?,
    };
    let rows = gram_schmidt(&rows.to_dtype(DType::F64)?, raw.dims()[1], proper)?;
    let factor = match side {
        Side::Rows => rows,
        Side::Columns => rows.transpose(1, 2)?,
    };
    Ok(factor.to_dtype(raw.dtype())?.contiguous()?)
}

/// The sign of each determinant, `[B, n, n]` → B numbers, each 1 or −1. It is locally constant: it carries no gradient.
pub(crate) fn determinant_signs(matrices: &Tensor) -> Result<Vec<f64>> {
    let matrices: Vec<Vec<Vec<f64>>> = matrices.detach().to_dtype(DType::F64)?.to_device(&Device::Cpu)?.to_vec3()?;
    Ok(matrices.into_iter().map(determinant_sign).collect())
}

fn shape_error(what: &'static str, raw: &Tensor) -> Error {
    Error::Shape { what, got: raw.dims().to_vec(), expected: "[B, n, n]".into() }
}

/// Gram–Schmidt on the rows of `m`, each projected out twice, which keeps nearly parallel rows orthogonal to the last bit. In two and three
/// dimensions the last row is the (cross) product of the others, up to sign.
fn gram_schmidt(m: &Tensor, n: usize, proper: bool) -> Result<Tensor> {
    let mut rows: Vec<Tensor> = Vec::with_capacity(n);
    for i in 0..n {
        let given = m.narrow(1, i, 1)?.squeeze(1)?;
        let last = i + 1 == n;
        let row = match rows.as_slice() {
            [u] if last => signed(&perpendicular(u)?, &given, proper)?,
            [u, v] if last => signed(&cross(u, v)?, &given, proper)?,
            earlier => unit(&rejected(&rejected(&given, earlier)?, earlier)?)?,
        };
        rows.push(row);
    }
    let rows = Tensor::stack(&rows, 1)?;
    if proper && !(2..=3).contains(&n) { with_positive_determinant(&rows, n) } else { Ok(rows) }
}

/// `row` on the side of `given`; as it is when `proper`, since it then completes a right-handed basis.
fn signed(row: &Tensor, given: &Tensor, proper: bool) -> Result<Tensor> {
    if proper {
        return Ok(row.clone());
    }
    let side = (row.detach() * given.detach())?.sum_keepdim(D::Minus1)?;
    let sign = ((side.ge(0.0)?.to_dtype(DType::F64)? * 2.0)? - 1.0)?;
    Ok(row.broadcast_mul(&sign)?)
}

fn rejected(row: &Tensor, from: &[Tensor]) -> Result<Tensor> {
    from.iter().try_fold(row.clone(), |row, q| {
        let along = (q * &row)?.sum_keepdim(D::Minus1)?;
        Ok((row - q.broadcast_mul(&along)?)?)
    })
}

fn unit(row: &Tensor) -> Result<Tensor> {
    Ok(row.broadcast_div(&row.sqr()?.sum_keepdim(D::Minus1)?.sqrt()?)?)
}

/// (a, b) ↦ (−b, a), `[B, 2]`.
fn perpendicular(u: &Tensor) -> Result<Tensor> {
    Ok(Tensor::cat(&[&u.narrow(1, 1, 1)?.neg()?, &u.narrow(1, 0, 1)?], 1)?)
}

/// u × v, `[B, 3]`.
pub(crate) fn cross(u: &Tensor, v: &Tensor) -> Result<Tensor> {
    let turned = |t: &Tensor, by: usize| -> Result<Tensor> { Ok(Tensor::cat(&[t.narrow(1, by, 3 - by)?, t.narrow(1, 0, by)?], 1)?) };
    Ok(((turned(u, 1)? * turned(v, 2)?)? - (turned(u, 2)? * turned(v, 1)?)?)?)
}

fn with_positive_determinant(rows: &Tensor, n: usize) -> Result<Tensor> {
    let signs = Tensor::from_vec(determinant_signs(rows)?, (rows.dims()[0], 1, 1), rows.device())?;
    let last = rows.narrow(1, n - 1, 1)?.broadcast_mul(&signs)?;
    Ok(if n == 1 { last } else { Tensor::cat(&[&rows.narrow(1, 0, n - 1)?, &last], 1)? })
}

/// Gaussian elimination with partial pivoting.
fn determinant_sign(mut m: Vec<Vec<f64>>) -> f64 {
    let mut sign = 1.0;
    for k in 0..m.len() {
        let pivot = (k..m.len()).max_by(|&i, &j| m[i][k].abs().total_cmp(&m[j][k].abs())).unwrap_or(k);
        if pivot != k {
            m.swap(pivot, k);
            sign = -sign;
        }
        if m[k][k] < 0.0 {
            sign = -sign;
        }
        let (upper, lower) = m.split_at_mut(k + 1);
        let top = &upper[k];
        for row in lower.iter_mut().filter(|_| top[k] != 0.0) {
            let factor = row[k] / top[k];
            row.iter_mut().zip(top).for_each(|(entry, above)| *entry -= factor * above);
        }
    }
    sign
}

/// The sum is finite exactly when every entry is, as unit vectors cannot overflow it. On a GPU the check is left out, since it would wait for
/// the device: there a singular matrix gives NaN.
fn require_finite(what: &'static str, rows: &Tensor) -> Result<()> {
    if !rows.device().is_cpu() {
        return Ok(());
    }
    let rows = rows.detach().to_dtype(DType::F64)?;
    if rows.sum_all()?.to_scalar::<f64>()?.is_finite() {
        return Ok(());
    }
    let sums: Vec<f64> = rows.flatten_from(1)?.sum(1)?.to_vec1()?;
    let sample = sums.iter().position(|sum| !sum.is_finite()).unwrap_or_default();
    let why = "has a matrix that is singular or not finite; check the network that made it".into();
    Err(Error::NotAnElement { what, sample, why })
}
