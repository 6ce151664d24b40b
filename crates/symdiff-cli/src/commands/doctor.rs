//! `doctor`: what this machine offers, and what is missing for which command.

use crate::report::Machine;
use clap::Args;
use serde_json::{Value, json};
use std::process::{Command, Stdio};
use symdiff_models::memory;
use symdiff_mol::metrics::Xtb;

/// Show what this machine offers: instruction sets, threads, memory, GPU, MPI, and the optional programs that commands call.
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
            Ok(_) => format!("{}: `evaluate --xtb` measures energies", version("xtb").unwrap_or_else(|| "found".into())),
            Err(error) => error.to_string(),
        };
        let engines = symdiff_ranks::engines();
        let launchers: Vec<String> = ["mpirun", "srun"].into_iter().filter_map(version).collect();
        json!({
            "version": env!("CARGO_PKG_VERSION"),
            "processor": processor,
            "instructions": instructions().join(" "),
            "threads": threads,
            "free_memory_gib": memory::available().map(|bytes| (bytes / f64::from(1 << 30) * 10.0).round() / 10.0),
            "gpu": gpu,
            "processes": if engines.is_empty() {
                "one: this program was built without the features `mpi` and `nccl`".to_owned()
            } else {
                format!("several, joined by {}", engines.join(" and "))
            },
            "launchers": if launchers.is_empty() { "neither mpirun nor srun is on PATH".to_owned() } else { launchers.join("; ") },
            "xtb": xtb,
            "experiments": crate::builtin::experiments().len(),
        })
    }
}

/// What a program says of its version: the first line with a digit, below the banners that some print. `None` where it cannot be started.
fn version(program: &str) -> Option<String> {
    let output = Command::new(program).arg("--version").stdin(Stdio::null()).output().ok()?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let line = said.lines().find(|line| line.contains(|letter: char| letter.is_ascii_digit()))?;
    Some(line.trim_matches([' ', '*']).to_owned())
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
