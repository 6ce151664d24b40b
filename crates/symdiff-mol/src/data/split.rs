//! The published splits of data sets, bit for bit.
//!
//! QM9: `perm = numpy.random.RandomState(0).permutation(n)`; the training part comes first, the test part last, validation
//! between them. `RandomState` is the 32-bit Mersenne Twister seeded by Knuth's recurrence; a permutation is a
//! Fisher–Yates shuffle from the end, each index drawn by masking to the next power of two and rejecting.
//!
//! GEOM-Drugs: a permutation of all conformers that its authors drew once and keep as `geom_permutation.npy`; its first tenth validates, its
//! second tests, the rest trains. Conformers of one molecule may so fall into different parts.

use crate::error::{Error, Fault, Place, Result};
use crate::formats::{Format, Source, npy};
use rand_mt::Mt;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// Training molecules of the published QM9 split.
const TRAIN: usize = 100_000;
/// Below this many molecules the published training size makes no sense: four fifths instead.
const SMALL: usize = 120_000;

/// The files of a folder that the published Python code leaves: a split that is already made.
pub(super) const PARTS: [&str; 3] = ["train.npz", "valid.npz", "test.npz"];

/// Places of the molecules of each part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Split {
    /// 100,000, or four fifths of a set under 120,000.
    pub train: Vec<usize>,
    /// The rest.
    pub valid: Vec<usize>,
    /// A tenth of all, rounded down.
    pub test: Vec<usize>,
}

impl Split {
    /// The published split of `n` molecules.
    ///
    /// ```
    /// let split = symdiff_mol::data::Split::published(10);
    /// assert_eq!(split.train[..3], [2, 8, 4]);
    /// assert_eq!((split.valid.len(), split.test.as_slice()), (1, &[5][..]));
    /// ```
    pub fn published(n: usize) -> Self {
        let train = if n < SMALL { n * 4 / 5 } else { TRAIN };
        let permutation = legacy_permutation(n, 0);
        let (train, rest) = permutation.split_at(train);
        let (valid, test) = rest.split_at(rest.len() - n / 10);
        Self { train: train.to_vec(), valid: valid.to_vec(), test: test.to_vec() }
    }

    /// GEOM-Drugs' split along a permutation of its conformers: a tenth (rounded down) to validate, another to test, the rest to train.
    ///
    /// ```
    /// use symdiff_mol::data::{Split, legacy_permutation};
    /// let split = Split::of_geom(&legacy_permutation(10, 0));
    /// assert_eq!((split.valid, split.test, split.train.len()), (vec![2], vec![8], 8));
    /// ```
    pub fn of_geom(permutation: &[usize]) -> Self {
        let tenth = permutation.len() / 10;
        let (valid, rest) = permutation.split_at(tenth);
        let (test, train) = rest.split_at(tenth);
        Self { train: train.to_vec(), valid: valid.to_vec(), test: test.to_vec() }
    }

    /// The split by seed of kinds of files that [`Split::published`] is not meant for.
    pub(super) fn of_format(path: &Path, molecules: usize) -> Option<Self> {
        let of_geom = Format::of(path).is_ok_and(|format| format == Format::GeomMsgpack);
        of_geom.then(|| Self::of_geom(&legacy_permutation(molecules, 0)))
    }

    /// This split with one half of its training part, as the published code halves QM9 for conditional models: along
    /// `numpy.random.RandomState(42).permutation` of that part, the network that generates on the second half, and the one that judges
    /// properties on the first.
    ///
    /// ```
    /// use symdiff_mol::data::{Half, Split};
    /// let [first, second] = [Half::First, Half::Second].map(|half| Split::published(10).half(half).train);
    /// assert_eq!((first.len(), second.len()), (4, 4));
    /// assert!(first.iter().all(|place| !second.contains(place)));
    /// ```
    #[must_use]
    pub fn half(self, half: Half) -> Self {
        let order = legacy_permutation(self.train.len(), 42);
        let (first, second) = order.split_at(order.len() / 2);
        let chosen = if half == Half::First { first } else { second };
        Self { train: chosen.iter().map(|at| self.train[*at]).collect(), ..self }
    }

