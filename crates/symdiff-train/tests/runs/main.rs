//! The loop on a task that has nothing to do with molecules: a straight line fitted to points.

mod line;
mod overlap;
mod ranks;

use candle_core::{DType, Device, Tensor};
use candle_nn::{VarBuilder, VarMap};
use line::{Line, TestResult, again, fresh, go_on, settings, tensors};
use std::ops::ControlFlow;
use std::path::Path;
use symdiff_train::metrics::{rows, validations};
use symdiff_train::{BEST, CHECKPOINT, Error, Parameters, Record, Settings, Trainer, checkpoint};

#[test]
fn a_line_is_learned_and_a_broken_run_equals_an_unbroken_one_bit_for_bit() -> TestResult {
    let (whole, broken) = (tempfile::tempdir()?, tempfile::tempdir()?);
    let summary = fresh(whole.path(), settings(200))?.run(&mut go_on)?;
    assert!(summary.finished && summary.loss < 0.1 && (summary.epochs - 20.0).abs() < 1e-9, "{summary:?}");
    fresh(broken.path(), settings(73))?.run(&mut go_on)?;
    again(broken.path(), settings(200), 4)?.run(&mut go_on)?;
    assert_eq!(tensors(&whole.path().join(CHECKPOINT))?, tensors(&broken.path().join(CHECKPOINT))?);
    assert_eq!(tensors(&whole.path().join(BEST))?, tensors(&broken.path().join(BEST))?);
    let key = |folder: &Path| -> symdiff_train::Result<(Vec<_>, Vec<_>)> {
        let rows = rows(folder)?.iter().map(|row| (row.step, row.loss.to_bits())).collect();
        Ok((rows, validations(folder)?.iter().map(|row| (row.step, row.scores.loss.to_bits())).collect()))
    };
    assert_eq!(key(whole.path())?, key(broken.path())?);
    Ok(())
}

/// Without AMSGrad no maximum is kept, a broken run equals an unbroken one all the same, and the weights are others.
#[test]
fn amsgrad_can_be_left_out() -> TestResult {
    let [whole, broken, with] = [tempfile::tempdir()?, tempfile::tempdir()?, tempfile::tempdir()?];
    let plain = |steps| Settings { amsgrad: false, ..settings(steps) };
    fresh(whole.path(), plain(120))?.run(&mut go_on)?;
    fresh(broken.path(), plain(47))?.run(&mut go_on)?;
    again(broken.path(), plain(120), 4)?.run(&mut go_on)?;
    fresh(with.path(), settings(120))?.run(&mut go_on)?;
    let [found, resumed, other] = [&whole, &broken, &with].map(|folder| tensors(&folder.path().join(CHECKPOINT)));
    let (found, other) = (found?, other?);
    assert_eq!(found, resumed?);
    assert!(!found.keys().any(|name| name.starts_with("vmax.")) && other.keys().any(|name| name.starts_with("vmax.")));
    assert_ne!(found["param.weight"], other["param.weight"]);
    // What was trained without the maximum cannot go on with it.
    let refused = again(broken.path(), settings(130), 4).map(drop).map_err(|error| error.to_string());
    assert!(refused.is_err_and(|sentence| sentence.contains("no `vmax` tensors")));
    Ok(())
}

/// Judging the average must leave no trace in what is trained.
#[test]
fn validation_changes_nothing_and_keeps_the_best() -> TestResult {
    let (with, without) = (tempfile::tempdir()?, tempfile::tempdir()?);
    fresh(with.path(), settings(40))?.run(&mut go_on)?;
    fresh(without.path(), Settings { validate_every: 0, ..settings(40) })?.run(&mut go_on)?;
    assert_eq!(tensors(&with.path().join(CHECKPOINT))?, tensors(&without.path().join(CHECKPOINT))?);
    assert!(!without.path().join(BEST).exists() && validations(without.path())?.is_empty());
    let rows = validations(with.path())?;
    let best = rows.iter().min_by(|a, b| a.scores.loss.total_cmp(&b.scores.loss)).ok_or("no validation")?;
    assert_eq!(rows.len(), 8);
    assert_eq!(checkpoint::header(&with.path().join(BEST))?.step, best.step);
    Ok(())
}

#[test]
fn a_run_that_is_asked_to_stop_saves_first() -> TestResult {
    let folder = tempfile::tempdir()?;
    let endless = Settings { steps: 0, minutes: 10.0, ..settings(0) };
    let summary = fresh(folder.path(), endless)?.run(&mut |_| ControlFlow::Break(()))?;
    assert!(!summary.finished);
    assert_eq!(checkpoint::header(&folder.path().join(CHECKPOINT))?.step, summary.steps);
    Ok(())
}

