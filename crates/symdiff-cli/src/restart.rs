//! The environment that the program needs, and cannot safely change once it runs.

/// Starts the program again, in the same process and with the same arguments, with `CANDLE_NUM_THREADS=1`, unless that variable is set.
///
/// Candle divides elementwise ops among threads of its own, which spin between ops and slow those of symdiff-ops down; it reads their number
/// from the environment alone. Where the system refuses, or has no `exec`, the program goes on: slower, with the same results.
pub(crate) fn with_one_candle_thread() {
    #[cfg(unix)]
    {
        use std::os::unix::process::CommandExt;
        const THREADS: &str = "CANDLE_NUM_THREADS";
        if std::env::var_os(THREADS).is_none()
            && let Ok(program) = std::env::current_exe()
        {
            let arguments = std::env::args_os().skip(1);
            // `exec` returns only where it failed.
            let _ = std::process::Command::new(program).args(arguments).env(THREADS, "1").exec();
        }
    }
}
