//! One writer per folder.

use crate::{Error, Result};
use std::fs::{File, OpenOptions, TryLockError};
use std::path::Path;

/// An advisory lock on a folder: while one process holds it, others get an error. It is released when the process ends, also by a kill.
#[derive(Debug)]
pub struct FolderLock {
    /// The lock belongs to the open file; closing it releases the lock.
    _file: File,
}

/// The file that is locked. It stays in the folder: removing it would let two processes lock two files of one name.
const FILE: &str = ".lock";

impl FolderLock {
    /// Locks a folder that exists.
    ///
    /// # Errors
    /// [`Error::Busy`] when another process holds the lock, [`Error::Io`] when the folder cannot be written.
    pub fn acquire(folder: &Path) -> Result<Self> {
        let path = folder.join(FILE);
        let file = OpenOptions::new().create(true).truncate(false).write(true).open(&path);
        let file = file.map_err(Error::io(&path, "create the lock"))?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _file: file }),
            Err(TryLockError::WouldBlock) => Err(Error::Busy { folder: folder.to_owned() }),
            // Not every file system has locks.
            Err(TryLockError::Error(why)) => {
                tracing::warn!("{}: cannot be locked ({why}); see to it that no other process writes here", folder.display());
                Ok(Self { _file: file })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_has_one_holder_at_a_time() -> Result<(), Box<dyn std::error::Error>> {
        let folder = tempfile::tempdir()?;
        let held = FolderLock::acquire(folder.path())?;
        assert!(matches!(FolderLock::acquire(folder.path()), Err(Error::Busy { .. })));
        drop(held);
        FolderLock::acquire(folder.path())?;
        Ok(())
    }
}
