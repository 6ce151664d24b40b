//! Damaged files: a checkpoint or a packed set that is not what was written is refused or changes nothing; any other file of molecules is
//! read or refused.

use super::trial::Verdict;
use super::work::{molecules as write_molecules, trained, words};
use super::{Ground, Tally, one_of};
use rand::RngExt;
use std::path::Path;
use symdiff_cli::{Failure, Outcome};

/// Molecules of each file.
const MOLECULES: usize = 12;

/// Damaged checkpoints, sampled from, judged with and trained on.
pub(super) fn checkpoints(
    ground: &Ground,
    trials: usize,
    random: &mut impl RngExt,
    tally: &mut Tally,
    done: &mut impl FnMut(&Tally),
) -> Outcome<()> {
    trained(ground)?;
    let whole = read(&ground.folder.join("run/last.safetensors"))?;
    let uses = [Use::Sample, Use::Resume];
    let expected: Vec<Vec<u8>> = uses.iter().map(|each| each.result(ground, &whole).map(|(_, result)| result)).collect::<Outcome<_>>()?;
    for trial in 0..trials {
        let (each, expected) = (uses[trial % uses.len()], &expected[trial % uses.len()]);
        let (mutant, how) = mutated(&whole, random);
        let (verdict, result) = each.result(ground, &mutant)?;
        let verdict = if verdict == Verdict::Same && result != *expected { Verdict::Different } else { verdict.of_input() };
        tally.count(verdict, || format!("{each:?} of a checkpoint with {how}"));
        done(tally);
    }
    Ok(())
}

/// What is done with a checkpoint.
#[derive(Clone, Copy, Debug)]
enum Use {
    Sample,
    Resume,
}

impl Use {
    /// Uses a checkpoint in a folder of its own; the result without what depends on the clock.
    fn result(self, ground: &Ground, checkpoint: &[u8]) -> Outcome<(Verdict, Vec<u8>)> {
        let run = ground.folder.join("mutant");
        let _ = std::fs::remove_dir_all(&run);
        std::fs::create_dir_all(&run).map_err(Failure::run)?;
        for name in ["experiment.toml", "metrics.jsonl"] {
            std::fs::copy(ground.folder.join("run").join(name), run.join(name)).map_err(Failure::run)?;
        }
        std::fs::write(run.join("last.safetensors"), checkpoint).map_err(Failure::run)?;
        let (command, file) = match self {
            Self::Sample => (words(&["sample", "--run", "mutant", "-n", "3", "--steps", "4", "--out", "mutant/s.xyz"]), "s.xyz"),
            Self::Resume => (words(&["train", "tiny.toml", "--set", "train.steps=7", "--out", "mutant", "--resume"]), "metrics.jsonl"),
        };
        let end = ground.run(&command)?;
        let text = std::fs::read_to_string(run.join(file)).unwrap_or_default();
        let timeless = |line: &str| line.split("\"seconds\"").next().unwrap_or_default().to_owned() + "\n";
        Ok((end.verdict(), text.lines().map(timeless).collect::<String>().into_bytes()))
    }
}

/// Damaged files of every format, judged.
pub(super) fn molecules(
    ground: &Ground,
    trials: usize,
    random: &mut impl RngExt,
    tally: &mut Tally,
    done: &mut impl FnMut(&Tally),
) -> Outcome<()> {
    const NAMES: [&str; 8] = ["m.xyz", "m.extxyz", "m.sdf", "m.jsonl", "m.npz", "m.xyz.gz", "m.sdf.bz2", "m.safetensors"];
    for name in &NAMES[..NAMES.len() - 1] {
        write_molecules(&ground.folder.join(name), MOLECULES)?;
    }
    let packed = ground.run(&words(&["data", "prepare", "m.extxyz", "--out", "m.safetensors"]))?;
    if !packed.succeeded() {
        return Err(Failure::run(format!("an undisturbed preparation fails: {}", packed.said())));
    }
    let judged = |name: &str| -> Outcome<(Verdict, Vec<u8>)> {
        let _ = std::fs::remove_file(ground.folder.join("rows.jsonl"));
        let end = ground.run(&words(&["evaluate", "--molecules", name, "--rows", "rows.jsonl"]))?;
        Ok((end.verdict(), std::fs::read(ground.folder.join("rows.jsonl")).unwrap_or_default()))
    };
    let (_, expected) = judged("m.safetensors")?;
    for trial in 0..trials {
        let name = NAMES[trial % NAMES.len()];
        let (mutant, how) = mutated(&read(&ground.folder.join(name))?, random);
        let damaged = format!("damaged-{name}");
        std::fs::write(ground.folder.join(&damaged), mutant).map_err(Failure::run)?;
        let (verdict, rows) = judged(&damaged)?;
        // The packed set has checksums; other formats may say something else and be right.
        let changed = name == "m.safetensors" && verdict == Verdict::Same && rows != expected;
        tally.count(if changed { Verdict::Different } else { verdict.of_input() }, || format!("{name} with {how}"));
        done(tally);
    }
    Ok(())
}

/// A copy with one fault, and what it is.
fn mutated(whole: &[u8], random: &mut impl RngExt) -> (Vec<u8>, String) {
    let mut bytes = whole.to_vec();
    let at = random.random_range(0..bytes.len());
    // Half of the faults are in the first part, where headers are.
    let at = if random.random() { at } else { at.min(random.random_range(0..bytes.len().min(4096))) };
    let length = random.random_range(1..=4096).min(bytes.len() - at);
    let how = match random.random_range(0..8) {
        0 | 1 => {
            let bit = random.random_range(0..8);
            bytes[at] ^= 1 << bit;
            format!("bit {bit} of byte {at} flipped")
        }
        2 => {
            bytes[at] = random.random();
            format!("byte {at} drawn anew")
        }
        3 => {
            bytes[at..at + length].fill(0);
            format!("{length} bytes from {at} zeroed")
        }
        4 => {
            bytes.truncate(at);
            format!("its first {at} bytes alone")
        }
        5 => {
            let to = random.random_range(0..=bytes.len() - length);
            bytes.copy_within(at..at + length, to);
            format!("{length} bytes from {at} copied to {to}")
        }
        6 => {
            bytes.extend((0..length).map(|_| random.random::<u8>()));
            format!("{length} bytes more")
        }
        _ => lied(&mut bytes, random),
    };
    (bytes, how)
}

/// A word replaced by another of the same length: a type, a digit.
fn lied(bytes: &mut [u8], random: &mut impl RngExt) -> String {
    let (from, to) = *one_of(
        &[
            &("F32", "I32"),
            &("F32", "F16"),
            &("\"step\\\":5", "\"step\\\":9"),
            &("param.", "ema__."),
            &("ema.", "em_."),
            &("0", "9"),
            &("1", "0"),
            &("C ", "Xe"),
            &("H ", "He"),
            &("[", "{"),
        ],
        random,
    );
    let places: Vec<usize> =
        (0..bytes.len().saturating_sub(from.len())).filter(|&at| bytes[at..].starts_with(from.as_bytes())).take(4096).collect();
    if places.is_empty() {
        return "nothing changed".to_owned();
    }
    let at = places[random.random_range(0..places.len())];
    bytes[at..at + to.len()].copy_from_slice(to.as_bytes());
    format!("`{to}` for `{from}` at byte {at}")
}

fn read(path: &Path) -> Outcome<Vec<u8>> {
    std::fs::read(path).map_err(|error| Failure::run(format!("{}: cannot read it: {error}", path.display())))
}
