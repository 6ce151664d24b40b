//! `pair_gaussian_mean` against the full `[n, n, K]` tensor in Candle ops.

use crate::common::{assert_close, check_op, flat, layouts, random, samples};
use candle_core::{Tensor, Var};
use symdiff_ops::{Ragged, Result, pair_gaussian_mean};

/// The mean over all pairs but the self pairs, whose distance Candle cannot differentiate, plus theirs in closed form.
fn twin(x: &Tensor, means: &Tensor, sigmas: &Tensor, layout: &Ragged) -> Result<Tensor> {
    let widths = (sigmas.abs()? + 0.01)?;
    #[allow(clippy::approx_constant, reason = "π as the source has it")]
    let heights = ((&widths * (2.0 * 3.14159_f64).sqrt())?.recip())?;
    let features = |d: &Tensor| -> Result<Tensor> {
        let z = d.broadcast_sub(means)?.broadcast_div(&widths)?;
        Ok((z.sqr()? * -0.5)?.exp()?.broadcast_mul(&heights)?)
    };
    let parts = samples(x, layout)?.into_iter().map(|x| {
        let n = x.dims()[0];
        let eye = Tensor::eye(n, x.dtype(), x.device())?;
        let squares = x.unsqueeze(1)?.broadcast_sub(&x.unsqueeze(0)?)?.sqr()?.sum(2)?;
        let all = features(&(squares + &eye)?.sqrt()?.unsqueeze(2)?)?;
        let others = all.broadcast_mul(&(1.0 - eye)?.unsqueeze(2)?)?.sum(1)?;
        let own = features(&Tensor::zeros((1, 1), x.dtype(), x.device())?)?;
        Ok((others.broadcast_add(&own)? / n as f64)?)
    });
    Ok(Tensor::cat(&parts.collect::<Result<Vec<_>>>()?, 0)?)
}

#[test]
fn equals_the_mean_of_all_pairs() -> Result<()> {
    for layout in layouts()? {
        for count in [1, 16, 37] {
            let sigmas = (random(3, &[count])?.abs()? + 0.3)?;
            let inputs =
                [random(1, &[layout.nodes(), 3])?, (random(2, &[count])? + 1.5)?, (sigmas * if count == 16 { -1.0 } else { 1.0 })?];
            let eps = 256.0 + layout.nodes() as f64;
            check_op(&|i| pair_gaussian_mean(i[0], i[1], i[2], &layout), &|i| twin(i[0], i[1], i[2], &layout), &inputs, eps)?;
        }
    }
    Ok(())
}

#[test]
fn coinciding_nodes_have_a_finite_gradient() -> Result<()> {
    let x = Var::new(&[[1.0_f32, 2.0, 3.0], [1.0, 2.0, 3.0]], &candle_core::Device::Cpu)?;
    let y =
        pair_gaussian_mean(&x, &Tensor::new(&[0.5_f32], x.device())?, &Tensor::new(&[0.2_f32], x.device())?, &Ragged::from_sizes(&[2])?)?;
    let store = y.sum_all()?.backward()?;
    assert_eq!(store.get(&x).map(flat).transpose()?, Some(vec![0.0; 6]));
    Ok(())
}

#[test]
fn turning_moving_and_reordering_a_sample_changes_nothing() -> Result<()> {
    let layout = Ragged::from_sizes(&[6])?;
    let (x, means, sigmas) = (random(1, &[6, 3])?, random(2, &[20])?, random(3, &[20])?);
    let y = pair_gaussian_mean(&x, &means, &sigmas, &layout)?;
    let g = symdiff_ops::gram_schmidt3(&random(4, &[1, 3, 3])?, symdiff_ops::gram_schmidt3::By::Columns)?;
    let moved = (symdiff_ops::rotate(&x, &g, &layout, false)? + 7.0)?;
    assert_close("moved", &pair_gaussian_mean(&moved, &means, &sigmas, &layout)?, &y, 1e-10)?;
    let order = Tensor::new(&[5_u32, 0, 3, 1, 2, 4], x.device())?;
    let reordered = pair_gaussian_mean(&x.index_select(&order, 0)?, &means, &sigmas, &layout)?;
    assert_close("reordered", &reordered, &y.index_select(&order, 0)?, 1e-13)
}
