//! Gram–Schmidt against vectors of the reference implementation.

use candle_core::{DType, Tensor, Var};
use symdiff_groups::{Chart, GramSchmidt, Orthogonal, Result};

symdiff_golden::tests![orthonormal_factors_and_gradients];

fn gap(a: &Tensor, b: &Tensor) -> Result<f64> {
    Ok((a.to_dtype(DType::F64)? - b.to_dtype(DType::F64)?)?.abs()?.max_all()?.to_scalar()?)
}

fn orthonormal_factors_and_gradients() -> Result<()> {
    let golden = symdiff_golden::tensors("qr_gram_schmidt")?;
    let o3 = Orthogonal::new(3);
    let raw = Var::from_tensor(&golden["in.a"])?;
    let norms = raw.sqr()?.sum_keepdim((1, 2))?.sqrt()?;
    let tame = golden["in.cond"].lt(100.0)?.to_dtype(DType::F32)?.reshape(((), 1, 1))?;
    for (chart, side) in [(GramSchmidt::columns(), "cols"), (GramSchmidt::rows(), "rows")] {
        let factor = chart.project(&o3, raw.as_tensor())?;
        assert!(gap(factor.as_tensor(), &golden[&format!("out.q_{side}")])? < 1e-5, "{side}");
        let loss = (factor.as_tensor() * &golden["in.grad_q"])?.sum_all()?;
        let gradients = loss.backward()?;
        let gradient = gradients.get(&raw).cloned().unwrap_or(raw.zeros_like()?);
        let expected = &golden[&format!("grad_a_{side}_scaled")];
        let scaled = gradient.broadcast_mul(&norms)?.broadcast_mul(&tame)?;
        assert!(gap(&scaled, expected)? < 1e-4, "gradient, {side}: {}", gap(&scaled, expected)?);
    }
    Ok(())
}
