//! What a data set holds, in 64 bits: equal for the same molecules in the same order, whatever file they come from.

use super::set::MoleculeSet;
use super::split::Split;
use std::hash::Hasher;
use twox_hash::XxHash3_64;

/// A hash (XXH3, 64 bits) of sizes, atomic numbers and positions, bit for bit. Names, properties and the split have no part in it.
pub fn fingerprint(set: &MoleculeSet) -> u64 {
    let mut hash = XxHash3_64::new();
    set.sizes().for_each(|size| hash.write(&(size as u64).to_le_bytes()));
    hash.write(set.all_atomic_numbers());
    // −0 and 0 are one place.
    set.all_positions().iter().flatten().for_each(|x| hash.write(&(x + 0.0).to_le_bytes()));
    hash.finish()
}

/// A hash of which molecules train, validate and test.
pub fn split_fingerprint(split: &Split) -> u64 {
    let mut hash = XxHash3_64::new();
    for part in [&split.train, &split.valid, &split.test] {
        hash.write(&(part.len() as u64).to_le_bytes());
        for place in part {
            hash.write(&(*place as u64).to_le_bytes());
        }
    }
    hash.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::embedded;

    #[test]
    fn one_atom_moved_by_one_bit_changes_the_fingerprint() {
        let places: Vec<usize> = (0..50).collect();
        let set = embedded().select(&places);
        let other = |change: &dyn Fn(&mut Vec<[f32; 3]>)| {
            let mut positions = set.all_positions().to_vec();
            change(&mut positions);
            let changed = MoleculeSet::from_packed(set.sizes(), set.all_atomic_numbers().to_vec(), positions, None).unwrap();
            fingerprint(&changed)
        };
        assert_eq!(other(&|_| {}), fingerprint(&set));
        assert_ne!(other(&|x| x[7][1] = f32::from_bits(x[7][1].to_bits() ^ 1)), fingerprint(&set));
        assert_ne!(fingerprint(&embedded().select(&places[1..])), fingerprint(&set));
        let (split, mut moved) = (Split::published(50), Split::published(50));
        moved.train.swap(0, 1);
        assert_ne!(split_fingerprint(&split), split_fingerprint(&moved));
    }
}
