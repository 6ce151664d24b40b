//! ColumnMajor products with a bias, in the terms of cuBLASLt.
//!
//! The library computes D = op(A)·op(B), plus a bias to every column of D, on column-major matrices; op takes a matrix as it is or
//! transposed. Memory that holds a row-major `[r, c]` is, read column-major, the transpose: c rows, r columns, leading dimension c. From
//! Y = L·R follows Yᵀ = Rᵀ·Lᵀ, so D is Y's memory, A is R's and B is L's, and with Y `[rows, columns]`
//!
//! ```text
//! m = columns   n = rows   k = the inner length         D: m × n
//! R `[k, m]` in memory:  A is m × k, taken as it is     R transposed, `[m, k]` in memory:  A is k × m, transposed
//! L `[n, k]` in memory:  B is k × n, taken as it is     L transposed, `[k, n]` in memory:  B is n × k, transposed
//! ```
//! The bias has an entry for every row of D: one for every column of Y.

use crate::dispatch::elsewhere;
use crate::{Error, Result, shape};
use candle_core::{DType, Device, Tensor};

/// A column-major matrix without gaps: its leading dimension is its number of rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct ColumnMajor {
    pub(crate) rows: usize,
    pub(crate) columns: usize,
    /// Whether the product takes its transpose.
    pub(crate) transposed: bool,
}

/// A product as cuBLASLt sees it; D is m × n.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Plan {
    pub(crate) m: usize,
    pub(crate) n: usize,
    pub(crate) k: usize,
    pub(crate) a: ColumnMajor,
    pub(crate) b: ColumnMajor,
}

impl Plan {
    /// The plan of Y `[rows, columns]`, given the row-major shapes in memory of the left and the right operand, and whether each is transposed.
    fn new(left: [usize; 2], left_transposed: bool, right: [usize; 2], right_transposed: bool) -> Self {
        let memory = |[rows, columns]: [usize; 2], transposed| ColumnMajor { rows: columns, columns: rows, transposed };
        let [n, k] = turned(left, left_transposed);
        let [_, m] = turned(right, right_transposed);
        Self { m, n, k, a: memory(right, right_transposed), b: memory(left, left_transposed) }
    }
}

/// A matrix as it lies in memory, row-major, and whether the product takes its transpose.
#[derive(Clone, Copy)]
pub(crate) struct Operand<'a> {
    tensor: &'a Tensor,
    transposed: bool,
}

impl<'a> Operand<'a> {
    pub(crate) fn plain(tensor: &'a Tensor) -> Self {
        Self { tensor, transposed: false }
    }

    pub(crate) fn transposed(tensor: &'a Tensor) -> Self {
        Self { tensor, transposed: true }
    }
}

/// leftᵀ·right in f32, and the sums of left over its rows, in f32; the operands share a dtype, f32 or bf16.
pub(crate) fn product_and_sums(op: &'static str, left: &Tensor, right: &Tensor) -> Result<[Tensor; 2]> {
    #[cfg(feature = "cuda")]
    if let Device::Cuda(device) = left.device() {
        let (left, right) = (left.contiguous()?, right.contiguous()?);
        let plan = planned(op, Operand::transposed(&left), Operand::plain(&right), DType::F32)?;
        if let Some(both) = super::cublaslt::run_with_sums(op, &plan, [&right, &left], device)? {
            return Ok(both);
        }
    }
    let product = product(op, Operand::transposed(left), Operand::plain(right), None, DType::F32)?;
    Ok([product, super::column_sums::column_sums(op, left, DType::F32)?])
}

/// left·right (+ bias), summed in f32 and rounded to `dtype` once; the operands share a dtype, f32 or bf16.
pub(crate) fn product(op: &'static str, left: Operand, right: Operand, bias: Option<&Tensor>, dtype: DType) -> Result<Tensor> {
    let plan = planned(op, left, right, dtype)?;
    if let Some(bias) = bias {
        shape::exact(op, "bias", bias, &[plan.m], "one entry per column of the result")?;
    }
    if let Some(other) = bias.filter(|bias| bias.dtype() != dtype) {
        return Err(Error::Mixed { op, what: "bias", got: other.dtype(), first: "the result", expected: dtype });
    }
    let device = left.tensor.device();
    if let Some(other) = bias.filter(|bias| !bias.device().same_device(device)) {
        return Err(elsewhere(op, other.device()));
    }
    let [a, b] = [right.tensor.contiguous()?, left.tensor.contiguous()?];
    let bias = bias.map(Tensor::contiguous).transpose()?;
    match device {
        #[cfg(feature = "cuda")]
        Device::Cuda(device) => super::cublaslt::run(op, &plan, [&a, &b], bias.as_ref(), dtype, device),
        #[cfg(feature = "emulate")]
        Device::Cpu => crate::emulate::product(&plan, [&a, &b], bias.as_ref(), dtype),
        device => Err(elsewhere(op, device)),
    }
}

