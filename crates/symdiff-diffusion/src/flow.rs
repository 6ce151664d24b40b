//! How probable data are under the deterministic sampler.

use crate::prediction::{mixed, same};
use crate::process::{check_whole, dimensions};
use crate::{Eps, Error, NoiseField, Result};
use candle_core::{DType, Tensor, Var};
use symdiff_ops::{Euclidean, Noise};

/// The log-density of z₀ under the probability flow from the noise at t = 1, `[B]` in f64, in nats: what a deterministic sampler with as fine a grid draws from.
///
/// With the angle φ = atan(σ/α) and the radius r = √(α² + σ²), w = z/r moves by dw/dφ = cos φ·ε̂ − sin φ·x̂ =: v, hence
///
///   log p(z₀) = log N(z₁; 0, s²) + D·log(r₁/r₀) + ∫ div v dφ,
///
/// along the trajectory that starts in z₀. Both integrals are taken by Heun's rule over `times`, which fall from 1 to 0 as for sampling. Where data have unit variance v
/// is small, and so is the error. The divergence is estimated by uᵀ·(∂v/∂w)·u with one normal u for each sample, the same along the trajectory: an estimate without bias
/// of log p(z₀). It is a number without a gradient, also where z₀ or the denoiser's parameters are tracked.
///
/// The denoiser must draw the same at every call, as a deterministic one does, or one whose frames are kept. In the latter case the
/// law of samples is the mean of the densities over frames, so that by Jensen's inequality −log p estimated here is too large on average, never too small.
///
/// # Cost
/// Two calls of the denoiser and their backward passes per step.
///
/// # Errors
/// When times do not fall from 1 to 0; whatever the denoiser returns, or when the noise that it predicts has no gradient with respect to the state.
///
/// # Source
/// Song et al., arXiv 2011.13456, section D.2; Grathwohl et al., arXiv 1810.01367, for the estimate.
pub fn log_density<S: Euclidean>(field: &NoiseField<S>, z0: &S, times: &[f64], noise: Noise) -> Result<Tensor> {
    check_whole(times)?;
    let [probe, kernel] = noise.split();
    let z0 = &z0.detached();
    let (probe, kernels) = (z0.gaussian(probe)?, kernel.steps());
    let places: Vec<Place> = times.iter().rev().map(|&t| Place::at(field, t)).collect();
    let (first, last) = (&places[0], &places[places.len() - 1]);
    let mut w = mixed(z0, &same(first.radius.recip(), z0)?, z0, &same(0.0, z0)?)?;
    let mut gain = Tensor::zeros(z0.samples().len(), DType::F64, &z0.device())?;
    for (step, pair) in places.windows(2).enumerate() {
        let turn = pair[1].angle - pair[0].angle;
        let [here, there] = [0, 1].map(|half| kernels.at(2 * step as u64 + half));
        let (v, divergence) = pair[0].velocity(field, &w, &probe, here)?;
        let ahead = mixed(&w, &same(1.0, z0)?, &v, &same(turn, z0)?)?;
        let (v_ahead, divergence_ahead) = pair[1].velocity(field, &ahead, &probe, there)?;
        let half = same(0.5 * turn, z0)?;
        w = mixed(&mixed(&w, &same(1.0, z0)?, &v, &half)?, &same(1.0, z0)?, &v_ahead, &half)?;
        gain = (gain + ((divergence + divergence_ahead)? * (0.5 * turn))?)?;
    }
    let (start, dimensions) = (field.process().path().start(), dimensions(z0, &z0.device())?);
    let normal = (w.squared_norms()?.to_dtype(DType::F64)? * (-0.5 * (last.radius / start).powi(2)))?;
    let volume = (last.radius / first.radius).ln() - start.ln() - 0.5 * std::f64::consts::TAU.ln();
    Ok(((normal + gain)? + (dimensions * volume)?)?)
}

/// A time in the coordinates of the flow.
struct Place {
    time: f64,
    angle: f64,
    radius: f64,
}

impl Place {
    fn at<S: Euclidean>(field: &NoiseField<S>, time: f64) -> Self {
        let at = field.process().path().at(time);
        Self { time, angle: at.sigma.atan2(at.alpha), radius: at.sigma.hypot(at.alpha) }
    }

    /// v at w, and uᵀ·(∂v/∂w)·u, the derivative of uᵀ·v(w + c·u) with respect to c at 0.
    ///
    /// Since v(w + c·u) = ε̂/cos φ − (w + c·u)·sin φ/cos φ, this is (d/dc uᵀ·ε̂)/cos φ − |u|²·sin φ/cos φ. Only the former is left to the backward pass, so that
    /// a denoiser without a gradient shows.
    fn velocity<S: Euclidean>(&self, field: &NoiseField<S>, w: &S, probe: &S, noise: Noise) -> Result<(S, Tensor)> {
        let along = Var::zeros(w.samples().len(), DType::F64, &w.device())?;
        let moved = mixed(w, &same(1.0, w)?, probe, along.as_tensor())?;
        let z = mixed(&moved, &same(self.radius, w)?, w, &same(0.0, w)?)?;
        let Eps(noise) = field.eps(&z, self.time, noise)?;
        let (sin, cos) = self.angle.sin_cos();
        let v = mixed(&moved, &same(-sin / cos, w)?, &noise, &same(cos.recip(), w)?)?;
        // uᵀ·ε̂ as (|u + ε̂|² − |u − ε̂|²)/4, since norms are all that a Euclidean state tells.
        let one = same(1.0, w)?;
        let [sum, difference] = [mixed(&noise, &one, probe, &one)?, mixed(&noise, &one, probe, &one.neg()?)?];
        let product = ((sum.squared_norms()? - difference.squared_norms()?)? * 0.25)?;
        let gradients = product.sum_all()?.backward()?;
        let of_noise = gradients.get(along.as_tensor()).ok_or_else(|| {
            Error::Config(
                "the noise that the denoiser predicts has no gradient with respect to its state; let it not detach the state".into(),
            )
        })?;
        let linear = (probe.squared_norms()?.to_dtype(DType::F64)? * (sin / cos))?;
        Ok((v.detached(), ((of_noise / cos)? - linear)?))
    }
}
