//! Sums over ranks beside the backward pass.

use crate::line::{Batch, Line, TestResult, go_on, settings, tensors};
use crate::ranks::{sentence, shared, together, train, written};
use candle_core::{DType, Device, Tensor};
use candle_nn::Init;
use std::path::Path;
use symdiff_ops::{Noise, Products, linear, silu};
use symdiff_train::metrics::rows;
use symdiff_train::ranks::Threads;
use symdiff_train::{CHECKPOINT, Error, Parameters, Settings, Share, Task, Trainer};

fn overlapping(steps: u64, shares: usize) -> Settings {
    Settings { overlap: true, shares, ..settings(steps) }
}

/// Candle's own operations send no gradient early: all come at the end.
#[test]
fn a_task_without_fused_ops_learns_the_same_bits() -> TestResult {
    let run = |size, settings: Settings| -> Result<_, Box<dyn std::error::Error>> {
        let folder = tempfile::tempdir()?;
        train(size, &settings, folder.path())?;
        written(folder.path())
    };
    for size in [2, 4] {
        assert!(run(size, overlapping(20, size))? == run(1, Settings { overlap: false, ..overlapping(20, size) })?, "{size} ranks");
    }
    // Two shares a rank: nothing to gain, and nothing lost.
    assert!(run(2, overlapping(20, 4))? == run(1, shared(20))?);
    Ok(())
}

/// The loss of the line, plus the mean square of a perceptron of fused ops with more than a bucket of parameters.
struct Deep {
    line: Line,
    weights: Vec<Tensor>,
    /// From this step on, Candle's own operations take the last weight too.
    mixed: u64,
}

impl Deep {
    fn new(parameters: &Parameters, mixed: u64) -> candle_core::Result<Self> {
        let builder = parameters.builder();
        let weight = |name, shape: [usize; 2]| builder.get_with_hints((shape[0], shape[1]), name, Init::Randn { mean: 0.0, stdev: 0.03 });
        let weights = vec![weight("a", [1100, 2])?, weight("b", [1000, 1100])?, weight("c", [1100, 1000])?, weight("d", [1, 1100])?];
        Ok(Self { line: Line::new(parameters)?, weights, mixed })
    }
}

impl Task for Deep {
    type Batch = (Batch, u64);
    type Error = Error;

    fn batch(&self, step: u64, share: Share) -> Result<Self::Batch, Error> {
        Ok((self.line.batch(step, share)?, step))
    }

    fn loss(&self, (batch, step): &Self::Batch, noise: Noise) -> Result<Tensor, Error> {
        let through = |x: Tensor, weight: &Tensor| silu(&linear(&x, weight, None, Products::Full)?);
        let y = self.weights.iter().try_fold(batch.x.clone(), through)?;
        let loss = (self.line.loss(batch, noise)? + (y + 1.0)?.sqr()?.squeeze(1)?)?;
        Ok(if *step >= self.mixed { loss.broadcast_add(&self.weights[3].sqr()?.sum_all()?)? } else { loss })
    }
}

fn deep(size: usize, settings: &Settings, mixed: u64, folder: &Path) -> Vec<String> {
    let one = |ranks: Threads| {
        let parameters = Parameters::new(4, DType::F32, &Device::Cpu);
        sentence(
            Deep::new(&parameters, mixed)
                .map_err(Error::from)
                .and_then(|task| Trainer::start_with(ranks, task, &parameters, settings.clone(), 4, folder)?.run(&mut go_on)),
        )
    };
    together(size, one)
}

#[test]
fn gradients_that_come_early_in_several_buckets_add_to_the_same_bits() -> TestResult {
    for size in [2, 4] {
        let [beside, after] = [tempfile::tempdir()?, tempfile::tempdir()?];
        assert!(deep(size, &overlapping(5, size), u64::MAX, beside.path()).iter().all(String::is_empty));
        assert!(deep(1, &Settings { overlap: false, ..overlapping(5, size) }, u64::MAX, after.path()).iter().all(String::is_empty));
        assert!(tensors(&beside.path().join(CHECKPOINT))? == tensors(&after.path().join(CHECKPOINT))?, "{size} ranks");
        let norms = |folder: &Path| rows(folder).map(|rows| rows.iter().map(|row| row.gradient_norm.to_bits()).collect::<Vec<_>>());
        assert_eq!(norms(beside.path())?, norms(after.path())?);
    }
    Ok(())
}

/// A variable that plain operations take as well is summed last when they always do, and an error when they begin to.
#[test]
fn a_gradient_that_was_summed_too_early_is_an_error() -> TestResult {
    let [always, after] = [tempfile::tempdir()?, tempfile::tempdir()?];
    assert!(deep(2, &overlapping(4, 2), 0, always.path()).iter().all(String::is_empty));
    assert!(deep(1, &Settings { overlap: false, ..overlapping(4, 2) }, 0, after.path()).iter().all(String::is_empty));
    assert!(tensors(&always.path().join(CHECKPOINT))? == tensors(&after.path().join(CHECKPOINT))?);
    let begins = tempfile::tempdir()?;
    for told in deep(2, &overlapping(9, 2), 3, begins.path()) {
        assert!(told.contains("a gradient changed after") || told.contains("is lost"), "{told}");
    }
    Ok(())
}
