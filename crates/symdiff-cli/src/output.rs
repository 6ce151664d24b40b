//! What all commands share: the global options, the logs and the one JSON line at the end.

use crate::failure::{Failure, Outcome};
use crate::job::Job;
use crate::{interrupt, progress, restart};
use candle_core::Device;
use clap::Args;
use serde_json::Value;
use std::io::{ErrorKind, IsTerminal, Write};
use std::path::Path;
use std::process::ExitCode;
use symdiff_ranks::Processes;
use tracing_subscriber::Registry;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer};

/// Something that listens to spans beside the logs: a profile.
pub type Listener = Box<dyn Layer<Registry> + Send + Sync>;

/// The largest number of threads; a larger one is a typing error.
const MOST_THREADS: usize = 1024;

/// The least memory to start with, in addition to that of each thread.
const LEAST_MEMORY: f64 = 32.0 * MIB;
/// Memory for a thread: its stack and working space.
const THREAD: f64 = 4.0 * MIB;
const MIB: f64 = (1 << 20) as f64;

/// Options that every command takes.
#[derive(Args, Debug)]
pub struct Context {
    /// Print the results as one JSON object on the last line of stdout.
    #[arg(long, global = true)]
    pub json: bool,
    /// The device to compute on: `cpu`, `cuda` or `cuda:1`. With several processes on a machine, `cuda` gives each a GPU.
    #[arg(long, global = true, default_value = "cpu")]
    pub device: String,
    /// Seed of every random draw [default: 0, or that of the run to resume].
    #[arg(long, global = true)]
    pub seed: Option<u64>,
    /// Worker threads; all cores by default.
    #[arg(long, global = true)]
    pub threads: Option<usize>,
    /// The processes that were started together with this one.
    #[arg(skip)]
    pub(crate) job: Job,
}

impl Context {
    /// Carries out a command: starts the logs and the threads, does the work, prints its summary, and gives the exit code of the process.
    pub fn carry_out(&self, listener: Option<Listener>, work: impl FnOnce() -> Outcome<Value>) -> ExitCode {
        match self.prepare(listener).and_then(|()| work()).and_then(|summary| self.summarise(&summary)) {
            Ok(()) => ExitCode::SUCCESS,
            Err(failure) => self.job.fail(&failure),
        }
    }

    /// The seed: the one given, or 0.
    pub fn seed(&self) -> u64 {
        self.seed.unwrap_or(0)
    }

    fn prepare(&self, listener: Option<Listener>) -> Outcome<()> {
        restart::with_one_candle_thread();
        if let Some(threads) = self.threads.filter(|threads| *threads > MOST_THREADS) {
            return Err(Failure::input(format!(
                "--threads {threads}: at most {MOST_THREADS} threads are started; leave it out for one a core"
            )));
        }
        enough_memory(self.threads)?;
        if !self.job.speaks() {
            progress::hide();
        }
        let colours = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        let logs = tracing_subscriber::fmt::layer()
            .with_writer(std::io::stderr)
            .with_ansi(colours)
            .with_target(false)
            // A stderr that is full or closed ends no run.
            .log_internal_errors(false)
            .with_filter(
                EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(if self.job.speaks() { "info" } else { "error" })),
            );
        tracing_subscriber::registry().with(listener).with(logs).init();
        symdiff_ops::threads::set(self.threads).map_err(Failure::input)?;
        interrupt::listen();
        Ok(())
    }

    /// The device that tensors live on.
    ///
    /// # Errors
    /// [`Failure::Input`] for a device that does not exist here.
    pub fn device(&self) -> Outcome<Device> {
        let local = self.job.local().to_string();
        let (kind, index) = self.device.split_once(':').unwrap_or((&self.device, &local));
        match (kind, index.parse()) {
            ("cpu", _) => Ok(Device::Cpu),
            ("cuda", Ok(index)) => symdiff_ops::device::cuda(index)
                .map_err(|error| Failure::input(format!("--device {}: {error}; use --device cpu", self.device))),
            _ => Err(Failure::input(format!("--device {} is unknown; use cpu, cuda or cuda:1", self.device))),
        }
    }

    /// The processes that were started together, joined at the first call.
    ///
    /// # Errors
    /// [`Failure::Input`] where this program was built without the engine that joins them.
    pub fn processes(&self, device: &Device) -> Outcome<&Processes> {
        self.job.join(device)
    }

    /// Prints a command's summary: JSON for machines, `key  value` lines for people.
    ///
    /// # Errors
    /// [`Failure::Run`] where stdout cannot be written.
    pub fn summarise(&self, summary: &Value) -> Outcome<()> {
        self.print(&if self.json { format!("{summary}\n") } else { readable(summary) })
    }

    /// Prints text on stdout. A reader that has gone away, such as `head`, is no failure.
    ///
    /// # Errors
    /// [`Failure::Run`] where stdout cannot be written: a full disk.
    pub fn print(&self, text: &str) -> Outcome<()> {
        if !self.job.speaks() {
            return Ok(());
        }
        let mut out = std::io::stdout().lock();
        match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
            Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(Failure::run(format!("cannot write to stdout: {error}"))),
            _ => Ok(()),
        }
    }
}

/// Refuses to start where the system, or a limit on this process, leaves next to no memory: what fails then is not ours to report.
fn enough_memory(threads: Option<usize>) -> Outcome<()> {
    let threads = threads.or_else(|| std::thread::available_parallelism().ok().map(Into::into)).unwrap_or(1);
    let needed = LEAST_MEMORY + THREAD * threads as f64;
    match symdiff_models::memory::available() {
        Some(there) if there < needed => {
            let (there, needed) = (there.max(0.0) / MIB, needed / MIB);
            Err(Failure::run(format!(
                "{there:.0} MiB of memory are left for this process, and {threads} threads need {needed:.0}; see `ulimit -v`"
            )))
        }
        _ => Ok(()),
    }
}

/// A path as the summary shows it; bytes that are no UTF-8 are replaced.
pub fn shown(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

/// Scalars of the summary and lists of scalars, one per line; nested rows are left to the command's own table.
fn readable(summary: &Value) -> String {
    let Some(map) = summary.as_object() else { return String::new() };
    map.iter().filter_map(|(key, value)| Some(format!("{key:<24} {}\n", on_a_line(value)?))).collect()
}

/// A scalar, `a, b, c`, or `C 3, H 8`; `None` of what is nested deeper.
fn on_a_line(value: &Value) -> Option<String> {
    let scalar = |value: &Value| match value {
        Value::Array(_) | Value::Object(_) => None,
        Value::Number(number) if number.is_f64() => Some(format!("{:.6}", number.as_f64()?)),
        Value::String(text) => Some(text.clone()),
        _ => Some(value.to_string()),
    };
    let parts: Option<Vec<String>> = match value {
        Value::Array(items) => items.iter().map(scalar).collect(),
        Value::Object(map) => map.iter().map(|(key, value)| Some(format!("{key} {}", scalar(value)?))).collect(),
        _ => return scalar(value),
    };
    parts.map(|parts| if parts.is_empty() { "none".to_owned() } else { parts.join(", ") })
}
