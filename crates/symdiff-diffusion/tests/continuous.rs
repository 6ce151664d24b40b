//! Losses at real times against closed forms, and what networks may predict.

mod common;

use candle_core::{DType, Device, Tensor};
use common::{Outcome, VARIANCE, blank, data, denoiser, mean, numbers, processes};
use symdiff_core::{Map, MarkovKernel};
use symdiff_diffusion::{
    At, Coefficients, Continuous, Eps, Importance, Independent, LogNormal, LogitNormal, Objective, Path, Preconditioned, Process, Reading,
    Residual, Target, TimeLaw, Times, UniformTimes, VarianceExploding, Weight, Weighting,
};
use symdiff_groups::{Dense, Vectors};
use symdiff_ops::{Batched, Euclidean, Noise, Recording, Samples};

/// E|ε − ε̂|² of a coordinate under the exact denoiser.
fn error(at: Coefficients) -> f64 {
    let signal = at.alpha.powi(2) * VARIANCE;
    signal / (signal + at.sigma.powi(2))
}

/// Each target's squared error per squared error of the noise, written out.
fn scale(target: Target, at: Coefficients) -> f64 {
    let speed = at.alpha_rate.hypot(at.sigma_rate);
    match target {
        Target::Noise => 1.0,
        Target::Data => (at.sigma / at.alpha).powi(2),
        Target::Velocity => ((at.alpha * at.sigma_rate - at.sigma * at.alpha_rate) / (at.alpha * speed)).powi(2),
        Target::Score => at.sigma.powi(-2),
    }
}

#[test]
fn losses_have_the_expectation_of_the_closed_form() -> Outcome {
    let (t, count) = (0.35, 20_000);
    let [straight, _, exploding, linear] = processes()?;
    for process in [straight, exploding, linear] {
        let at = process.path().at(t);
        let (snr, clean) = ((at.alpha / at.sigma).powi(2), data(count, 1, DType::F64, Noise::seeded(1))?);
        let of_data = |weight: f64| weight / snr;
        for &target in Target::ALL {
            let weights = [
                (Weight::Target, scale(target, at)),
                (Weight::Noise, 1.0),
                (Weight::MinSnr { most: 5.0 }, of_data(snr.min(5.0))),
                (Weight::Sigmoid { bias: 1.0 }, 1.0 / (1.0 + (snr.ln() - 1.0).exp())),
                (Weight::Karras { deviation: 0.5 }, of_data((1.0 / snr + 0.25) / (0.25 / snr))),
            ];
            for (weight, expected) in weights {
                let objective = Continuous {
                    process: process.clone(),
                    target,
                    times: UniformTimes,
                    weight,
                    coupling: Independent,
                    weighting: Weighting::Sample,
                };
                let normals = Noise::seeded(2).normal(&Samples::numbered(count), &[1], DType::F64, &Device::Cpu)?;
                let noise = Noise::recorded(Recording::new([Tensor::full(t, count, &Device::Cpu)?, normals]));
                let losses = numbers(&objective.loss(&denoiser(&process, 1.0), &clean, &(), noise)?)?;
                let (got, deviation) = mean(&losses);
                let expected = expected * error(at);
                assert!((got - expected).abs() < 5.0 * deviation, "{target}, {weight:?}: {got} ± {deviation}, expected {expected}");
                assert!(deviation < 0.03 * expected, "{target}, {weight:?}: a deviation of {deviation} shows nothing");
            }
        }
    }
    Ok(())
}

