//! The loop on several ranks, which are threads here.

use crate::line::{Line, TestResult, go_on, settings, tensors};
use candle_core::{DType, Device, Tensor};
use std::ops::ControlFlow;
use std::path::Path;
use std::thread;
use symdiff_ops::{Noise, Samples};
use symdiff_train::metrics::{rows, validations};
use symdiff_train::ranks::Threads;
use symdiff_train::{BEST, CHECKPOINT, Error, Parameters, Ranks, Settings, Share, Status, Summary, Task, Trainer};

/// Does the same on so many ranks.
pub(crate) fn together<T: Send>(size: usize, body: impl Fn(Threads) -> T + Sync) -> Vec<T> {
    thread::scope(|scope| {
        let all: Vec<_> = Threads::new(size).into_iter().map(|ranks| scope.spawn(|| body(ranks))).collect();
        all.into_iter().map(|thread| thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))).collect()
    })
}

/// A fresh run on so many ranks.
pub(crate) fn train(size: usize, settings: &Settings, folder: &Path) -> Result<Vec<Summary>, Error> {
    let one = |ranks: Threads| {
        let parameters = Parameters::new(4, DType::F32, &Device::Cpu);
        Trainer::start_with(ranks, Line::new(&parameters)?, &parameters, settings.clone(), 4, folder)?.run(&mut go_on)
    };
    together(size, one).into_iter().collect()
}

/// The same run, resumed on so many ranks.
fn resume(size: usize, settings: &Settings, folder: &Path) -> Result<Vec<Summary>, Error> {
    let one = |ranks: Threads| {
        let parameters = Parameters::new(99, DType::F32, &Device::Cpu);
        Trainer::resume_with(ranks, Line::new(&parameters)?, &parameters, settings.clone(), 4, folder)?.run(&mut go_on)
    };
    together(size, one).into_iter().collect()
}

/// All that a run wrote, in bits.
pub(crate) fn written(folder: &Path) -> Result<impl PartialEq + use<>, Box<dyn std::error::Error>> {
    let losses: Vec<_> = rows(folder)?.iter().map(|row| (row.step, row.loss.to_bits(), row.gradient_norm.to_bits())).collect();
    let judged: Vec<_> = validations(folder)?.iter().map(|row| (row.step, row.scores.loss.to_bits(), row.scores.samples)).collect();
    assert!(losses.len() >= 20 && judged.len() >= 4);
    Ok((losses, judged, tensors(&folder.join(CHECKPOINT))?, tensors(&folder.join(BEST))?))
}

pub(crate) fn shared(steps: u64) -> Settings {
    Settings { shares: 4, ..settings(steps) }
}

#[test]
fn one_two_and_four_ranks_write_the_same_bits() -> TestResult {
    let run = |size| -> Result<_, Box<dyn std::error::Error>> {
        let folder = tempfile::tempdir()?;
        assert_eq!(train(size, &shared(20), folder.path())?.len(), size);
        written(folder.path())
    };
    let alone = run(1)?;
    for size in [2, 4] {
        assert!(run(size)? == alone, "{size} ranks");
    }
    Ok(())
}

#[test]
fn a_run_goes_on_with_another_number_of_ranks() -> TestResult {
    let [whole, broken] = [tempfile::tempdir()?, tempfile::tempdir()?];
    train(1, &shared(30), whole.path())?;
    train(4, &shared(7), broken.path())?;
    resume(1, &shared(16), broken.path())?;
    resume(2, &shared(30), broken.path())?;
    assert!(written(whole.path())? == written(broken.path())?);
    Ok(())
}

/// Means over shares and over the batch differ by the rounding of f32 alone.
#[test]
fn shares_change_nothing_but_the_rounding() -> TestResult {
    let [one, four] = [tempfile::tempdir()?, tempfile::tempdir()?];
    train(1, &settings(20), one.path())?;
    train(1, &shared(20), four.path())?;
    let (one, four) = (rows(one.path())?, rows(four.path())?);
    let far = |(a, b): (&symdiff_train::metrics::Row, &symdiff_train::metrics::Row)| (a.loss / b.loss - 1.0).abs() > 1e-4;
    assert!(one.len() == 20 && !one.iter().zip(&four).any(far));
    Ok(())
}

/// A loss that depends on a second variable in the first sample of the batch alone.
struct Lopsided {
    line: Line,
    bias: Tensor,
}

impl Task for Lopsided {
    type Batch = (<Line as Task>::Batch, bool);
    type Error = Error;

    fn batch(&self, step: u64, share: Share) -> Result<Self::Batch, Error> {
        Ok((self.line.batch(step, share)?, share.index == 0))
    }

