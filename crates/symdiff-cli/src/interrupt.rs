//! SIGINT, SIGTERM and SIGHUP.
//!
//! While a run trains, the first signal asks it to finish its step and save; a second one ends the process at once. Any other work ends at the
//! first one: what it has half written is removed, for all of it can be made again or is continued from a journal. The exit code is the usual
//! one, 128 + the signal's number.
//!
//! A signal that is ignored when the program starts stays ignored: `nohup` asks for that, and shells do for commands in the background.

use crate::failure::{Failure, note};
use crate::progress;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};

/// `true` after the first signal: training then stops after its step.
static STOP: AtomicBool = AtomicBool::new(false);
/// The first signal, 0 for none.
static SIGNAL: AtomicI32 = AtomicI32::new(0);
/// Whether the current work checks [`STOP`].
static HEEDED: AtomicBool = AtomicBool::new(false);

/// Does work that looks at the flag now and then, and ends soon after it is set.
pub(crate) fn heeded<T>(work: impl FnOnce(&'static AtomicBool) -> T) -> T {
    HEEDED.store(true, Ordering::SeqCst);
    let done = work(&STOP);
    HEEDED.store(false, Ordering::SeqCst);
    done
}

/// The failure that a caught signal means, with what has become of the work.
pub(crate) fn caught(sentence: impl FnOnce() -> String) -> Result<(), Failure> {
    match SIGNAL.load(Ordering::SeqCst) {
        0 => Ok(()),
        signal => Err(Failure::Interrupted { signal, sentence: sentence() }),
    }
}

/// Handles signals on a thread that sleeps until one arrives.
#[cfg(unix)]
pub(crate) fn listen() {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    let ignored = ignored();
    let wanted = [SIGINT, SIGTERM, SIGHUP].into_iter().filter(move |signal| ignored & (1 << (signal - 1)) == 0);
    let (listens, listening) = std::sync::mpsc::channel();
    // The thread asks for the signals: where there can be none, they end the process as they do by default.
    let thread = std::thread::Builder::new().name("signals".into()).spawn(move || {
        let signals = signal_hook::iterator::Signals::new(wanted);
        let _ = listens.send(());
        let Ok(mut signals) = signals else { return };
        for signal in signals.forever() {
            let first = SIGNAL.compare_exchange(0, signal, Ordering::SeqCst, Ordering::SeqCst).is_ok();
            STOP.store(true, Ordering::SeqCst);
            if first && HEEDED.load(Ordering::SeqCst) {
                if !progress::hidden() {
                    note("stopping after this step; the same signal once more ends at once, without saving");
                }
            } else {
                symdiff_files::exit(128 + signal);
            }
        }
    });
    if thread.is_ok() {
        // Work begins once signals are heard.
        let _ = listening.recv();
    }
}

#[cfg(not(unix))]
pub(crate) fn listen() {}

/// Signals that were ignored when the program started, as a mask; bit s − 1 for signal s. Where the system does not tell, SIGHUP counts as ignored.
#[cfg(unix)]
fn ignored() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").ok();
    let mask = status.as_deref().and_then(|text| text.lines().find_map(|line| line.strip_prefix("SigIgn:")));
    mask.and_then(|hex| u64::from_str_radix(hex.trim(), 16).ok()).unwrap_or(1 << (signal_hook::consts::SIGHUP - 1))
}
