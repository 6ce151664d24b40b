//! The half-written files of this process, which are removed when it ends before they are whole.
//!
//! A file is made and listed, renamed and taken off the list, or removed and taken off, each with the list locked. So [`exit`] finds all of them,
//! whatever another thread is at.

use std::collections::BTreeSet;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

static ALL: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

fn all() -> MutexGuard<'static, BTreeSet<PathBuf>> {
    ALL.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Removes every half-written file of this process, and ends it with the exit code: what a handler of signals calls, since no value is dropped
/// when it ends the process.
pub fn exit(code: i32) -> ! {
    let all = all();
    for partial in all.iter() {
        let _ = std::fs::remove_file(partial);
    }
    // The list stays locked to the end: other threads neither begin a file nor publish one that was removed.
    std::process::exit(code)
}

/// A half-written file, removed when this value is dropped.
#[derive(Debug)]
pub(crate) struct HalfWritten {
    path: PathBuf,
    /// It has been renamed: the name may by now be that of another value's file.
    whole: bool,
}

impl HalfWritten {
    /// Lists the file that `open` makes.
    pub(crate) fn begin<E>(path: PathBuf, open: impl FnOnce(&Path) -> Result<File, E>) -> Result<(Self, File), E> {
        let mut all = all();
        let file = open(&path)?;
        all.insert(path.clone());
        Ok((Self { path, whole: false }, file))
    }

    /// Gives the file its name, now that it is whole.
    pub(crate) fn rename(mut self, to: &Path) -> io::Result<()> {
        let mut all = all();
        std::fs::rename(&self.path, to)?;
        all.remove(&self.path);
        self.whole = true;
        Ok(())
    }
}

impl Drop for HalfWritten {
    fn drop(&mut self) {
        if !self.whole {
            let mut all = all();
            // What cannot be removed is litter, which the next run uses.
            let _ = std::fs::remove_file(&self.path);
            all.remove(&self.path);
        }
    }
}
