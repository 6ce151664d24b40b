//! What a file or a list holds, in 64 bits.

use std::fs::File;
use std::hash::Hasher;
use std::io::{BufRead, BufReader, Result};
use std::path::Path;
use twox_hash::XxHash3_64;

/// XXH3 of a file's bytes, in hexadecimal.
///
/// # Errors
/// When it cannot be read.
pub(crate) fn of_file(path: &Path) -> Result<String> {
    let mut reader = BufReader::new(File::open(path)?);
    let mut hash = XxHash3_64::new();
    loop {
        let bytes = reader.fill_buf()?;
        let read = bytes.len();
        if read == 0 {
            return Ok(format!("{:016x}", hash.finish()));
        }
        hash.write(bytes);
        reader.consume(read);
    }
}

/// XXH3 of numbers in their order, in hexadecimal.
pub(crate) fn of_numbers(numbers: &[f64]) -> String {
    let mut hash = XxHash3_64::new();
    for number in numbers {
        hash.write(&number.to_le_bytes());
    }
    format!("{:016x}", hash.finish())
}
