//! The small set of golden vectors that is committed, at its own tolerances. All of the reference's: see `golden.rs`.

use candle_core::Device;
use std::path::Path;
use symdiff_models::{Error, parity};

#[test]
fn the_committed_vectors_are_met() -> Result<(), Error> {
    let files = parity::files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden"))?;
    assert_eq!(files.len(), 12, "{files:?}");
    for file in files {
        let report = parity::check(&file, &Device::Cpu)?;
        assert!(report.pass, "{report}");
    }
    Ok(())
}