    /// This split over those places alone that have a new one, such as the molecules of one size, under their new places.
    #[must_use]
    pub fn moved(&self, place: impl Fn(usize) -> Option<usize>) -> Self {
        let moved = |places: &[usize]| places.iter().filter_map(|old| place(*old)).collect();
        Self { train: moved(&self.train), valid: moved(&self.valid), test: moved(&self.test) }
    }

    /// The places of a part.
    pub fn part(&self, part: Part) -> &[usize] {
        match part {
            Part::Train => &self.train,
            Part::Valid => &self.valid,
            Part::Test => &self.test,
        }
    }

    /// The three parts and their names.
    pub(crate) fn parts(&self) -> [(&'static str, &[usize]); 3] {
        [("train", &self.train), ("valid", &self.valid), ("test", &self.test)]
    }

    /// Whether every place is below `molecules` and in one part at most.
    pub(crate) fn check(&self, molecules: usize) -> Result<(), Fault> {
        let mut seen = vec![false; molecules];
        for &place in self.parts().into_iter().flat_map(|(_, places)| places) {
            let fresh = seen.get_mut(place).is_some_and(|seen| !std::mem::replace(seen, true));
            if !fresh {
                let expected = "each place of the set once";
                let remedy = "give a split or permutation that was made for this very set";
                return Err(Fault::unexpected(expected, &format!("{place}, of {molecules}"), remedy));
            }
        }
        Ok(())
    }
}

/// A part of a split.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// What is trained on.
    Train,
    /// What validates while training.
    Valid,
    /// What tests afterwards.
    Test,
}

impl Part {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Valid => "valid",
            Self::Test => "test",
        }
    }
}

/// A half of a training part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Half {
    /// The first ⌊n/2⌋ along the permutation.
    First,
    /// The rest.
    Second,
}

impl Half {
    /// The one that this is not.
    #[must_use]
    pub fn other(self) -> Self {
        match self {
            Self::First => Self::Second,
            Self::Second => Self::First,
        }
    }
}

/// Reads a permutation that numpy saved, such as `geom_permutation.npy`.
///
/// # Errors
/// What is no one-dimensional array of the whole numbers from zero, each once.
pub fn read_permutation(path: &Path) -> Result<Vec<usize>> {
    /// Numpy saves eight bytes a place: this is a hundred times GEOM-Drugs.
    const LONGEST: u64 = 6 << 30;
    let bytes = Source::open(path)?.into_bytes("the permutation", npy::MAGIC, LONGEST)?;
    let checked = || {
        let array = npy::Array::parse(bytes)?;
        let &[length] = array.shape.as_slice() else {
            return Err(Fault::unexpected("one axis", &format!("{:?}", array.shape), "give a permutation as numpy saves it"));
        };
        // A number below zero is far above any length.
        let permutation: Vec<usize> = array.integers(|place| Ok(place as usize))?;
        Split { train: permutation.clone(), valid: Vec::new(), test: Vec::new() }.check(length)?;
        Ok(permutation)
    };
    checked().map_err(|fault| Error::content(path, Place::Whole, fault))
}

/// `numpy.random.RandomState(seed).permutation(n)` for n up to 2³².
pub fn legacy_permutation(n: usize, seed: u32) -> Vec<usize> {
    let mut twister = Mt::new(seed);
    let mut places: Vec<usize> = (0..n).collect();
    for last in (1..n).rev() {
        places.swap(last, below_or_at(&mut twister, last));
    }
    places
}

