//! Tests that read the reference vectors and data sets beside the workspace, in `../shared`. Where that folder is absent they count as
//! ignored, and say why; libtest decides this when it compiles, so these tests have a harness that decides when it runs.
//!
//! A crate has them in a test target of their own:
//!
//! ```toml
//! [[test]]
//! name = "golden"
//! harness = false
//! ```
//!
//! ```text
//! // tests/golden.rs
//! symdiff_golden::tests![the_step_agrees, the_norm_agrees];
//!
//! fn the_step_agrees() -> Result<(), Box<dyn std::error::Error>> { … }
//! ```

use candle_core::{DType, Device, Tensor};
use libtest_mimic::{Arguments, Failed, Trial};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::{ExitCode, Termination};

/// The `main` of a test target: each name is that of a function that libtest would take for a test.
#[macro_export]
macro_rules! tests {
    ($($test:ident),+ $(,)?) => {
        fn main() -> ::std::process::ExitCode {
            $crate::run(vec![$($crate::test(stringify!($test), $test)),+])
        }
    };
}

/// One test, ignored where [`shared`] is no folder.
pub fn test<T: Termination + 'static>(name: &str, body: fn() -> T) -> Trial {
    always(name, body).with_kind("needs ../shared").with_ignored_flag(!shared().is_dir())
}

/// One test that needs nothing beside the workspace.
pub fn always<T: Termination + 'static>(name: &str, body: fn() -> T) -> Trial {
    // As in libtest: a failure is a panic, or an error, which `report` prints.
    Trial::test(name, move || if body().report() == ExitCode::SUCCESS { Ok(()) } else { Err(Failed::without_message()) })
}

/// Runs tests as libtest would, with its arguments.
pub fn run(tests: Vec<Trial>) -> ExitCode {
    libtest_mimic::run(&Arguments::from_args(), tests).exit_code()
}

/// The folder beside the workspace.
pub fn shared() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared")
}

/// The tensors of a file of golden vectors, such as `gaussian_basis`.
///
/// # Errors
/// When there is no such file.
pub fn tensors(name: &str) -> candle_core::Result<HashMap<String, Tensor>> {
    candle_core::safetensors::load(shared().join("golden").join(name).with_extension("safetensors"), &Device::Cpu)
}

/// Panics unless the shapes agree and no entry is off by more than `tolerance` times the largest entry of `expected`.
///
/// # Errors
/// When the tensors cannot be read.
pub fn assert_close(what: &str, got: &Tensor, expected: &Tensor, tolerance: f64) -> candle_core::Result<()> {
    assert_eq!(got.dims(), expected.dims(), "{what}");
    let flat = |tensor: &Tensor| tensor.to_dtype(DType::F64)?.flatten_all()?.to_vec1::<f64>();
    let (got, expected) = (flat(got)?, flat(expected)?);
    let scale = expected.iter().fold(0.0_f64, |largest, value| largest.max(value.abs()));
    for (place, (got, expected)) in got.iter().zip(&expected).enumerate() {
        let close = (got - expected).abs() <= tolerance * scale;
        assert!(close, "{what}: entry {place} is {got}, expected {expected} ± {:e}", tolerance * scale);
    }
    Ok(())
}
