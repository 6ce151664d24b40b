//! Checksums of files as publishers print them.

use crate::error::{Error, Result};
use md5::{Digest, Md5};
use sha2::Sha256;
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// The MD5 checksum of a file as the archives print it: against accidents, not against attackers.
///
/// # Errors
/// [`Error::Io`] where the file cannot be read.
pub fn md5_of(path: &Path) -> Result<String> {
    md5(open(path)?, path)
}

/// The SHA-256 checksum of a file.
///
/// # Errors
/// [`Error::Io`] where the file cannot be read.
pub fn sha256_of(path: &Path) -> Result<String> {
    sha256(open(path)?, path)
}

/// MD5 of what is left to read of a file.
pub(super) fn md5(file: impl Read, path: &Path) -> Result<String> {
    let mut hash = Md5::new();
    read(file, path, |bytes| hash.update(bytes))?;
    Ok(hexadecimal(&hash.finalize()))
}

/// SHA-256 of what is left to read of a file.
pub(super) fn sha256(file: impl Read, path: &Path) -> Result<String> {
    let mut hash = <Sha256 as sha2::Digest>::new();
    read(file, path, |bytes| sha2::Digest::update(&mut hash, bytes))?;
    Ok(hexadecimal(&sha2::Digest::finalize(hash)))
}

fn open(path: &Path) -> Result<File> {
    File::open(path).map_err(|source| Error::io(path, "open it", source))
}

fn read(mut file: impl Read, path: &Path, mut each: impl FnMut(&[u8])) -> Result<()> {
    let mut buffer = vec![0; 1 << 16];
    loop {
        match file.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(read) => each(&buffer[..read]),
            Err(source) => return Err(Error::io(path, "read it", source)),
        }
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits.map(|digit| char::from(DIGITS[usize::from(digit)])).collect()
}
