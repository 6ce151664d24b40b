//! `qr_gram_schmidt`: orthogonal factors of well- and ill-conditioned matrices, and their gradients.

use super::Results;
use super::golden::Golden;
use crate::Result;
use candle_core::{DType, Device, Tensor, Var};
use symdiff_ops::gram_schmidt3;
use symdiff_ops::gram_schmidt3::By;

/// Gradients are compared where the condition number is below this.
const WELL_CONDITIONED: f64 = 100.0;

pub(super) fn results(golden: &Golden) -> Result<Results> {
    let a = Var::from_tensor(golden.tensor("in.a")?)?;
    let weight = golden.tensor("in.grad_q")?;
    let scale = gradient_scale(golden, &a)?;
    let mut results = Results::new();
    for (side, by) in [("cols", By::Columns), ("rows", By::Rows)] {
        let q = gram_schmidt3(&a, by)?;
        let gradients = (&q * weight)?.sum_all()?.backward()?;
        let gradient = gradients.get(&a).map_or_else(|| a.zeros_like(), |gradient| Ok(gradient.clone()))?;
        results.insert(format!("grad_a_{side}_scaled"), gradient.to_dtype(DType::F64)?.broadcast_mul(&scale)?);
        results.insert(format!("out.q_{side}"), q.detach());
    }
    Ok(results)
}

/// The Frobenius norm of each matrix, zero where it is ill-conditioned, `[B, 1, 1]`.
fn gradient_scale(golden: &Golden, a: &Tensor) -> Result<Tensor> {
    let norms: Vec<f64> = a.detach().to_dtype(DType::F64)?.sqr()?.flatten_from(1)?.sum(1)?.sqrt()?.to_vec1()?;
    let conditions = golden.numbers("in.cond")?;
    let kept = norms.into_iter().zip(conditions).map(|(norm, condition)| if condition < WELL_CONDITIONED { norm } else { 0.0 });
    let kept: Vec<f64> = kept.collect();
    Ok(Tensor::new(kept, &Device::Cpu)?.reshape(((), 1, 1))?.to_device(golden.device())?)
}
