//! `split.json`: the permutation behind the published data split.

use crate::{Error, Result};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::Path;
use symdiff_mol::data::Split;

#[derive(Deserialize)]
struct File {
    /// By the number of molecules.
    permutations: BTreeMap<usize, Permutation>,
}

#[derive(Deserialize)]
struct Permutation {
    first: Vec<usize>,
    last: Vec<usize>,
    /// Σ p_i·(i + 1) modulo 2⁶¹ − 1.
    checksum: u64,
}

const MODULUS: u128 = (1 << 61) - 1;

/// The number of permutations that differ.
pub(super) fn difference(path: &Path) -> Result<f64> {
    let text = std::fs::read_to_string(path).map_err(Error::io(path, "read the golden file"))?;
    let file: File = serde_json::from_str(&text).map_err(|error| Error::file(path, error))?;
    Ok(file.permutations.iter().filter(|(n, expected)| !agrees(**n, expected)).count() as f64)
}

fn agrees(n: usize, expected: &Permutation) -> bool {
    let Split { train, valid, test } = Split::published(n);
    let drawn = [train, valid, test].concat();
    let checksum = drawn.iter().enumerate().fold(0, |sum: u128, (i, &place)| (sum + (place * (i + 1)) as u128) % MODULUS);
    drawn.starts_with(&expected.first) && drawn.ends_with(&expected.last) && checksum == u128::from(expected.checksum)
}
