//! Samplers against closed forms: laws by Kolmogorov and Smirnov, orders of convergence by fitted slopes.

mod common;

use candle_core::DType;
use common::{MEAN, Outcome, Straight, VARIANCE, alpha_sigma, blank, denoiser, numbers, slope, spread};
use symdiff_diffusion::{
    Ancestral, Ddim, DpmSolver, Eps, Field, Gaussian, Grid, Method, Polynomial, Prediction, Process, Reverse, Sampler, Span, Times,
    Uniform, VariancePreserving, Walk,
};
use symdiff_groups::{Dense, Vectors};
use symdiff_ops::{Batched, Euclidean, Noise, Recording};

/// √n·sup|F_n − F| against N(MEAN, VARIANCE).
fn kolmogorov(mut values: Vec<f64>) -> candle_core::Result<f64> {
    values.sort_by(f64::total_cmp);
    let n = values.len() as f64;
    let scaled: Vec<f64> = values.iter().map(|x| (x - MEAN) / (2.0 * VARIANCE).sqrt()).collect();
    let erf = candle_core::Tensor::new(scaled, &candle_core::Device::Cpu)?.erf()?.to_vec1::<f64>()?;
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
    let process = Process::new(VariancePreserving(Polynomial { power: 2.0, precision: 1e-5 }.tabulated(400)?), 400)?;
    let like = blank(4000, 1, DType::F32)?;
    for (method, steps) in [(Method::Ancestral, 400), (Method::Ddim, 400), (Method::DpmSolver, 100)] {
        let statistic = |bias: f64| -> Outcome<f64> {
            let denoiser = denoiser(&process, bias);
            let reverse = Reverse { process: &process, denoiser: &denoiser, data: &Gaussian::default(), given: &() };
            let drawn = reverse.sample_by(method, &like, steps, Noise::seeded(11), &mut |_| ())?;
            Ok(kolmogorov(numbers(drawn.tensor())?)?)
        };
        let (right, wrong) = (statistic(1.0)?, statistic(0.8)?);
        assert!(right < CRITICAL, "{method}: {right} should be below {CRITICAL}");
        assert!(wrong > CRITICAL, "{method}: a denoiser off by a fifth went unseen, {wrong}");
    }
    Ok(())
}

fn published() -> symdiff_diffusion::Result<Process> {
    Process::new(VariancePreserving(Polynomial { power: 2.0, precision: 1e-5 }.tabulated(1000)?), 1000)
}

/// The distance from the exact flow z₀ = α₀·m + S₀/S₁·(z₁ − α₁·m), at K steps.
fn flow_error(sampler: &dyn Walk<Vectors>, process: &Process, steps: usize) -> Outcome<f64> {
    let denoiser = denoiser(process, 1.0);
    let start = Vectors::new(candle_core::Tensor::new(&[[1.3_f64], [-0.8]], &candle_core::Device::Cpu)?)?;
    let times = Uniform.times(process.path(), steps)?;
    let z = sampler.walk(&Field::new(process, &denoiser, &()), &times, start.clone(), Noise::seeded(0), &mut |_| ())?;
    let (noisy, clean) = (process.path().log_snr(1.0), process.path().log_snr(0.0));
    let exact = |from: f64| alpha_sigma(clean).0 * MEAN + spread(clean) / spread(noisy) * (from - alpha_sigma(noisy).0 * MEAN);
    let errors = numbers(z.tensor())?.into_iter().zip(numbers(start.tensor())?).map(|(end, from)| (end - exact(from)).abs());
    Ok(errors.fold(0.0, f64::max))
}

#[test]
fn deterministic_samplers_converge_at_their_orders() -> Outcome {
    let process = Process::new(VariancePreserving(Straight), 1000)?;
    let counts = [40, 80, 160, 320];
    let order = |error: &dyn Fn(usize) -> Outcome<f64>| -> Outcome<f64> {
        let points = counts.into_iter().map(|k| Ok((1.0 / k as f64, error(k)?))).collect::<Outcome<Vec<_>>>()?;
        Ok(slope(&points))
    };
    let first = order(&|k| flow_error(&Ddim, &process, k))?;
    let second = order(&|k| flow_error(&DpmSolver, &process, k))?;
    assert!((first - 1.0).abs() < 0.15, "DDIM has order {first}");
    assert!((second - 2.0).abs() < 0.3, "DPM-Solver++(2M) has order {second}");
    Ok(())
}

#[test]
fn on_the_published_schedule_twenty_steps_of_the_second_order_beat_the_first() -> Outcome {
    let process = published()?;
    let (first, second) = (flow_error(&Ddim, &process, 20)?, flow_error(&DpmSolver, &process, 20)?);
    assert!(second < 0.5 * first, "DDIM is off by {first}, DPM-Solver++(2M) by {second}");
    Ok(())
}

/// A step's z_s as a linear function of z_t and the noise: (offset, slope, noise scale), read off three recorded draws.
fn linear_step(process: &Process, span: Span) -> Outcome<[f64; 3]> {
    let column = |values: [f64; 3]| candle_core::Tensor::from_slice(&values, (3, 1), &candle_core::Device::Cpu);
    let noise = Noise::recorded(Recording::new([column([0.0, 0.0, 1.0])?]));
    let z = Vectors::new(column([0.0, 1.0, 0.0])?)?;
    let (stepped, ()) = Ancestral.step(&Field::new(process, &denoiser(process, 1.0), &()), span, &z, (), noise)?;
    let at = numbers(stepped.tensor())?;
    Ok([at[0], at[1] - at[0], at[2] - at[0]])
}

