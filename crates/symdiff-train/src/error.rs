//! What can go wrong while training.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// Result of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a run could not start or go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Settings that no training can have.
    #[error("experiment: {0}")]
    Settings(String),
    /// Weights that do not belong to the model.
    #[error("weights: {0}")]
    Weights(String),
    /// A checkpoint that cannot be used.
    #[error("{}: {problem}", path.display())]
    Checkpoint {
        /// The file.
        path: PathBuf,
        /// What is wrong with it, and what to do.
        problem: String,
    },
    /// The operating system refused.
    #[error("{}: cannot {action}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What was tried.
        action: &'static str,
        /// Why it failed.
        source: std::io::Error,
    },
    /// A file could not be written.
    #[error(transparent)]
    Output(#[from] symdiff_files::Error),
    /// The loss or a gradient is not finite.
    #[error("step {step}: the {what} is {value}; lower train.lr or train.clip and resume from the last checkpoint")]
    Diverged {
        /// The step at which this was found.
        step: u64,
        /// The quantity that is not finite.
        what: &'static str,
        /// Its value.
        value: f64,
    },
    /// Another process trains in the folder.
    #[error("{}: another process is writing in this folder; wait for it to end, or choose another folder", folder.display())]
    Busy {
        /// The folder.
        folder: PathBuf,
    },
    /// The processes that train together are not what they must be, or one of them is lost.
    #[error("processes: {0}")]
    Ranks(String),
    /// A task failed in its own way.
    #[error(transparent)]
    Task(Box<dyn std::error::Error + Send + Sync>),
    /// A fused op failed.
    #[error(transparent)]
    Ops(#[from] symdiff_ops::Error),
    /// Candle refused.
    #[error(transparent)]
    Candle(#[from] candle_core::Error),
}

impl Error {
    /// For `map_err` on file operations.
    pub fn io<'a>(path: &'a Path, action: &'static str) -> impl FnOnce(std::io::Error) -> Self + 'a {
        move |source| Self::Io { path: path.to_owned(), action, source }
    }

    /// For `map_err` on what a checkpoint holds.
    pub fn checkpoint(path: &Path, problem: impl std::fmt::Display) -> Self {
        Self::Checkpoint { path: path.to_owned(), problem: problem.to_string() }
    }

    /// Carries the error of a task defined elsewhere.
    pub fn task(error: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self::Task(Box::new(error))
    }

    /// True when the user can correct it by changing a file or an argument; false when the work itself failed.
    pub fn is_input(&self) -> bool {
        match self {
            Self::Settings(_) | Self::Weights(_) | Self::Checkpoint { .. } | Self::Busy { .. } => true,
            Self::Output(error) => error.is_input(),
            Self::Io { source, .. } => {
                matches!(
                    source.kind(),
                    ErrorKind::NotFound
                        | ErrorKind::PermissionDenied
                        | ErrorKind::InvalidData
                        | ErrorKind::IsADirectory
                        | ErrorKind::NotADirectory
                        | ErrorKind::InvalidFilename
                )
            }
            _ => false,
        }
    }
}
