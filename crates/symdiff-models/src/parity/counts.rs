//! `param_counts.json`: the sizes of the published models.

use crate::models::ModelConfig;
use crate::{Error, Result, memory};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::Path;
use symdiff_mol::state::Encoding;

/// The counts of one model.
#[derive(Deserialize)]
struct Published {
    /// Those that an optimiser may change: all but the table of the fixed schedule.
    trainable: usize,
    /// Those of the read-out that γ's encoder has and nothing uses.
    #[serde(default)]
    without_gradient: usize,
}

/// The largest difference between a model's parameters here and the published ones that any output depends on.
pub(super) fn difference(path: &Path) -> Result<f64> {
    let text = std::fs::read_to_string(path).map_err(Error::io(path, "read the golden file"))?;
    let counts: BTreeMap<String, Published> = serde_json::from_str(&text).map_err(|error| Error::file(path, error))?;
    counts.iter().try_fold(0.0_f64, |largest, (name, published)| {
        let here = memory::parameters(&ModelConfig::preset(name)?, Encoding::qm9().features())?;
        Ok(largest.max(here.abs_diff(published.trainable - published.without_gradient) as f64))
    })
}
