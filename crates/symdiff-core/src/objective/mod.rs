//! Training symmetrised kernels.

mod jensen;
mod rao_blackwell;

pub use jensen::jensen_bound;
pub use rao_blackwell::RaoBlackwell;
