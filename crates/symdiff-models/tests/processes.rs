//! Models of molecules on every path: their losses teach all parameters, their samplers give molecules, and settings that cannot be are refused.

mod common;

use candle_core::{DType, Device};
use common::{TestResult, batch, shaken};
use symdiff_diffusion::{Framing, Method, Route, Spacing};
use symdiff_models::{Asked, Experiment};
use symdiff_mol::state::Molecules;
use symdiff_ops::{Noise, Ragged};

const FLOW: &str = include_str!("../../symdiff-cli/experiments/symdiff-flow-small.toml");
const KARRAS: &str = include_str!("../../symdiff-cli/experiments/symdiff-karras-small.toml");

const PLAIN: &str = "[model]\n[train]\nsteps = 1\n";

/// A file's experiment with the smallest of networks.
fn tiny(text: &str, settings: &[&str]) -> symdiff_models::Result<Experiment> {
    let settings = ["model.preset=symdiff-tiny"].iter().chain(settings);
    Experiment::parse(text, &settings.map(|&setting| setting.to_owned()).collect::<Vec<_>>())
}

/// One of each kind.
fn experiments() -> symdiff_models::Result<Vec<(&'static str, Experiment)>> {
    let by = |settings: &[&str]| tiny(PLAIN, settings);
    Ok(vec![
        ("flow", tiny(FLOW, &[])?),
        (
            "flow of assigned atoms at times by importance",
            tiny(FLOW, &["diffusion.continuous.coupling=assigned", "diffusion.continuous.times={kind='importance', deviation=1.0}"])?,
        ),
        ("karras", tiny(KARRAS, &[])?),
        ("bound on a linear path", by(&["diffusion.path.kind=linear", "diffusion.loss=vlb"])?),
        ("data on the cosine schedule", by(&["diffusion.schedule=cosine", "diffusion.prediction=data", "diffusion.loss=continuous"])?),
        (
            "score, weighted by a sigmoid",
            by(&["diffusion.prediction=score", "diffusion.loss=continuous", "diffusion.continuous.weight={kind='sigmoid', bias=0.0}"])?,
        ),
    ])
}

#[test]
fn every_loss_is_finite_and_teaches_every_parameter() -> TestResult {
    for (name, experiment) in experiments()? {
        let model = shaken(&experiment)?;
        let loss = model.loss(&batch(&[3, 14, 15, 92])?, &Asked::default(), Noise::seeded(1))?;
        assert!(loss.to_vec1::<f64>()?.iter().all(|loss| loss.is_finite() && *loss > 0.0), "{name}: {loss}");
        let gradients = loss.mean_all()?.backward()?;
        for (parameter, var) in model.parameters.named() {
            let size = gradients.get(var.as_tensor()).map(|g| g.abs()?.sum_all()?.to_dtype(DType::F64)?.to_scalar::<f64>()).transpose()?;
            assert!(size.is_some_and(|size| size.is_finite() && size > 0.0), "{name}: {parameter} has the gradient {size:?}");
        }
    }
    Ok(())
}

#[test]
fn every_sampler_and_grid_draws_molecules_on_every_path() -> TestResult {
    for (name, experiment) in experiments()? {
        let model = symdiff_models::Model::fresh(&experiment, 0, Noise::seeded(0), &Device::Cpu)?;
        let like = Molecules::blank(Ragged::from_sizes(&[3, 5])?, model.encoding.features(), DType::F32, &Device::Cpu)?;
        for &method in Method::ALL {
            for &spacing in Spacing::ALL {
                let route = Route { spacing, framing: Framing::Kept, ..Route::new(method, 5) };
                let drawn = model.reverse(&Asked::default()).sample_by(route, &like, Noise::seeded(2), &mut |_, _| ())?;
                let positions = drawn.positions.flatten_all()?.to_vec1::<f64>()?;
                assert!(positions.iter().all(|x| x.is_finite()), "{name} by {method} on the {spacing} grid: {positions:?}");
            }
        }
    }
    Ok(())
}

/// A run folder knows its path, and what was written before there were paths is the published one.
#[test]
fn settings_are_written_out_and_read_back() -> TestResult {
    for (name, experiment) in experiments()? {
        assert_eq!(Experiment::parse(&experiment.to_toml()?, &[])?, experiment, "{name}");
    }
    let plain = tiny(PLAIN, &[])?;
    let old = plain.to_toml()?.replace("[diffusion.path]\nkind = \"variance_preserving\"\n", "");
    assert!(!old.contains("path"), "{old}");
    assert_eq!(Experiment::parse(&old, &[])?, plain);
    Ok(())
}

#[test]
fn what_cannot_be_learned_is_refused() {
    let cases: [(&[&str], &str); 6] = [
        (&["diffusion.loss=continuous", "diffusion.continuous.times={kind='importance', deviation=-1.0}"], "times.deviation"),
        (&["diffusion.path.kind=variance_exploding"], "diffusion.prediction = \"residual\""),
        (&["diffusion.continuous.target=data"], "set diffusion.loss = \"continuous\""),
        (&["diffusion.schedule=learned", "diffusion.loss=continuous"], "diffusion.loss = \"vlb\""),
        (&["diffusion.loss=continuous", "diffusion.continuous.target=spin"], "noise, data, velocity, score"),
        (&["diffusion.loss=continuous", "diffusion.continuous.times={kind='log_normal', mean=0.0, deviation=0.0}"], "times.deviation"),
    ];
    for (settings, remedy) in cases {
        let told = tiny(PLAIN, settings).map(|_| ()).map_err(|error| error.to_string()).err().unwrap_or_default();
        assert!(told.contains(remedy), "{settings:?}: {told}");
    }
}