/// In steps, a loss sees the times that occur and no others.
#[test]
fn a_process_in_steps_is_trained_at_its_own_times() -> Outcome {
    let process = Process::new(VarianceExploding::default(), 4)?;
    let seen = std::sync::Mutex::new(Vec::new());
    let spy = Map::new(|at: &At<Vectors>| {
        seen.lock()
            .map(|mut seen| seen.extend_from_slice(at.time.values()))
            .map_err(|error| symdiff_core::Error::Candle(candle_core::Error::Msg(error.to_string())))?;
        Ok(Eps(at.state.clone()))
    });
    let (target, weight) = (Target::Velocity, Weight::Target);
    let objective = Continuous { process, target, times: UniformTimes, weight, coupling: Independent, weighting: Weighting::Batch };
    objective.loss(&spy, &blank(200, 1, DType::F32)?, &(), Noise::seeded(3))?;
    let seen = seen.into_inner()?;
    assert!(seen.len() == 200 && seen.iter().all(|t| (t * 4.0).fract().to_bits() == 0), "{seen:?}");
    Ok(())
}

#[test]
fn times_have_their_laws() -> Outcome {
    let (samples, path) = (Samples::numbered(20_000), VarianceExploding::new(1e-6, 1e6)?);
    let draw = |law: &dyn TimeLaw| law.draw(&path, &samples, Noise::seeded(5));
    let moments = |values: Vec<f64>, centre: f64, deviation: f64, what: &str| {
        let (got, error) = mean(&values);
        assert!((got - centre).abs() < 5.0 * error, "{what} has mean {got} ± {error}, not {centre}");
        let spread = (error * error * values.len() as f64).sqrt();
        assert!((spread / deviation - 1.0).abs() < 0.03, "{what} has deviation {spread}, not {deviation}");
    };
    moments(draw(&UniformTimes)?, 0.5, 12f64.sqrt().recip(), "t");
    moments(draw(&LogitNormal::new(0.4, 0.7)?)?.into_iter().map(|t| (t / (1.0 - t)).ln()).collect(), 0.4, 0.7, "logit t");
    moments(draw(&LogNormal::default())?.into_iter().map(|t| path.at(t).sigma.ln()).collect(), -1.2, 1.2, "log σ");
    assert!(LogNormal::new(0.0, 0.0).is_err() && LogitNormal::new(f64::NAN, 1.0).is_err());
    Ok(())
}

/// The mean of uniform times at a lower variance; where the form of the loss is exact, but for the uniform share.
#[test]
fn times_by_importance_change_the_variance_of_a_loss_and_not_its_mean() -> Outcome {
    let count = 20_000;
    let [straight, _, exploding, linear] = processes()?;
    let clean = data(count, 1, DType::F64, Noise::seeded(1))?;
    for (process, target, weight) in [
        (&straight, Target::Noise, Weight::Noise),
        (&straight, Target::Data, Weight::MinSnr { most: 5.0 }),
        (&exploding, Target::Noise, Weight::Sigmoid { bias: 0.0 }),
        (&linear, Target::Velocity, Weight::Target),
    ] {
        let importance = Importance::new(process, target, weight, VARIANCE.sqrt())?;
        let losses = |times: Box<dyn TimeLaw>| -> Outcome<Vec<f64>> {
            let (process, coupling) = (process.clone(), Independent);
            let objective = Continuous { process, target, times, weight, coupling, weighting: Weighting::Sample };
            numbers(&objective.loss(&denoiser(&objective.process, 1.0), &clean, &(), Noise::seeded(4))?)
        };
        let [(uniform, of_uniform), (by_importance, of_importance)] =
            [mean(&losses(Box::new(UniformTimes))?), mean(&losses(Box::new(importance.clone()))?)];
        let gap = (uniform - by_importance).abs();
        assert!(
            gap < 5.0 * of_uniform.hypot(of_importance),
            "{target}: {by_importance} ± {of_importance}, uniform {uniform} ± {of_uniform}"
        );
        assert!(of_importance < of_uniform, "{target}: ± {of_importance} by importance, ± {of_uniform} by uniform times");

        // Draws and factors belong to one law: weighted so, the draws below any time are as many as of uniform ones.
        let drawn = importance.draw(process.path(), &Samples::numbered(count), Noise::seeded(6))?;
        for below in [0.05, 0.31, 0.5, 0.8, 1.0] {
            let (share, error) = mean(&drawn.iter().map(|&t| importance.factor(t) * f64::from(u8::from(t < below))).collect::<Vec<_>>());
            assert!((share - below).abs() < 5.0 * error, "{target}: {share} ± {error} below {below}");
        }
    }
    assert!(Importance::new(&straight, Target::Noise, Weight::Noise, 0.0).is_err());
    Ok(())
}

