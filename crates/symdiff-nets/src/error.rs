//! What can go wrong in a network.

/// Result of this crate.
pub type Result<T> = std::result::Result<T, Error>;

/// Why a network could not be built or run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Sizes that no network can have.
    #[error("{network}: {problem}")]
    Config {
        /// Which network.
        network: &'static str,
        /// What is wrong, and what would be right.
        problem: String,
    },
    /// A fused op failed.
    #[error(transparent)]
    Ops(#[from] symdiff_ops::Error),
    /// Candle refused.
    #[error(transparent)]
    Candle(#[from] candle_core::Error),
}
