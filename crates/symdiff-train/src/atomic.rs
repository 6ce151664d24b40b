//! Files that are either the old ones or the new ones, whatever happens in between.

use crate::{Error, Result};
use std::fs::File;
use std::io::Write;
use std::path::Path;

/// Replaces `path` by `bytes`: written beside it, flushed to the disk, then renamed over it. On failure the old file stays.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    write_with(path, |file| file.write_all(bytes))
}

/// As [`write`], with the content produced by `fill`.
pub(crate) fn write_with(path: &Path, fill: impl FnOnce(&mut File) -> std::io::Result<()>) -> Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".partial");
    let partial = path.with_file_name(name);
    let written = File::create(&partial).and_then(|mut file| {
        fill(&mut file)?;
        file.sync_all()
    });
    written.and_then(|()| std::fs::rename(&partial, path)).map_err(|source| {
        // The partial file is of no use; failing to remove it changes nothing about the failure reported.
        let _ = std::fs::remove_file(&partial);
        Error::Io { path: path.to_owned(), action: "write", source }
    })
}
