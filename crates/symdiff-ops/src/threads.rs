//! The number of worker threads, one number for Candle, `gemm`, rayon and our own ops.

use crate::{Error, Result};

/// Sets the number of threads of the global pool; `None` takes the machine's cores. Call once, before any tensor work.
///
/// # Errors
/// [`Error::Threads`] when `count` is zero or the pool already runs with another number.
pub fn set(count: Option<usize>) -> Result<()> {
    if count == Some(0) {
        return Err(Error::Threads("0 threads asked for; give at least 1".into()));
    }
    let Some(count) = count else { return Ok(()) };
    match rayon::ThreadPoolBuilder::new().num_threads(count).build_global() {
        Err(error) if rayon::current_num_threads() != count => Err(Error::Threads(format!("cannot set {count} threads: {error}"))),
        _ => Ok(()),
    }
}

/// The number of threads that ops run on.
pub fn count() -> usize {
    rayon::current_num_threads()
}
