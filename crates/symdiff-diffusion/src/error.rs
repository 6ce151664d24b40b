//! What can go wrong in a diffusion process.

/// Result of this crate.
pub type Result<T> = std::result::Result<T, Error>;

/// Why a process could not run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A setting that no process can have.
    #[error("diffusion: {0}")]
    Config(String),
    /// The denoiser failed.
    #[error(transparent)]
    Kernel(#[from] symdiff_core::Error),
    /// A tensor operation failed.
    #[error(transparent)]
    Ops(#[from] symdiff_ops::Error),
    /// A group operation failed.
    #[error(transparent)]
    Groups(#[from] symdiff_groups::Error),
    /// Candle refused.
    #[error(transparent)]
    Candle(#[from] candle_core::Error),
    /// A path, an objective, a sampler or a reconstruction of another crate failed in its own way.
    #[error(transparent)]
    Custom(Box<dyn std::error::Error + Send + Sync>),
}

impl Error {
    /// Carries the error of a part defined elsewhere.
    pub fn custom(error: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self::Custom(Box::new(error))
    }
}

/// For kernels that call on a process.
impl From<Error> for symdiff_core::Error {
    fn from(error: Error) -> Self {
        match error {
            Error::Kernel(error) => error,
            Error::Ops(error) => Self::Ops(error),
            Error::Groups(error) => Self::Groups(error),
            Error::Candle(error) => Self::Candle(error),
            other => Self::kernel(other),
        }
    }
}
