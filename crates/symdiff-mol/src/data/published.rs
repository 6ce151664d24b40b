//! Sizes of the published training sets, from which the published models draw the number of atoms.
//!
//! # Source
//! The dataset table of EDM's code (arXiv 2203.17003, MIT licence), which the code of SymDiff shares: counts of molecules by number of atoms. Those of QM9
//! are of the 100,000 molecules of the training part, those of GEOM-Drugs of all its conformers (up to thirty a molecule).

use super::sizes::SizeHistogram;
use super::vocabulary::Vocabulary;

/// The least number of atoms, and the counts of molecules from there on.
type Counts = (usize, &'static [u64]);

#[rustfmt::skip]
const QM9: Counts = (3, &[
    1, 4, 5, 9, 16, 49, 124, 362, 807, 1689, 3060, 5136, 7796, 10644, 13025, 13364, 13832, 9482, 9970, 3393, 4848, 539, 1506, 48,
    266, 0, 25,
]);

#[rustfmt::skip]
const QM9_SECOND_HALF: Counts = (3, &[
    1, 3, 3, 5, 7, 25, 62, 178, 412, 845, 1541, 2587, 3865, 5344, 6461, 6695, 6944, 4794, 4962, 1701, 2380, 267, 754, 17, 132, 0,
    15,
]);

#[rustfmt::skip]
const QM9_HEAVY: Counts = (1, &[
    2, 5, 7, 25, 91, 475, 2404, 13625, 83366,
]);

#[rustfmt::skip]
const GEOM: Counts = (3, &[
    1, 3, 9, 2, 8, 23, 23, 50, 109, 168, 280, 402, 583, 597, 949, 1284, 1862, 2674, 3599, 6109, 8693, 13604, 17419, 25672, 31647,
    43809, 56697, 70400, 82655, 104100, 122776, 140834, 164888, 185451, 194541, 218549, 231232, 243300, 253349, 268341, 272081,
    276917, 276839, 274747, 272126, 262709, 250157, 244781, 228898, 215338, 203728, 191697, 180518, 163843, 152055, 136536,
    120393, 107292, 94635, 83179, 68384, 61517, 48867, 37685, 32859, 27367, 20981, 18699, 14791, 11921, 9933, 9037, 6538, 6374,
    4036, 4189, 3842, 3277, 2925, 1843, 2060, 1394, 1514, 1357, 1346, 999, 300, 390, 510, 510, 240, 721, 360, 360, 390, 330, 540,
    258, 210, 60, 180, 206, 60, 390, 180, 180, 150, 120, 360, 120, 210, 60, 30, 210, 270, 450, 240, 228, 120, 30, 420, 240, 210,
    158, 180, 60, 30, 120, 30, 120, 60, 240, 169, 240, 30, 270, 180, 270, 150, 60, 60, 240, 180, 150, 150, 90, 90, 0, 30, 60, 0,
    0, 90, 0, 0, 0, 30, 60, 0, 0, 0, 0, 30, 0, 0, 0, 0, 0, 30, 0, 0, 0, 30, 60, 0, 0, 0, 0, 30,
]);

#[rustfmt::skip]
const GEOM_HEAVY: Counts = (1, &[
    3, 5, 8, 89, 166, 370, 613, 1214, 1680, 3315, 5115, 9873, 15422, 28088, 50643, 82299, 124341, 178417, 240446, 308209, 372900,
    429257, 477423, 508377, 522385, 522000, 507882, 476702, 426308, 375819, 310124, 255179, 204441, 149383, 109343, 71701, 44050,
    31437, 20242, 14971, 10078, 8049, 4476, 3130, 1736, 2030, 1110, 840, 750, 540, 810, 591, 453, 540, 720, 300, 360, 714, 390,
    519, 210, 449, 210, 289, 589, 227, 180, 330, 330, 150, 60, 210, 60, 180, 120, 30, 150, 30, 60, 0, 0, 60, 0, 0, 60, 6, 60, 0,
    0, 60, 30,
]);

/// How many molecules of each size the published models of these elements were trained on: QM9 (mean 18.0 atoms, at most 29) or GEOM-Drugs
/// (46.6, at most 181), with or without hydrogens.
///
/// ```
/// use symdiff_mol::data::{Vocabulary, published_sizes};
/// let sizes = published_sizes(&Vocabulary::qm9());
/// assert_eq!((sizes.molecules(), sizes.largest()), (100_000, 29));
/// ```
pub fn published_sizes(vocabulary: &Vocabulary) -> SizeHistogram {
    histogram(match (vocabulary.elements().len() > 5, vocabulary.elements().contains(&1)) {
        (false, true) => QM9,
        (false, false) => QM9_HEAVY,
        (true, true) => GEOM,
        (true, false) => GEOM_HEAVY,
    })
}

/// The sizes of the second half of QM9's training part, on which EDM's conditional models were trained.
pub fn published_sizes_of_second_half() -> SizeHistogram {
    histogram(QM9_SECOND_HALF)
}

fn histogram((first, counts): Counts) -> SizeHistogram {
    let counted = (first..).zip(counts.iter().copied()).filter(|(_, molecules)| *molecules > 0);
    SizeHistogram::from_counts(counted).expect("the published tables are histograms")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The same table of EDM's code counts atoms by element, which gives the numbers of atoms.
    #[test]
    fn molecules_and_atoms_add_up_to_the_published_totals() {
        let totals = |sizes: SizeHistogram| {
            let atoms: u64 = sizes.counts().iter().map(|(atoms, molecules)| *atoms as u64 * molecules).sum();
            (sizes.molecules(), atoms, sizes.largest())
        };
        assert_eq!(totals(published_sizes(&Vocabulary::qm9())), (100_000, 1_803_097, 29));
        assert_eq!(totals(published_sizes(&Vocabulary::qm9_heavy())), (100_000, 879_560, 9));
        assert_eq!(totals(published_sizes_of_second_half()), (50_000, 901_275, 29));
        assert_eq!(totals(published_sizes(&Vocabulary::geom())), (6922516, 322877623, 181));
        assert_eq!(totals(published_sizes(&Vocabulary::geom_heavy())), (6922516, 178971775, 91));
    }
}
