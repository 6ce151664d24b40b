//! `check-ops`: compares every op on a device with the CPU in f64, forward and backward.

use clap::Args;
use serde_json::Value;
use symdiff_cli::{Context, Failure, Outcome};

/// Compare every op on the device (in f32 and bf16, for various sizes) with the CPU in f64, forward and backward.
#[derive(Args)]
pub(crate) struct CheckOps;

#[cfg(feature = "cuda")]
pub(crate) fn run(context: &Context) -> Outcome<Value> {
    let device = context.device()?;
    if device.is_cpu() {
        return Err(Failure::input("check-ops compares a device with the CPU; give --device cuda"));
    }
    let print = |row: &symdiff_ops::agreement::Row| {
        let verdict = if row.agrees() { "ok" } else { "WRONG" };
        let (dtype, errors) = (row.dtype.as_str(), format!("{:.1e} {:.1e} of {:.1e}", row.forward, row.backward, row.tolerance));
        eprintln!("{:<20} {:<24} {dtype:<5} {errors}  {verdict}", row.op, row.shape);
    };
    let rows = symdiff_ops::agreement::compare(&device, print).map_err(Failure::run)?;
    let wrong = rows.iter().filter(|row| !row.agrees()).count();
    if wrong > 0 {
        return Err(Failure::run(format!("{wrong} of {} comparisons disagree with the CPU", rows.len())));
    }
    Ok(serde_json::json!({ "pass": true, "comparisons": rows.len() }))
}

#[cfg(not(feature = "cuda"))]
pub(crate) fn run(_: &Context) -> Outcome<Value> {
    Err(Failure::input("check-ops needs a program built with `--features cuda`"))
}
