//! A run's molecules: drawn once, and read again as long as they are what its model would draw.
//!
//! Beside `samples.xyz` stands `samples.json`, which names what they were drawn from and a checksum of the file. Both must fit. Molecules drawn along another route
//! than the run's own stand in the folder `samples`, a pair of files for each route.

use crate::destination::{Destination, Kind, put};
use crate::failure::{Failure, Outcome};
use crate::progress::Bar;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::time::Instant;
use symdiff_diffusion::{Framing, Method, Route, Spacing, StochasticEuler};
use symdiff_models::{Sampling, Trained};
use symdiff_mol::{Molecule, formats};
use twox_hash::XxHash3_64;

/// What molecules are drawn from: equal origins give equal molecules.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Origin {
    /// Optimiser steps of the checkpoint.
    step: u64,
    /// XXH3 of the weights' names and values.
    weights: String,
    sampler: String,
    /// The grid of times; records of earlier versions have the default.
    #[serde(default = "usual::<Spacing>")]
    grid: String,
    /// Whether frames are kept; records of earlier versions have the default.
    #[serde(default = "usual::<Framing>")]
    frames: String,
    /// The churn of `stochastic-euler`, in words; records of earlier versions have the default.
    #[serde(default = "usual_churn")]
    churn: String,
    /// Denoising steps.
    steps: usize,
    seed: u64,
    molecules: usize,
}

/// `samples.json`.
#[derive(Serialize, Deserialize)]
struct Record {
    origin: Origin,
    /// XXH3 of `samples.xyz`.
    file: String,
    /// That drawing took.
    seconds: f64,
}

fn usual_churn() -> String {
    StochasticEuler::CHURN.to_string()
}

fn usual<T: Default + ToString>() -> String {
    T::default().to_string()
}

/// The first `count` molecules of a seed along the run's own route, and the seconds that drawing them took.
pub(super) fn drawn(trained: &Trained, count: usize, seed: u64, folder: &Path) -> Outcome<(Vec<Molecule>, f64)> {
    at(trained, &Sampling::of(count, seed), &folder.join("samples"))
}

/// The same along another route. What the run's own route has drawn is not drawn again.
pub(super) fn drawn_along(trained: &Trained, route: Route, count: usize, seed: u64, folder: &Path) -> Outcome<(Vec<Molecule>, f64)> {
    let Route { method, steps, spacing, framing, churn } = route;
    if route == Route::new(Method::default(), trained.model.process.steps()) {
        return drawn(trained, count, seed, folder);
    }
    let folder = folder.join("samples");
    std::fs::create_dir_all(&folder).map_err(|error| Failure::file(&folder, "make this folder", &error))?;
    let method = if method == Method::StochasticEuler { format!("{method}-{churn}") } else { method.to_string() };
    at(trained, &Sampling::along(route, count, seed), &folder.join(format!("{method}-{spacing}-{framing}-{steps}")))
}

/// Molecules from `STEM.xyz`, where `STEM.json` says that they are these; else drawn and written there.
fn at(trained: &Trained, options: &Sampling, stem: &Path) -> Outcome<(Vec<Molecule>, f64)> {
    let [file, record] = [".xyz", ".json"].map(|ending| {
        let mut name = stem.as_os_str().to_owned();
        name.push(ending);
        PathBuf::from(name)
    });
    let origin = origin(trained, options);
    if let Some(seconds) = kept(&file, &record, &origin) {
        return Ok((formats::open(&file)?.collect::<Result<_, _>>()?, seconds));
    }
    if file.exists() {
        tracing::info!("{}: not what this model draws; drawing anew", file.display());
    }
    let start = Instant::now();
    let bar = Bar::new("sampling");
    let molecules = trained.sample(options, &mut |done| bar.show(done, ""))?;
    let seconds = start.elapsed().as_secs_f64();
    let destination = Destination::claim(&file, Kind::Molecules, &[], true)?;
    formats::write_to(destination, &file, molecules.iter().cloned())?.0.finish()?;
    let written = Record { origin, file: checksum(&file).map_err(|error| Failure::file(&file, "read it", &error))?, seconds };
    put(&record, &serde_json::to_string_pretty(&written).map_err(Failure::run)?)?;
    Ok((molecules, seconds))
}

/// The seconds of an earlier drawing whose record and file fit.
fn kept(file: &Path, record: &Path, origin: &Origin) -> Option<f64> {
    let record: Record = serde_json::from_str(&std::fs::read_to_string(record).ok()?).ok()?;
    (record.origin == *origin && checksum(file).ok()? == record.file).then_some(record.seconds)
}

fn origin(trained: &Trained, options: &Sampling) -> Origin {
    Origin {
        step: trained.header.step,
        weights: format!("{:016x}", trained.weights_hash),
        sampler: options.sampler.to_string(),
        grid: options.grid.to_string(),
        frames: options.frames.to_string(),
        churn: options.churn.to_string(),
        steps: options.steps.unwrap_or(trained.model.process.steps()),
        seed: options.seed,
        molecules: options.count,
    }
}

fn checksum(file: &Path) -> std::io::Result<String> {
    Ok(format!("{:016x}", XxHash3_64::oneshot(&std::fs::read(file)?)))
}