/// A network's raw numbers, read at run time as what its type would say.
#[test]
fn what_is_read_as_a_target_is_that_target() -> Outcome {
    for process in processes()? {
        let z = data(5, 2, DType::F64, Noise::seeded(1))?;
        let (eps, time) = (Eps(z.gaussian(Noise::seeded(2))?), Times::PerSample(vec![0.0, 0.2, 0.5, 0.8, 1.0]));
        let levels = process.levels(&time, 5, &z.device())?;
        let said = [
            (Target::Noise, eps.0.clone()),
            (Target::Data, eps.clean(&z, &levels)?.0),
            (Target::Velocity, eps.velocity(&z, &time, &process)?.0),
            (Target::Score, eps.score(&levels)?.0),
        ];
        for (target, raw) in said {
            let network = Map::new(|_: &At<Vectors>| Ok(Eps(raw.clone())));
            let Eps(read) = Reading::new(network, process.clone(), target).sample(&At::new(z.clone(), time.clone()), Noise::seeded(3))?;
            for (got, wanted) in numbers(read.tensor())?.into_iter().zip(numbers(eps.0.tensor())?) {
                assert!((got - wanted).abs() < 1e-9, "{got} read for {wanted} as {target} on {process:?}");
            }
        }
    }
    Ok(())
}

/// c_skip, c_out and c_in of table 1 of Karras et al., and the point of them: what the network sees and should say has unit variance.
#[test]
fn preconditioned_networks_see_and_say_numbers_of_unit_scale() -> Outcome {
    let (count, deviation) = (20_000, 0.5);
    for process in processes()? {
        let clean = Vectors::new((Noise::seeded(1).normal(&Samples::numbered(count), &[1], DType::F64, &Device::Cpu)? * deviation)?)?;
        let (eps, time) = (clean.gaussian(Noise::seeded(2))?, Times::Shared(0.6));
        let levels = process.levels(&time, count, &Device::Cpu)?;
        let z = process.diffuse(&clean, &levels, &eps)?;
        let at = process.path().at(0.6);
        let noise = at.sigma / at.alpha;
        let [skip, out] = [deviation.powi(2), noise * deviation].map(|part| part / (noise * noise + deviation * deviation));
        let out = out * (noise * noise + deviation * deviation).sqrt();

        let seen = std::cell::RefCell::new(Vec::new());
        let network = Map::new(|at: &At<Vectors>| {
            seen.borrow_mut().extend(at.state.tensor().flatten_all()?.to_vec1::<f64>()?);
            Ok(Residual(Vectors::new((at.state.tensor().ones_like()? * 0.3)?)?))
        });
        let model = Preconditioned::new(network, process.clone(), deviation)?;
        let said = model.sample(&At::new(z.clone(), time.clone()), Noise::seeded(3))?.clean(&z, &levels)?;
        let z = numbers(z.tensor())?;
        for (got, z) in numbers(said.0.tensor())?.into_iter().zip(&z) {
            let wanted = skip * z / at.alpha + out * 0.3;
            assert!((got - wanted).abs() < 1e-9 * wanted.abs().max(1.0), "{got}, expected {wanted}");
        }
        let wanted: Vec<f64> = numbers(clean.tensor())?.into_iter().zip(&z).map(|(x, z)| (x - skip * z / at.alpha) / out).collect();
        for values in [seen.into_inner(), wanted] {
            let (centre, error) = mean(&values);
            let spread = (error * error * count as f64).sqrt();
            assert!(centre.abs() < 5.0 * error && (spread - 1.0).abs() < 0.03, "mean {centre}, deviation {spread} on {process:?}");
        }
    }
    Ok(())
}
