//! One tensor as it grows, in a file of its own beside the cache.

use super::checksum;
use serde::{Deserialize, Serialize};
use std::fs::{File, OpenOptions, TryLockError};
use std::hash::Hasher;
use std::io::{self, BufWriter, Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use twox_hash::XxHash3_64;

/// How long a lock that somebody holds is waited for.
const PATIENCE: Duration = Duration::from_secs(1);

/// A growing tensor. Its file is locked while it is open, and goes when this goes, unless what is in it was noted.
pub(super) struct Part {
    path: PathBuf,
    out: BufWriter<File>,
    bytes: u64,
    hash: XxHash3_64,
    noted: bool,
}

/// What there was of a part at some moment.
#[derive(Serialize, Deserialize)]
pub(super) struct Noted {
    bytes: u64,
    xxh3: String,
}

/// The file of a part of a cache.
pub(super) fn beside(cache: &Path, name: &str) -> PathBuf {
    let mut path = cache.as_os_str().to_owned();
    path.push(format!(".{name}.part"));
    PathBuf::from(path)
}

impl Part {
    /// An empty part.
    pub(super) fn create(cache: &Path, name: &str) -> io::Result<Self> {
        let part = Self::open(cache, name)?;
        part.out.get_ref().set_len(0)?;
        Ok(part)
    }

    /// A part as it was noted, without what came later; `None` if it is no longer what it was.
    pub(super) fn resume(cache: &Path, name: &str, noted: &Noted) -> io::Result<Option<Self>> {
        let mut part = Self::open(cache, name)?;
        let (mut left, mut buffer) = (noted.bytes, vec![0; 1 << 16]);
        while left > 0 {
            let wanted = left.min(buffer.len() as u64) as usize;
            let read = part.out.get_mut().read(&mut buffer[..wanted])?;
            if read == 0 {
                return Ok(None);
            }
            part.hash.write(&buffer[..read]);
            left -= read as u64;
        }
        (part.bytes, part.noted) = (noted.bytes, true);
        if part.checksum() != noted.xxh3 {
            return Ok(None);
        }
        part.out.get_ref().set_len(noted.bytes)?;
        Ok(Some(part))
    }

    fn open(cache: &Path, name: &str) -> io::Result<Self> {
        let path = beside(cache, name);
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path)?;
        lock(&file)?;
        Ok(Self { path, out: BufWriter::new(file), bytes: 0, hash: XxHash3_64::new(), noted: false })
    }

    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.bytes += bytes.len() as u64;
        self.hash.write(bytes);
        self.out.write_all(bytes)
    }

    /// Its length in bytes.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The checksum of all that was written.
    pub(super) fn checksum(&self) -> String {
        checksum(self.hash.finish())
    }

    /// Hands what was written to the system, and stays from now on.
    pub(super) fn note(&mut self) -> io::Result<Noted> {
        self.out.flush()?;
        self.noted = true;
        Ok(Noted { bytes: self.bytes, xxh3: self.checksum() })
    }

    /// Adds all of another part.
    pub(super) fn append(&mut self, other: &mut Self) -> io::Result<()> {
        other.out.flush()?;
        let file = other.out.get_mut();
        file.rewind()?;
        io::copy(file, &mut self.out)?;
        Ok(())
    }

    /// Gives the file its final name, once it is on the disk.
    pub(super) fn publish(mut self, path: &Path) -> io::Result<()> {
        self.out.flush()?;
        self.out.get_ref().sync_all()?;
        std::fs::rename(&self.path, path)
    }

    /// Lets the file go after all.
    pub(super) fn discard(mut self) {
        self.noted = false;
    }
}

/// Two runs that write one cache would spoil each other's parts. A run that was killed may take a moment to let go.
fn lock(file: &File) -> io::Result<()> {
    let start = Instant::now();
    loop {
        match file.try_lock() {
            Err(TryLockError::WouldBlock) if start.elapsed() < PATIENCE => std::thread::sleep(PATIENCE / 100),
            Err(TryLockError::WouldBlock) => return Err(io::Error::new(io::ErrorKind::WouldBlock, "another run is writing it")),
            // Not every file system has locks.
            Ok(()) | Err(TryLockError::Error(_)) => return Ok(()),
        }
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        if !self.noted {
            // A part that cannot be removed is litter, not an error.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}
