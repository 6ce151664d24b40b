//! Paths against finite differences, and the times of processes.

mod common;

use candle_core::Device;
use common::{Outcome, numbers, processes};
use symdiff_diffusion::{Cosine, Grid, LinearPath, Path, Polynomial, Process, Times, Uniform, VarianceExploding, VariancePreserving};

#[test]
fn derivatives_are_those_of_the_levels() -> Outcome {
    let [straight, _, exploding, linear] = processes()?;
    let [polynomial, cosine]: [Process; 2] = [
        Process::continuous(VariancePreserving(Polynomial { power: 2.0, precision: 1e-5 }), 1)?,
        Process::continuous(VariancePreserving(Cosine::default()), 1)?,
    ];
    for process in [straight, polynomial, cosine, exploding, linear] {
        let path = process.path();
        for t in [0.01, 0.3, 0.5, 0.77, 0.99] {
            let (at, step) = (path.at(t), 1e-5);
            let rate = |of: fn(symdiff_diffusion::Coefficients) -> f64| (of(path.at(t + step)) - of(path.at(t - step))) / (2.0 * step);
            for (closed, difference) in [(at.alpha_rate, rate(|at| at.alpha)), (at.sigma_rate, rate(|at| at.sigma))] {
                assert!((closed - difference).abs() < 1e-6 * difference.abs().max(1.0), "{closed} at {t}, {difference} by differences");
            }
        }
    }
    Ok(())
}

#[test]
fn levels_and_directions_are_those_of_single_times() -> Outcome {
    let times = [0.0, 0.25, 0.5, 1.0];
    for process in processes()? {
        let time = Times::PerSample(times.to_vec());
        let levels = process.levels(&time, 4, &Device::Cpu)?;
        let (alpha, sigma, gamma) = (numbers(&levels.alpha)?, numbers(&levels.sigma)?, numbers(&levels.gamma)?);
        let [a, b] = process.direction(&time, &levels)?;
        for (k, (a, b)) in numbers(&a)?.into_iter().zip(numbers(&b)?).enumerate() {
            let at = process.path().at(times[k]);
            assert!((at.alpha - alpha[k]).abs() < 1e-12 && (at.sigma - sigma[k]).abs() < 1e-12, "{process:?} at {}", times[k]);
            assert!((gamma[k] - 2.0 * (sigma[k].ln() - alpha[k].ln())).abs() < 1e-9, "{process:?}");
            assert!((a.hypot(b) - 1.0).abs() < 1e-12, "({a}, {b}) has no length of 1");
            assert!((a * at.sigma_rate - b * at.alpha_rate).abs() < 1e-12 * at.sigma_rate.abs().max(1.0), "({a}, {b}) points elsewhere");
        }
    }
    Ok(())
}

/// Var(z_t | z_s) from α and σ, on every path.
#[test]
fn variances_of_a_step_are_those_of_the_path() -> Outcome {
    for process in processes()? {
        let at = |t: f64| process.levels(&Times::Shared(t), 1, &Device::Cpu);
        let (later, earlier) = (process.path().at(0.8), process.path().at(0.3));
        let wanted = later.sigma.powi(2) - (later.alpha / earlier.alpha * earlier.sigma).powi(2);
        let got = numbers(&process.path().variance_given(&at(0.8)?, &at(0.3)?)?)?[0];
        assert!((got - wanted).abs() < 1e-9 * wanted, "{got}, expected {wanted}");
    }
    Ok(())
}

/// The rounding of T steps to K, against exact arithmetic: ⌊k·T/K + ½⌋.
#[test]
fn even_times_of_a_process_in_steps_are_the_nearest_ones() -> Outcome {
    let total = 250;
    let process = Process::new(VariancePreserving(Polynomial { power: 2.0, precision: 1e-5 }.tabulated(total)?), total)?;
    for steps in 1..=total {
        let wanted: Vec<f64> = (0..=steps).rev().map(|k| ((2 * k * total + steps) / (2 * steps)) as f64 / total as f64).collect();
        assert_eq!(process.times(&Uniform, steps)?, wanted, "{steps} steps");
    }
    Ok(())
}

/// Half of the steps within a thousandth of the data.
struct Crowded;

impl Grid for Crowded {
    fn times(&self, _: &dyn Path, steps: usize) -> symdiff_diffusion::Result<Vec<f64>> {
        Ok((0..=steps).rev().map(|k| (k as f64 / steps as f64).powi(12)).collect())
    }
}

#[test]
fn no_two_steps_of_a_process_end_at_the_same_time() -> Outcome {
    let process = Process::new(LinearPath::default(), 100)?;
    for steps in [3, 40, 99, 100] {
        let times = process.times(&Crowded, steps)?;
        assert_eq!((times.len(), times[0], times[steps]), (steps + 1, 1.0, 0.0));
        assert!(times.windows(2).all(|pair| pair[0] > pair[1]), "{times:?}");
    }
    Ok(())
}

/// Stops halfway.
struct Half;

impl Grid for Half {
    fn times(&self, _: &dyn Path, steps: usize) -> symdiff_diffusion::Result<Vec<f64>> {
        Ok((0..=steps).rev().map(|k| 0.5 + 0.5 * k as f64 / steps as f64).collect())
    }
}

#[test]
fn what_no_path_or_grid_can_be_is_refused() -> Outcome {
    let says = |error: Option<symdiff_diffusion::Error>| error.map(|error| error.to_string()).unwrap_or_default();
    assert!(says(VarianceExploding::new(2.0, 1.0).err()).contains("from σ = 2 to 1"));
    assert!(says(LinearPath::new(0.5).err()).contains("0.5 short of its ends"));
    let process = Process::continuous(LinearPath::default(), 10)?;
    assert_eq!(says(process.times(&Half, 4).err()), "diffusion: a grid of 4 steps must lead from 1 to 0; this one takes 4, from 1 to 0.5");
    Ok(())
}
