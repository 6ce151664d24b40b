//! What all commands share: the global options, the logs and the one JSON line at the end.

use crate::commands::{Profile, WhenStarted};
use crate::failure::{Failure, Outcome};
use candle_core::Device;
use clap::Args;
use serde_json::Value;
use std::io::{IsTerminal, Write};
use std::process::ExitCode;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer};

/// Options that every command takes.
#[derive(Args, Debug)]
pub(crate) struct Context {
    /// Print exactly one JSON object as the last line of stdout.
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Where tensors live: `cpu`, `cuda` or `cuda:1`.
    #[arg(long, global = true, default_value = "cpu")]
    pub(crate) device: String,
    /// Seed of every random draw.
    #[arg(long, global = true, default_value_t = 0)]
    pub(crate) seed: u64,
    /// Worker threads; all cores by default.
    #[arg(long, global = true)]
    pub(crate) threads: Option<usize>,
}

impl Context {
    /// Starts the logs, the thread pool and, if there is one, the listener to ops.
    pub(crate) fn prepare(&self, profile: Option<Profile>) -> Outcome<()> {
        let logs = tracing_subscriber::fmt::layer()
            .with_writer(std::io::stderr)
            .with_ansi(std::io::stderr().is_terminal())
            .with_target(false)
            .with_filter(EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info")));
        tracing_subscriber::registry().with(logs).with(profile.map(|profile| profile.with_filter(WhenStarted))).init();
        symdiff_ops::threads::set(self.threads).map_err(Failure::input)
    }

    /// The device that tensors live on.
    pub(crate) fn device(&self) -> Outcome<Device> {
        let (kind, index) = self.device.split_once(':').unwrap_or((&self.device, "0"));
        match (kind, index.parse()) {
            ("cpu", _) => Ok(Device::Cpu),
            ("cuda", Ok(index)) => symdiff_ops::device::cuda(index)
                .map_err(|error| Failure::input(format!("--device {}: {error}; use --device cpu", self.device))),
            _ => Err(Failure::input(format!("--device {} is unknown; use cpu, cuda or cuda:1", self.device))),
        }
    }

    /// Prints a command's summary: JSON for machines, `key  value` lines for people.
    pub(crate) fn finish(&self, summary: &Value) -> ExitCode {
        let mut out = std::io::stdout().lock();
        let printed =
            if self.json { writeln!(out, "{summary}") } else { readable(summary).lines().try_for_each(|line| writeln!(out, "{line}")) };
        match printed {
            Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
                Failure::run(format!("cannot write to stdout: {error}")).report()
            }
            _ => ExitCode::SUCCESS,
        }
    }
}

/// Scalars of the summary, one a line; nested rows are left to the command's own table.
fn readable(summary: &Value) -> String {
    let Some(map) = summary.as_object() else {
        return summary.to_string();
    };
    map.iter()
        .filter(|(_, value)| !value.is_array() && !value.is_object())
        .map(|(key, value)| match value.as_f64() {
            Some(number) if value.is_f64() => format!("{key:<24} {number:.6}\n"),
            _ => format!("{key:<24} {}\n", value.as_str().map_or_else(|| value.to_string(), str::to_owned)),
        })
        .collect()
}
