//! Every sampler on every path against closed forms: laws by Kolmogorov and Smirnov, orders of convergence by fitted slopes, in f64.

mod common;

use candle_core::{DType, Device, Tensor};
use common::{MEAN, Outcome, Straight, VARIANCE, blank, denoiser, flow_error, numbers, slope};
use symdiff_diffusion::{
    Ancestral, Ddim, DpmSolver, DpmSolver3, DpmSolverSde, Error, Euler, Gaussian, Grid, Heun, LinearPath, Logistic, Method, NoiseField,
    Polynomial, Process, Reverse, Route, Spacing, StochasticDdim, StochasticEuler, UniformLogSnr, VarianceExploding, VariancePreserving,
    Walk,
};
use symdiff_groups::{Dense, Vectors};
use symdiff_ops::{Noise, Recording};

/// Each kind of path, smooth, at all times.
fn paths() -> Outcome<[(&'static str, Process); 4]> {
    Ok([
        ("log-linear", Process::continuous(VariancePreserving(Straight), 100)?),
        ("polynomial", Process::continuous(VariancePreserving(Polynomial { power: 2.0, precision: 1e-4 }), 100)?),
        ("exploding", Process::continuous(VarianceExploding::new(0.01, 20.0)?, 100)?),
        ("linear", Process::continuous(LinearPath::new(0.01)?, 100)?),
    ])
}

/// √n·sup|F_n − F| against N(MEAN, VARIANCE).
fn kolmogorov(mut values: Vec<f64>) -> candle_core::Result<f64> {
    values.sort_by(f64::total_cmp);
    let n = values.len() as f64;
    let scaled: Vec<f64> = values.iter().map(|x| (x - MEAN) / (2.0 * VARIANCE).sqrt()).collect();
    let erf = Tensor::new(scaled, &Device::Cpu)?.erf()?.to_vec1::<f64>()?;
    let gap = |(i, erf): (usize, &f64)| {
        let law = 0.5 * (1.0 + erf);
        (law - i as f64 / n).abs().max(((i + 1) as f64 / n - law).abs())
    };
    Ok(erf.iter().enumerate().map(gap).fold(0.0, f64::max) * n.sqrt())
}

/// Exceeded with probability 1e-6 by draws of the right law: 2·exp(−2·x²).
const CRITICAL: f64 = 2.694;

#[test]
fn samples_have_the_law_of_the_data_and_a_wrong_denoiser_is_caught() -> Outcome {
    let like = blank(2000, 1, DType::F32)?;
    for (name, process) in paths()? {
        for &method in Method::ALL {
            let statistic = |bias: f64| -> Outcome<f64> {
                let denoiser = denoiser(&process, bias);
                let reverse = Reverse { process: &process, denoiser: &denoiser, data: &Gaussian::default(), given: &() };
                // So many steps resolve a churn up to 1.
                let churn = method.usual_churn().map(|churn| churn.min(1.0));
                let route = Route { spacing: Spacing::LogSnr, churn, ..Route::new(method, 150) };
                let drawn = reverse.sample_by(route, &like, Noise::seeded(11), &mut |_, _| ())?;
                Ok(kolmogorov(numbers(drawn.tensor())?)?)
            };
            let right = statistic(1.0)?;
            assert!(right < CRITICAL, "{method} on the {name} path: {right} should be below {CRITICAL}");
            let wrong = if name == "log-linear" { statistic(0.8)? } else { f64::INFINITY };
            assert!(wrong > CRITICAL, "{method}: a denoiser off by a fifth went unseen, {wrong}");
        }
    }
    Ok(())
}

const COUNTS: [usize; 4] = [80, 160, 320, 640];

fn order(error: &dyn Fn(usize) -> Outcome<f64>) -> Outcome<f64> {
    let points = COUNTS.into_iter().map(|k| Ok((1.0 / k as f64, error(k)?))).collect::<Outcome<Vec<_>>>()?;
    Ok(slope(&points))
}

#[test]
fn deterministic_samplers_converge_at_their_orders_on_every_path() -> Outcome {
    let samplers: [(&str, &dyn Walk<Vectors>, f64); 6] = [
        ("DDIM", &Ddim, 1.0),
        ("Euler", &Euler, 1.0),
        ("stochastic DDIM without churn", &StochasticDdim::new(0.0)?, 1.0),
        ("stochastic Euler without churn", &StochasticEuler::new(0.0)?, 1.0),
        ("Heun", &Heun, 2.0),
        ("DPM-Solver++(2M)", &DpmSolver, 2.0),
    ];
    for (path, process) in paths()? {
        for (name, sampler, expected) in samplers {
            let got = order(&|k| flow_error(sampler, &process, &UniformLogSnr, k))?;
            assert!((got - expected).abs() < 0.2 * expected, "{name} has order {got} on the {path} path, not {expected}");
        }
    }
    Ok(())
}

/// Over a whole trajectory of normal data the terms of order 3 nearly cancel, so that slopes lie above 3 until steps are small.
#[test]
fn the_three_step_sampler_has_at_least_the_third_order_on_every_path() -> Outcome {
    for (path, process) in paths()? {
        let got = order(&|k| flow_error(&DpmSolver3, &process, &UniformLogSnr, k))?;
        assert!((2.8..4.2).contains(&got), "order {got} on the {path} path");
        let [second, third] =
            [&DpmSolver as &dyn Walk<Vectors>, &DpmSolver3].map(|sampler| flow_error(sampler, &process, &UniformLogSnr, 40));
        let (second, third) = (second?, third?);
        assert!(third < 0.2 * second, "{third} in 40 steps, {second} by the second order on the {path} path");
    }
    Ok(())
}

/// The mean and the variance of what a sampler draws in K steps. It is affine in its start and in each of its normal draws, so that one batch tells all: a sample
/// for the offset, one for the start, and one for each draw.
fn moments(sampler: &dyn Walk<Vectors>, process: &Process, steps: usize) -> Outcome<(f64, f64)> {
    let count = steps + 2;
    let unit = |at: usize| Tensor::from_iter((0..count).map(|k| f64::from(u8::from(k == at))), &Device::Cpu)?.unsqueeze(1);
    let draws = (2..count).map(unit).collect::<candle_core::Result<Vec<_>>>()?;
    let denoiser = denoiser(process, 1.0);
    let times = UniformLogSnr.times(process.path(), steps)?;
    let noise = Noise::recorded(Recording::new(draws));
    let drawn = sampler.walk(&NoiseField::new(process, &denoiser, &()), &times, Vectors::new(unit(1)?)?, noise, &mut |_, _| ())?;
    let ends = numbers(drawn.tensor())?;
    let start = process.path().at(1.0);
    let variance = start.alpha.powi(2) * VARIANCE + start.sigma.powi(2);
    let along = |k: usize| ends[k] - ends[0];
    let spread = along(1).powi(2) * variance + (2..count).map(|k| along(k).powi(2)).sum::<f64>();
    Ok((ends[0] + along(1) * start.alpha * MEAN, spread))
}

#[test]
fn the_moments_of_samplers_with_noise_converge_at_their_orders_on_every_path() -> Outcome {
    let samplers: [(&str, &dyn Walk<Vectors>, f64); 4] = [
        ("ancestral", &Ancestral, 1.0),
        ("stochastic DDIM", &StochasticDdim::new(3.0)?, 1.0),
        ("stochastic Euler", &StochasticEuler::default(), 1.0),
        ("SDE-DPM-Solver++(2M)", &DpmSolverSde, 2.0),
    ];
    for (path, process) in paths()? {
        let end = process.path().at(0.0);
        let exact = (end.alpha * MEAN, end.alpha.powi(2) * VARIANCE + end.sigma.powi(2));
        for (name, sampler, expected) in samplers {
            let got = order(&|k| Ok((moments(sampler, &process, k)?.1 - exact.1).abs()))?;
            assert!((got - expected).abs() < 0.2 * expected, "the variance of {name} has order {got} on the {path} path, not {expected}");
            let mean = moments(sampler, &process, 320)?.0;
            assert!((mean - exact.0).abs() < 2e-3, "{name} has mean {mean} on the {path} path, expected {}", exact.0);
        }
    }
    Ok(())
}

#[test]
fn grids_fall_from_noise_to_data_as_they_say() -> Outcome {
    for (name, process) in paths()? {
        for &spacing in Spacing::ALL {
            let times = process.times(&*spacing.grid(), 40)?;
            assert!(times.windows(2).all(|pair| pair[0] > pair[1]), "{spacing} on the {name} path: {times:?}");
        }
        let path = process.path();
        let even = |spacing: Spacing, of: &dyn Fn(f64) -> f64| -> Outcome<f64> {
            let values: Vec<f64> = process.times(&*spacing.grid(), 40)?.into_iter().map(of).collect();
            let gaps: Vec<f64> = values.windows(2).map(|pair| pair[0] - pair[1]).collect();
            Ok(gaps.iter().map(|gap| (gap / gaps[0] - 1.0).abs()).fold(0.0, f64::max))
        };
        assert!(even(Spacing::LogSnr, &|t| path.log_snr(t))? < 1e-6, "{name}");
        assert!(even(Spacing::Karras, &|t| (-0.5 * path.log_snr(t) / 7.0).exp())? < 1e-6, "{name}");
        assert!(even(Spacing::Cosine, &|t| (1.0 - t).acos())? < 1e-6, "{name}");
        assert!(even(Spacing::Logistic, &|t| (0.25 * (path.log_snr(t) - 4.0)).tanh())? < 1e-6, "{name}");
        // So wide a law is flat.
        let flat = process.times(&Logistic { location: 4.0, scale: 1e4 }, 40)?;
        let uniform = process.times(&*Spacing::LogSnr.grid(), 40)?;
        assert!(flat.iter().zip(&uniform).all(|(a, b)| (a - b).abs() < 1e-3), "{name}");
        for refused in
            [Logistic { location: 4.0, scale: 0.0 }, Logistic { location: f64::NAN, scale: 2.0 }, Logistic { location: 300.0, scale: 2.0 }]
        {
            assert!(matches!(process.times(&refused, 40), Err(Error::Config(_))), "{refused:?} on the {name} path");
        }
    }
    Ok(())
}
