//! What can go wrong while building, training or sampling a model.

use std::path::{Path, PathBuf};

/// Result of this crate.
pub type Result<T> = std::result::Result<T, Error>;

/// Why a run could not start or go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An experiment that cannot be run as written.
    #[error("experiment: {0}")]
    Config(String),
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
    /// The numbers stopped being numbers.
    #[error("step {step}: the {what} is {value}; lower train.lr or train.clip and resume from the last checkpoint")]
    Diverged {
        /// The step at which it showed.
        step: u64,
        /// What was looked at.
        what: &'static str,
        /// Its value.
        value: f64,
    },
    /// A data set or a molecule was refused.
    #[error(transparent)]
    Molecules(Box<symdiff_mol::Error>),
    /// A network was refused.
    #[error(transparent)]
    Nets(#[from] symdiff_nets::Error),
    /// A diffusion process was refused.
    #[error(transparent)]
    Diffusion(#[from] symdiff_diffusion::Error),
    /// A kernel failed.
    #[error(transparent)]
    Kernel(#[from] symdiff_core::Error),
    /// A fused op failed.
    #[error(transparent)]
    Ops(#[from] symdiff_ops::Error),
    /// Candle refused.
    #[error(transparent)]
    Candle(#[from] candle_core::Error),
}

impl Error {
    /// For `map_err` on file operations.
    pub(crate) fn io<'a>(path: &'a Path, action: &'static str) -> impl FnOnce(std::io::Error) -> Self + 'a {
        move |source| Self::Io { path: path.to_owned(), action, source }
    }

    /// For `map_err` on what a checkpoint holds.
    pub(crate) fn checkpoint(path: &Path, problem: impl std::fmt::Display) -> Self {
        Self::Checkpoint { path: path.to_owned(), problem: problem.to_string() }
    }

    /// True when the user mends it by changing a file or an argument; false when the work itself failed.
    pub fn is_input(&self) -> bool {
        match self {
            Self::Config(_) | Self::Weights(_) | Self::Checkpoint { .. } | Self::Nets(_) | Self::Molecules(_) => true,
            Self::Io { source, .. } => {
                matches!(
                    source.kind(),
                    std::io::ErrorKind::NotFound | std::io::ErrorKind::PermissionDenied | std::io::ErrorKind::InvalidData
                )
            }
            _ => false,
        }
    }
}

impl From<symdiff_mol::Error> for Error {
    fn from(error: symdiff_mol::Error) -> Self {
        Self::Molecules(Box::new(error))
    }
}
