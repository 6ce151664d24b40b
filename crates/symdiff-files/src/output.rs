//! A file that is being written.

use crate::half_written::HalfWritten;
use crate::{Error, Result};
use std::ffi::OsString;
use std::fs::{File, Metadata, OpenOptions, TryLockError};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

/// How often a file is opened that others finish meanwhile.
const TRIES: usize = 1000;

/// A file that is being written. Dropped before [`finish`](Self::finish), it leaves nothing behind.
#[derive(Debug)]
pub struct Output {
    path: PathBuf,
    /// Where it is meanwhile; `None` for a pipe or a device, which stays what it is.
    partial: Option<HalfWritten>,
    out: BufWriter<File>,
}

impl Output {
    /// Whether a file can be written there, as far as can be seen without writing it.
    ///
    /// # Errors
    /// [`Error::Place`] for a folder that does not exist or is named itself; [`Error::Io`] for an older file that may not be written.
    pub fn check(path: &Path) -> Result<()> {
        let refused = |problem: String, remedy| Err(Error::Place { path: path.to_owned(), problem, remedy });
        let folder = match path.parent() {
            Some(folder) if path.file_name().is_some() => folder,
            _ => return refused("it names no file".to_owned(), "give a file's name"),
        };
        let there = found(path)?;
        if there.as_ref().is_some_and(Metadata::is_dir) {
            return refused("it is a folder".to_owned(), "name a file in it");
        }
        if !folder.as_os_str().is_empty() && !found(folder)?.is_some_and(|folder| folder.is_dir()) {
            return refused(format!("there is no folder {}", folder.display()), "make it, or choose another place");
        }
        if there.is_some_and(|there| there.is_file()) {
            OpenOptions::new().write(true).open(path).map_err(|source| Error::io(path, "write to it", source))?;
        }
        Ok(())
    }

    /// Begins a file where a user wants one: what a link points to is replaced, not the link; a file that may not be written stays; a pipe or a device is written to.
    ///
    /// # Errors
    /// Those of [`Output::check`], another process that writes it, and a refusal of the system.
    pub fn create(path: &Path) -> Result<Self> {
        Self::check(path)?;
        let path = path.canonicalize().unwrap_or_else(|_| aim(path));
        let older = found(&path)?;
        if older.as_ref().is_some_and(|older| !older.is_file()) {
            let file = OpenOptions::new().write(true).open(&path).map_err(|source| Error::io(&path, "write it", source))?;
            return Ok(Self { path, partial: None, out: BufWriter::new(file) });
        }
        let output = Self::replace(&path)?;
        if let Some(older) = older.as_ref().map(Metadata::permissions) {
            // Where the system keeps no such permissions, the new file has its own.
            let _ = output.out.get_ref().set_permissions(older);
        }
        Ok(output)
    }

    /// Begins a file of a program's own folder, such as a checkpoint: a file of this name is replaced, also one that may not be written, and of a link the link itself, so that
    /// what it points to stays.
    ///
    /// # Errors
    /// Another process that writes it, and a refusal of the system.
    pub fn replace(path: &Path) -> Result<Self> {
        let path = path.to_owned();
        let (partial, file) = HalfWritten::begin(beside(&path), |partial| reserve(partial, &path))?;
        file.set_len(0).map_err(|source| Error::io(&path, "write it", source))?;
        Ok(Self { path, partial: Some(partial), out: BufWriter::new(file) })
    }

    /// Writes a whole content and [finishes](Self::finish).
    ///
    /// # Errors
    /// Those of [`Output::finish`].
    pub fn fill(mut self, content: impl AsRef<[u8]>) -> Result<()> {
        self.out.write_all(content.as_ref()).map_err(|source| Error::io(&self.path, "write it", source))?;
        self.finish()
    }

