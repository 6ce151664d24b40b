//! The environment that the program needs, and cannot safely change once it runs.

/// Starts the program again, in the same process and with the same arguments, with `CANDLE_NUM_THREADS=1` and `MIMALLOC_PURGE_DELAY=-1`, unless the
/// first is set.
///
/// Memory once touched is kept: a training step asks for the same sizes again and again, and clearing pages costs a tenth of it. Candle divides elementwise ops among threads of its own, which spin between ops and slow those of symdiff-ops down; it reads their number
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
            let mut again = std::process::Command::new(program);
            let _ = again.args(arguments).env(THREADS, "1").env("MIMALLOC_PURGE_DELAY", "-1").exec();
        }
    }
}
