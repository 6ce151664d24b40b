//! A molecule in JSON: numbers read back as the same numbers.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use symdiff_mol::{Fault, Molecule};

/// A molecule as it was drawn.
#[derive(Serialize, Deserialize)]
pub(crate) struct Line {
    id: String,
    z: Vec<u8>,
    xyz: Vec<[f64; 3]>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    properties: BTreeMap<String, f64>,
}

impl From<&Molecule> for Line {
    fn from(molecule: &Molecule) -> Self {
        Self {
            id: molecule.name().to_owned(),
            z: molecule.atomic_numbers().to_vec(),
            xyz: molecule.positions().to_vec(),
            properties: molecule.properties().clone(),
        }
    }
}

impl TryFrom<Line> for Molecule {
    type Error = Fault;

    fn try_from(line: Line) -> Result<Self, Fault> {
        let molecule = Self::new(line.id, line.z, line.xyz)?;
        Ok(line.properties.into_iter().fold(molecule, |molecule, (name, value)| molecule.with_property(name, value)))
    }
}
