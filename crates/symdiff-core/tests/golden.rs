//! The learned γ against vectors of the reference implementation. (The published order of its product: see symdiff-models.)

use candle_core::{Device, Tensor};
use symdiff_core::{Map, MarkovKernel, MarkovKernelExt, Result};
use symdiff_groups::{Cloud, Dense, GramSchmidt, Orthogonal};
use symdiff_ops::{Noise, Recording};

symdiff_golden::tests![the_learned_gamma];

fn the_learned_gamma() -> Result<()> {
    let golden = symdiff_golden::tensors("symdiff_dynamics")?;
    let o3 = Orthogonal::new(3);
    let x = Cloud::new(Tensor::zeros((5, 1, 3), candle_core::DType::F32, &Device::Cpu)?)?;
    for (chart, side) in [(GramSchmidt::columns(), "cols"), (GramSchmidt::rows(), "rows")] {
        let decoded = Map::new(|_: &Cloud| Ok(golden["out.decoded"].clone()));
        let gamma = decoded.charted(o3, chart).haar_symmetrised();
        let draws = Noise::recorded(Recording::new([golden["in.haar_gauss"].clone()]));
        let gap = (gamma.sample(&x, draws)?.as_tensor() - &golden[&format!("out.gamma_{side}_left")])?;
        let gap: f32 = gap.abs()?.max_all()?.to_scalar()?;
        assert!(gap < 1e-5, "{side}: {gap}");
    }
    Ok(())
}
