//! The density of the probability flow against that of normal data.

mod common;

use candle_core::{DType, Device, Tensor, Var};
use common::{MEAN, Outcome, VARIANCE, data, denoiser, mean, numbers, processes, slope};
use symdiff_core::Map;
use symdiff_diffusion::{At, Eps, Grid, NoiseField, UniformLogSnr, log_density};
use symdiff_groups::{Dense, Vectors};
use symdiff_ops::Noise;

/// log N(z₀; α₀·m, α₀²·v + σ₀²) of two coordinates.
fn exact(process: &symdiff_diffusion::Process, z: &[f64]) -> Vec<f64> {
    let at = process.path().at(0.0);
    let variance = at.alpha.powi(2) * VARIANCE + at.sigma.powi(2);
    let log = |z: &f64| -0.5 * (z - at.alpha * MEAN).powi(2) / variance - 0.5 * (std::f64::consts::TAU * variance).ln();
    z.chunks(2).map(|pair| pair.iter().map(log).sum()).collect()
}

/// On normal data the flow is affine, its divergence the same everywhere: so estimates differ from the truth by the probe, and by steps and the end that noise stops at.
#[test]
fn the_mean_over_probes_is_the_density_of_the_data() -> Outcome {
    for process in processes()? {
        let z = data(2000, 2, DType::F64, Noise::seeded(1))?;
        let denoiser = denoiser(&process, 1.0);
        let times = process.times(&UniformLogSnr, 60)?;
        let got = log_density(&NoiseField::new(&process, &denoiser, &()), &z, &times, Noise::seeded(2))?;
        let off: Vec<f64> =
            numbers(&got)?.into_iter().zip(exact(&process, &numbers(z.tensor())?)).map(|(got, wanted)| got - wanted).collect();
        let (bias, error) = mean(&off);
        assert!(bias.abs() < 5.0 * error + 0.02, "off by {bias} ± {error} on {process:?}");
        assert!(error < 0.1, "an error of {error} shows nothing");
    }
    Ok(())
}

/// In one dimension with the probe ±1 the estimate is exact, and what is left is the error of the steps: of second order.
#[test]
fn the_density_converges_at_second_order() -> Outcome {
    let [straight, _, exploding, linear] = processes()?;
    for process in [straight, exploding, linear] {
        let denoiser = denoiser(&process, 1.0);
        let z = Vectors::new(Tensor::new(&[[1.1_f64], [-0.4]], &Device::Cpu)?)?;
        let density = |steps: usize| -> Outcome<Vec<f64>> {
            let sign = Tensor::new(&[[1.0_f64], [-1.0]], &Device::Cpu)?;
            let noise = Noise::recorded(symdiff_ops::Recording::new([sign]));
            let times = UniformLogSnr.times(process.path(), steps)?;
            numbers(&log_density(&NoiseField::new(&process, &denoiser, &()), &z, &times, noise)?)
        };
        let fine = density(2560)?;
        let error =
            |steps: usize| -> Outcome<f64> { Ok(density(steps)?.iter().zip(&fine).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)) };
        let points = [80, 160, 320].into_iter().map(|k| Ok((1.0 / k as f64, error(k)?))).collect::<Outcome<Vec<_>>>()?;
        let order = slope(&points);
        assert!((order - 2.0).abs() < 0.3, "order {order} on {process:?}: {points:?}");
    }
    Ok(())
}

#[test]
fn a_denoiser_that_detaches_its_state_is_refused_and_a_tracked_state_is_not() -> Outcome {
    let [process, ..] = processes()?;
    let times = process.times(&UniformLogSnr, 4)?;
    let z = Vectors::new(Tensor::new(&[[1.1_f64], [-0.4]], &Device::Cpu)?)?;
    let detaching = Map::new(|at: &At<Vectors>| Ok(Eps(Vectors::new(at.state.tensor().detach())?)));
    let refused =
        log_density(&NoiseField::new(&process, &detaching, &()), &z, &times, Noise::seeded(1)).map(drop).map_err(|e| e.to_string());
    assert!(refused.as_ref().is_err_and(|message| message.contains("no gradient with respect to its state")), "{refused:?}");

    let denoiser = denoiser(&process, 1.0);
    let density = |z: &Vectors| log_density(&NoiseField::new(&process, &denoiser, &()), z, &times, Noise::seeded(1));
    let tracked = Vectors::new(Var::from_tensor(z.tensor())?.as_tensor().clone())?;
    let got = density(&tracked)?;
    assert!(!got.track_op());
    assert_eq!(numbers(&got)?, numbers(&density(&z)?)?);
    Ok(())
}

/// A trajectory that stops short of the noise or of the data has another density.
#[test]
fn times_that_do_not_lead_from_1_to_0_are_refused() -> Outcome {
    let [process, ..] = processes()?;
    let (denoiser, z) = (denoiser(&process, 1.0), Vectors::new(Tensor::new(&[[1.1_f64], [-0.4]], &Device::Cpu)?)?);
    for times in [&[1.0, 0.5][..], &[0.9, 0.0], &[1.0, 0.5, 0.6, 0.0], &[0.0, 1.0], &[1.0], &[]] {
        let refused =
            log_density(&NoiseField::new(&process, &denoiser, &()), &z, times, Noise::seeded(1)).map(drop).map_err(|e| e.to_string());
        assert!(refused.as_ref().is_err_and(|message| message.contains("must fall from")), "{times:?}: {refused:?}");
    }
    Ok(())
}