#[test]
fn the_ancestral_chain_has_the_right_mean_and_a_variance_off_by_one_order() -> Outcome {
    let process = Process::new(VariancePreserving(Straight), 1000)?;
    let mut errors = Vec::new();
    for steps in [40, 80, 160, 320] {
        let noisy = alpha_sigma(process.path().log_snr(1.0)).0;
        let (mut mean, mut variance) = (noisy * MEAN, spread(process.path().log_snr(1.0)).powi(2));
        for k in (1..=steps).rev() {
            let span = Span { from: f64::from(k) / f64::from(steps), to: f64::from(k - 1) / f64::from(steps) };
            let [offset, slope, scale] = linear_step(&process, span)?;
            (mean, variance) = (offset + slope * mean, slope * slope * variance + scale * scale);
        }
        let clean = process.path().log_snr(0.0);
        assert!((mean - alpha_sigma(clean).0 * MEAN).abs() < 1e-9, "the mean {mean} is off at {steps} steps");
        errors.push((1.0 / f64::from(steps), (variance - spread(clean).powi(2)).abs()));
    }
    let order = slope(&errors);
    assert!((order - 1.0).abs() < 0.15, "the variance converges at order {order}");
    Ok(())
}

#[test]
fn the_first_and_the_last_step_are_as_exact_in_f32() -> Outcome {
    let process = published()?;
    for span in [Span { from: 1.0, to: 0.999 }, Span { from: 0.001, to: 0.0 }] {
        let stepped = |dtype: DType| -> Outcome<Vec<f64>> {
            let z = common::data(64, 2, dtype, Noise::seeded(3))?;
            let denoiser = denoiser(&process, 1.0);
            let field = Field::new(&process, &denoiser, &());
            let (ancestral, ()) = Ancestral.step(&field, span, &z, (), Noise::seeded(4))?;
            let (solved, _) = DpmSolver.step(&field, span, &z, None, Noise::seeded(4))?;
            Ok([numbers(ancestral.tensor())?, numbers(solved.tensor())?].concat())
        };
        for (narrow, wide) in stepped(DType::F32)?.into_iter().zip(stepped(DType::F64)?) {
            assert!((narrow - wide).abs() < 2e-5, "{narrow} in f32, {wide} in f64 over {span:?}");
        }
    }
    Ok(())
}

#[test]
fn a_sample_does_not_depend_on_its_batch() -> Outcome {
    let process = Process::new(VariancePreserving(Straight), 50)?;
    let denoiser = denoiser(&process, 1.0);
    let reverse = Reverse { process: &process, denoiser: &denoiser, data: &Gaussian::default(), given: &() };
    for method in Method::ALL {
        let draw = |count: usize| -> Outcome<Vec<f64>> {
            numbers(reverse.sample_by(method, &blank(count, 3, DType::F32)?, 50, Noise::seeded(5), &mut |_| ())?.tensor())
        };
        assert_eq!(draw(2)?, draw(9)?[..6], "{method}");
    }
    Ok(())
}

#[test]
fn impossible_numbers_of_steps_and_unknown_names_are_refused() -> Outcome {
    let process = Process::new(VariancePreserving(Straight), 10)?;
    let denoiser = denoiser(&process, 1.0);
    let reverse = Reverse { process: &process, denoiser: &denoiser, data: &Gaussian::default(), given: &() };
    for steps in [0, 11] {
        let refused = reverse.sample_by(Method::Ddim, &blank(1, 1, DType::F32)?, steps, Noise::seeded(0), &mut |_| ());
        let message = refused.err().map(|error| error.to_string()).unwrap_or_default();
        let take = if steps == 0 { "take at least 1" } else { "the process has 10, take 1 to 10" };
        assert_eq!(message, format!("diffusion: {steps} sampling steps asked for; {take}"));
    }
    let message = "euler".parse::<Method>().err().map(|error| error.to_string()).unwrap_or_default();
    assert_eq!(message, "diffusion: sampler `euler` is unknown; use one of ancestral, ddim, dpm-solver");
    Ok(())
}

#[test]
fn names_read_back() -> Outcome {
    for method in Method::ALL {
        assert_eq!(method.to_string().parse::<Method>()?, method);
    }
    Ok(())
}

/// ε, x, v and the score are views of one prediction, on every path.
#[test]
fn predictions_convert_into_each_other() -> Outcome {
    for process in common::processes()? {
        let z = common::data(5, 2, DType::F64, Noise::seeded(1))?;
        let eps = Eps(z.gaussian(Noise::seeded(2))?);
        let time = Times::PerSample(vec![0.0, 0.2, 0.5, 0.8, 1.0]);
        let levels = process.levels(&time, z.samples().len(), &z.device())?;
        let wanted = numbers(eps.0.tensor())?;
        let back = [
            eps.clean(&z, &levels)?.into_eps(&z, &time, &process)?,
            eps.velocity(&z, &time, &process)?.into_eps(&z, &time, &process)?,
            eps.score(&levels)?.into_eps(&z, &time, &process)?,
        ];
        for (got, wanted) in
            back.iter().map(|back| numbers(back.0.tensor())).collect::<Outcome<Vec<_>>>()?.concat().iter().zip(wanted.repeat(3))
        {
            assert!((got - wanted).abs() < 1e-9, "{got} came back for {wanted} on {process:?}");
        }
    }
    Ok(())
}
