//! The likelihood estimate and the variational objective against the exact bound and the exact entropy.

mod common;

use candle_core::{DType, Device, Tensor};
use candle_nn::{VarBuilder, VarMap};
use common::{MEAN, Outcome, Straight, VARIANCE, alpha_sigma, data, denoiser, mean, numbers, slope};
use symdiff_diffusion::{
    At, Eps, Gaussian, L2, LearnedSchedule, Likelihood, Objective, Polynomial, Process, Schedule, VariancePreserving, Vlb, Weighting,
};
use symdiff_groups::{Dense, Vectors};
use symdiff_ops::{Noise, Recording, Samples};

/// −E log p(x) of one coordinate, in nats.
fn entropy() -> f64 {
    0.5 * (std::f64::consts::TAU * std::f64::consts::E * VARIANCE).ln()
}

/// The expected bound of one coordinate under the exact denoiser, whose squared error is α²·v/(α²·v + σ²).
fn bound(schedule: &impl Schedule, steps: usize) -> f64 {
    let gamma = |t: usize| -schedule.log_snr(t as f64 / steps as f64);
    let error = |t: usize| {
        let (alpha, sigma) = alpha_sigma(-gamma(t));
        alpha * alpha * VARIANCE / (alpha * alpha * VARIANCE + sigma * sigma)
    };
    let (alpha, sigma) = alpha_sigma(-gamma(steps));
    let prior = -sigma.ln() + 0.5 * (sigma * sigma - 1.0) + 0.5 * alpha * alpha * (MEAN * MEAN + VARIANCE);
    let diffusion: f64 = (1..=steps).map(|t| 0.5 * (gamma(t) - gamma(t - 1)).exp_m1() * error(t)).sum();
    let reconstruction = 0.5 * error(0) + 0.5 * gamma(0) + 0.5 * std::f64::consts::TAU.ln();
    prior + diffusion + reconstruction
}

/// Every time of `times` once for each of `repeats` samples, then normals: a recording that integrates over time without error.
fn every_time(times: std::ops::RangeInclusive<usize>, repeats: usize) -> Outcome<(usize, Noise)> {
    let times: Vec<f64> = times.flat_map(|t| std::iter::repeat_n(t as f64, repeats)).collect();
    let count = times.len();
    let normals = |seed: u64| Noise::seeded(seed).normal(&Samples::numbered(count), &[1], DType::F64, &Device::Cpu);
    let recording = Recording::new([Tensor::from_vec(times, count, &Device::Cpu)?, normals(21)?, normals(22)?]);
    Ok((count, Noise::recorded(recording)))
}

/// The mean over times, each with `repeats` values in a row, and its standard error: times themselves add none.
fn over_times(values: &[f64], repeats: usize) -> (f64, f64) {
    let times: Vec<(f64, f64)> = values.chunks(repeats).map(mean).collect();
    let n = times.len() as f64;
    let variance: f64 = times.iter().map(|(_, error)| error * error).sum();
    (times.iter().map(|(mean, _)| mean).sum::<f64>() / n, variance.sqrt() / n)
}

#[test]
fn the_estimate_and_the_objective_have_the_expectation_of_the_bound() -> Outcome {
    let process = Process::new(VariancePreserving(Straight), 100)?;
    let expected = bound(&Straight, 100);
    let (count, noise) = every_time(1..=100, 1000)?;
    let clean = data(count, 1, DType::F64, Noise::seeded(20))?;
    let estimate = Likelihood::estimate(&process, &Gaussian::default(), &denoiser(&process, 1.0), &clean, &(), noise)?;
    let (count, noise) = every_time(0..=100, 1000)?;
    let clean = data(count, 1, DType::F64, Noise::seeded(23))?;
    let objective = vlb(&process).loss(&denoiser(&process, 1.0), &clean, &(), noise)?;
    for (name, values) in [("likelihood", estimate.total()?), ("objective", objective)] {
        let (mean, error) = over_times(&numbers(&values)?, 1000);
        assert!((mean - expected).abs() < 5.0 * error, "{name}: {mean} ± {error}, expected {expected}");
        assert!(error < 0.05, "{name}: a standard error of {error} shows nothing");
    }
    Ok(())
}