    fn loss(&self, (batch, first): &Self::Batch, noise: Noise) -> Result<Tensor, Error> {
        let loss = self.line.loss(batch, noise)?;
        if !first {
            return Ok(loss);
        }
        let ids = Samples::numbered(loss.elem_count());
        let first = Tensor::from_vec(ids.ids().iter().map(|&id| if id == 0 { 1_f32 } else { 0.0 }).collect(), ids.len(), &Device::Cpu)?;
        Ok((loss + first.broadcast_mul(&self.bias.sqr()?)?)?)
    }
}

#[test]
fn a_variable_that_one_share_alone_depends_on_is_learned_alike() -> TestResult {
    let run = |size, overlap| -> Result<_, Box<dyn std::error::Error>> {
        let folder = tempfile::tempdir()?;
        let one = |ranks: Threads| {
            let settings = Settings { overlap, ..shared(12) };
            let parameters = Parameters::new(4, DType::F32, &Device::Cpu);
            let bias = parameters.builder().get_with_hints(1, "bias", candle_nn::Init::Const(1.0))?;
            let task = Lopsided { line: Line::new(&parameters)?, bias };
            Trainer::start_with(ranks, task, &parameters, settings, 4, folder.path())?.run(&mut go_on)
        };
        together(size, one).into_iter().collect::<Result<Vec<_>, Error>>()?;
        tensors(&folder.path().join(CHECKPOINT))
    };
    let alone = run(1, false)?;
    assert!(alone["m.bias"].iter().any(|byte| *byte != 0));
    assert!(run(2, false)? == alone && run(4, false)? == alone && run(4, true)? == alone);
    Ok(())
}

pub(crate) fn sentence<T>(result: Result<T, Error>) -> String {
    result.map(|_| ()).map_err(|error| error.to_string()).err().unwrap_or_default()
}

#[test]
fn ranks_that_cannot_share_equally_or_start_apart_are_refused() -> TestResult {
    let folder = tempfile::tempdir()?;
    let told = sentence(train(3, &shared(1), folder.path()));
    assert!(told.contains("train.shares is 4, which 3 processes cannot divide equally"), "{told}");
    let apart = |ranks: Threads| {
        let parameters = Parameters::new(ranks.rank() as u64, DType::F32, &Device::Cpu);
        sentence(
            Line::new(&parameters)
                .map_err(Error::from)
                .and_then(|line| Trainer::start_with(ranks, line, &parameters, shared(1), 4, folder.path()).map(|_| ())),
        )
    };
    for told in together(2, apart) {
        assert!(told.contains("rank 1 does not start from the state of rank 0"), "{told}");
    }
    Ok(())
}

/// One rank alone hears the signal; the run must still end after the same step everywhere.
#[test]
fn a_stop_that_one_rank_is_asked_for_ends_all_and_saves() -> TestResult {
    let folder = tempfile::tempdir()?;
    let endless = Settings { steps: 0, minutes: 10.0, ..shared(0) };
    let one = |ranks: Threads| {
        let asked = ranks.rank() == 1;
        let mut report = |_: &Status| if asked { ControlFlow::Break(()) } else { ControlFlow::Continue(()) };
        let parameters = Parameters::new(4, DType::F32, &Device::Cpu);
        Trainer::start_with(ranks, Line::new(&parameters)?, &parameters, endless.clone(), 4, folder.path())?.run(&mut report)
    };
    let ended = together(2, one).into_iter().collect::<Result<Vec<_>, Error>>()?;
    assert!(ended.len() == 2 && ended.iter().all(|summary| !summary.finished && summary.steps == ended[0].steps));
    assert_eq!(symdiff_train::checkpoint::header(&folder.path().join(CHECKPOINT))?.step, ended[0].steps);
    Ok(())
}

/// A task that fails on one rank in step 3.
struct Failing(Line);

impl Task for Failing {
    type Batch = <Line as Task>::Batch;
    type Error = Error;

    fn batch(&self, step: u64, share: Share) -> Result<Self::Batch, Error> {
        if step == 3 && share.index == 3 { Err(Error::Weights("gone".into())) } else { self.0.batch(step, share) }
    }

    fn loss(&self, batch: &Self::Batch, noise: Noise) -> Result<Tensor, Error> {
        self.0.loss(batch, noise)
    }
}

#[test]
fn the_failure_of_one_rank_is_an_error_on_the_others() -> TestResult {
    for (size, overlap) in [(2, false), (4, true)] {
        let folder = tempfile::tempdir()?;
        let one = |ranks: Threads| {
            let parameters = Parameters::new(4, DType::F32, &Device::Cpu);
            let settings = Settings { overlap, ..shared(9) };
            Trainer::start_with(ranks, Failing(Line::new(&parameters)?), &parameters, settings, 4, folder.path())?.run(&mut go_on)
        };
        let told: Vec<String> = together(size, one).into_iter().map(sentence).collect();
        let (last, others) = told.split_last().ok_or("no ranks")?;
        assert!(last.contains("gone") && others.iter().all(|told| told.contains("is lost")), "{told:?}");
    }
    Ok(())
}
