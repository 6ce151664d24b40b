//! A file by which the processes of one machine find each other: rank 0 leaves an id there, the others wait for it.

use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};
use symdiff_ops::nccl::Id;
use symdiff_train::{Error, Result};

/// How long the others wait for rank 0, which may have a model to compile or a driver to wake.
const PATIENCE: Duration = Duration::from_secs(120);

/// Leaves an id, whole at once.
///
/// # Errors
/// [`Error::Ranks`] when there is a file already, [`Error::Io`] when the file cannot be written.
pub(crate) fn leave(file: &Path, id: Id) -> Result<Id> {
    if file.exists() {
        return Err(Error::Ranks(format!(
            "{} exists, so it is from another job; remove it or name another SYMDIFF_RENDEZVOUS",
            file.display()
        )));
    }
    // Beside the file, under a name that no other job's file leads to.
    let mut partial = file.as_os_str().to_owned();
    partial.push(".partial");
    let partial = PathBuf::from(partial);
    std::fs::write(&partial, id).map_err(Error::io(&partial, "write the id of the job"))?;
    std::fs::rename(&partial, file).map_err(Error::io(file, "write the id of the job"))?;
    Ok(id)
}

/// Waits for the id.
///
/// # Errors
/// [`Error::Ranks`] when none comes in two minutes, or the file holds something else.
pub(crate) fn wait(file: &Path) -> Result<Id> {
    wait_for(file, PATIENCE)
}

fn wait_for(file: &Path, patience: Duration) -> Result<Id> {
    let start = Instant::now();
    while !file.exists() {
        if start.elapsed() > patience {
            let (file, seconds) = (file.display(), patience.as_secs());
            return Err(Error::Ranks(format!("rank 0 left no id in {file} within {seconds} seconds; start all ranks together")));
        }
        sleep(Duration::from_millis(20));
    }
    let bytes = std::fs::read(file).map_err(Error::io(file, "read the id of the job"))?;
    Id::try_from(bytes).map_err(|_| Error::Ranks(format!("{} holds no id of a job; name a file that does not exist", file.display())))
}

/// Takes the file away once all have joined.
pub(crate) fn clear(file: &Path) {
    if let Err(error) = std::fs::remove_file(file) {
        tracing::warn!("{}: cannot be removed ({error}); the next job needs another file", file.display());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_left_found_and_never_that_of_another_job() -> Result<(), Box<dyn std::error::Error>> {
        let folder = tempfile::tempdir()?;
        let file = folder.path().join("id.of.this");
        let others = folder.path().join("id.of.partial");
        std::fs::write(&others, "another job's")?;
        let told = |result: Result<Id>| result.map_err(|error| error.to_string()).err().unwrap_or_default();
        assert!(told(wait_for(&file, Duration::ZERO)).contains("left no id"));
        let waiting = std::thread::scope(|scope| {
            let waiting = scope.spawn(|| wait(&file));
            leave(&file, [7; 128])?;
            waiting.join().map_err(|_| Error::Ranks("the waiting rank panicked".into()))?
        })?;
        assert_eq!(waiting, [7; 128]);
        assert_eq!(std::fs::read(&others)?, b"another job's");
        assert_eq!(std::fs::read_dir(folder.path())?.count(), 2);
        assert!(told(leave(&file, [8; 128])).contains("is from another job"));
        clear(&file);
        std::fs::write(&file, "short")?;
        assert!(told(wait(&file)).contains("holds no id"));
        Ok(())
    }
}
