//! Atomic replacement of files: after a failure a file is the old one or the new one.

use crate::{Error, Result};
use std::ffi::OsString;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

/// Replaces `path` by `bytes`: written to `.partial.NAME` beside it, flushed to the disk, then renamed over it. On failure the old file stays.
///
/// The name is fixed, so that what a kill leaves is overwritten by the next call: random names would pile up, each as large as a checkpoint. Whoever writes
/// in a run folder holds its lock.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    let partial = beside(path);
    let written = File::create(&partial).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()
    });
    written.and_then(|()| std::fs::rename(&partial, path)).map_err(|source| {
        // The half file is of no use; failing to remove it changes nothing about the failure reported.
        let _ = std::fs::remove_file(&partial);
        Error::io(path, "write")(source)
    })?;
    flush_folder(path);
    Ok(())
}

/// Removes what a kill has left of a write of `path`. Of some files there is no next write: of the best checkpoint, where none after it is better.
pub(crate) fn sweep(path: &Path) {
    // Where there is none, there is nothing to remove.
    let _ = std::fs::remove_file(beside(path));
}

/// The file that is written first.
fn beside(path: &Path) -> PathBuf {
    let mut name = OsString::from(".partial.");
    name.push(path.file_name().unwrap_or_default());
    path.with_file_name(name)
}

/// Flushes the folder, so that the rename outlives a power cut. Some systems do not open folders, or refuse to flush them; the file is whole all the same.
fn flush_folder(path: &Path) {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let _ = File::open(folder).and_then(|folder| folder.sync_all());
}
