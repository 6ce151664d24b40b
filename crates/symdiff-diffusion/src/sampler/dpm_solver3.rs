//! The deterministic three-step sampler.

use super::{NoiseField, Sampler, Span};
use crate::prediction::{mixed, same};
use crate::{Clean, Levels, Result};
use symdiff_ops::{Euclidean, Noise};

/// DPM-Solver++(3M): the flow's solution z_s = σ_s/σ_t·z_t + α_s·∫₀¹ h·e^{−h(1−τ)}·x̂(τ) dτ, where x̂ is replaced by the parabola through the last three predictions as a
/// function of log SNR, and h = ½·(log SNR(s) − log SNR(t)). Third order in h at one call of the denoiser a step.
///
/// With the divided differences a = (x̂ − x̂′)/r and b = (a − a′)/(r + r′), where r and r′ are the lengths of the two steps before over h, the parabola is x̂ + τ·a + τ·(τ + r)·b, and
/// the integrals of 1, τ and τ² are I₀ = 1 − e^{−h}, I₁ = 1 − I₀/h and I₂ = 1 − 2·I₁/h. Programs of the authors and others count b with half of I₂, which leaves the method at order 2.
///
/// The first step has no past: it takes the line to a prediction at its own end, which serves the second step as its first. The last takes the line through two
/// predictions, or the newest alone where it is longer than twice the step before, since log SNR may rise steeply near 0. Neither costs an order or a call.
///
/// # Source
/// Lu et al., arXiv 2211.01095; it is the exponential Adams–Bashforth method of three steps (Hochbruck and Ostermann, Acta Numerica 19, 2010, section 2.5).
#[derive(Clone, Copy, Debug, Default)]
pub struct DpmSolver3;

/// What [`DpmSolver3`] remembers of its steps.
#[derive(Clone, Debug)]
pub struct Trail<S> {
    /// The prediction at the time that was reached, where it is known already.
    here: Option<Seen<S>>,
    /// At most two predictions, the later first.
    past: Vec<Seen<S>>,
}

/// A prediction.
#[derive(Clone, Debug)]
struct Seen<S> {
    clean: S,
    /// ½·log SNR of its time.
    at: f64,
}

impl<S> Default for Trail<S> {
    fn default() -> Self {
        Self { here: None, past: Vec::new() }
    }
}

impl<S: Euclidean> Sampler<S> for DpmSolver3 {
    type Memory = Trail<S>;

    fn step(&self, field: &NoiseField<S>, span: Span, z: &S, trail: Trail<S>, noise: Noise) -> Result<(S, Trail<S>)> {
        let [kernel, ahead] = noise.split();
        let [t, s] = span.levels(field, z)?;
        let Trail { here, mut past } = trail;
        let now = here.map_or_else(|| Seen::at(field, z, span.from, &t, kernel), Ok)?;
        let h = half_log_snr(field, span.to) - now.at;
        let (last, moved) = (span.to <= 0.0, |mean: S| mixed(z, &(&s.sigma / &t.sigma)?, &mean, &s.alpha));
        // Where the schedule rests, there is nothing to extrapolate over.
        past.retain(|before| before.at < now.at && h > 0.0);
        if past.is_empty() && !last && h > 0.0 {
            let there = Seen::at(field, &moved(averaged(&now, &[], h)?)?, span.to, &s, ahead)?;
            let next = moved(averaged(&now, std::slice::from_ref(&there), h)?)?;
            return Ok((next, Trail { here: Some(there), past: vec![now] }));
        }
        if last {
            past.retain(|before| 2.0 * (now.at - before.at) >= h);
            past.truncate(1);
        }
        let next = moved(averaged(&now, &past, h)?)?;
        past.insert(0, now);
        past.truncate(2);
        Ok((next, Trail { here: None, past }))
    }
}

impl<S: Euclidean> Seen<S> {
    fn at(field: &NoiseField<S>, z: &S, time: f64, levels: &Levels, noise: Noise) -> Result<Self> {
        let Clean(clean) = field.eps(z, time, noise)?.clean(z, levels)?;
        Ok(Self { clean, at: half_log_snr(field, time) })
    }
}

fn half_log_snr<S: Euclidean>(field: &NoiseField<S>, time: f64) -> f64 {
    0.5 * field.process().path().log_snr(time)
}

/// ∫₀¹ h·e^{−h(1−τ)}·x̂(τ) dτ for the polynomial through `now` and up to two `others`.
fn averaged<S: Euclidean>(now: &Seen<S>, others: &[Seen<S>], h: f64) -> Result<S> {
    let zeroth = -(-h).exp_m1();
    let first = 1.0 - zeroth / h;
    let second = 1.0 - 2.0 * first / h;
    let x = &now.clean;
    let mix = |a: f64, other: &S, b: f64, base: &S| mixed(base, &same(a, x)?, other, &same(b, x)?);
    match others {
        [] => mix(zeroth, x, 0.0, x),
        [one] => {
            let share = first * h / (now.at - one.at);
            mix(zeroth + share, &one.clean, -share, x)
        }
        [before, older, ..] => {
            let (r, q) = ((now.at - before.at) / h, (before.at - older.at) / h);
            let curve = (second + first * r) / (r + q);
            let (newer, oldest) = ((first + curve) / r, curve / q);
            mix(1.0, &older.clean, oldest, &mix(zeroth + newer, &before.clean, -newer - oldest, x)?)
        }
    }
}
