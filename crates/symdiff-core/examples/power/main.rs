//! The power table: how often the law test rejects kernels with planted bugs, and how seldom correct ones.
//!
//! ```text
//! cargo run --release -p symdiff-core --example power -- [--row WORDS] [--runs 200] [--correct-runs 1000] [--draws 100] [--level 0.01] [--threads N]
//! ```
//!
//! Each run has its own seed: eight fresh group elements h, fresh draws at x and at h·x for each, 299 fresh relabellings. The
//! size of an effect is the energy distance of the two laws relative to the mean distance of two draws, over 20 draws of h.
//! `--row` runs the rows whose name and group contain the words. Exits with 1 when a planted bug is found in fewer than 95 % of its
//! runs, or a correct kernel rejected in more than 2 % of its own.

mod cases;

use cases::{Case, cases};
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;
use symdiff_core::Result;

struct Options {
    row: String,
    runs: u64,
    correct_runs: u64,
    draws: usize,
    level: f64,
    threads: usize,
}

fn main() -> ExitCode {
    let Some(options) = options() else {
        eprintln!("usage: power [--row WORDS] [--runs N] [--correct-runs N] [--draws N] [--level P] [--threads N]");
        return ExitCode::from(2);
    };
    match table(&options) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn options() -> Option<Options> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let mut options = Options { row: String::new(), runs: 200, correct_runs: 1000, draws: 100, level: 0.01, threads };
    let mut arguments = std::env::args().skip(1);
    while let Some(name) = arguments.next() {
        let value = arguments.next()?;
        match name.as_str() {
            "--row" => options.row = value,
            "--runs" => options.runs = value.parse().ok().filter(|&runs| runs > 0)?,
            "--correct-runs" => options.correct_runs = value.parse().ok().filter(|&runs| runs > 0)?,
            "--draws" => options.draws = value.parse().ok()?,
            "--level" => options.level = value.parse().ok()?,
            "--threads" => options.threads = value.parse().ok().filter(|&threads| threads > 0)?,
            _ => return None,
        }
    }
    Some(options)
}

/// Whether every row kept its promise.
fn table(options: &Options) -> Result<bool> {
    println!("level {} %, 8 elements h a run, 299 relabellings", 100.0 * options.level);
    println!("{:<38} {:<8} {:>6} {:>7} {:>5} {:>9} {:>8}", "kernel", "group", "draws", "effect", "runs", "rejected", "seconds");
    let mut passed = true;
    let chosen: Vec<Case> = cases(options.draws)?.into_iter().filter(|case| case.label().contains(&options.row)).collect();
    if chosen.is_empty() {
        eprintln!("no row contains {:?}", options.row);
        return Ok(false);
    }
    for case in chosen {
        let began = Instant::now();
        let runs = if case.correct { options.correct_runs } else { options.runs };
        let rejected = rejections(&case, runs, options)?;
        let share = rejected as f64 / runs as f64;
        let good = if case.correct { share <= 0.02 } else { share >= 0.95 };
        passed &= good;
        let verdict = if good { "" } else { "  <- fails" };
        let (effect, seconds) = ((case.effect)()?, began.elapsed().as_secs_f64());
        let Case { name, group, draws, .. } = case;
        println!("{name:<38} {group:<8} {draws:>6} {effect:>7.3} {runs:>5} {:>7.1} % {seconds:>8.0}{verdict}", 100.0 * share);
    }
    Ok(passed)
}

/// How many of the seeds 0, 1, … reject, with a word on standard error after each tenth of them.
fn rejections(case: &Case, runs: u64, options: &Options) -> Result<u64> {
    let (next, rejected) = (AtomicU64::new(0), AtomicU64::new(0));
    let worker = || -> Result<()> {
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= runs {
                return Ok(());
            }
            let found = u64::from((case.p_value)(seed)? <= options.level);
            let so_far = rejected.fetch_add(found, Ordering::Relaxed) + found;
            if (seed + 1).is_multiple_of(runs.div_ceil(10)) {
                eprintln!("{}: run {} of {runs}, {so_far} rejected", case.label(), seed + 1);
            }
        }
    };
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..options.threads).map(|_| scope.spawn(worker)).collect();
        workers.into_iter().try_for_each(|w| w.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
    })?;
    Ok(rejected.into_inner())
}