    /// Sees the bytes to the disk and gives the file its name.
    ///
    /// # Errors
    /// A full disk, or another refusal of the system; the older file is then as it was. Where it is only the name that the file cannot have, its content stays, and [`Error::Unnamed`]
    /// says where.
    pub fn finish(mut self) -> Result<()> {
        let failed = |source| Error::io(&self.path, "write it", source);
        self.out.flush().map_err(failed)?;
        let Some(partial) = self.partial.take() else {
            return Ok(());
        };
        self.out.get_ref().sync_all().map_err(failed)?;
        partial.rename(&self.path)?;
        // The name outlasts a power cut, too, where a folder can be synchronised.
        let folder = self.path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let _ = File::open(folder).and_then(|folder| folder.sync_all());
        Ok(())
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.out.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// Where a link to a file that does not exist yet points; the path itself where it is no link.
fn aim(path: &Path) -> PathBuf {
    path.read_link().map_or_else(|_| path.to_owned(), |target| path.parent().unwrap_or(Path::new("")).join(target))
}

/// What is at a path, if anything is.
fn found(path: &Path) -> Result<Option<Metadata>> {
    match path.metadata() {
        Ok(there) => Ok(Some(there)),
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(None),
        Err(source) => Err(Error::io(path, "look at it", source)),
    }
}

/// Opens the file that holds a result until it is whole, for one process at a time; what an earlier one has left in it stays.
///
/// # Errors
/// [`Error::Place`] with `path`, the place of the result, where another process writes it; [`Error::Io`] for a refusal of the system.
pub fn reserve(partial: &Path, path: &Path) -> Result<File> {
    let failed = |source| Error::io(path, "write it", source);
    let busy = || Error::Place {
        path: path.to_owned(),
        problem: "another process is writing it".to_owned(),
        remedy: "wait for it, or choose another name",
    };
    for _ in 0..TRIES {
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(partial).map_err(failed)?;
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => return Err(busy()),
            // Not every file system has locks.
            Err(TryLockError::Error(_)) | Ok(()) => {}
        }
        // Between the opening and the lock another process may have finished: the file is then its result, and must not be emptied.
        if is_at(&file, partial).map_err(failed)? {
            return Ok(file);
        }
    }
    Err(busy())
}

/// Whether an open file still has this name: it was neither renamed nor removed since it was opened.
#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> io::Result<bool> {
    use std::os::unix::fs::MetadataExt;
    let identity = |metadata: Metadata| (metadata.dev(), metadata.ino());
    match std::fs::metadata(path) {
        Ok(named) => Ok(identity(named) == identity(file.metadata()?)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// Elsewhere the standard library does not tell which file a name belongs to.
#[cfg(not(unix))]
fn is_at(_: &File, _: &Path) -> io::Result<bool> {
    Ok(true)
}

/// Removes what a kill has left of a file of this name. Of some files there is no next writing that would use it: of a best checkpoint, where none after
/// it is better. The caller knows that no other process writes it.
pub fn sweep(path: &Path) {
    // Where there is none, there is nothing to remove.
    let _ = std::fs::remove_file(beside(path));
}

/// The hidden neighbour that a file is written to first; its ending is that of the file.
fn beside(path: &Path) -> PathBuf {
    let mut name = OsString::from(".partial.");
    name.push(path.file_name().unwrap_or_default());
    path.with_file_name(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(path: &Path) -> String {
        let error = Output::create(path).unwrap_err();
        assert!(error.is_input(), "{error}");
        error.to_string()
    }

    #[test]
    fn an_older_file_stays_until_the_new_one_is_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.xyz");
        std::fs::write(&path, "old").unwrap();
        let mut out = Output::create(&path).unwrap();
        out.write_all(b"new").unwrap();
        out.flush().unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"old");
        assert!(message(&path).contains("another process is writing it"));
        drop(out);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left behind");
        // What a kill leaves behind is written over.
        std::fs::write(beside(&path), "left by a run that was killed").unwrap();
        let mut out = Output::create(&path).unwrap();
        out.write_all(b"new").unwrap();
        out.finish().unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"new");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn what_cannot_be_written_is_seen_before_the_work() {
        let folder = tempfile::tempdir().unwrap();
        assert!(message(&folder.path().join("none/a.xyz")).contains("none; make it, or choose another place"));
        assert!(message(folder.path()).contains("it is a folder"));
        assert!(message(Path::new("/")).contains("it names no file"));
        assert!(Output::check(&folder.path().join("a.xyz")).is_ok());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_was_renamed_or_removed_is_no_longer_at_its_name() {
        let folder = tempfile::tempdir().unwrap();
        let (partial, result) = (folder.path().join("partial"), folder.path().join("result"));
        let opened = || OpenOptions::new().write(true).create(true).truncate(false).open(&partial).unwrap();
        let file = opened();
        assert!(is_at(&file, &partial).unwrap());
        std::fs::rename(&partial, &result).unwrap();
        assert!(!is_at(&file, &partial).unwrap());
        let later = opened();
        assert!(is_at(&later, &partial).unwrap() && !is_at(&file, &partial).unwrap());
        std::fs::remove_file(&partial).unwrap();
        assert!(!is_at(&later, &partial).unwrap());
    }

    #[cfg(unix)]
    #[test]
    fn many_writers_of_one_name_never_empty_a_result() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.txt");
        std::fs::write(&path, "whole").unwrap();
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..200 {
                        match Output::create(&path) {
                            Ok(out) => out.fill("whole").unwrap(),
                            Err(error) => assert!(error.to_string().contains("another process"), "{error}"),
                        }
                        assert_eq!(std::fs::read_to_string(&path).unwrap(), "whole");
                    }
                });
            }
        });
    }

    #[cfg(unix)]
    #[test]
    fn links_devices_and_permissions_stay_what_they_are() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let (real, link) = (folder.path().join("real.xyz"), folder.path().join("link.xyz"));
        std::fs::write(&real, "old").unwrap();
        std::fs::set_permissions(&real, std::fs::Permissions::from_mode(0o640)).unwrap();
        std::os::unix::fs::symlink(&real, &link).unwrap();
        let mut out = Output::create(&link).unwrap();
        out.write_all(b"new").unwrap();
        out.finish().unwrap();
        assert_eq!(std::fs::read(&real).unwrap(), b"new");
        assert!(std::fs::symlink_metadata(&link).unwrap().is_symlink());
        std::fs::remove_file(&real).unwrap();
        std::os::unix::fs::symlink("later.xyz", folder.path().join("early.xyz")).unwrap();
        Output::create(&folder.path().join("early.xyz")).unwrap().fill("new").unwrap();
        assert_eq!(std::fs::read(folder.path().join("later.xyz")).unwrap(), b"new");
        Output::create(&link).unwrap().fill("new").unwrap();
        std::fs::set_permissions(&real, std::fs::Permissions::from_mode(0o640)).unwrap();
        assert_eq!(std::fs::metadata(&real).unwrap().permissions().mode() & 0o777, 0o640);

        let mut out = Output::create(Path::new("/dev/null")).unwrap();
        out.write_all(b"gone").unwrap();
        out.finish().unwrap();
        assert!(!std::fs::metadata("/dev/null").unwrap().is_file());
    }

    /// As of files in a run folder: another run's checkpoint behind a link stays what it is.
    #[cfg(unix)]
    #[test]
    fn a_file_of_ones_own_replaces_links_and_protected_files() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let (theirs, ours) = (folder.path().join("theirs"), folder.path().join("ours"));
        std::fs::write(&theirs, "theirs").unwrap();
        std::os::unix::fs::symlink(&theirs, &ours).unwrap();
        Output::replace(&ours).unwrap().fill("ours").unwrap();
        assert_eq!([&theirs, &ours].map(|path| std::fs::read_to_string(path).unwrap()), ["theirs", "ours"]);
        std::fs::set_permissions(&ours, std::fs::Permissions::from_mode(0o444)).unwrap();
        Output::replace(&ours).unwrap().fill("newer").unwrap();
        assert_eq!(std::fs::read_to_string(&ours).unwrap(), "newer");
    }

    /// A folder that appears at the name cannot be replaced by a file.
    #[test]
    fn what_cannot_have_its_name_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.xyz");
        let mut out = Output::create(&path).unwrap();
        out.write_all(b"hours of work").unwrap();
        std::fs::create_dir(&path).unwrap();
        let error = out.finish().unwrap_err();
        let Error::Unnamed { kept, .. } = &error else { panic!("{error}") };
        assert_eq!(kept, &folder.path().join("a.xyz.whole"));
        assert!(!error.is_input() && error.to_string().contains("the whole content is in"), "{error}");
        assert_eq!(std::fs::read(kept).unwrap(), b"hours of work");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_full_disk_is_no_fault_of_the_input() {
        let mut out = Output::create(Path::new("/dev/full")).unwrap();
        out.write_all(b"text").unwrap();
        let error = out.finish().unwrap_err();
        assert!(!error.is_input() && error.to_string().starts_with("/dev/full: cannot write it"), "{error}");
    }
}
