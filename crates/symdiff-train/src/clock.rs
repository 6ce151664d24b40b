//! Wall-clock times and rates of a training run.

use std::time::{Duration, Instant};

/// The time since training was started or resumed, and rates since the last report.
#[derive(Debug)]
pub(crate) struct Clock {
    start: Instant,
    from: u64,
    before: f64,
    lap: (Instant, u64),
    shown: (Instant, u64),
}

impl Clock {
    /// Training that is started or resumed now, at step `step`, after `seconds` before it was interrupted.
    pub(crate) fn new(step: u64, seconds: f64) -> Self {
        let now = Instant::now();
        Self { start: now, from: step, before: seconds, lap: (now, step), shown: (now, step) }
    }

    /// Seconds of training, those before interruptions included.
    pub(crate) fn total(&self) -> f64 {
        self.before + self.session()
    }

    /// Steps per second since training was started or resumed.
    pub(crate) fn rate(&self, step: u64) -> f64 {
        (step - self.from) as f64 / self.session().max(1e-9)
    }

    fn session(&self) -> f64 {
        self.start.elapsed().as_secs_f64()
    }

    /// Steps per second since the last lap.
    pub(crate) fn lap(&mut self, step: u64) -> f64 {
        let (since, from) = std::mem::replace(&mut self.lap, (Instant::now(), step));
        (step - from) as f64 / since.elapsed().as_secs_f64().max(1e-9)
    }

    /// Samples per second since the last report, when a tenth of a second has passed.
    pub(crate) fn report(&mut self, step: u64, batch: usize) -> Option<f64> {
        let (since, from) = self.shown;
        let elapsed = since.elapsed();
        (elapsed > Duration::from_millis(100)).then(|| {
            self.shown = (Instant::now(), step);
            (step - from) as f64 * batch as f64 / elapsed.as_secs_f64()
        })
    }
}
