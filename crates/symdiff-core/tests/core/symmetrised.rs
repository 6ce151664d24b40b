//! The identities of stochastic symmetrisation that hold draw by draw.

use crate::common::reversed_product;
use candle_core::{DType, Device, Tensor, Var};
use symdiff_core::{Charted, Haar, Map, MarkovKernel, MarkovKernelExt, Result};
use symdiff_groups::{Action, CompactGroup, GramSchmidt, Group, Matrices, Orthogonal, Points};
use symdiff_ops::{Noise, Ragged, Recording};

const O3: usize = 3;

fn cloud(seed: u64) -> Result<Points> {
    let layout = Ragged::from_sizes(&[4, 3, 6])?;
    let positions = Noise::seeded(seed).normal_nodes(&layout, 3, DType::F64, &Device::Cpu)?;
    Ok(Points::new(positions, layout)?)
}

/// The first three points of each sample as a matrix: a frame that depends on x in the worst way.
fn first_three(x: &Points) -> Result<Tensor> {
    let starts: Vec<u32> = x.layout().offsets()[..x.layout().len()].iter().flat_map(|&o| (0..3).map(move |k| o as u32 + k)).collect();
    let rows = x.positions().index_select(&Tensor::new(starts, &Device::Cpu)?, 0)?;
    Ok(rows.reshape((x.layout().len(), 3, 3))?)
}

/// A map of points that commutes with no rotation.
fn lopsided(x: &Points, weight: &Tensor) -> Result<Points> {
    Ok(Points::new(x.positions().matmul(weight)?.sin()?, x.layout().clone())?)
}

fn weight() -> Result<Tensor> {
    Ok(Tensor::new(&[[0.7, -0.2, 0.1], [0.4, 1.1, -0.9], [0.0, 0.3, 0.5]], &Device::Cpu)?)
}

type Frame<F> = Charted<Orthogonal, Map<Points, F>, GramSchmidt>;

fn frame() -> Frame<impl Fn(&Points) -> Result<Tensor>> {
    Map::new(first_three).charted(Orthogonal::new(O3), GramSchmidt::columns())
}

fn distance(a: &Points, b: &Points) -> Result<f64> {
    Ok((a.positions() - b.positions())?.abs()?.max_all()?.to_scalar()?)
}

/// Replays Haar normals so that g₀ becomes `haar`: orthonormalising an orthogonal matrix gives it back.
fn with_haar(haar: &Matrices) -> Noise {
    Noise::recorded(Recording::new([haar.as_tensor().clone()]))
}

#[test]
fn transporting_the_haar_draw_rotates_the_output() -> Result<()> {
    let o3 = Orthogonal::new(O3);
    let weight = weight()?;
    let k = Map::new(|x: &Points| lopsided(x, &weight));
    let model = k.symmetrised(frame().haar_symmetrised());
    let x = cloud(1)?;
    let h = o3.haar(&x, Noise::seeded(2))?;
    let g = o3.haar(&x, Noise::seeded(3))?;
    let at_x = model.sample(&x, with_haar(&g))?.act(&o3, &h)?;
    let at_hx = model.sample(&x.act(&o3, &h)?, with_haar(&o3.compose(&h, &g)?))?;
    assert!(distance(&at_x, &at_hx)? < 1e-12);
    let plain = distance(&lopsided(&x.act(&o3, &h)?, &weight)?, &lopsided(&x, &weight)?.act(&o3, &h)?)?;
    assert!(plain > 0.1, "the bare kernel must not be equivariant, or this test shows nothing");
    Ok(())
}

#[test]
fn learned_gamma_is_the_symmetrised_frame() -> Result<()> {
    let o3 = Orthogonal::new(O3);
    let x = cloud(4)?;
    let left = frame().haar_symmetrised().sample(&x, Noise::seeded(5))?;
    let right = frame().symmetrised(Haar(o3)).sample(&x, Noise::seeded(5))?;
    let gap = (left.as_tensor() - right.as_tensor())?.abs()?.max_all()?.to_scalar::<f64>()?;
    assert!(gap == 0.0, "{gap}");
    let reversed = reversed_product(frame()).sample(&x, Noise::seeded(5))?;
    let gap = (left.as_tensor() - reversed.as_tensor())?.abs()?.max_all()?.to_scalar::<f64>()?;
    assert!(gap > 0.1);
    Ok(())
}

#[test]
fn gradients_reach_both_networks() -> Result<()> {
    let o3 = Orthogonal::new(O3);
    let (in_gamma, in_k) = (Var::from_tensor(&weight()?)?, Var::from_tensor(&weight()?)?);
    let frame = Map::new(|x: &Points| first_three(&lopsided(x, in_gamma.as_tensor())?)).charted(o3, GramSchmidt::columns());
    let model = Map::new(|x: &Points| lopsided(x, in_k.as_tensor())).symmetrised(frame.haar_symmetrised());
    let target = cloud(6)?;
    let loss = |noise| -> Result<Tensor> { Ok((model.sample(&cloud(7)?, noise)?.positions() - target.positions())?.sqr()?.sum_all()?) };
    let gradients = loss(Noise::seeded(8))?.backward()?;
    for var in [&in_gamma, &in_k] {
        let gradient = gradients.get(var).map(Tensor::to_vec2::<f64>).transpose()?.unwrap_or_default();
        for (i, j) in [(0, 0), (1, 2), (2, 1)] {
            let at = |step: f64| -> Result<f64> {
                let mut bumped = weight()?.to_vec2::<f64>()?;
                bumped[i][j] += step;
                var.set(&Tensor::new(bumped, &Device::Cpu)?)?;
                let value = loss(Noise::seeded(8))?.to_scalar::<f64>()?;
                var.set(&weight()?)?;
                Ok(value)
            };
            let slope = (at(1e-6)? - at(-1e-6)?) / 2e-6;
            assert!((slope - gradient[i][j]).abs() < 1e-6 * (1.0 + slope.abs()), "{i},{j}: {slope} against {}", gradient[i][j]);
        }
    }
    Ok(())
}
