//! The published split of a data set, bit for bit.
//!
//! `perm = numpy.random.RandomState(0).permutation(n)`; the training part comes first, the test part last, validation
//! between them. `RandomState` is the 32-bit Mersenne Twister seeded by Knuth's recurrence; a permutation is a
//! Fisher–Yates shuffle from the end, each index drawn by masking to the next power of two and rejecting.

use rand_mt::Mt;

/// Training molecules of the published QM9 split.
const TRAIN: usize = 100_000;
/// Below this many molecules the published training size makes no sense: four fifths instead.
const SMALL: usize = 120_000;

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
        for n in [0, 1, 2, 3, 9] {
            let split = Split::published(n);
            assert_eq!(split.train.len() + split.valid.len() + split.test.len(), n);
        }
    }
}
