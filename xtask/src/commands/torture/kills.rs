//! Work that is killed at random moments, again and again, until it finishes.

use super::trial::{Verdict, ended, send};
use super::work::Work;
use super::{Ground, Tally, one_of};
use rand::RngExt;
use std::path::Path;
use std::time::{Duration, Instant};
use symdiff_cli::{Failure, Outcome};

/// The largest number of kills of one run; after them it runs to its end.
const MOST: usize = 8;

/// Kills `trials` times. A finished run must have the result of an undisturbed one; an unfinished one must have that, or none.
pub(super) fn run(
    ground: &Ground,
    work: &impl Work,
    trials: usize,
    random: &mut impl RngExt,
    tally: &mut Tally,
    done: &mut impl FnMut(&Tally),
) -> Outcome<()> {
    work.prepare(ground)?;
    let calm = ground.folder.join("calm");
    let clock = Instant::now();
    let undisturbed = ground.run(&work.command(&calm))?;
    let length = clock.elapsed();
    let expected = work.result(&calm).filter(|_| undisturbed.succeeded());
    let expected = expected.ok_or_else(|| Failure::run(format!("an undisturbed run fails: {}", undisturbed.said())))?;
    let (mut round, mut killed) = (0, 0);
    while killed < trials {
        round += 1;
        let out = ground.folder.join(format!("round-{round}"));
        for attempt in 0.. {
            let command = work.command(&out);
            let before = left(&out);
            let child = ground.spawn(&command)?;
            let in_peace = attempt >= MOST || killed >= trials;
            let signal = one_of(&["KILL", "KILL", "TERM", "INT", "HUP"], random);
            if !in_peace {
                std::thread::sleep(Duration::from_secs_f64(1.1 * length.as_secs_f64() * random.random::<f64>()));
                send(signal, &child)?;
            }
            let end = ended(child)?;
            // Files left by an earlier SIGKILL remain if this signal came before the program handled signals.
            let litter = signal != "KILL" && left(&out) && !(before && end.code().is_none());
            let what = || format!("round {round}, attempt {attempt}, SIG{signal}, {}: {}", command.join(" "), end.said());
            if end.succeeded() {
                let same = work.result(&out).as_deref() == Some(&expected);
                let verdict = if same { Verdict::Same } else { Verdict::Different };
                tally.count(if same && left(&out) { Verdict::Litter } else { verdict }, what);
                break;
            }
            let expected_code = match signal {
                "KILL" => None,
                "TERM" => Some(143),
                "INT" => Some(130),
                _ => Some(129),
            };
            // Before the program handles signals, their default action ends it.
            let ended_as_killed = end.status.is_some() && (end.code() == expected_code || end.code().is_none()) && !in_peace;
            let verdict = match end.verdict() {
                fault @ (Verdict::Panic | Verdict::Hang) => fault,
                _ if ended_as_killed && work.result(&out).is_some_and(|there| !resumable(&out) && there != expected) => Verdict::Different,
                _ if ended_as_killed && litter => Verdict::Litter,
                _ if ended_as_killed => Verdict::Killed,
                other => {
                    if other == Verdict::Refused || other == Verdict::Failed {
                        Verdict::Unclear
                    } else {
                        other
                    }
                }
            };
            killed += 1;
            tally.count(verdict, what);
            if verdict.is_fault() {
                break;
            }
        }
        clear(&ground.folder.join(format!("round-{round}")));
        done(tally);
    }
    Ok(())
}

/// Whether the output is a folder of runs, which may be unfinished; an output file is complete or absent.
fn resumable(out: &Path) -> bool {
    out.is_dir()
}

/// Whether a half-written file is there, which only SIGKILL may leave.
fn left(out: &Path) -> bool {
    let folder = out.parent().unwrap_or(Path::new("."));
    let name = out.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let entries = folder.read_dir().into_iter().flatten().flatten();
    let partial = |entry: std::fs::DirEntry| {
        let file = entry.file_name().to_string_lossy().into_owned();
        file.starts_with(".partial") && file.contains(&format!("{name}."))
    };
    entries.into_iter().any(partial)
}

/// Removes what a round has made; the next one does not depend on it.
pub(super) fn clear(out: &Path) {
    let _ = std::fs::remove_dir_all(out);
    for ending in ["xyz", "jsonl", "safetensors"] {
        let _ = std::fs::remove_file(out.with_extension(ending));
    }
}
