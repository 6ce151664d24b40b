//! The half-written files of this process, which are removed when it ends before they are whole.
//!
//! A file is made and listed, renamed and taken off the list, or removed and taken off, each with the list locked. So [`exit`] finds all of them,
//! whatever another thread is at.

use crate::{Error, Result};
use std::collections::BTreeSet;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

static ALL: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

fn all() -> MutexGuard<'static, BTreeSet<PathBuf>> {
    ALL.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A file system that does not answer keeps the program alive this long.
const PATIENCE: Duration = Duration::from_secs(3);

/// Removes every half-written file of this process, and ends it with the exit code: what a program that ends on a signal calls, since no value is dropped then.
///
/// To be called on an ordinary thread that receives signals, not inside a handler, which may have interrupted the thread that it would wait for.
pub fn exit(code: i32) -> ! {
    let (done, removed) = std::sync::mpsc::channel();
    let removal = std::thread::Builder::new().spawn(move || {
        // The list stays locked to the end: other threads neither begin a file nor publish one that was removed.
        let all = all();
        for partial in all.iter() {
            let _ = std::fs::remove_file(partial);
        }
        let _ = done.send(());
        loop {
            std::thread::park();
        }
    });
    if removal.is_ok() {
        let _ = removed.recv_timeout(PATIENCE);
    }
    std::process::exit(code)
}

/// A half-written file, removed when this value is dropped.
#[derive(Debug)]
pub(crate) struct HalfWritten {
    path: PathBuf,
    /// It is no longer this value's: it has its name, or is kept without it.
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

    /// Gives the file its name, now that it is whole; if it cannot have that, another which no later writing takes.
    pub(crate) fn rename(mut self, to: &Path) -> Result<()> {
        let mut all = all();
        let renamed = std::fs::rename(&self.path, to);
        all.remove(&self.path);
        self.whole = true;
        renamed.map_err(|source| {
            let kept = whole(to);
            let kept = if std::fs::rename(&self.path, &kept).is_ok() { kept } else { self.path.clone() };
            match kept.symlink_metadata() {
                Ok(_) => Error::Unnamed { path: to.to_owned(), kept, source },
                Err(_) => Error::io(to, "write it", source),
            }
        })
    }
}

/// `NAME.whole`, beside a file that could not have its name.
fn whole(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".whole");
    path.with_file_name(name)
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