#[test]
fn another_task_another_seed_and_a_second_writer_are_refused() -> TestResult {
    let folder = tempfile::tempdir()?;
    let mut held = fresh(folder.path(), settings(2))?;
    held.run(&mut go_on)?;
    let sentence = |result: Result<Trainer<Line>, Error>| result.map(|_| ()).map_err(|error| error.to_string()).err().unwrap_or_default();
    assert!(sentence(again(folder.path(), settings(3), 4)).contains("another process is writing"));
    drop(held);
    let message = sentence(again(folder.path(), settings(3), 5));
    assert!(message.contains("was started with seed 4, not 5"), "{message}");
    let parameters = Parameters::new(99, DType::F32, &Device::Cpu);
    let other = Line { name: "curve", ..Line::new(&parameters)? };
    let message = sentence(Trainer::resume(other, &parameters, settings(3), 4, folder.path()));
    assert!(message.contains(CHECKPOINT) && message.contains("another task"), "{message}");
    again(folder.path(), settings(3), 4)?;
    Ok(())
}

/// Every bit counts: header, names, shapes, numbers.
#[test]
fn no_flipped_bit_passes() -> TestResult {
    let folder = tempfile::tempdir()?;
    fresh(folder.path(), settings(3))?.run(&mut go_on)?;
    let file = folder.path().join(CHECKPOINT);
    let whole = std::fs::read(&file)?;
    let load = || checkpoint::load(&file, &Device::Cpu).map(|loaded| (loaded.header, loaded.weights_hash));
    let expected = load()?;
    let mut refused = 0;
    for place in 0..whole.len() {
        let mut bytes = whole.clone();
        bytes[place] ^= 1 << (place % 8);
        std::fs::write(&file, &bytes)?;
        match load() {
            Err(error) => refused += usize::from(error.to_string().contains(CHECKPOINT)),
            // Blanks that pad the header mean nothing.
            Ok(found) => assert!(found == expected && whole[place] == b' ', "the bit at {place} went unnoticed"),
        }
    }
    assert!(refused + 8 > whole.len(), "{refused} of {}", whole.len());
    Ok(())
}

#[test]
fn numbers_that_are_not_finite_and_other_types_are_named() -> TestResult {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("x.safetensors");
    let header = checkpoint::Header::new(1, 0.0, 0, Vec::new(), Record::default());
    let saved = |tensor: Tensor| -> symdiff_train::Result<String> {
        checkpoint::save(&file, &header, &[("ema.layer.weight".to_owned(), tensor)])?;
        let message = checkpoint::load(&file, &Device::Cpu).and_then(|mut loaded| loaded.take("ema"));
        Ok(message.map(|_| ()).map_err(|error| error.to_string()).err().unwrap_or_default())
    };
    let numbers = Tensor::new(&[1_f32, f32::NAN], &Device::Cpu)?;
    assert!(saved(numbers.clone())?.contains("`ema.layer.weight` holds numbers that are not finite"));
    assert!(saved(numbers.to_dtype(DType::F16)?)?.contains("`ema.layer.weight` is of type F16"));
    assert_eq!(saved(numbers.zeros_like()?)?, "");
    Ok(())
}

#[test]
fn a_checkpoint_of_the_first_version_is_read() -> TestResult {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("old.safetensors");
    let header = r#"{"format":1,"step":7,"seconds":1.5,"seed":3,"norms":[],"sizes":[[5,2]],"experiment":"[model]"}"#;
    let metadata = std::collections::HashMap::from([("symdiff".to_owned(), header.to_owned())]);
    let tensor = Tensor::zeros(2, DType::F32, &Device::Cpu)?;
    std::fs::write(&file, safetensors::serialize([("ema.w", &tensor)], Some(metadata))?)?;
    let loaded = checkpoint::load(&file, &Device::Cpu)?.header;
    assert_eq!((loaded.step, loaded.seed, loaded.record.description.as_str()), (7, 3, "[model]"));
    assert_eq!(loaded.record.facts["sizes"], serde_json::json!([[5, 2]]));
    Ok(())
}

#[test]
fn variables_of_candles_own_map_are_trained() -> TestResult {
    let folder = tempfile::tempdir()?;
    let map = VarMap::new();
    let layer = candle_nn::linear(2, 1, VarBuilder::from_varmap(&map, DType::F32, &Device::Cpu))?;
    let line = Line { layer, name: "line", held_out: false };
    let summary = Trainer::start(line, &map, settings(600), 0, folder.path())?.run(&mut go_on)?;
    assert!(summary.loss < 0.1, "{summary:?}");
    Ok(())
}
