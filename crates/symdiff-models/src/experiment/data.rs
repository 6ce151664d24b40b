//! Settings of the training data.

use crate::{Error, Result};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use symdiff_mol::data::{Half, Vocabulary};
use symdiff_mol::state::Encoding;
use symdiff_train::within;

/// What to learn from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Data {
    /// A molecule file; the embedded set when absent.
    pub path: Option<PathBuf>,
    /// Trains on one half of the training part alone, `first` or `second`, as EDM's conditional setting does ([`Split::half`](symdiff_mol::data::Split::half)): models that draw on the second,
    /// the property networks that judge them on the first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub half: Option<Half>,
    /// The elements the model knows.
    pub vocabulary: Elements,
    /// Whether the atomic number is a feature; when absent, as in the published runs on these elements.
    pub charges: Option<bool>,
    /// What one-hot elements are divided by, so that noise hides them later or earlier than positions: 4 in the published runs, 8 in EDM's conditional ones.
    #[serde(skip_serializing_if = "is_usual_scale")]
    pub type_scale: f64,
    /// Moves every training molecule by a Haar draw of the model's group each time it is seen (DiT-Aug).
    pub augment: bool,
    /// Adds normal noise of this standard deviation, in angstrom, to the positions of every training molecule each time it is seen.
    pub augment_noise: f64,
    /// Properties of the set that the model is told of each molecule, by which molecules can be asked for: `["gap", "mu"]`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub condition: Vec<String>,
    /// How often a training molecule's properties are withheld: all of them with this probability, and where there are several, each of them with it again. What the model
    /// learns from such molecules is what guidance moves away from.
    #[serde(skip_serializing_if = "is_usual_dropout")]
    pub condition_dropout: f64,
}

/// The usual dropout of conditions.
const DROPOUT: f64 = 0.1;

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the form that serde calls")]
fn is_usual_scale(scale: &f64) -> bool {
    scale.to_bits() == Encoding::TYPE_SCALE.to_bits()
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the form that serde calls")]
fn is_usual_dropout(dropout: &f64) -> bool {
    dropout.to_bits() == DROPOUT.to_bits()
}

impl Default for Data {
    fn default() -> Self {
        Self {
            path: None,
            half: None,
            vocabulary: Elements::default(),
            charges: None,
            type_scale: Encoding::TYPE_SCALE,
            augment: false,
            augment_noise: 0.0,
            condition: Vec::new(),
            condition_dropout: DROPOUT,
        }
    }
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
    /// Refuses a property that is named twice or cannot be a field of a file, and a dropout that is no probability.
    ///
    /// # Errors
    /// [`Error::Config`] with the property.
    pub(super) fn check_conditions(&self) -> Result<()> {
        within("data.condition_dropout", self.condition_dropout, 0.0, 1.0)?;
        for (place, name) in self.condition.iter().enumerate() {
            check_name("data.condition", name)?;
            if self.condition[..place].contains(name) {
                return Err(Error::Config(format!("data.condition names {name} twice; name it once")));
            }
        }
        Ok(())
    }

    /// How atoms become features.
    pub fn encoding(&self) -> Encoding {
        let encoding = match self.vocabulary {
            Elements::Qm9 => Encoding::new(Vocabulary::qm9(), self.charges.unwrap_or(true)),
            Elements::Geom => Encoding::new(Vocabulary::geom(), self.charges.unwrap_or(false)),
        };
        encoding.with_type_scale(self.type_scale)
    }
}

/// Refuses the name of a property that cannot be a field of a file.
///
/// # Errors
/// [`Error::Config`] with the setting and the name.
pub(super) fn check_name(setting: &str, name: &str) -> Result<()> {
    if name.is_empty() || name.contains(|letter: char| letter.is_whitespace() || "=\"<>".contains(letter)) {
        return Err(Error::Config(format!("{setting}: {name:?} is no name of a property; give one such as \"gap\"")));
    }
    Ok(())
}
