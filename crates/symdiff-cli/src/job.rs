//! The processes that were started together with this one.

use crate::failure::{Failure, Outcome};
use candle_core::Device;
use std::cell::OnceCell;
use std::process::ExitCode;
use std::thread::sleep;
use std::time::Duration;
use symdiff_ranks::{Launched, Processes};

/// A process that fails lets rank 0 speak first: where all fail for one reason, one sentence is enough.
const COURTESY: Duration = Duration::from_secs(1);

/// What is known of the job: at first what the launcher says, later the joined processes.
#[derive(Debug)]
pub(crate) struct Job {
    launched: Option<Launched>,
    /// What is wrong with what the launcher says.
    fault: Option<String>,
    processes: OnceCell<Processes>,
}

impl Default for Job {
    fn default() -> Self {
        let (launched, fault) = Launched::find().map_or_else(|error| (None, Some(error.to_string())), |launched| (launched, None));
        Self { launched, fault, processes: OnceCell::new() }
    }
}

impl Job {
    /// True for the one process that logs, prints and writes.
    pub(crate) fn speaks(&self) -> bool {
        self.launched.as_ref().is_none_or(|launched| launched.rank == 0)
    }

    /// How many processes were started together.
    pub(crate) fn size(&self) -> usize {
        self.launched.as_ref().map_or(1, |launched| launched.size)
    }

    /// The number of this process among those of its machine.
    pub(crate) fn local(&self) -> usize {
        self.launched.as_ref().map_or(0, |launched| launched.local)
    }

    /// Joins the others, at the first call.
    pub(crate) fn join(&self, device: &Device) -> Outcome<&Processes> {
        if let Some(fault) = &self.fault {
            return Err(Failure::input(fault));
        }
        if self.processes.get().is_none() {
            let joined = Processes::join(self.launched.as_ref(), device).map_err(Failure::input)?;
            // The cell was empty.
            let _ = self.processes.set(joined);
        }
        self.processes.get().ok_or_else(|| Failure::run("the processes are not joined"))
    }

    /// Reports a failure and ends the others. A signal ends all of them after the same step: one speaks, and there is nobody to end.
    pub(crate) fn fail(&self, failure: &Failure) -> ExitCode {
        let interrupted = matches!(failure, Failure::Interrupted { .. });
        if !self.speaks() && !interrupted {
            sleep(COURTESY);
        }
        if self.speaks() || !interrupted {
            failure.report(self.launched.as_ref().map(|launched| launched.rank));
        }
        if let (false, Some(processes)) = (interrupted, self.processes.get()) {
            processes.abort(failure.code());
        }
        ExitCode::from(failure.code())
    }
}
