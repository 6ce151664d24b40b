//! Energies in electronvolts, as the published code turns them.

use super::references::REFERENCE_SUFFIX;
use crate::molecule::Molecule;

/// Electronvolts in a hartree, as the published code rounds them.
const ELECTRON_VOLTS: f64 = 27.2114;

/// QM9's energies, in hartree in the authors' files.
const ENERGIES: [&str; 7] = ["U0", "U", "H", "G", "homo", "lumo", "gap"];

/// The molecule with QM9's energies in electronvolts and its zero-point energy in thousandths of them; likewise the sums of free atoms.
///
/// # Source
/// EDM's code (arXiv 2203.17003): these properties, and 27.2114 and 27211.4.
pub(super) fn in_electron_volts(molecule: Molecule) -> Molecule {
    let factors = ENERGIES.iter().map(|name| (*name, ELECTRON_VOLTS)).chain([("zpve", 27211.4)]);
    let names = factors.flat_map(|(name, factor)| [(name.to_owned(), factor), (format!("{name}{REFERENCE_SUFFIX}"), factor)]);
    names.fold(molecule, |molecule, (name, factor)| match molecule.properties().get(&name) {
        Some(value) => {
            let value = value * factor;
            molecule.with_property(name, value)
        }
        None => molecule,
    })
}
