//! Samplers step by step: precision, independence of the batch, names, and what is refused.

mod common;

use candle_core::DType;
use common::{Outcome, Straight, blank, denoiser, flow_error, numbers, published};
use symdiff_diffusion::{
    Ancestral, Ddim, DpmSolver, Eps, Framing, Gaussian, Method, NoiseField, Prediction, Process, Reverse, Route, Sampler, Spacing, Span,
    StochasticDdim, StochasticEuler, Target, Times, Uniform, VariancePreserving,
};
use symdiff_groups::Dense;
use symdiff_ops::{Batched, Euclidean, Noise};

#[test]
fn on_the_published_schedule_twenty_steps_of_the_second_order_beat_the_first() -> Outcome {
    let process = published()?;
    let (first, second) = (flow_error(&Ddim, &process, &Uniform, 20)?, flow_error(&DpmSolver, &process, &Uniform, 20)?);
    assert!(second < 0.5 * first, "DDIM is off by {first}, DPM-Solver++(2M) by {second}");
    Ok(())
}

#[test]
fn the_first_and_the_last_step_are_as_exact_in_f32() -> Outcome {
    let process = published()?;
    for span in [Span { from: 1.0, to: 0.999 }, Span { from: 0.001, to: 0.0 }] {
        let stepped = |dtype: DType| -> Outcome<Vec<f64>> {
            let z = common::data(64, 2, dtype, Noise::seeded(3))?;
            let denoiser = denoiser(&process, 1.0);
            let field = NoiseField::new(&process, &denoiser, &());
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
    for &method in Method::ALL {
        let draw = |count: usize| -> Outcome<Vec<f64>> {
            let route = Route { spacing: Spacing::LogSnr, framing: Framing::Kept, ..Route::new(method, 50) };
            numbers(reverse.sample_by(route, &blank(count, 3, DType::F32)?, Noise::seeded(5), &mut |_, _| ())?.tensor())
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
        let refused = reverse.sample_by(Route::new(Method::Ddim, steps), &blank(1, 1, DType::F32)?, Noise::seeded(0), &mut |_, _| ());
        let message = refused.err().map(|error| error.to_string()).unwrap_or_default();
        let take = if steps == 0 { "take at least 1" } else { "the process has 10, take 1 to 10" };
        assert_eq!(message, format!("diffusion: {steps} sampling steps asked for; {take}"));
    }
    let message = "rk4".parse::<Method>().err().map(|error| error.to_string()).unwrap_or_default();
    let known = "ancestral, ddim, dpm-solver, dpm-solver-3, dpm-solver-sde, euler, heun, stochastic-ddim, stochastic-euler";
    assert_eq!(message, format!("diffusion: sampler `rk4` is unknown; use one of {known}"));
    Ok(())
}

#[test]
fn the_churn_of_a_route_is_that_of_its_sampler() -> Outcome {
    let process = Process::continuous(VariancePreserving(Straight), 10)?;
    let denoiser = denoiser(&process, 1.0);
    let reverse = Reverse { process: &process, denoiser: &denoiser, data: &Gaussian::default(), given: &() };
    let draw = |route: Route| -> Outcome<Vec<f64>> {
        numbers(reverse.sample_by(route, &blank(3, 1, DType::F64)?, Noise::seeded(1), &mut |_, _| ())?.tensor())
    };
    let deterministic = draw(Route::new(Method::Ddim, 10))?;
    let near = |a: &[f64], b: &[f64]| a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-9);
    for (method, usual) in [(Method::StochasticEuler, StochasticEuler::CHURN), (Method::StochasticDdim, StochasticDdim::CHURN)] {
        let stochastic = |churn| Route { churn: Some(churn), ..Route::new(method, 10) };
        let [none, some] = [draw(stochastic(0.0))?, draw(stochastic(usual))?];
        assert!(near(&none, &deterministic), "{none:?} by {method}, {deterministic:?} by DDIM");
        assert_eq!(some, draw(Route::new(method, 10))?);
        assert!(!near(&some, &none));
        assert!(draw(stochastic(-1.0)).is_err());
    }
    let refused = draw(Route { churn: Some(0.5), ..Route::new(Method::Ddim, 10) }).unwrap_err().to_string();
    assert!(refused.contains("ddim has no churn; stochastic-ddim and stochastic-euler have"), "{refused}");
    // At churn 1 a step is the ancestral one: the same mean, and noise of the same variance.
    let one = draw(Route { churn: Some(1.0), ..Route::new(Method::StochasticDdim, 10) })?;
    let ancestral = draw(Route::new(Method::Ancestral, 10))?;
    assert!(near(&one, &ancestral), "{one:?}, {ancestral:?} by ancestral sampling");
    Ok(())
}

#[test]
fn names_read_back() -> Outcome {
    for &method in Method::ALL {
        assert_eq!(method.to_string().parse::<Method>()?, method);
    }
    for &spacing in Spacing::ALL {
        assert_eq!(spacing.to_string().parse::<Spacing>()?, spacing);
    }
    for &framing in Framing::ALL {
        assert_eq!(framing.to_string().parse::<Framing>()?, framing);
    }
    for &target in Target::ALL {
        assert_eq!(target.to_string().parse::<Target>()?, target);
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
