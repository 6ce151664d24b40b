//! Compiles the kernels: with nvcc for the feature `cuda`, with the host's C++ compiler for the feature `emulate`, not at all without.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

/// Kernels that may spill registers, each with its reason. None does.
const MAY_SPILL: [&str; 0] = [];

fn main() -> Outcome<()> {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rustc-check-cfg=cfg(kernels)");
    let [cuda, emulate] = ["CARGO_FEATURE_CUDA", "CARGO_FEATURE_EMULATE"].map(|name| env::var_os(name).is_some());
    if !cuda && !emulate {
        return Ok(());
    }
    println!("cargo:rustc-cfg=kernels");
    let out = PathBuf::from(env::var("OUT_DIR")?);
    let (sources, headers) = (files("cu")?, files("cuh")?);
    for file in sources.iter().chain(&headers).map(PathBuf::as_path).chain([Path::new("src/emulate")]) {
        println!("cargo:rerun-if-changed={}", file.display());
    }
    if cuda {
        binaries(&sources, &out)?;
    }
    #[cfg(feature = "emulate")]
    emulator(&sources, &out)?;
    Ok(())
}

/// Every file of that ending in the folders below `src`, in order.
fn files(ending: &str) -> Outcome<Vec<PathBuf>> {
    let mut found = Vec::new();
    for folder in fs::read_dir("src")? {
        let folder = folder?.path();
        if folder.is_dir() {
            for file in fs::read_dir(folder)? {
                let file = file?.path();
                found.extend(file.extension().is_some_and(|found| found == ending).then_some(file));
            }
        }
    }
    found.sort();
    Ok(found)
}

/// One fat binary a source (machine code for 9.0, PTX for every chip from 8.0 on), and a table of them as Rust.
fn binaries(sources: &[PathBuf], out: &Path) -> Outcome<()> {
    println!("cargo:rerun-if-env-changed=CUDA_HOME");
    let nvcc = env::var("CUDA_HOME").map_or_else(|_| PathBuf::from("nvcc"), |home| Path::new(&home).join("bin/nvcc"));
    let mut table = String::from("[");
    for source in sources {
        let binary = out.join(source.to_string_lossy().replace(['/', '\\'], "_")).with_extension("fatbin");
        let run = Command::new(&nvcc)
            .args(["-fatbin", "-O3", "-std=c++17", "-Isrc/gpu", "-Xptxas", "-v"])
            .args(["-gencode", "arch=compute_90a,code=sm_90a", "-gencode", "arch=compute_80,code=compute_80", "-o"])
            .args([&binary, source])
            .output()
            .map_err(|error| format!("cannot run {}: {error}; set CUDA_HOME to a CUDA 13 toolkit", nvcc.display()))?;
        let log = String::from_utf8_lossy(&run.stderr);
        if !run.status.success() {
            return Err(format!("nvcc refused {}:\n{log}", source.display()).into());
        }
        refuse_spills(&log)?;
        fs::write(binary.with_extension("ptxas"), log.as_bytes())?;
        for kernel in entries(&log) {
            write!(table, "({kernel:?}, include_bytes!(r\"{}\")),", binary.display())?;
        }
    }
    fs::write(out.join("kernels.rs"), table + "]")?;
    Ok(())
}

/// The names of the entry points that ptxas reports.
fn entries(log: &str) -> impl Iterator<Item = &str> {
    log.lines().filter_map(|line| line.split_once("Compiling entry function '")?.1.split('\'').next())
}

fn refuse_spills(log: &str) -> Outcome<()> {
    let mut kernel = "";
    for line in log.lines() {
        kernel = entries(line).next().unwrap_or(kernel);
        if line.contains("bytes spill stores") && !line.contains(" 0 bytes spill stores") && !MAY_SPILL.contains(&kernel) {
            return Err(format!("{kernel} spills registers:{line}").into());
        }
    }
    Ok(())
}

/// All kernels in one unit, each file in its own namespace, behind `emulator_launch`.
#[cfg(feature = "emulate")]
fn emulator(sources: &[PathBuf], out: &Path) -> Outcome<()> {
    let mut unit = String::from("#include \"kernel.cuh\"\n");
    for (k, source) in sources.iter().enumerate() {
        writeln!(unit, "namespace unit{k} {{\n#include \"{}\"\n}}", fs::canonicalize(source)?.display())?;
    }
    let path = out.join("kernels.cpp");
    fs::write(&path, unit + "#include \"launch.h\"\n")?;
    cc::Build::new()
        .cpp(true)
        .std("c++17")
        .opt_level(1)
        .define("EMULATE", None)
        .includes(["src/gpu", "src/emulate"])
        .flag("-Wno-unknown-pragmas")
        // Fibres jump between stacks, which the checked longjmp takes for a mistake.
        .flag("-U_FORTIFY_SOURCE")
        .flag("-Wno-unused-function")
        .warnings(false)
        .file(path)
        .try_compile("symdiff_kernels")?;
    Ok(())
}
