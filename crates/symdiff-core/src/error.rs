//! What can go wrong while sampling a kernel.

/// Result of this crate.
pub type Result<T> = std::result::Result<T, Error>;

/// Why a kernel could not be sampled.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An average or a test over too few draws.
    #[error("{what}: {got} draws, but {needed} are needed; ask for more, or give a batch of more copies")]
    Draws {
        /// The average or the test.
        what: &'static str,
        /// How many draws there are.
        got: usize,
        /// How many it takes.
        needed: usize,
    },
    /// Draws of one law differ in length.
    #[error("two-sample test: one draw has {first} numbers, another {other}; compare copies of one state")]
    Lengths {
        /// The length of the first draw.
        first: usize,
        /// The first other length.
        other: usize,
    },
    /// A group operation failed.
    #[error(transparent)]
    Groups(#[from] symdiff_groups::Error),
    /// A tensor operation failed.
    #[error(transparent)]
    Ops(#[from] symdiff_ops::Error),
    /// Candle refused.
    #[error(transparent)]
    Candle(#[from] candle_core::Error),
    /// A kernel of another crate failed in its own way; made by [`Error::kernel`].
    #[error(transparent)]
    Kernel(Box<dyn std::error::Error + Send + Sync>),
}

impl Error {
    /// Carries the error of a kernel defined elsewhere.
    pub fn kernel(error: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self::Kernel(Box::new(error))
    }
}

/// For a Candle module that samples a kernel.
impl From<Error> for candle_core::Error {
    fn from(error: Error) -> Self {
        match error {
            Error::Groups(inner) => inner.into(),
            Error::Ops(inner) => inner.into(),
            Error::Candle(inner) => inner,
            other => Self::wrap(other),
        }
    }
}
