//! State dicts that PyTorch wrote (scripts/tiny_golden.py in xtask), taken over or refused.

mod common;

use candle_core::{DType, Device, Tensor};
use common::TestResult;
use std::path::{Path, PathBuf};
use symdiff_core::MarkovKernel;
use symdiff_diffusion::{At, Times};
use symdiff_models::{Trained, import};
use symdiff_mol::data::embedded;
use symdiff_mol::state::Molecules;
use symdiff_ops::{Noise, Ragged, Recording};

fn golden(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(file)
}

/// Imports as symdiff-tiny; the refusal's sentence.
fn refused(from: &Path, model: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    import(from, model, embedded(), &folder.path().join("out.safetensors")).unwrap_err().to_string()
}

#[test]
fn an_imported_model_predicts_what_pytorch_predicts() -> TestResult {
    let folder = tempfile::tempdir()?;
    let out = folder.path().join("tiny.safetensors");
    let made = import(&golden("symdiff-tiny.npy"), "symdiff-tiny", embedded(), &out)?;
    assert_eq!(made.padding, Some(29));
    let trained = Trained::load(&out, &Device::Cpu)?;

    let tensors = candle_core::safetensors::load(golden("symdiff_dynamics.safetensors"), &Device::Cpu)?;
    let sizes: Vec<usize> = tensors["in.num_atoms"].to_vec1::<i64>()?.into_iter().map(|n| n as usize).collect();
    let packed = |name: &str| -> candle_core::Result<Tensor> {
        let rows: candle_core::Result<Vec<_>> = sizes.iter().enumerate().map(|(i, &n)| tensors[name].get(i)?.narrow(0, 0, n)).collect();
        Tensor::cat(&rows?, 0)
    };
    let times = tensors["in.t"].to_dtype(DType::F64)?.to_vec1()?;
    let at = At::new(Molecules::from_joined(&packed("in.z")?, Ragged::from_sizes(&sizes)?)?, Times::PerSample(times));
    let noise = Noise::recorded(Recording::new([tensors["in.haar_gauss"].clone(), packed("in.gamma_noise")?]));
    let found = trained.model.denoiser.sample(&at, noise)?.0.joined()?;
    let expected = packed("out.eps_pad29_cols")?;
    let off = (found - &expected)?.abs()?.flatten_all()?.max(0)?.to_scalar::<f32>()?;
    let largest = expected.abs()?.flatten_all()?.max(0)?.to_scalar::<f32>()?;
    assert!(off <= 1e-5 * largest, "{off} of {largest}");
    Ok(())
}

#[test]
fn another_models_state_dict_is_refused_by_its_first_entries() {
    let sentence = refused(&golden("symdiff-tiny.npy"), "dit-small");
    assert!(sentence.contains("missing, first `model.blocks.0.adaLN_modulation.1.bias`"), "{sentence}");
    assert!(sentence.contains("unexpected, first `gamma_dec.fc1.bias`"), "{sentence}");
    let sentence = refused(&golden("symdiff-tiny.npy"), "symdiff-small");
    assert!(sentence.contains("of another shape, first `gamma_dec.fc1.bias` [8], needed [64]"), "{sentence}");
}

#[test]
fn truncated_files_are_refused() -> TestResult {
    let bytes = std::fs::read(golden("symdiff-tiny.npy"))?;
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("cut.npy");
    for kept in [bytes.len() / 2, bytes.len() - 7, 3, 0] {
        std::fs::write(&path, &bytes[..kept])?;
        let sentence = refused(&path, "symdiff-tiny");
        assert!(sentence.contains("no whole zip archive") || sentence.contains("neither a whole zip archive"), "{sentence}");
    }
    Ok(())
}

/// A zip archive whose index is the given pickle.
fn archive(path: &Path, pickle: &[u8]) -> TestResult {
    use std::io::Write;
    let mut zip = zip::ZipWriter::new(std::fs::File::create(path)?);
    zip.start_file("archive/data.pkl", zip::write::SimpleFileOptions::default())?;
    zip.write_all(pickle)?;
    zip.finish()?;
    Ok(())
}

#[test]
fn a_pickle_that_asks_for_a_class_is_refused_and_nothing_runs() -> TestResult {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("evil.pt");
    // {"k.weight": os.system("true")}
    archive(&path, b"\x80\x02}q\x00X\x08\x00\x00\x00k.weightcos\nsystem\nX\x04\x00\x00\x00true\x85Rs.")?;
    assert!(refused(&path, "symdiff-tiny").contains("`k.weight` asks for `os.system`"), "{}", refused(&path, "symdiff-tiny"));
    // os.system("true") itself
    archive(&path, b"\x80\x02cos\nsystem\nX\x04\x00\x00\x00true\x85R.")?;
    assert!(refused(&path, "symdiff-tiny").contains("it asks for `os.system`"), "{}", refused(&path, "symdiff-tiny"));
    Ok(())
}
