//! Settings of the training data.

use crate::{Error, Result};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use symdiff_mol::data::{Half, MoleculeSet, Split, Vocabulary};
use symdiff_mol::state::Encoding;
use symdiff_train::within;

/// What to learn from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Data {
    /// A molecule file; the embedded set when absent.
    pub path: Option<PathBuf>,
    /// Leaves out molecules of more atoms other than hydrogen than this, in every part of the set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub heavy_atoms: Option<usize>,
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
    /// How often a training molecule comes with a part of its atoms, which the model is given: it then completes what is kept in sampling. At most 0.99.
    #[serde(skip_serializing_if = "is_zero")]
    pub fixed: f64,
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

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the form that serde calls")]
fn is_zero(share: &f64) -> bool {
    share.to_bits() == 0
}

impl Default for Data {
    fn default() -> Self {
        Self {
            path: None,
            heavy_atoms: None,
            half: None,
            vocabulary: Elements::default(),
            charges: None,
            type_scale: Encoding::TYPE_SCALE,
            augment: false,
            augment_noise: 0.0,
            condition: Vec::new(),
            condition_dropout: DROPOUT,
            fixed: 0.0,
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
    /// Refuses a property that is named twice or cannot be a field of a file, a dropout that is no probability, and a part of nearly every molecule.
    ///
    /// # Errors
    /// [`Error::Config`] with the property, or the setting and its range.
    pub(super) fn check_conditions(&self) -> Result<()> {
        within("data.condition_dropout", self.condition_dropout, 0.0, 1.0)?;
        // Some molecules must come without a part, as most are drawn.
        within("data.fixed", self.fixed, 0.0, 0.99)?;
        for (place, name) in self.condition.iter().enumerate() {
            check_name("data.condition", name)?;
            if self.condition[..place].contains(name) {
                return Err(Error::Config(format!("data.condition names {name} twice; name it once")));
            }
        }
        Ok(())
    }

    /// The parts of a set, without the molecules that `heavy_atoms` leaves out.
    pub(crate) fn split(&self, set: &MoleculeSet) -> Split {
        let Some(most) = self.heavy_atoms else { return set.split() };
        let heavy = |place: usize| set.atomic_numbers(place).iter().filter(|number| **number > 1).count();
        set.split().moved(|place| (heavy(place) <= most).then_some(place))
    }

    /// The same with the half of the training part that `half` names.
    pub(crate) fn halved(&self, set: &MoleculeSet) -> Split {
        let split = self.split(set);
        match self.half {
            Some(half) => split.half(half),
            None => split,
        }
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

#[cfg(test)]
mod tests {
    use crate::{Experiment, Result};
    use symdiff_mol::data::embedded;

    /// Every part keeps its small molecules, in order; halves are halves of what is left.
    #[test]
    fn large_molecules_are_left_out_of_every_part() -> Result<()> {
        let of = |data: &str| {
            let text = format!("[data]\n{data}\n[model]\npreset = 'symdiff-tiny'\n[train]\nsteps = 1\nbatch = 8\n");
            Experiment::parse(&text, &[])?.molecules()
        };
        let heavy = |place: &usize| embedded().atomic_numbers(*place).iter().filter(|number| **number > 1).count();
        let small = |places: Vec<usize>| places.into_iter().filter(|place| heavy(place) <= 6).collect::<Vec<_>>();
        let (all, few) = (embedded().split(), of("heavy_atoms = 6")?.split());
        assert_eq!([&few.train, &few.valid, &few.test], [&small(all.train), &small(all.valid), &small(all.test)]);
        assert!(few.train.iter().any(|place| heavy(place) == 6) && few.train.len() > 500 && !few.test.is_empty());
        let half = of("heavy_atoms = 6\nhalf = 'first'")?.split();
        assert_eq!((half.train.len(), &half.test), (few.train.len() / 2, &few.test));
        let told = of("heavy_atoms = 0").err().map(|error| error.to_string()).unwrap_or_default();
        assert!(told.contains("data.heavy_atoms") && told.lines().count() == 1, "{told}");
        Ok(())
    }
}
