//! Gram–Schmidt against the reference, when the golden vectors are there.

use candle_core::{DType, Device, Tensor, Var};
use std::collections::HashMap;
use std::path::Path;
use symdiff_groups::{Chart, GramSchmidt, Orthogonal, Result};

fn golden(name: &str) -> Result<Option<HashMap<String, Tensor>>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/golden").join(name);
    if !path.exists() {
        println!("skipped: {} is not there", path.display());
        return Ok(None);
    }
    Ok(Some(candle_core::safetensors::load(path, &Device::Cpu)?))
}

fn gap(a: &Tensor, b: &Tensor) -> Result<f64> {
    Ok((a.to_dtype(DType::F64)? - b.to_dtype(DType::F64)?)?.abs()?.max_all()?.to_scalar()?)
}

#[test]
fn orthonormal_factors_and_gradients() -> Result<()> {
    let Some(golden) = golden("qr_gram_schmidt.safetensors")? else { return Ok(()) };
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
