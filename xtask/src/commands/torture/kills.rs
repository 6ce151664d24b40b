//! Work that is killed at random moments, again and again, until it finishes.

use super::calm::Calm;
use super::litter::{clear, half_written, names};
use super::trial::{End, Verdict, ended, send};
use super::work::Work;
use super::{Ground, Tally, one_of};
use rand::RngExt;
use std::path::Path;
use std::time::Duration;
use symdiff_cli::Outcome;

/// The largest number of kills of one run; after them it runs to its end.
const MOST: usize = 8;

/// Kills `trials` times. A finished run must have the result of an undisturbed one; an unfinished one must have that, or none.
pub(super) fn run(
    ground: &Ground,
    work: &dyn Work,
    trials: usize,
    random: &mut impl RngExt,
    tally: &mut Tally,
    done: &mut impl FnMut(&Tally),
) -> Outcome<()> {
    work.prepare(ground)?;
    let calm = Calm::of(ground, work)?;
    let (mut round, mut killed) = (0, 0);
    while killed < trials {
        round += 1;
        let out = ground.folder.join(format!("round-{round}"));
        for attempt in 0.. {
            let command = work.command(&out);
            let before = names(&out);
            let child = ground.spawn(&command)?;
            let signal = one_of(&["KILL", "KILL", "TERM", "INT", "HUP"], random);
            let in_peace = attempt >= MOST || killed >= trials;
            if !in_peace {
                std::thread::sleep(Duration::from_secs_f64(1.1 * calm.seconds * random.random::<f64>()));
                send(signal, &child)?;
            }
            let end = ended(child)?;
            let what = || format!("round {round}, attempt {attempt}, SIG{signal}, {}: {}", command.join(" "), end.said());
            let verdict = match end.verdict() {
                Verdict::Same => calm.compared(work, &out),
                _ if !in_peace && ended_by(&end, signal) => {
                    // Only SIGKILL may leave a half-written file; what an earlier one left may still be there.
                    let litter = half_written(&names(&out)).difference(&before).next().is_some();
                    remains(work, &calm, &out, litter && signal != "KILL")
                }
                Verdict::Refused | Verdict::Failed => Verdict::Unclear,
                other => other,
            };
            killed += usize::from(!end.succeeded());
            tally.count(verdict, what);
            if verdict.is_fault() {
                // What is left of it stays, to be looked at.
                break;
            }
            if end.succeeded() {
                clear(&out);
                break;
            }
        }
        done(tally);
    }
    Ok(())
}

/// Whether a signal ended the process: by its default action, before the program handled it, or with the exit code that the guide has for it.
fn ended_by(end: &End, signal: &str) -> bool {
    let number = match signal {
        "HUP" => 1,
        "INT" => 2,
        "KILL" => 9,
        _ => 15,
    };
    end.signal() == Some(number) || (signal != "KILL" && end.code() == Some(128 + number))
}

/// The verdict on what a killed process leaves: a folder of runs may be unfinished; an output file is complete or absent.
fn remains(work: &dyn Work, calm: &Calm, out: &Path, litter: bool) -> Verdict {
    if work.result(out).is_some_and(|there| !out.is_dir() && there != calm.result) {
        Verdict::Different
    } else if litter {
        Verdict::Litter
    } else {
        Verdict::Killed
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::os::unix::process::ExitStatusExt;
    use std::process::ExitStatus;

    #[test]
    fn a_process_that_dies_of_another_fault_was_not_killed() {
        let end = |status: i32| End { status: Some(ExitStatus::from_raw(status)), stderr: String::new() };
        // The low byte is the signal, the next one the exit code.
        for (status, signal) in [(9, "KILL"), (15, "TERM"), (143 << 8, "TERM"), (130 << 8, "INT"), (1, "HUP")] {
            assert!(ended_by(&end(status), signal), "{status} by {signal}");
        }
        for (status, signal) in [(11, "KILL"), (6, "TERM"), (137 << 8, "KILL"), (143 << 8, "INT"), (1 << 8, "HUP"), (0, "TERM")] {
            assert!(!ended_by(&end(status), signal), "{status} by {signal}");
        }
        assert_eq!(end(11).verdict(), Verdict::Abort);
    }
}
