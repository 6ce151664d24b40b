//! Getting the published data sets from their authors' archives.
//!
//! A download grows in `NAME.part` and takes its name only when its length and checksum are right. A connection that breaks is
//! taken up again where it ended, in the same run or a later one.

mod archives;
mod transfer;

pub use archives::{ARCHIVES, Archive, Remote};
pub use transfer::download;

use crate::error::{Error, Result};
use md5::{Digest, Md5};
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

/// The MD5 checksum of a file as the archives print it: against accidents, not against attackers.
pub fn md5_of(path: &Path) -> Result<String> {
    let file = File::open(path).map_err(|source| Error::io(path, "open it", source))?;
    let mut reader = BufReader::new(file);
    let (mut hash, mut buffer) = (Md5::new(), vec![0; 1 << 16]);
    loop {
        match reader.read(&mut buffer) {
            Ok(0) => break,
            Ok(read) => hash.update(&buffer[..read]),
            Err(source) => return Err(Error::io(path, "read it", source)),
        }
    }
    Ok(hexadecimal(&hash.finalize()))
}

fn hexadecimal(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits.map(|digit| char::from(DIGITS[usize::from(digit)])).collect()
}