/// The plan of left·right, once shapes, dtypes and devices are checked.
fn planned(op: &'static str, left: Operand, right: Operand, dtype: DType) -> Result<Plan> {
    let shapes =
        [shape::matrix(op, "left operand", left.tensor, "a matrix")?, shape::matrix(op, "right operand", right.tensor, "a matrix")?];
    let plan = Plan::new(shapes[0], left.transposed, shapes[1], right.transposed);
    if turned(shapes[1], right.transposed)[0] != plan.k {
        return Err(shape::refused(op, "right operand", right.tensor, format!("{} entries to sum over, as the left one", plan.k)));
    }
    for (tensor, expected) in [(left.tensor, right.tensor.dtype()), (right.tensor, left.tensor.dtype())] {
        if tensor.dtype() != expected || !matches!((expected, dtype), (DType::F32 | DType::BF16, DType::F32) | (DType::BF16, DType::BF16)) {
            return Err(Error::DType { op, got: tensor.dtype() });
        }
    }
    if !right.tensor.device().same_device(left.tensor.device()) {
        return Err(elsewhere(op, right.tensor.device()));
    }
    Ok(plan)
}

fn turned([rows, columns]: [usize; 2], transposed: bool) -> [usize; 2] {
    if transposed { [columns, rows] } else { [rows, columns] }
}

#[cfg(all(test, feature = "emulate"))]
mod tests {
    use super::*;

    /// Every pair of transpositions, with and without bias, on sides that all differ: small whole numbers, so sums are exact.
    #[test]
    fn plans_compute_the_row_major_product() -> Result<()> {
        let (rows, inner, columns) = (2_usize, 3, 5);
        let left = Tensor::arange(1.0_f32, 7.0, &Device::Cpu)?.reshape((rows, inner))?;
        let right = Tensor::arange(-7.0_f32, 8.0, &Device::Cpu)?.reshape((inner, columns))?;
        let bias = Tensor::arange(100.0_f32, 105.0, &Device::Cpu)?;
        let expected = left.matmul(&right)?;
        for (left_turned, right_turned, biased) in (0..8).map(|k| (k & 1 > 0, k & 2 > 0, k & 4 > 0)) {
            let stored = |tensor: &Tensor, turned| if turned { tensor.t()?.contiguous() } else { Ok(tensor.clone()) };
            let (l, r) = (stored(&left, left_turned)?, stored(&right, right_turned)?);
            let operands = [Operand { tensor: &l, transposed: left_turned }, Operand { tensor: &r, transposed: right_turned }];
            let y = product("test", operands[0], operands[1], biased.then_some(&bias), DType::F32)?;
            let expected = if biased { expected.broadcast_add(&bias)? } else { expected.clone() };
            assert_eq!(y.to_vec2::<f32>()?, expected.to_vec2::<f32>()?, "transposed: {left_turned}, {right_turned}; bias: {biased}");
        }
        Ok(())
    }

    #[test]
    fn operands_that_do_not_fit_are_refused() -> Result<()> {
        let (x, w) = (Tensor::zeros((2, 3), DType::F32, &Device::Cpu)?, Tensor::zeros((2, 5), DType::F32, &Device::Cpu)?);
        let refused = product("test", Operand::plain(&x), Operand::plain(&w), None, DType::F32).map(|_| ()).map_err(|e| e.to_string());
        assert_eq!(refused, Err("test: right operand has shape [2, 5], expected 3 entries to sum over, as the left one".into()));
        let half = x.to_dtype(DType::BF16)?;
        assert!(product("test", Operand::transposed(&x), Operand::plain(&half), None, DType::F32).is_err());
        Ok(())
    }
}
