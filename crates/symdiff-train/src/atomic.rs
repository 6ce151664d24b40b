//! Atomic replacement of files: after a failure a file is the old one or the new one.

use crate::{Error, Result};
use std::io::Write;
use std::path::Path;

/// Replaces `path` by `bytes`: written beside it, flushed to the disk, then renamed over it. On failure the old file stays and the new one is removed.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    replace(path, bytes).map_err(Error::io(path, "write"))
}

fn replace(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut builder = tempfile::Builder::new();
    builder.prefix(".").suffix(".partial");
    // As `File::create` would: the process's umask decides.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let mut file = builder.tempfile_in(folder)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    Ok(())
}
