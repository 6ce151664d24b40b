//! What the sums of gradients over processes cost, after the backward pass and beside it, over a network of a given speed.
//!
//! The processes are threads of this one, which share its pool of workers. The network is simulated: each message takes its bytes over the bandwidth, during which the thread that
//! sends it sleeps.

use super::subject::Subject;
use super::timing::median;
use candle_core::Tensor;
use clap::Args;
use serde_json::{Value, json};
use std::ops::ControlFlow;
use std::panic::resume_unwind;
use std::thread;
use std::time::{Duration, Instant};
use symdiff_cli::{Context, Failure, Outcome};
use symdiff_train::ranks::{Pairs, Threads, sum_tensors};
use symdiff_train::{Ranks, Result, metrics};

/// The measurement.
#[derive(Args)]
pub(crate) struct Overlap {
    #[command(flatten)]
    subject: Subject,
    /// Molecules per batch, of all processes together.
    #[arg(long, default_value_t = 256)]
    batch: usize,
    /// Processes, each with one share of the batch; a power of two.
    #[arg(long, default_value_t = 2)]
    processes: usize,
    /// Gigabytes that each process can send in a second, while it receives as many.
    #[arg(long, default_value_t = 1.25)]
    bandwidth: f64,
    /// Timed steps, each way in turn.
    #[arg(long, default_value_t = 7)]
    steps: usize,
}

/// Processes joined by a network.
struct Networked {
    threads: Threads,
    bytes_per_s: f64,
}

impl Pairs for Networked {
    fn exchange(&self, partner: usize, sent: &[f32], received: &mut [f32]) -> Result<()> {
        let start = Instant::now();
        self.threads.exchange(partner, sent, received)?;
        let travel = Duration::from_secs_f64(size_of_val(sent) as f64 / self.bytes_per_s);
        thread::sleep(travel.saturating_sub(start.elapsed()));
        Ok(())
    }
}

impl Ranks for Networked {
    fn rank(&self) -> usize {
        self.threads.rank()
    }

    fn size(&self) -> usize {
        self.threads.size()
    }

    fn sum(&self, tensors: Vec<Tensor>) -> Result<Vec<Tensor>> {
        sum_tensors(self, tensors)
    }

    fn gather(&self, mine: &[u8]) -> Result<Vec<Vec<u8>>> {
        self.threads.gather(mine)
    }

    fn for_another_thread(&self) -> Option<&(dyn Ranks + Sync)> {
        Some(self)
    }
}

/// Steps of each run that are not timed: in the first, gradients are summed after the backward pass in any case.
const WARM_UP: usize = 2;

impl Overlap {
    pub(super) fn run(&self, context: &Context) -> Outcome<Value> {
        if self.steps == 0 || self.processes < 2 || !(1e-3..=1e6).contains(&self.bandwidth) {
            return Err(Failure::input("--steps must be at least 1, --processes at least 2, and --bandwidth between 0.001 and 1000000"));
        }
        if !context.device()?.is_cpu() {
            return Err(Failure::input("gradients on a GPU are summed after the backward pass in any case; leave --device out"));
        }
        let mut seconds = [Vec::new(), Vec::new()];
        for _ in 0..2 {
            for (overlap, seconds) in [false, true].into_iter().zip(&mut seconds) {
                seconds.extend(self.timed(context, overlap)?);
            }
        }
        let [after, beside] = seconds.each_ref().map(|seconds| median(seconds));
        Ok(json!({
            "config": self.subject.model,
            "batch": self.batch,
            "processes": self.processes,
            "gigabytes_per_s": self.bandwidth,
            "threads": symdiff_ops::threads::count(),
            "sums_after_s_per_step": after,
            "sums_beside_s_per_step": beside,
            "saved": 1.0 - beside / after,
            "after_seconds": seconds[0],
            "beside_seconds": seconds[1],
        }))
    }

    /// Seconds of each timed step of a run.
    fn timed(&self, context: &Context, overlap: bool) -> Outcome<Vec<f64>> {
        let mut experiment = self.subject.experiment("f32")?;
        let train = &mut experiment.train;
        (train.batch, train.shares, train.overlap) = (self.batch, self.processes, overlap);
        (train.steps, train.log_every, train.checkpoint_minutes) = ((WARM_UP + self.steps) as u64, 1, 1e6);
        let folder = tempfile::tempdir().map_err(Failure::run)?;
        let (device, seed) = (context.device()?, context.seed());
        let trained = |threads: Threads| -> symdiff_models::Result<()> {
            let ranks = Networked { threads, bytes_per_s: 1e9 * self.bandwidth };
            let mut trainer = symdiff_models::start_with(ranks, experiment.clone(), seed, folder.path(), &device)?;
            trainer.run(&mut |_| ControlFlow::Continue(()))?;
            Ok(())
        };
        let trained = &trained;
        let mut processes = Threads::new(self.processes).into_iter();
        // This thread is one of the pool's, so it takes part.
        let first = processes.next().ok_or_else(|| Failure::input("--processes must be at least 2"))?;
        thread::scope(|scope| {
            let others: Vec<_> = processes.map(|threads| scope.spawn(move || trained(threads))).collect();
            trained(first)?;
            others.into_iter().try_for_each(|other| other.join().unwrap_or_else(|panic| resume_unwind(panic)))
        })?;
        let rows = metrics::rows(folder.path())?;
        Ok(rows.windows(2).skip(WARM_UP - 1).map(|pair| pair[1].seconds - pair[0].seconds).collect())
    }
}
