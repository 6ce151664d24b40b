//! The data set that comes with the crate: 8,000 small organic molecules, shaped like QM9 (CC0).
//!
//! Geometries are GFN2-xTB minima of molecules with up to nine heavy atoms C, N, O, F. The stored form: positions as
//! whole multiples of 10⁻⁵ Å, offset to be unsigned, written in three planes of one byte each (high bytes compress,
//! low bytes do not), after the sizes and the atomic numbers, all through deflate. GFN2-xTB properties at these geometries lie in a file of
//! their own (`properties`).
//!
//! | property | unit |
//! |---|---|
//! | `energy` | hartree |
//! | `gap`, `homo`, `lumo` | eV |
//! | `mu` | debye |
//! | `alpha` | bohr³ |

mod properties;

pub use properties::encode_properties;

use super::MoleculeSet;
use flate2::Compression;
use flate2::read::{DeflateDecoder, DeflateEncoder};
use std::io::Read;
use std::sync::OnceLock;

static STORED: &[u8] = include_bytes!("embedded.bin");
static PROPERTIES: &[u8] = include_bytes!("embedded/properties.bin");

/// Steps of the stored positions in an angstrom.
const STEPS: f64 = 1e5;
/// Added to a whole number of steps to make it unsigned: ±83 Å fit.
const OFFSET: i64 = 1 << 23;

/// The embedded data set, decoded on first use (some ten milliseconds).
///
/// ```
/// let set = symdiff_mol::data::embedded();
/// assert_eq!((set.len(), set.total_atoms()), (8000, 148_951));
/// assert_eq!(set.property("gap")?.len(), 8000);
/// # Ok::<(), symdiff_mol::Error>(())
/// ```
pub fn embedded() -> &'static MoleculeSet {
    static SET: OnceLock<MoleculeSet> = OnceLock::new();
    let set = || decode(STORED)?.with_properties(properties::decode(PROPERTIES)?).ok();
    SET.get_or_init(|| set().expect("the embedded data set is intact"))
}

/// The stored form of a set whose positions are multiples of 10⁻⁵ Å within ±83 Å and whose sizes are below 256;
/// `None` for any other. [`embedded`] holds the output of this function (`examples/embed.rs`).
pub fn encode_embedded(set: &MoleculeSet) -> Option<Vec<u8>> {
    let mut plain = u32::try_from(set.len()).ok()?.to_le_bytes().to_vec();
    for atoms in set.sizes() {
        plain.push(u8::try_from(atoms).ok()?);
    }
    plain.extend_from_slice(set.all_atomic_numbers());
    let steps: Option<Vec<u32>> = set
        .all_positions()
        .iter()
        .flatten()
        .map(|&value| {
            let step = (f64::from(value) * STEPS).round();
            let stored = step as i64 + OFFSET;
            let exact = angstrom(step as i64).to_bits() == (value + 0.0).to_bits();
            (exact && (0..1 << 24).contains(&stored)).then_some(stored as u32)
        })
        .collect();
    let steps = steps?;
    for plane in [16, 8, 0] {
        plain.extend(steps.iter().map(|step| (step >> plane) as u8));
    }
    let mut stored = Vec::new();
    DeflateEncoder::new(plain.as_slice(), Compression::best()).read_to_end(&mut stored).ok()?;
    Some(stored)
}

fn decode(stored: &[u8]) -> Option<MoleculeSet> {
    let mut plain = Vec::new();
    DeflateDecoder::new(stored).read_to_end(&mut plain).ok()?;
    let (molecules, rest) = plain.split_first_chunk::<4>()?;
    let (sizes, rest) = rest.split_at_checked(u32::from_le_bytes(*molecules) as usize)?;
    let atoms = sizes.iter().map(|n| usize::from(*n)).sum();
    let (atomic_numbers, planes) = rest.split_at_checked(atoms)?;
    let (high, planes) = planes.split_at_checked(3 * atoms)?;
    let (middle, low) = planes.split_at_checked(3 * atoms)?;
    let values: Vec<f32> =
        high.iter().zip(middle).zip(low).map(|((h, m), l)| angstrom(i64::from(u32::from_be_bytes([0, *h, *m, *l])) - OFFSET)).collect();
    let positions = values.as_chunks::<3>().0.to_vec();
    let sizes = sizes.iter().map(|n| usize::from(*n));
    MoleculeSet::from_packed(sizes, atomic_numbers.to_vec(), positions, None).ok()
}

/// The `f32` nearest to a whole number of steps: a division, since 10⁻⁵ itself is not exact.
fn angstrom(step: i64) -> f32 {
    (step as f64 / STEPS) as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_what_its_description_says() {
        let set = embedded();
        let count = |z: u8| set.all_atomic_numbers().iter().filter(|v| **v == z).count();
        assert_eq!([1, 6, 7, 8, 9].map(count), [84610, 46803, 8818, 7760, 960]);
        assert_eq!((set.sizes().min(), set.sizes().max()), (Some(2), Some(29)));
        assert!(STORED.len() < 1_300_000, "{} bytes", STORED.len());
    }

    #[test]
    fn molecules_are_centred_at_the_stored_precision() {
        for i in 0..embedded().len() {
            let x = embedded().positions(i);
            for axis in 0..3 {
                let mean: f64 = x.iter().map(|r| f64::from(r[axis])).sum::<f64>() / x.len() as f64;
                assert!(mean.abs() < 1e-5, "molecule {i}: {mean}");
            }
        }
    }

    #[test]
    fn the_stored_form_is_lossless_and_refuses_what_it_cannot_hold() {
        let part = embedded().select(&(0..50).collect::<Vec<_>>());
        let back = decode(&encode_embedded(&part).unwrap()).unwrap();
        assert_eq!(back.all_positions(), part.all_positions());
        assert_eq!(back.all_atomic_numbers(), part.all_atomic_numbers());
        let fine = MoleculeSet::from_packed([1], vec![1], vec![[1.0e-6, 0.0, 0.0]], None).unwrap();
        assert_eq!(encode_embedded(&fine), None);
    }
}
