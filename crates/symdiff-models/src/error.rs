//! What can go wrong while building, training or sampling a model of molecules.

use std::path::{Path, PathBuf};

/// Result of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a model could not be built, trained or used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An experiment that cannot be run as written.
    #[error("experiment: {0}")]
    Config(String),
    /// Molecules are asked for that this model cannot draw, or that cannot be.
    #[error("{0}")]
    Request(String),
    /// A file that cannot be used.
    #[error("{}: {problem}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong with it, and what to do.
        problem: String,
    },
    /// A published run that cannot be taken over.
    #[error("{}: {source}", path.display())]
    Import {
        /// The file.
        path: PathBuf,
        /// What is wrong with it, and what to do.
        source: crate::ImportError,
    },
    /// An estimate that is no number.
    #[error("molecule {} of the set: its negative log-likelihood comes out as {value}; the weights may have diverged", index + 1)]
    NotFinite {
        /// The molecule's place, from 0.
        index: usize,
        /// What was estimated.
        value: f64,
    },
    /// A sampled molecule with a coordinate that is no number.
    #[error("sample {id}: a coordinate comes out as no finite number; the weights may have diverged: take an earlier checkpoint")]
    SampleNotFinite {
        /// The sample's id, from 0.
        id: u64,
    },
    /// The training loop, its settings or a checkpoint failed.
    #[error(transparent)]
    Train(#[from] symdiff_train::Error),
    /// A data set or a molecule was refused.
    #[error(transparent)]
    Molecules(Box<symdiff_mol::Error>),
    /// A file could not be written.
    #[error(transparent)]
    Output(#[from] symdiff_files::Error),
    /// A network was refused.
    #[error(transparent)]
    Nets(#[from] symdiff_nets::Error),
    /// A diffusion process was refused.
    #[error(transparent)]
    Diffusion(#[from] symdiff_diffusion::Error),
    /// A kernel failed.
    #[error(transparent)]
    Kernel(#[from] symdiff_core::Error),
    /// A group operation failed.
    #[error(transparent)]
    Groups(#[from] symdiff_groups::Error),
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
        move |source| symdiff_train::Error::io(path, action)(source).into()
    }

    /// For `map_err` on what a file holds.
    pub(crate) fn file(path: &Path, problem: impl std::fmt::Display) -> Self {
        Self::File { path: path.to_owned(), problem: problem.to_string() }
    }

    pub(crate) fn import(path: &Path, source: crate::ImportError) -> Self {
        Self::Import { path: path.to_owned(), source }
    }

    /// True when the user mends it by changing a file or an argument; false when the work itself failed.
    pub fn is_input(&self) -> bool {
        match self {
            Self::Config(_) | Self::Request(_) | Self::File { .. } | Self::Import { .. } | Self::Nets(_) | Self::Molecules(_) => true,
            Self::Train(error) => error.is_input(),
            Self::Output(error) => error.is_input(),
            _ => false,
        }
    }
}

impl From<symdiff_mol::Error> for Error {
    fn from(error: symdiff_mol::Error) -> Self {
        Self::Molecules(Box::new(error))
    }
}
