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
    /// Candle refused.
    #[error(transparent)]
    Candle(#[from] candle_core::Error),
}
