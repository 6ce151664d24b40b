//! Why a file is not written.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// Result of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Any failure of this crate.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file cannot be written there, which is seen before any of it is.
    #[error("{}: {problem}; {remedy}", path.display())]
    Place {
        /// The file.
        path: PathBuf,
        /// Why not.
        problem: String,
        /// What to do.
        remedy: &'static str,
    },
    /// The file is whole and cannot have its name.
    #[error("{}: cannot replace it: {source}; the whole content is in {}", path.display(), kept.display())]
    Unnamed {
        /// The file.
        path: PathBuf,
        /// Where its content is.
        kept: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// The operating system refused.
    #[error("{}: cannot {action}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What was attempted.
        action: &'static str,
        /// The system's reason.
        source: std::io::Error,
    },
}

impl Error {
    /// Whether another name or another permission would help (a program then exits with 2), which it would not with a full disk (1).
    pub fn is_input(&self) -> bool {
        match self {
            Self::Place { .. } => true,
            Self::Unnamed { .. } => false,
            Self::Io { source, .. } => is_input(source.kind()),
        }
    }

    pub(crate) fn io(path: &Path, action: &'static str, source: std::io::Error) -> Self {
        Self::Io { path: path.to_owned(), action, source }
    }
}

/// Whether another name or another permission would help where the system refuses so.
pub fn is_input(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::NotFound
            | ErrorKind::PermissionDenied
            | ErrorKind::IsADirectory
            | ErrorKind::NotADirectory
            | ErrorKind::InvalidInput
            | ErrorKind::InvalidFilename
            | ErrorKind::ReadOnlyFilesystem
    )
}
