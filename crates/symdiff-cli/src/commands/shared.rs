//! A share of the molecules of `sample`, one a line: numbers read back as the same numbers.

use super::asking::Asking;
use crate::failure::{Failure, Outcome};
use crate::progress::Bar;
use crate::shard::Work;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::BTreeMap;
use symdiff_models::{Sampling, Trained};
use symdiff_mol::Molecule;
use symdiff_train::{Precision, Share};

/// A molecule as it was drawn.
#[derive(Serialize, Deserialize)]
struct Line {
    id: String,
    z: Vec<u8>,
    xyz: Vec<[f64; 3]>,
    properties: BTreeMap<String, f64>,
}

/// Draws a share of the molecules.
pub(super) fn lines(model: &Trained, options: &Sampling, share: Share) -> Outcome<String> {
    let bar = Bar::new("sampling");
    let mut lines = String::new();
    model.sample_share(options, share, &mut |done| bar.show(done, ""), |batch| {
        for molecule in batch {
            let line = Line {
                id: molecule.name().to_owned(),
                z: molecule.atomic_numbers().to_vec(),
                xyz: molecule.positions().to_vec(),
                properties: molecule.properties().clone(),
            };
            lines += &serde_json::to_string(&line).map_err(Failure::run)?;
            lines.push('\n');
        }
        Ok::<_, Failure>(())
    })?;
    Ok(lines)
}

/// The molecule of a line.
pub(super) fn molecule(line: &str) -> Outcome<Molecule> {
    let Line { id, z, xyz, properties } = serde_json::from_str(line).map_err(Failure::run)?;
    let molecule = Molecule::new(id, z, xyz).map_err(Failure::run)?;
    Ok(properties.into_iter().fold(molecule, |molecule, (name, value)| molecule.with_property(name, value)))
}

/// All that the molecules depend on.
pub(super) fn work(command: &str, asking: &Asking, model: &Trained, options: &Sampling, precision: Option<Precision>) -> Work {
    let others = Sampling { count: 0, seed: 0, ..options.clone() };
    let settings = [
        ("weights", json!(format!("{:016x}", model.weights_hash))),
        ("seed", json!(options.seed)),
        ("n", json!(options.count)),
        ("options", json!(format!("{others:?}"))),
        ("asking", json!(format!("{asking:?}"))),
        ("properties", json!(!options.request.given.is_empty())),
        ("precision", json!(precision.map(|precision| format!("{precision:?}")))),
    ];
    Work::new(command, settings)
}
