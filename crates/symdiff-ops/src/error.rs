//! Errors of operations on tensors.

/// Result of this crate.
pub type Result<T> = std::result::Result<T, Error>;

/// Why an op, a layout or a draw was refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A tensor has another shape than the op or the layout asks for.
    #[error("{op}: {what} has shape {got:?}, expected {expected}")]
    Shape {
        /// The op or type that refused.
        op: &'static str,
        /// Which argument.
        what: &'static str,
        /// Its shape.
        got: Vec<usize>,
        /// What would have been right, in words.
        expected: String,
    },
    /// A ragged layout that cannot exist.
    #[error("ragged batch: {0}")]
    Layout(String),
    /// A recorded stream of draws does not fit what was asked of it.
    #[error("recorded noise: {0}")]
    Recording(String),
    /// GPUs of several processes cannot be joined.
    #[error("NCCL: {0}")]
    Nccl(String),
    /// A number of threads that cannot be had.
    #[error("threads: {0}")]
    Threads(String),
    /// A dtype that the op does not compute in.
    #[error("{op}: dtype {got:?} is not supported; use f32 or f64 (on CUDA f32 or bf16)")]
    DType {
        /// The op that refused.
        op: &'static str,
        /// The dtype given.
        got: candle_core::DType,
    },
    /// Tensors of one call have different dtypes.
    #[error("{op}: {what} is {got:?}, but {first} is {expected:?}; convert one of them")]
    Mixed {
        /// The op that refused.
        op: &'static str,
        /// The argument that differs from the first.
        what: &'static str,
        /// Its dtype.
        got: candle_core::DType,
        /// The first argument.
        first: &'static str,
        /// That one's dtype.
        expected: candle_core::DType,
    },
    /// Tensors of one call live on different devices.
    #[error("{op}: {what} lives on {device}, but {first} on {expected}; move all arguments to one device")]
    Apart {
        /// The op that refused.
        op: &'static str,
        /// The argument that lives elsewhere than the first.
        what: &'static str,
        /// Its device.
        device: String,
        /// The first argument.
        first: &'static str,
        /// That one's device.
        expected: String,
    },
    /// A tensor of a graph was given to a function without one, which would lose its gradient.
    #[error(
        "{op}: {what} is part of a graph, and this function has none; use the differentiable function of that op, or detach the tensor"
    )]
    Tracked {
        /// The op that refused.
        op: &'static str,
        /// Which argument.
        what: &'static str,
    },
    /// A device for which the op has no code.
    #[error("{op} cannot run on {device}: {remedy}")]
    Device {
        /// The op that refused.
        op: &'static str,
        /// The device.
        device: String,
        /// What to do.
        remedy: &'static str,
    },
    /// There is no such GPU, or nothing to reach it with.
    #[error("no usable GPU: {0}")]
    NoGpu(String),
    /// A CUDA kernel could not be started, or an emulated one failed.
    #[error("{op}: kernel {kernel}: {reason}")]
    Kernel {
        /// The op that refused.
        op: &'static str,
        /// The kernel.
        kernel: String,
        /// What is the matter.
        reason: String,
    },
    /// Candle refused.
    #[error(transparent)]
    Candle(#[from] candle_core::Error),
}

impl From<Error> for candle_core::Error {
    fn from(error: Error) -> Self {
        match error {
            Error::Candle(inner) => inner,
            other => Self::wrap(other),
        }
    }
}
