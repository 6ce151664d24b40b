//! The number of worker threads.

use crate::replaced::Replaced;
use crate::{Error, Result};
use std::cell::Cell;
use std::thread::available_parallelism;

thread_local! {
    /// Whether this thread is inside a [`task`].
    static IN_TASK: Cell<bool> = const { Cell::new(false) };
}

/// Sets the number of threads that ops run on, the calling one among them. `None` takes `RAYON_NUM_THREADS` from the environment, or else
/// the number of cores.
///
/// Call it once, first thing in `main`: where the caller of an op is no worker itself, each op wakes the pool and puts the caller to sleep.
///
/// Candle divides its own elementwise ops among a second pool, whose idle threads spin for a while and slow these ones down. It has one
/// thread when the process starts with `CANDLE_NUM_THREADS=1`; the command line of this project starts itself that way.
///
/// # Errors
/// [`Error::Threads`] when `count` is zero or the pool already runs with another number.
pub fn set(count: Option<usize>) -> Result<()> {
    if count == Some(0) {
        return Err(Error::Threads("0 threads asked for; give at least 1".into()));
    }
    let asked = std::env::var("RAYON_NUM_THREADS").ok().and_then(|text| text.parse().ok()).filter(|&count| count > 0);
    let count = count.or(asked).or_else(|| available_parallelism().ok().map(Into::into)).unwrap_or(1);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(count);
    // A pool whose one worker is the caller could not serve other threads while the caller waits for them.
    let built = if count > 1 { pool.use_current_thread().build_global() } else { pool.build_global() };
    match built {
        Err(error) if rayon::current_num_threads() != count => Err(Error::Threads(format!("cannot set {count} threads: {error}"))),
        _ => Ok(()),
    }
}

/// The number of threads that an op called here runs on: one inside a task, since other tasks keep the other threads busy.
pub fn count() -> usize {
    if IN_TASK.get() { 1 } else { rayon::current_num_threads() }
}

/// Runs one of several tasks that run at the same time: ops inside stay on this thread.
pub(crate) fn task<R>(work: impl FnOnce() -> R) -> R {
    let _outer = Replaced::by(&IN_TASK, true);
    work()
}
