//! Sums over ranks beside the backward pass.

use crate::line::{Batch, Line, TestResult, go_on, settings, tensors};
use crate::ranks::{sentence, shared, together, train, written};
use candle_core::{DType, Device, Tensor};
use candle_nn::Init;
use std::path::Path;
use symdiff_ops::{Noise, Products, Pullback, fused, linear, silu};
use symdiff_train::metrics::rows;
use symdiff_train::ranks::Threads;
use symdiff_train::{CHECKPOINT, Error, Parameters, Ranks, Settings, Share, Task, Trainer};

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
        assert!(told.contains("summed before it was complete") || told.contains("is lost"), "{told}");
    }
    Ok(())
}

/// How a pass ends badly.
#[derive(Clone, Copy, Debug)]
enum Ending {
    Error,
    Panic,
}

/// A deep task whose backward pass ends badly on the last rank in step 3: after the gradients of the later weights, which fill buckets, and before that of the first.
struct Ends {
    deep: Deep,
    last: bool,
    how: Ending,
}

impl Task for Ends {
    type Batch = <Deep as Task>::Batch;
    type Error = Error;

    fn batch(&self, step: u64, share: Share) -> Result<Self::Batch, Error> {
        self.deep.batch(step, share)
    }

    fn loss(&self, batch: &Self::Batch, noise: Noise) -> Result<Tensor, Error> {
        let through = |x: Tensor, weight: &Tensor| silu(&linear(&x, weight, None, Products::Full)?);
        let [first, rest @ ..] = self.deep.weights.as_slice() else { return Err(Error::Weights("no weights".into())) };
        let x = through(batch.0.x.clone(), first)?;
        let (bad, how) = (self.last && batch.1 == 3, self.how);
        let x = fused("ends", &[&x], |inputs| {
            let pullback: Pullback = Box::new(move |gradient| match how {
                Ending::Error if bad => Err(symdiff_ops::Error::Layout("a bad end".into())),
                Ending::Panic if bad => panic!("a bad end"),
                _ => Ok(vec![Some(gradient.clone())]),
            });
            Ok((inputs[0].clone(), pullback))
        })?;
        let y = rest.iter().try_fold(x, through)?;
        Ok((self.deep.line.loss(&batch.0, noise)? + (y + 1.0)?.sqr()?.squeeze(1)?)?)
    }
}

/// Nobody waits: the rank tells its own error or panics, and the others lose it.
#[test]
fn a_pass_that_ends_badly_on_one_rank_ends_all() -> TestResult {
    for how in [Ending::Error, Ending::Panic] {
        let folder = tempfile::tempdir()?;
        let place = folder.path();
        let one = |ranks: Threads| {
            let last = ranks.rank() == 3;
            let run = move || {
                let parameters = Parameters::new(4, DType::F32, &Device::Cpu);
                let task = Ends { deep: Deep::new(&parameters, u64::MAX)?, last, how };
                Trainer::start_with(ranks, task, &parameters, overlapping(9, 4), 4, place)?.run(&mut go_on)
            };
            std::panic::catch_unwind(std::panic::AssertUnwindSafe(run)).map_or_else(|_| "a bad end, by a panic".into(), sentence)
        };
        let told: Vec<String> = together(4, one);
        let (last, others) = told.split_last().ok_or("no ranks")?;
        assert!(last.contains("a bad end") && others.iter().all(|told| told.contains("is lost")), "{how:?}: {told:?}");
    }
    Ok(())
}
