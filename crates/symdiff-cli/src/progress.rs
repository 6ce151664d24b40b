//! Progress on stderr, for work that takes more than two seconds: a bar on a terminal, elsewhere a plain line now and then, so that the log of a long run
//! shows that it is alive.

use crate::failure::note;
use indicatif::{HumanCount, HumanDuration, ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::IsTerminal;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Set where another process of the job speaks for all.
static HIDDEN: AtomicBool = AtomicBool::new(false);

/// Draws nothing from now on.
pub(crate) fn hide() {
    HIDDEN.store(true, Ordering::Relaxed);
}

/// True after [`hide`].
pub(crate) fn hidden() -> bool {
    HIDDEN.load(Ordering::Relaxed)
}

/// Nothing is drawn before this long.
const PATIENCE: Duration = Duration::from_secs(2);

/// Without a terminal: seconds before the first line, and between two lines.
const FIRST: u64 = 20;
const BETWEEN: u64 = 60;

/// A bar that shows itself once the work takes long. Cleared when dropped.
struct Patient {
    bar: ProgressBar,
    terminal: bool,
    /// When the next line is due, in seconds.
    next: AtomicU64,
}

impl Patient {
    fn new(length: Option<u64>, template: &str) -> Self {
        let bar = ProgressBar::with_draw_target(length, ProgressDrawTarget::hidden());
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        Self { bar, terminal: std::io::stderr().is_terminal(), next: AtomicU64::new(FIRST) }
    }

    /// To be called after each advance; `line` is for where no bar can be drawn.
    fn show(&self, line: impl FnOnce(&ProgressBar) -> String) {
        if hidden() {
            return;
        }
        let elapsed = self.bar.elapsed();
        if self.terminal && self.bar.is_hidden() && elapsed > PATIENCE {
            self.bar.set_draw_target(ProgressDrawTarget::stderr());
        }
        let due = self.next.load(Ordering::Relaxed);
        let late = !self.terminal && elapsed.as_secs() >= due;
        // Of the threads that find it late, one writes.
        if late && self.next.compare_exchange(due, elapsed.as_secs() + BETWEEN, Ordering::Relaxed, Ordering::Relaxed).is_ok() {
            note(&line(&self.bar));
        }
    }
}

impl Drop for Patient {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// A count of things done.
pub struct Progress(Patient);

impl Progress {
    /// Counts towards an unknown end.
    pub fn new(what: &'static str) -> Self {
        let patient = Patient::new(None, "{spinner} {msg} {human_pos} ({per_sec})");
        patient.bar.set_message(what);
        Self(patient)
    }

    /// Counts further things.
    pub fn advance(&self, by: u64) {
        self.0.bar.inc(by);
        self.0.show(|bar| format!("{}: {} in {}", bar.message(), HumanCount(bar.position()), HumanDuration(bar.elapsed())));
    }
}

/// Shows work in stages, each by a bar from 0 to 1 that begins when the stage is first named.
pub(crate) fn stages() -> impl FnMut(&str, f64) {
    let mut current: Option<(String, Bar)> = None;
    move |stage, done| {
        let (_, bar) = match current.take().filter(|(name, _)| name == stage) {
            Some(same) => current.insert(same),
            None => current.insert((stage.to_owned(), Bar::new(stage))),
        };
        bar.show(done, "");
    }
}

/// Shows a transfer, of which so many bytes have come, out of a number that may not be known.
pub(crate) fn transfer(label: &str) -> impl FnMut(u64, Option<u64>) {
    let bar = Bar::new(label);
    move |have, total| {
        let share = total.map_or(0.0, |total| have as f64 / total.max(1) as f64);
        bar.show(share, format!("{:.1} MB", have as f64 / 1e6));
    }
}

/// A fraction of known work, with the time that is left: by the mean pace since it was first shown, so that the part that an earlier process did does not
/// count as work of a moment.
pub struct Bar {
    patient: Patient,
    /// When it was first shown, and at which fraction.
    start: OnceLock<(Instant, f64)>,
}

impl Bar {
    const SCALE: u64 = 10_000;

    /// A bar from 0 to 1.
    pub fn new(label: &str) -> Self {
        let patient = Patient::new(Some(Self::SCALE), "{prefix:>12} {bar:32} {percent:>3} %  {elapsed} elapsed  {msg}");
        patient.bar.set_prefix(label.to_owned());
        Self { patient, start: OnceLock::new() }
    }

    /// Moves to a fraction.
    pub fn show(&self, fraction: f64, message: impl Into<String>) {
        let (began, from) = *self.start.get_or_init(|| (Instant::now(), fraction));
        let left = left(began.elapsed(), fraction - from, 1.0 - fraction);
        let left = left.map(|left| format!("about {} left  ", HumanDuration(left))).unwrap_or_default();
        let bar = &self.patient.bar;
        bar.set_position((fraction * Self::SCALE as f64) as u64);
        bar.set_message(left + &message.into());
        self.patient.show(|bar| {
            let done = format!("{}: {:.1} % in {}", bar.prefix(), 100.0 * fraction, HumanDuration(bar.elapsed()));
            [done, bar.message()].join(", ").trim_end_matches([',', ' ']).to_owned()
        });
    }
}

/// The time of the rest at the pace of what is done; none before anything is.
fn left(elapsed: Duration, done: f64, rest: f64) -> Option<Duration> {
    Duration::try_from_secs_f64(elapsed.as_secs_f64() * rest.max(0.0) / done).ok().filter(|_| done > 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rest_takes_as_long_as_what_was_done_here() {
        let seconds = Duration::from_secs;
        assert_eq!(left(seconds(20), 0.25, 0.75), Some(seconds(60)));
        // Resumed at 60 %: a fiftieth of the work took 40 seconds.
        assert_eq!(left(seconds(40), 0.02, 0.38).map(|left| left.as_secs_f64().round()), Some(760.0));
        assert_eq!((left(seconds(20), 0.0, 1.0), left(seconds(20), 1.0, 0.0)), (None, Some(Duration::ZERO)));
    }
}
