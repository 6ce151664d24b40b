//! One start of the program, and how it ended.

use super::Ground;
use std::fmt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};
use symdiff_cli::{Failure, Outcome};

/// After this long a trial counts as hanging.
const PATIENCE: Duration = Duration::from_secs(60);

/// What a trial came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Verdict {
    /// It worked, and the result is that of an undisturbed run.
    Same,
    /// Wrong input, said in one sentence: exit code 2.
    Refused,
    /// The work failed, said in one sentence: exit code 1.
    Failed,
    /// It was killed, and what it left is whole.
    Killed,
    /// It worked and the result is another.
    Different,
    /// A panic.
    Panic,
    /// An abort or a fault of memory.
    Abort,
    /// No end in sight.
    Hang,
    /// An exit code or a text that the guide does not know.
    Unclear,
    /// A file that should be gone or unchanged.
    Litter,
}

impl Verdict {
    pub(super) const ALL: [Self; 10] = [
        Self::Same,
        Self::Refused,
        Self::Failed,
        Self::Killed,
        Self::Different,
        Self::Panic,
        Self::Abort,
        Self::Hang,
        Self::Unclear,
        Self::Litter,
    ];

    pub(super) fn is_fault(self) -> bool {
        !matches!(self, Self::Same | Self::Refused | Self::Failed | Self::Killed)
    }

    /// The verdict where the input is wrong, if anything is: exit code 1 would then be the wrong one.
    pub(super) fn of_input(self) -> Self {
        if self == Self::Failed { Self::Unclear } else { self }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, out: &mut fmt::Formatter) -> fmt::Result {
        out.pad(match self {
            Self::Same => "same",
            Self::Refused => "refused",
            Self::Failed => "failed",
            Self::Killed => "killed",
            Self::Different => "different",
            Self::Panic => "panic",
            Self::Abort => "abort",
            Self::Hang => "hang",
            Self::Unclear => "unclear",
            Self::Litter => "litter",
        })
    }
}

/// How a start of the program ended.
pub(super) struct End {
    pub(super) status: Option<ExitStatus>,
    pub(super) stderr: String,
}

impl End {
    pub(super) fn succeeded(&self) -> bool {
        self.status.is_some_and(|status| status.success())
    }

    pub(super) fn code(&self) -> Option<i32> {
        self.status.and_then(|status| status.code())
    }

    /// The signal that ended it.
    pub(super) fn signal(&self) -> Option<i32> {
        #[cfg(unix)]
        return self.status.and_then(|status| std::os::unix::process::ExitStatusExt::signal(&status));
        #[cfg(not(unix))]
        return None;
    }

    /// The verdict on the end alone; `Same` stands for success, whose result is still to be compared.
    pub(super) fn verdict(&self) -> Verdict {
        let Some(status) = self.status else { return Verdict::Hang };
        let sentences = self.stderr.lines().filter(|line| line.starts_with("error: ")).count();
        match status.code() {
            _ if self.stderr.contains("panicked at") => Verdict::Panic,
            None => Verdict::Abort,
            Some(0) => Verdict::Same,
            Some(1) if sentences == 1 => Verdict::Failed,
            // Wrong arguments are explained by more lines than one.
            Some(2) if sentences == 1 => Verdict::Refused,
            Some(_) => Verdict::Unclear,
        }
    }

    /// The last line of stderr, for the list of faults.
    pub(super) fn said(&self) -> &str {
        self.stderr.lines().last().unwrap_or("nothing said")
    }
}

impl Ground<'_> {
    /// Starts the program with two threads, in the folder of the campaign.
    pub(super) fn spawn(&self, arguments: &[String]) -> Outcome<Child> {
        started(Command::new(self.program).args(arguments), self.folder)
    }

    /// Runs the program to its end.
    pub(super) fn run(&self, arguments: &[String]) -> Outcome<End> {
        ended(self.spawn(arguments)?)
    }

    /// Runs the program where no file may grow beyond so many KiB: writes fail as on a full disk.
    pub(super) fn run_limited(&self, kib: u64, arguments: &[String]) -> Outcome<End> {
        let script = format!("trap '' XFSZ; ulimit -f {kib}; exec \"$@\"");
        ended(started(Command::new("bash").args(["-c", &script, "bash"]).arg(self.program).args(arguments), self.folder)?)
    }
}

fn started(command: &mut Command, folder: &Path) -> Outcome<Child> {
    let command = command.args(["--threads", "2"]).current_dir(folder).env_remove("RUST_BACKTRACE");
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().map_err(Failure::run)
}

/// Waits for the end, with patience. What the program says fits into a pipe.
pub(super) fn ended(mut child: Child) -> Outcome<End> {
    let start = Instant::now();
    while child.try_wait().map_err(Failure::run)?.is_none() {
        if start.elapsed() > PATIENCE {
            child.kill().map_err(Failure::run)?;
            let output = child.wait_with_output().map_err(Failure::run)?;
            return Ok(End { status: None, stderr: String::from_utf8_lossy(&output.stderr).into_owned() });
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    let output = child.wait_with_output().map_err(Failure::run)?;
    Ok(End { status: Some(output.status), stderr: String::from_utf8_lossy(&output.stderr).into_owned() })
}

/// Sends a signal by name.
pub(super) fn send(signal: &str, child: &Child) -> Outcome<()> {
    // The process may have ended by itself a moment ago.
    Command::new("kill").args([&format!("-{signal}"), &child.id().to_string()]).stderr(Stdio::null()).status().map_err(Failure::run)?;
    Ok(())
}
