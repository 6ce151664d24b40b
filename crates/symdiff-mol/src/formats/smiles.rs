//! SMILES lines, written only: `SMILES<tab>name` of the largest fragment of each valid molecule.

use crate::chemistry::canonical_smiles;
use crate::formats::xyz::one_line;
use crate::molecule::Molecule;
use std::io::Write;

/// Writes a line; `false`, and no line, for a molecule that cannot be sanitised.
pub fn write(out: &mut impl Write, molecule: &Molecule) -> std::io::Result<bool> {
    let Some(smiles) = canonical_smiles(molecule) else {
        return Ok(false);
    };
    writeln!(out, "{smiles}\t{}", one_line(molecule.name()))?;
    Ok(true)
}
