//! Golden vectors: those of the reference when they are beside the workspace, and a small committed set of this project's own always.

use candle_core::Device;
use std::path::{Path, PathBuf};
use symdiff_models::parity;

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Every file of the folder, with what is wrong with it.
fn failures(folder: &Path) -> Vec<String> {
    let files = parity::files(folder).unwrap();
    let reports = files.iter().map(|file| parity::check(file, &Device::Cpu).unwrap());
    let told = reports.inspect(|report| println!("{report}"));
    told.filter(|report| !report.pass).map(|report| report.to_string()).collect()
}

#[test]
fn the_reference_is_met() {
    let golden = workspace().join("../shared/golden");
    if !golden.is_dir() {
        println!("skipped: there is no folder {}", golden.display());
        return;
    }
    assert_eq!(failures(&golden), Vec::<String>::new());
}

#[test]
fn the_committed_vectors_are_met() {
    assert_eq!(failures(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden")), Vec::<String>::new());
}
