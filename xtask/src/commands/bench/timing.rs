//! Timed repetitions and their statistics.

use super::profile;
use serde_json::Value;
use std::time::Instant;
use symdiff_cli::Outcome;
use symdiff_mol::state::Molecules;

/// One entry per timed repetition.
pub(super) struct Timing {
    pub(super) seconds: Vec<f64>,
    /// Atoms of the batch.
    atoms: Vec<usize>,
    /// Thread time by op, where asked for.
    pub(super) profile: Option<Vec<Value>>,
    counted: Option<Counted>,
}

/// What a repetition computes: a multiplication is one floating-point operation, an addition another.
struct Counted {
    flops: u64,
    atoms: usize,
}

/// How to repeat.
pub(super) struct Repetitions {
    /// Untimed ones, on the first batches. In the last of them operations are counted, so that counting does not slow timed ones.
    pub(super) warmup: usize,
    /// No timed repetition but the first begins after this many seconds.
    pub(super) budget: f64,
    /// Whether the timed ones are profiled.
    pub(super) profile: bool,
    /// Whether operations can be counted: on a CPU.
    pub(super) count: bool,
}

impl Timing {
    /// Times `once` on each batch that no warm-up takes.
    pub(super) fn measure(
        batches: &[Molecules],
        repetitions: &Repetitions,
        once: &mut dyn FnMut(&Molecules) -> symdiff_models::Result<()>,
    ) -> Outcome<Self> {
        let (warmup, timed) = batches.split_at(repetitions.warmup);
        let mut counted = None;
        if let Some((last, before)) = warmup.split_last() {
            before.iter().try_for_each(&mut *once)?;
            if repetitions.count {
                profile::start();
            }
            once(last)?;
            profile::stop();
            counted = repetitions.count.then(|| Counted { flops: profile::flops(), atoms: last.layout().nodes() });
        }
        let (mut seconds, mut atoms) = (Vec::with_capacity(timed.len()), Vec::with_capacity(timed.len()));
        if repetitions.profile {
            profile::start();
        }
        let begin = Instant::now();
        for batch in timed {
            if !seconds.is_empty() && begin.elapsed().as_secs_f64() > repetitions.budget {
                break;
            }
            let start = Instant::now();
            once(batch)?;
            seconds.push(start.elapsed().as_secs_f64());
            atoms.push(batch.layout().nodes());
        }
        profile::stop();
        let rows = || profile::rows(seconds.len(), seconds.iter().sum(), symdiff_ops::threads::count());
        let profile = repetitions.profile.then(rows);
        Ok(Self { seconds, atoms, profile, counted })
    }

    /// Operations of a repetition, in products: those of the last warm-up.
    pub(super) fn flops(&self) -> Option<u64> {
        self.counted.as_ref().map(|counted| counted.flops)
    }

    /// Operations per second, from medians per atom.
    pub(super) fn flops_per_second(&self) -> Option<f64> {
        self.counted.as_ref().map(|counted| counted.flops as f64 / counted.atoms as f64 / self.seconds_per_atom())
    }

    /// Atoms per batch.
    pub(super) fn mean_atoms(&self) -> f64 {
        self.atoms.iter().sum::<usize>() as f64 / self.atoms.len() as f64
    }

    /// The median over batches of seconds per atom.
    pub(super) fn seconds_per_atom(&self) -> f64 {
        let each: Vec<f64> = self.seconds.iter().zip(&self.atoms).map(|(seconds, &atoms)| seconds / atoms as f64).collect();
        median(&each)
    }

    /// The table for people, where a profile was asked for.
    pub(super) fn print_profile(&self) {
        if let Some(rows) = &self.profile {
            println!("{}", profile::table(rows));
        }
    }
}

/// The middle value, or the mean of the two in the middle.
pub(super) fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    if sorted.len() % 2 == 1 { sorted[middle] } else { 0.5 * (sorted[middle - 1] + sorted[middle]) }
}
