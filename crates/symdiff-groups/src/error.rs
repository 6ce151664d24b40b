//! What can go wrong with groups.

/// Result of this crate.
pub type Result<T> = std::result::Result<T, Error>;

/// Why a group operation was refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A tensor does not have the shape that the group or the state asks for.
    #[error("{what}: shape {got:?}, expected {expected}")]
    Shape {
        /// The operation and its argument.
        what: &'static str,
        /// The shape given.
        got: Vec<usize>,
        /// What would have been right, in words.
        expected: String,
    },
    /// An element of one group was given to another of the same type.
    #[error("{what}: an element of {of} was given to {to}; draw it from {to}, or embed it there")]
    Group {
        /// The operation.
        what: &'static str,
        /// The element's group.
        of: String,
        /// The group that refused.
        to: String,
    },
    /// Elements and states of one call come in batches of different sizes.
    #[error("{what}: {elements} group elements for {samples} samples; give one element per sample")]
    Batch {
        /// The operation.
        what: &'static str,
        /// How many elements there are.
        elements: usize,
        /// How many samples there are.
        samples: usize,
    },
    /// Numbers that name no group element.
    #[error("{what}: sample {sample} {why}")]
    NotAnElement {
        /// The chart or constructor.
        what: &'static str,
        /// Which sample.
        sample: usize,
        /// What is wrong with it, by how much, and the remedy.
        why: String,
    },
    /// A formula that exists in some dimensions alone.
    #[error("{what}: not in dimension {n}; it exists for {exists}")]
    Dimension {
        /// The formula.
        what: &'static str,
        /// The dimension or order asked for.
        n: usize,
        /// Where it exists.
        exists: &'static str,
    },
    /// A step without a derivative was given a tensor whose gradient is wanted.
    #[error("{what}: has no derivative, but its input is tracked; detach it")]
    Tracked {
        /// The operation.
        what: &'static str,
    },
    /// A tensor operation failed.
    #[error(transparent)]
    Ops(#[from] symdiff_ops::Error),
    /// Candle refused.
    #[error(transparent)]
    Candle(#[from] candle_core::Error),
    /// A group or a state of another crate failed in its own way; made by [`Error::other`].
    #[error(transparent)]
    Other(Box<dyn std::error::Error + Send + Sync>),
}

impl Error {
    /// Carries the error of a group or a state defined elsewhere.
    pub fn other(error: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self::Other(Box::new(error))
    }
}

/// For a [`Euclidean`](symdiff_ops::Euclidean) state that is made of states of this crate.
impl From<Error> for symdiff_ops::Error {
    fn from(error: Error) -> Self {
        match error {
            Error::Ops(inner) => inner,
            other => Self::Candle(other.into()),
        }
    }
}

/// For a Candle module that uses a group.
impl From<Error> for candle_core::Error {
    fn from(error: Error) -> Self {
        match error {
            Error::Ops(inner) => inner.into(),
            Error::Candle(inner) => inner,
            other => Self::wrap(other),
        }
    }
}
