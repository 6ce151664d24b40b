//! Sets environment variables that the program needs, by starting it again, since they cannot be changed safely in a running process.

/// Starts the program again, in the same process and with the same arguments, in an environment where `CANDLE_NUM_THREADS` and
/// `MIMALLOC_PURGE_DELAY` are set, unless the first is set already.
///
/// Candle divides elementwise ops among threads of its own, which spin between ops and slow those of symdiff-ops down; it reads their number
/// from the environment alone. The allocator keeps freed memory: a training step allocates the same sizes again and again, and
/// clearing new pages would cost a tenth of its time. Where the system refuses, or has no `exec`, the program goes on: slower, with the same results.
pub(crate) fn with_one_candle_thread() {
    #[cfg(unix)]
    {
        use std::os::unix::process::CommandExt;
        const THREADS: &str = "CANDLE_NUM_THREADS";
        const PURGE: &str = "MIMALLOC_PURGE_DELAY";
        if std::env::var_os(THREADS).is_none()
            && let Ok(program) = std::env::current_exe()
        {
            let arguments = std::env::args_os().skip(1);
            let purge = std::env::var_os(PURGE).unwrap_or_else(|| "-1".into());
            // `exec` returns only where it failed.
            let _ = std::process::Command::new(program).args(arguments).env(THREADS, "1").env(PURGE, purge).exec();
        }
    }
}
