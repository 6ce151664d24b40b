//! Jensen's bound is a bound; Rao–Blackwellised targets keep the mean and lose variance.

use crate::common::{ROUNDING, cloud_map, copies, normal};
use candle_core::Tensor;
use symdiff_core::{Haar, MarkovKernel, MarkovKernelExt, RaoBlackwell, Result, jensen_bound};
use symdiff_groups::testing::gap;
use symdiff_groups::{Action, Cloud, CompactGroup, Cyclic, Dense, Observe, SpecialOrthogonal};
use symdiff_ops::{Euclidean, Noise};

fn squared_error(y: &Cloud, target: &Cloud) -> Result<Tensor> {
    Ok((y.tensor() - target.tensor())?.sqr()?.sum((1, 2))?)
}

fn numbers(t: &Tensor) -> Result<Vec<f64>> {
    Ok(t.to_vec1()?)
}

#[test]
fn the_mean_of_losses_bounds_the_loss_of_the_mean() -> Result<()> {
    let so3 = SpecialOrthogonal::new(3);
    let model = cloud_map().symmetrised(Haar(so3));
    let (x, target) = (Cloud::new(normal(&[4, 3, 3], 1)?)?, Cloud::new(normal(&[4, 3, 3], 2)?)?);
    let bound = numbers(&jensen_bound(&model, &x, 16, Noise::seeded(3), |y| squared_error(y, &target))?)?;
    let tight = numbers(&squared_error(&(&model).mean_of(16).sample(&x, Noise::seeded(3))?, &target)?)?;
    assert!(bound.iter().zip(&tight).all(|(bound, tight)| bound > tight), "{bound:?} {tight:?}");
    assert!(jensen_bound(&model, &x, 0, Noise::seeded(3), |y| squared_error(y, &target)).is_err());
    Ok(())
}

/// x, z = x + σ·ε, and their coefficients, in copies of one datum.
fn noised(count: usize) -> Result<(Cloud, Cloud, Tensor, Tensor)> {
    let clean = copies(count, 2, 2, 4)?;
    let (alpha, sigma) = (Tensor::full(0.8, count, &candle_core::Device::Cpu)?, Tensor::full(0.6, count, &candle_core::Device::Cpu)?);
    let noised = clean.combine(&alpha, &clean.gaussian(Noise::seeded(5))?, &sigma)?;
    Ok((clean, noised, alpha, sigma))
}

/// Over a finite group, any copy of the datum gives the same exact target, which turns with z.
#[test]
fn the_exact_target_forgets_which_copy_was_drawn_and_turns_with_z() -> Result<()> {
    let (clean, noised, alpha, sigma) = noised(6)?;
    let c5 = Cyclic::new(5);
    let h = c5.haar(&clean, Noise::seeded(6))?;
    let target = |clean: &Cloud, noised: &Cloud| RaoBlackwell::new(c5, 0).exact_target(clean, noised, &alpha, &sigma);
    let here = target(&clean, &noised)?;
    assert!(gap(&target(&clean.act(&c5, &h)?, &noised)?, &here)? < ROUNDING);
    assert!(gap(&target(&clean, &noised.act(&c5, &h)?)?, &here.act(&c5, &h)?)? < ROUNDING);
    Ok(())
}

/// E[target·φ(z)] = E[g·x·φ(z)] for functions φ of z, at any number of draws (5 standard errors), and less mean square about it.
#[test]
fn the_target_is_unbiased_given_z_and_varies_less() -> Result<()> {
    const COUNT: usize = 40_000;
    let so2 = SpecialOrthogonal::new(2);
    let (clean, _, alpha, sigma) = noised(COUNT)?;
    let copy = clean.act(&so2, &so2.haar(&clean, Noise::seeded(7))?)?;
    let noised = copy.combine(&alpha, &clean.gaussian(Noise::seeded(8))?, &sigma)?;
    let target = RaoBlackwell::new(so2, 3).target(&copy, &noised, &alpha, &sigma, Noise::seeded(9))?;
    let (z, plain, averaged) = (noised.observe()?, copy.observe()?, target.observe()?);
    for (i, j) in [(0, 0), (0, 1), (3, 2), (1, 3)] {
        let differences: Vec<f64> = (0..COUNT).map(|b| (averaged[b][i] - plain[b][i]) * z[b][j]).collect();
        let mean = differences.iter().sum::<f64>() / COUNT as f64;
        let error = (differences.iter().map(|d| (d - mean).powi(2)).sum::<f64>()).sqrt() / COUNT as f64;
        assert!(mean.abs() < 5.0 * error, "coordinate {i} against {j}: {mean} ± {error}");
    }
    let square = |rows: &[Vec<f64>]| rows.iter().flatten().map(|v| v * v).sum::<f64>();
    assert!(square(&averaged) < 0.96 * square(&plain), "{} {}", square(&averaged), square(&plain));
    Ok(())
}
