//! cuBLASLt by its definition, on the CPU: D(i, j) is the sum over l of op(A)(i, l)·op(B)(l, j), plus bias(i).

use crate::gpu::blas::{ColumnMajor, Plan};
use crate::{Result, host};
use candle_core::{DType, Tensor};

/// The result, `[n, m]` row-major, summed in f32 and rounded to `dtype` once.
pub(crate) fn product(plan: &Plan, operands: [&Tensor; 2], bias: Option<&Tensor>, dtype: DType) -> Result<Tensor> {
    super::count();
    let numbers = |tensor: &Tensor| tensor.to_dtype(DType::F32)?.flatten_all()?.to_vec1::<f32>();
    let [a, b] = [numbers(operands[0])?, numbers(operands[1])?];
    let bias = bias.map(numbers).transpose()?;
    let mut d = vec![0.0; plan.m * plan.n];
    for (j, column) in d.chunks_exact_mut(plan.m).enumerate() {
        for (i, entry) in column.iter_mut().enumerate() {
            let sum: f32 = (0..plan.k).map(|l| a[plan.a.place(i, l)] * b[plan.b.place(l, j)]).sum();
            *entry = sum + bias.as_ref().map_or(0.0, |bias| bias[i]);
        }
    }
    Ok(host::tensor(d, &[plan.n, plan.m])?.to_dtype(dtype)?)
}

impl ColumnMajor {
    /// Where op(matrix)(i, j) lies in memory.
    fn place(&self, i: usize, j: usize) -> usize {
        let (row, column) = if self.transposed { (j, i) } else { (i, j) };
        row + column * self.rows
    }
}
