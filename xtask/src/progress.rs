//! Progress on stderr for work that takes more than two seconds.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::time::Duration;

/// Nothing is drawn before this long.
const PATIENCE: Duration = Duration::from_secs(2);

/// A count of things done that shows itself once the work takes long. Cleared when dropped.
pub(crate) struct Progress {
    bar: ProgressBar,
}

impl Progress {
    /// Counts towards an unknown end.
    pub(crate) fn new(what: &'static str) -> Self {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} {human_pos} ({per_sec})") {
            bar.set_style(style);
        }
        bar.set_message(what);
        Self { bar }
    }

    /// Counts further things.
    pub(crate) fn advance(&self, by: u64) {
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
