//! Settings of the training data.

use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use symdiff_mol::data::Vocabulary;
use symdiff_mol::state::Encoding;

/// What to learn from.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Data {
    /// A molecule file; the embedded set when absent.
    pub path: Option<PathBuf>,
    /// The elements the model knows.
    pub vocabulary: Elements,
    /// Whether the atomic number is a feature; when absent, as in the published runs on these elements.
    pub charges: Option<bool>,
    /// Moves every training molecule by a Haar draw of the model's group each time it is seen (DiT-Aug).
    pub augment: bool,
    /// Adds normal noise of this standard deviation, in angstrom, to the positions of every training molecule each time it is seen.
    pub augment_noise: f64,
}

/// The elements that a model knows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Elements {
    /// H C N O F; with the atomic number as a feature, unless `charges` says otherwise.
    #[default]
    Qm9,
    /// The sixteen of GEOM-Drugs; without it.
    Geom,
}

impl Data {
    /// How atoms become features.
    pub fn encoding(&self) -> Encoding {
        match self.vocabulary {
            Elements::Qm9 => Encoding::new(Vocabulary::qm9(), self.charges.unwrap_or(true)),
            Elements::Geom => Encoding::new(Vocabulary::geom(), self.charges.unwrap_or(false)),
        }
    }
}
