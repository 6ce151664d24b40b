//! The table of a fixed schedule, as a state dict holds it.
//!
//! There it is a parameter, so the published code averages it in f32 like the weights. Every step e ← 0.9999·e + 0.0001·γ is rounded. Once the increment 0.0001·(γ − e) is below
//! half a unit in the last place, e no longer changes: it may differ from γ by that over 0.0001, 5·10⁻³ for |γ| between 8 and 16. The published process uses the
//! drifted table, so that its likelihoods can be reproduced only with that table.

use super::error::{ImportError, Read};
use crate::experiment::{Diffusion, ScheduleKind};
use symdiff_diffusion::Tabulated;

/// The largest drift by averaging with decay 0.9999. Tables of other schedules are off by more than 3, of other precisions by more than 0.1.
const LIMIT: f64 = 5e-3;

/// The largest relative error of rounding to bf16, f16's being smaller.
const COARSE: f64 = 1.0 / 512.0;

/// How far the file's γ is from the schedule of the run's settings, whose log-SNR at t is `log_snr`; refused when that is more than averaging explains,
/// and rounding where γ is `coarse`.
pub(super) fn checked(gamma: &[f64], coarse: bool, settings: &Diffusion, log_snr: &dyn Fn(f64) -> f64, remedy: &'static str) -> Read<f64> {
    let largest = gamma.iter().fold(0.0, |largest: f64, gamma| largest.max(gamma.abs()));
    let limit = if coarse { LIMIT + largest * COARSE } else { LIMIT };
    let steps = settings.steps;
    let here = |k: usize| -log_snr(k as f64 / steps as f64);
    let off = gamma.iter().enumerate().map(|(k, gamma)| (gamma - here(k)).abs()).fold(0.0, f64::max);
    if gamma.len() == steps + 1 && off <= limit && settings.schedule != ScheduleKind::Learned {
        return Ok(off);
    }
    let schedule = settings.schedule.to_string();
    Err(ImportError::Schedule { levels: gamma.len(), schedule, steps, off, limit, remedy })
}

/// The table as a schedule; an entry that is not finite is refused.
pub(crate) fn stored(gamma: &[f64]) -> crate::Result<Tabulated> {
    Ok(Tabulated::from_log_snrs(gamma.iter().map(|gamma| -gamma).collect())?)
}
