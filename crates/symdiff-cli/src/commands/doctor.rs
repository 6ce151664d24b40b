//! `doctor`: what this machine offers, and what is missing for which command.

use crate::report::Machine;
use clap::Args;
use serde_json::{Value, json};
use symdiff_models::memory;
use symdiff_mol::metrics::Xtb;

/// Show what this machine offers: instruction sets, threads, memory, GPU, and the optional programs that commands call.
#[derive(Args)]
pub(crate) struct Doctor {}

impl Doctor {
    pub(crate) fn run() -> Value {
        let Machine { processor, threads } = Machine::here();
        let gpu = match symdiff_ops::device::cuda(0) {
            Ok(_) => "cuda:0 answers".to_owned(),
            Err(error) => error.to_string(),
        };
        let xtb = match Xtb::find("xtb", std::time::Duration::from_secs(10)) {
            Ok(_) => "found: `evaluate --xtb` measures energies".to_owned(),
            Err(error) => error.to_string(),
        };
        json!({
            "version": env!("CARGO_PKG_VERSION"),
            "processor": processor,
            "instructions": instructions().join(" "),
            "threads": threads,
            "free_memory_gib": memory::available().map(|bytes| (bytes / f64::from(1 << 30) * 10.0).round() / 10.0),
            "gpu": gpu,
            "xtb": xtb,
            "experiments": crate::builtin::experiments().len(),
        })
    }
}

/// The instruction sets that ops are compiled for and that this processor has, the fastest last.
#[cfg(target_arch = "x86_64")]
fn instructions() -> Vec<&'static str> {
    let kernel = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let sets = [
        ("avx2", is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma")),
        ("avx512f", is_x86_feature_detected!("avx512f")),
        ("avx512bf16", is_x86_feature_detected!("avx512bf16")),
        ("amx-bf16", kernel.contains("amx_bf16")),
    ];
    sets.into_iter().filter_map(|(name, has)| has.then_some(name)).collect()
}

#[cfg(not(target_arch = "x86_64"))]
fn instructions() -> Vec<&'static str> {
    vec![std::env::consts::ARCH]
}
