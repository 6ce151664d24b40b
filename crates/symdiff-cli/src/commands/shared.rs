//! A share of the molecules of `sample`, one a line.

use super::asking::Asking;
use crate::failure::{Failure, Outcome};
use crate::line::Line;
use crate::progress::Bar;
use crate::shard::Work;
use serde_json::json;
use symdiff_models::{Sampling, Trained};
use symdiff_mol::Molecule;
use symdiff_train::{Precision, Share};

/// Draws a share of the molecules.
pub(super) fn lines(model: &Trained, options: &Sampling, share: Share) -> Outcome<String> {
    let bar = Bar::new("sampling");
    let mut lines = String::new();
    model.sample_share(options, share, &mut |done| bar.show(done, ""), |batch| {
        for molecule in batch {
            lines += &serde_json::to_string(&Line::from(&molecule)).map_err(Failure::run)?;
            lines.push('\n');
        }
        Ok::<_, Failure>(())
    })?;
    Ok(lines)
}

/// The molecule of a line.
pub(super) fn molecule(line: &str) -> Outcome<Molecule> {
    serde_json::from_str::<Line>(line).map_err(Failure::run)?.try_into().map_err(Failure::run)
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
