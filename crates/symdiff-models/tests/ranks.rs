//! Models of molecules on several ranks, which are threads here: training, sampling and likelihoods give the bits of one process.

mod common;

use candle_core::Device;
use common::TestResult;
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::Path;
use std::thread;
use symdiff_models::{Experiment, Sampling, Trained, resume_with, start_with};
use symdiff_mol::data::embedded;
use symdiff_train::metrics::{rows, validations};
use symdiff_train::ranks::Threads;
use symdiff_train::{CHECKPOINT, Share};

/// `symdiff-tiny` in four shares, with the published loss, which divides by the size of the batch's largest molecule.
fn experiment(steps: u64) -> symdiff_models::Result<Experiment> {
    let text = "[model]\npreset = 'symdiff-tiny'\n[data]\naugment = true\naugment_noise = 0.05\n[train]\nbatch = 16\nshares = 4\nlr = 1e-3\nema = 0.9\nsteps = 1\nvalidate_every = 4\nvalidate_samples = 40\n";
    Experiment::parse(text, &[format!("train.steps={steps}")])
}

fn on(size: usize, body: impl Fn(Threads) -> symdiff_models::Result<()> + Sync) -> symdiff_models::Result<()> {
    let ended: Vec<_> = thread::scope(|scope| {
        let all: Vec<_> = Threads::new(size).into_iter().map(|ranks| scope.spawn(|| body(ranks))).collect();
        all.into_iter().map(|thread| thread.join().map_err(|_| "a rank panicked")).collect()
    });
    ended.into_iter().try_for_each(|rank| rank.unwrap_or_else(|what| Err(symdiff_models::Error::Config(what.into()))))
}

fn train(size: usize, steps: u64, folder: &Path) -> symdiff_models::Result<()> {
    let run = |ranks| start_with(ranks, experiment(steps)?, 3, folder, &Device::Cpu)?.run(&mut |_| ControlFlow::Continue(())).map(|_| ());
    on(size, run)
}

fn go_on(size: usize, steps: u64, folder: &Path) -> symdiff_models::Result<()> {
    let run = |ranks| {
        let mut trainer = resume_with(ranks, folder, Some(experiment(steps)?), None, &Device::Cpu)?;
        trainer.run(&mut |_| ControlFlow::Continue(())).map(|_| ())
    };
    on(size, run)
}

type Written = (Vec<(u64, u64, u64)>, Vec<(u64, u64)>, BTreeMap<String, Vec<u8>>);

fn written(folder: &Path) -> Result<Written, Box<dyn std::error::Error>> {
    let losses = rows(folder)?.iter().map(|row| (row.step, row.loss.to_bits(), row.gradient_norm.to_bits())).collect();
    let judged = validations(folder)?.iter().map(|row| (row.step, row.scores.loss.to_bits())).collect();
    let bytes = std::fs::read(folder.join(CHECKPOINT))?;
    let file = safetensors::SafeTensors::deserialize(&bytes)?;
    Ok((losses, judged, file.iter().map(|(name, view)| (name.to_owned(), view.data().to_vec())).collect()))
}

#[test]
fn training_gives_the_same_bits_on_any_number_of_ranks_and_resumes_on_another() -> TestResult {
    let folder = tempfile::tempdir()?;
    let at = |name: &str| folder.path().join(name);
    train(1, 8, &at("one"))?;
    train(4, 8, &at("four"))?;
    train(2, 3, &at("broken"))?;
    go_on(4, 5, &at("broken"))?;
    go_on(1, 8, &at("broken"))?;
    let one = written(&at("one"))?;
    assert!(one.0.len() == 8 && one.1.len() == 2);
    assert!(one == written(&at("four"))?, "four ranks");
    assert!(one == written(&at("broken"))?, "two, four, one ranks");
    Ok(())
}

/// Without the size of the whole batch's largest molecule the mean over shares would be another loss, not one that differs by rounding.
#[test]
fn the_loss_of_shares_is_that_of_the_batch() -> TestResult {
    let folder = tempfile::tempdir()?;
    let first = |name: &str, shares: usize| -> Result<_, Box<dyn std::error::Error>> {
        let mut experiment = experiment(1)?;
        experiment.train.shares = shares;
        let run = folder.path().join(name);
        start_with(symdiff_train::Alone, experiment, 3, &run, &Device::Cpu)?.run(&mut |_| ControlFlow::Continue(()))?;
        let row = rows(&run)?.pop().ok_or("no row")?;
        Ok([row.loss, row.gradient_norm])
    };
    for (whole, shared) in first("whole", 1)?.into_iter().zip(first("shared", 4)?) {
        assert!((shared / whole - 1.0).abs() < 1e-5, "{shared} in shares, {whole} in one");
    }
    Ok(())
}

#[test]
fn shares_of_samples_and_likelihoods_are_those_of_one_process() -> TestResult {
    let folder = tempfile::tempdir()?;
    train(1, 2, folder.path())?;
    let trained = Trained::load(folder.path(), &Device::Cpu)?;
    for (count, batch) in [(11, Some(2)), (2, Some(1)), (5, None)] {
        let options = Sampling { steps: Some(4), batch, ..Sampling::of(count, 5) };
        let whole = trained.sample(&options, &mut |_| ())?;
        let mut joined = Vec::new();
        for index in 0..3 {
            let share = Share { index, count: 3 };
            trained.sample_share(&options, share, &mut |_| (), |batch| {
                joined.extend(batch);
                Ok::<_, symdiff_models::Error>(())
            })?;
        }
        assert!(whole.len() == count && joined == whole, "{count} molecules in batches of {batch:?}");
    }
    let places = trained.of_seen_sizes(embedded(), &embedded().split().test[..13]);
    let each = |places: &[usize]| trained.nll_each(embedded(), places, 2, 4, 7, &mut |_| ());
    assert_eq!([each(&places[..8])?, each(&places[8..])?].concat(), each(&places)?);
    Ok(())
}