/// Uniform in `0..=max`: the next word, masked, until it fits.
fn below_or_at(twister: &mut Mt, max: usize) -> usize {
    let mask = u32::MAX >> (max as u32).leading_zeros();
    loop {
        let draw = (twister.next_u32() & mask) as usize;
        if draw <= max {
            return draw;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Σ perm[i]·(i+1) modulo 2⁶¹−1.
    fn checksum(permutation: &[usize]) -> u128 {
        let sum: u128 = permutation.iter().zip(1_u128..).map(|(p, i)| *p as u128 * i).sum();
        sum % ((1 << 61) - 1)
    }

    #[test]
    fn permutations_are_numpys() {
        for (n, first, last, sum) in [
            (10, [2, 8, 4, 9], [7, 3, 0, 5], 230),
            (1000, [993, 859, 298, 553], [192, 629, 559, 684], 248372140),
            (126000, [46609, 82849, 92690, 39933], [117952, 42613, 43567, 68268], 499875406460279),
            (130831, [130195, 68784, 7957, 25911], [117952, 42613, 43567, 68268], 559584768937164),
        ] {
            let permutation = legacy_permutation(n, 0);
            assert_eq!(permutation[..4], first);
            assert_eq!(permutation[n - 4..], last);
            assert_eq!(checksum(&permutation), sum);
        }
    }

    #[test]
    fn parts_have_the_published_sizes_and_cover_everything_once() {
        let split = Split::published(130_831);
        assert_eq!((split.train.len(), split.valid.len(), split.test.len()), (100_000, 17_748, 13_083));
        let mut all = [split.train, split.valid, split.test].concat();
        all.sort_unstable();
        assert!(all.into_iter().eq(0..130_831));
        let permutation = legacy_permutation(130_831, 1);
        let geom = Split::of_geom(&permutation);
        assert_eq!((geom.valid.len(), geom.test.len(), geom.train.len()), (13_083, 13_083, 104_665));
        assert_eq!([geom.valid, geom.test, geom.train].concat(), permutation);
        for n in [0, 1, 2, 3, 9] {
            let split = Split::published(n);
            assert_eq!(split.train.len() + split.valid.len() + split.test.len(), n);
        }
    }

    #[test]
    fn a_permutation_is_read_and_anything_else_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("p.npy");
        let read = |shape: &[usize], numbers: &[i32]| {
            let data: Vec<u8> = numbers.iter().flat_map(|n| n.to_le_bytes()).collect();
            std::fs::write(&path, npy::file(npy::Kind::I32, shape, &data)).unwrap();
            read_permutation(&path).map_err(|error| error.to_string())
        };
        assert_eq!(read(&[4], &[2, 0, 3, 1]), Ok(vec![2, 0, 3, 1]));
        for (shape, numbers, words) in [
            (&[4][..], [2, 0, 3, 0], "found `0, of 4`"),
            (&[4], [2, 0, 4, 1], "found `4, of 4`"),
            (&[4], [2, -1, 3, 1], "each place of the set once"),
            (&[2, 2], [2, 0, 3, 1], "expected one axis, found `[2, 2]`"),
        ] {
            let message = read(shape, &numbers).unwrap_err();
            assert!(message.contains("p.npy, whole file") && message.contains(words), "{message}");
        }
        assert!(Split { train: vec![0, 1], valid: vec![1], test: vec![] }.check(3).is_err());
        std::fs::write(&path, "0\n1\n").unwrap();
        let message = read_permutation(&path).unwrap_err().to_string();
        assert!(message.contains("the permutation cannot be read (it does not begin like one)"), "{message}");
        #[cfg(unix)]
        assert!(read_permutation(Path::new("/dev/zero")).is_err());
    }

    #[test]
    fn halves_lie_along_the_published_permutation_of_the_training_part() {
        let split = Split::published(20);
        let [first, second] = [Half::Second, Half::First].map(|half| split.clone().half(half.other()));
        // numpy.random.seed(42); numpy.random.permutation(16)
        let order = legacy_permutation(16, 42);
        let expected: Vec<usize> = order.iter().map(|at| split.train[*at]).collect();
        assert_eq!([first.train, second.train.clone()].concat(), expected);
        assert_eq!((&second.valid, &second.test), (&split.valid, &split.test));
        let even = second.moved(|place| place.is_multiple_of(2).then_some(place / 2));
        assert!(even.check(10).is_ok() && even.train.iter().all(|place| second.train.contains(&(2 * place))));
    }
}