#[test]
fn the_bound_falls_to_the_entropy_as_steps_grow() {
    let gaps: Vec<(f64, f64)> = [100, 200, 400, 800].map(|steps| (1.0 / steps as f64, bound(&Straight, steps) - entropy())).to_vec();
    assert!(gaps.iter().all(|&(_, gap)| gap > 0.0), "a bound below the entropy: {gaps:?}");
    assert!(gaps[3].1 < 0.03 && gaps.windows(2).all(|pair| pair[1].1 < pair[0].1), "{gaps:?}");
    let order = slope(&gaps.iter().map(|&(x, gap)| (x, gap - (2.0 * gaps[3].1 - gaps[2].1))).collect::<Vec<_>>());
    assert!((order - 1.0).abs() < 0.2, "the gap closes at order {order}: {gaps:?}");
}

fn vlb(process: &Process) -> Vlb<Gaussian> {
    Vlb { process: process.clone(), data: Gaussian::default() }
}

#[test]
fn losses_are_finite_at_both_ends_and_do_not_depend_on_the_batch() -> Outcome {
    let process = Process::new(VariancePreserving(Polynomial { power: 2.0, precision: 1e-5 }.tabulated(1000)?), 1000)?;
    let l2 = L2 { process: process.clone(), data: Gaussian::default(), weighting: Weighting::Sample };
    let objectives: [(&str, &dyn Objective<Vectors>); 2] = [("l2", &l2), ("vlb", &vlb(&process))];
    for (name, objective) in objectives {
        let at_ends = Recording::new([
            Tensor::new(&[0.0_f64, 1.0, 999.0, 1000.0], &Device::Cpu)?,
            Noise::seeded(6).normal(&Samples::numbered(4), &[2], DType::F32, &Device::Cpu)?,
        ]);
        let clean = data(4, 2, DType::F32, Noise::seeded(7))?;
        let losses = objective.loss(&denoiser(&process, 1.0), &clean, &(), Noise::recorded(at_ends))?;
        assert!(numbers(&losses)?.iter().all(|loss| loss.is_finite()), "{name}: {losses:?}");

        let loss = |count: usize| -> Outcome<Vec<f64>> {
            let clean = data(count, 2, DType::F32, Noise::seeded(7))?;
            numbers(&objective.loss(&denoiser(&process, 1.0), &clean, &(), Noise::seeded(8))?)
        };
        assert_eq!(loss(3)?, loss(8)?[..3], "{name}");
    }
    Ok(())
}

/// The gradient of the objective with respect to every parameter of the learned schedule, against central differences.
#[test]
fn the_learned_schedule_learns_from_the_objective() -> Outcome {
    let map = VarMap::new();
    let schedule = LearnedSchedule::new(VarBuilder::from_varmap(&map, DType::F64, &Device::Cpu))?;
    let process = Process::new(VariancePreserving(schedule), 50)?;
    let clean = data(16, 2, DType::F64, Noise::seeded(9))?;
    let still = symdiff_core::Map::new(|at: &At<Vectors>| Ok(Eps(Vectors::new((at.state.tensor() * 0.8)?)?)));
    let loss = || -> Outcome<Tensor> { Ok(vlb(&process).loss(&still, &clean, &(), Noise::seeded(10))?.sum_all()?) };
    let gradients = loss()?.backward()?;
    let variables = map.data().lock().map_err(|error| error.to_string())?.clone();
    for (name, variable) in variables {
        let gradient = gradients.get(variable.as_tensor()).ok_or_else(|| format!("{name} has no gradient"))?;
        let along_ones: f64 = numbers(gradient)?.iter().sum();
        let (before, step) = (variable.as_tensor().copy()?, 1e-4);
        let at = |shift: f64| -> Outcome<f64> {
            variable.set(&(&before + shift)?)?;
            Ok(loss()?.to_scalar::<f64>()?)
        };
        let difference = (at(step)? - at(-step)?) / (2.0 * step);
        variable.set(&before)?;
        assert!(
            (along_ones - difference).abs() < 1e-3 * difference.abs() + 1e-5,
            "{name}: {along_ones} by the graph, {difference} by differences"
        );
        // A bias of the last layer shifts γ̃ everywhere, which the rescaling takes out again.
        assert!(name == "l3.bias" || difference.abs() > 1e-4, "{name}: a gradient of {difference} shows nothing");
    }
    Ok(())
}
