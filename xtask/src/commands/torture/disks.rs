//! Work on a full disk, simulated by a random limit on the size of files.

use super::calm::Calm;
use super::litter::{clear, half_written, names};
use super::trial::Verdict;
use super::work::{Evaluate, Import, Prepare, Reproduce, Sample, Train, Work};
use super::{Ground, Tally};
use rand::RngExt;
use std::path::Path;
use symdiff_cli::{Failure, Outcome};

/// A failed write gives exit code 1 and leaves earlier files unchanged; repeated without the limit, the work gives the result of an undisturbed run.
pub(super) fn run(
    ground: &Ground,
    trials: usize,
    random: &mut impl RngExt,
    tally: &mut Tally,
    done: &mut impl FnMut(&Tally),
) -> Outcome<()> {
    let all: [(&str, &dyn Work); 6] = [
        ("train", &Train),
        ("prepare", &Prepare),
        ("reproduce", &Reproduce),
        ("sample", &Sample),
        ("evaluate", &Evaluate),
        ("import", &Import),
    ];
    for (number, (name, work)) in all.into_iter().enumerate() {
        let folder = ground.folder.join(name);
        std::fs::create_dir_all(&folder).map_err(Failure::run)?;
        let ground = Ground { program: ground.program, folder: &folder };
        let share = trials / all.len() + usize::from(number < trials % all.len());
        one(&ground, work, share, random, tally)?;
        done(tally);
    }
    Ok(())
}

fn one(ground: &Ground, work: &dyn Work, trials: usize, random: &mut impl RngExt, tally: &mut Tally) -> Outcome<()> {
    work.prepare(ground)?;
    let calm = Calm::of(ground, work)?;
    let size = largest(ground.folder, "calm") / 1024;
    for round in 0..trials {
        let out = ground.folder.join(format!("round-{round}"));
        let command = work.command(&out);
        let kib = random.random_range(0..=size + size / 4);
        let end = ground.run_limited(kib, &command)?;
        let what = || format!("{} with files of at most {kib} KiB: {}", command.join(" "), end.said());
        let whole = work.result(&out).is_none_or(|there| there == calm.result || out.is_dir());
        let verdict = match end.verdict() {
            Verdict::Refused => Verdict::Unclear,
            Verdict::Same => calm.compared(work, &out),
            Verdict::Failed if !whole => Verdict::Different,
            Verdict::Failed if !half_written(&names(&out)).is_empty() => Verdict::Litter,
            verdict => verdict,
        };
        tally.count(verdict, what);
        if verdict.is_fault() {
            continue;
        }
        let again = ground.run(&work.command(&out))?;
        let verdict = if again.succeeded() { calm.compared(work, &out) } else { Verdict::Unclear };
        if verdict.is_fault() {
            tally.count(verdict, || format!("{} after a disk that was full at {kib} KiB: {}", command.join(" "), again.said()));
            continue;
        }
        clear(&out);
    }
    Ok(())
}

/// Bytes of the largest file whose path goes through a name.
fn largest(folder: &Path, name: &str) -> u64 {
    let entries = folder.read_dir().into_iter().flatten().flatten();
    let named = entries.filter(|entry| name.is_empty() || entry.file_name().to_string_lossy().starts_with(name));
    let bytes = named.map(|entry| {
        let path = entry.path();
        if path.is_dir() { largest(&path, "") } else { path.metadata().map_or(0, |there| there.len()) }
    });
    bytes.max().unwrap_or(0)
}
