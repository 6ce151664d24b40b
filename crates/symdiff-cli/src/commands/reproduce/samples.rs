//! A run's molecules: drawn once, and read again as long as they are what its model would draw.
//!
//! Beside `samples.xyz` stands `samples.json`, which names what they were drawn from and a checksum of the file, and of `chain.xyz`, the first molecule
//! forming. All must fit. Molecules drawn along another route than the run's own stand in the folder `samples`, a pair of files for each route.

use crate::destination::{Destination, Kind, put};
use crate::failure::{Failure, Outcome};
use crate::hash;
use crate::progress::Bar;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::time::Instant;
use symdiff_diffusion::{Framing, Route, Spacing, StochasticEuler};
use symdiff_models::{Sampling, Trained};
use symdiff_mol::{Molecule, formats};
use symdiff_train::Precision;

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
    /// The churn in words; records of earlier versions have the default.
    #[serde(default = "usual_churn")]
    churn: String,
    /// Denoising steps.
    steps: usize,
    seed: u64,
    molecules: usize,
    /// `f32` or `bf16`. Records of earlier versions say neither this nor the device: their molecules are drawn again.
    #[serde(default)]
    precision: Option<Precision>,
    /// `cpu` or `cuda`.
    #[serde(default)]
    device: Option<String>,
}

/// `samples.json`.
#[derive(Serialize, Deserialize)]
struct Record {
    origin: Origin,
    /// XXH3 of `samples.xyz`.
    file: String,
    /// XXH3 of `chain.xyz`.
    #[serde(default)]
    chain: Option<String>,
    /// That drawing took.
    seconds: f64,
}

fn usual_churn() -> String {
    StochasticEuler::CHURN.to_string()
}

fn usual<T: Default + ToString>() -> String {
    T::default().to_string()
}

/// States of the first molecule's trajectory that are kept.
const FRAMES: usize = 10;

/// A run's molecules.
pub(super) struct Drawn {
    pub(super) molecules: Vec<Molecule>,
    /// The first one forming, along the run's own route.
    pub(super) chain: Vec<Molecule>,
    /// That drawing took.
    pub(super) seconds: f64,
}

/// Where they lie.
struct Files {
    samples: PathBuf,
    record: PathBuf,
    chain: Option<PathBuf>,
}

impl Files {
    /// `STEM.xyz` and `STEM.json`.
    fn of(stem: &Path, chain: Option<PathBuf>) -> Self {
        let [samples, record] = [".xyz", ".json"].map(|ending| {
            let mut name = stem.as_os_str().to_owned();
            name.push(ending);
            PathBuf::from(name)
        });
        Self { samples, record, chain }
    }
}

/// The first `count` molecules of a seed along the run's own route.
pub(super) fn drawn(trained: &Trained, route: Route, count: usize, seed: u64, folder: &Path) -> Outcome<Drawn> {
    at(trained, &Sampling::along(route, count, seed), &Files::of(&folder.join("samples"), Some(folder.join("chain.xyz"))))
}

/// The same along another route.
pub(super) fn drawn_along(trained: &Trained, route: Route, count: usize, seed: u64, folder: &Path) -> Outcome<Drawn> {
    let Route { method, steps, spacing, framing, .. } = route;
    let folder = folder.join("samples");
    std::fs::create_dir_all(&folder).map_err(|error| Failure::file(&folder, "make this folder", &error))?;
    let method = route.churn().map_or_else(|| method.to_string(), |churn| format!("{method}-{churn}"));
    let stem = folder.join(format!("{method}-{spacing}-{framing}-{steps}"));
    at(trained, &Sampling::along(route, count, seed), &Files::of(&stem, None))
}

/// Molecules from their file, where the record says that they are these; else drawn and written there.
fn at(trained: &Trained, options: &Sampling, files: &Files) -> Outcome<Drawn> {
    let origin = origin(trained, options);
    match kept(files, &origin) {
        Ok(seconds) => {
            let chain = files.chain.as_deref().map(read).transpose()?.unwrap_or_default();
            return Ok(Drawn { molecules: read(&files.samples)?, chain, seconds });
        }
        Err(why) if files.samples.exists() => tracing::info!("{}: {why}; drawing anew", files.samples.display()),
        Err(_) => {}
    }
    let start = Instant::now();
    let bar = Bar::new("sampling");
    let mut molecules = Vec::with_capacity(options.count);
    let frames = if files.chain.is_some() { FRAMES } else { 0 };
    let chain = trained.sample_watched(options, frames, &mut |done| bar.show(done, ""), |batch| {
        molecules.extend(batch);
        Ok::<_, Failure>(())
    })?;
    let seconds = start.elapsed().as_secs_f64();
    let file = put_all(&files.samples, &molecules)?;
    let noted = files.chain.as_deref().map(|file| put_all(file, &chain)).transpose()?;
    let written = Record { origin, file, chain: noted, seconds };
    put(&files.record, &serde_json::to_string_pretty(&written).map_err(Failure::run)?)?;
    Ok(Drawn { molecules, chain, seconds })
}

fn read(file: &Path) -> Outcome<Vec<Molecule>> {
    Ok(formats::open(file)?.collect::<Result<_, _>>()?)
}

/// Replaces a file by molecules; its checksum.
fn put_all(file: &Path, molecules: &[Molecule]) -> Outcome<String> {
    let destination = Destination::claim(file, Kind::Molecules, &[], true)?;
    formats::write_to(destination, file, molecules.iter().cloned())?.0.finish()?;
    hash::of_file(file).map_err(|error| Failure::file(file, "read it", &error))
}

/// The seconds of an earlier drawing whose record and files fit, or why they do not.
fn kept(files: &Files, origin: &Origin) -> Result<f64, &'static str> {
    let text = std::fs::read_to_string(&files.record).ok();
    let record: Record = text.and_then(|text| serde_json::from_str(&text).ok()).ok_or("nothing says what they were drawn from")?;
    if record.origin.precision.is_none() || record.origin.device.is_none() {
        return Err("samples.json does not say in which precision and on which device they were drawn");
    }
    if record.origin != *origin {
        return Err("not what this model draws");
    }
    let same = |file: &Path, noted: &str| hash::of_file(file).is_ok_and(|found| found == noted);
    let forming = files.chain.as_deref().is_none_or(|file| record.chain.is_some_and(|noted| same(file, &noted)));
    let whole = same(&files.samples, &record.file) && forming;
    if whole { Ok(record.seconds) } else { Err("changed since they were drawn") }
}

fn origin(trained: &Trained, options: &Sampling) -> Origin {
    Origin {
        step: trained.header.step,
        weights: format!("{:016x}", trained.weights_hash),
        sampler: options.sampler.to_string(),
        grid: options.grid.to_string(),
        frames: options.frames.to_string(),
        churn: options.churn.or(options.sampler.usual_churn()).map_or_else(usual_churn, |churn| churn.to_string()),
        steps: options.steps.unwrap_or(trained.model.process.steps()),
        seed: options.seed,
        molecules: options.count,
        precision: Some(trained.precision),
        device: Some(if trained.device().is_cpu() { "cpu" } else { "cuda" }.to_owned()),
    }
}
