//! Where weights come from.

use super::scored::Scored;
use serde::{Deserialize, Serialize};
use symdiff_mol::data::{MoleculeSet, fingerprint, split_fingerprint};
use symdiff_train::Precision;

/// Where a header's facts hold it.
pub(super) const KEY: &str = "provenance";

/// What a file of weights says of itself, beside its experiment, seed and steps.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Provenance {
    /// The model's name.
    pub name: String,
    /// The licence under which the weights may be used, as an SPDX identifier.
    pub licence: String,
    /// The program that wrote the file.
    pub program: String,
    /// Trainable numbers.
    pub parameters: usize,
    /// What each is stored in.
    pub storage: Precision,
    /// What it learned from.
    pub data: DataRecord,
    /// How well it does; `None` where nobody has asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scores: Option<Scored>,
}

/// A data set, recognisable whatever file it comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DataRecord {
    /// The file's name, or `embedded`.
    pub name: String,
    /// Molecules.
    pub molecules: usize,
    /// Atoms.
    pub atoms: usize,
    /// XXH3 of sizes, elements and positions.
    pub hash: String,
    /// Molecules that train, validate and test.
    pub split: [usize; 3],
    /// XXH3 of which ones these are.
    pub split_hash: String,
}

impl DataRecord {
    /// That of a set.
    pub fn of(name: impl Into<String>, set: &MoleculeSet) -> Self {
        let split = set.split();
        Self {
            name: name.into(),
            molecules: set.len(),
            atoms: set.total_atoms(),
            hash: format!("{:016x}", fingerprint(set)),
            split: [split.train.len(), split.valid.len(), split.test.len()],
            split_hash: format!("{:016x}", split_fingerprint(&split)),
        }
    }

    /// Refuses another set, or another split of the same.
    ///
    /// # Errors
    /// With a sentence that tells the difference.
    pub fn recognise(&self, set: &MoleculeSet) -> Result<(), String> {
        let found = Self::of(self.name.as_str(), set);
        if found.hash != self.hash {
            return Err(format!(
                "the weights come from {} molecules of hash {}, and this set has {} of hash {}",
                self.molecules, self.hash, found.molecules, found.hash
            ));
        }
        if found.split_hash != self.split_hash {
            return Err(format!("the molecules are the same, but they are split in another way: {:?}, not {:?}", found.split, self.split));
        }
        Ok(())
    }
}
