//! Progress on stderr, for work that takes more than two seconds.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::time::Duration;

/// Nothing is drawn before this long.
const PATIENCE: Duration = Duration::from_secs(2);

/// A count of things done that shows itself once the work takes long. Cleared when dropped.
pub struct Progress {
    bar: ProgressBar,
}

impl Progress {
    /// Counts towards an unknown end.
    pub fn new(what: &'static str) -> Self {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} {human_pos} ({per_sec})") {
            bar.set_style(style);
        }
        bar.set_message(what);
        Self { bar }
    }

    /// Counts further things.
    pub fn advance(&self, by: u64) {
        self.bar.inc(by);
        if self.bar.is_hidden() && self.bar.elapsed() > PATIENCE {
            self.bar.set_draw_target(ProgressDrawTarget::stderr());
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// A fraction of known work, with the time that is left. Cleared when dropped.
pub struct Bar(ProgressBar);

impl Bar {
    const SCALE: u64 = 10_000;

    /// A bar from 0 to 1.
    pub fn new(label: &str) -> Self {
        let bar = ProgressBar::with_draw_target(Some(Self::SCALE), ProgressDrawTarget::hidden());
        if let Ok(style) = ProgressStyle::with_template("{prefix:>12} {bar:32} {percent:>3} %  {elapsed} elapsed, {eta} left  {msg}") {
            bar.set_style(style);
        }
        bar.set_prefix(label.to_owned());
        Self(bar)
    }

    /// Moves to a fraction.
    pub fn show(&self, fraction: f64, message: impl Into<String>) {
        self.0.set_position((fraction * Self::SCALE as f64) as u64);
        self.0.set_message(message.into());
        if self.0.is_hidden() && self.0.elapsed() > PATIENCE {
            self.0.set_draw_target(ProgressDrawTarget::stderr());
        }
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
