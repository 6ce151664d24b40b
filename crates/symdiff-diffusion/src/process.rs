//! The forward process: a path and the times on it that occur.

use crate::time::coefficient;
use crate::{Error, Grid, Levels, Path, Result, Times};
use candle_core::{DType, Device, Tensor};
use std::fmt::{self, Debug, Formatter};
use std::sync::Arc;
use symdiff_ops::{Euclidean, Noise};

/// A path with the times at which it is trained and sampled. Cloning is cheap: copies share the path.
#[derive(Clone)]
pub struct Process {
    path: Arc<dyn Path>,
    steps: usize,
    continuous: bool,
}

impl Process {
    /// A process in T = `steps` steps: its times are 0, 1/T, …, 1.
    ///
    /// # Errors
    /// [`Error::Config`] when there is no step.
    pub fn new(path: impl Path + 'static, steps: usize) -> Result<Self> {
        if steps == 0 {
            return Err(Error::Config("a process needs at least one step".into()));
        }
        Ok(Self { path: Arc::new(path), steps, continuous: false })
    }

    /// A process at all times of \[0, 1\], which is sampled in `steps` steps unless told otherwise.
    ///
    /// # Errors
    /// [`Error::Config`] when there is no step.
    pub fn continuous(path: impl Path + 'static, steps: usize) -> Result<Self> {
        Ok(Self { continuous: true, ..Self::new(path, steps)? })
    }

    /// T.
    pub fn steps(&self) -> usize {
        self.steps
    }

    /// Whether all times of \[0, 1\] occur in it, so that it can be sampled in any number of steps.
    pub fn is_continuous(&self) -> bool {
        self.continuous
    }

    /// The path.
    pub fn path(&self) -> &dyn Path {
        &*self.path
    }

    /// The `steps` + 1 times of a grid, from 1 down to 0. In a process of T steps each moves to the nearest k/T that is still free.
    ///
    /// # Errors
    /// [`Error::Config`] when `steps` is 0, or more than a process of T steps has; when the grid does not fall from 1 to 0 in as many steps.
    pub fn times(&self, grid: &dyn Grid, steps: usize) -> Result<Vec<f64>> {
        let total = self.steps;
        if steps == 0 {
            return Err(Error::Config("0 sampling steps asked for; take at least 1".into()));
        }
        if !self.continuous && steps > total {
            return Err(Error::Config(format!("{steps} sampling steps asked for; the process has {total}, take 1 to {total}")));
        }
        let mut times = grid.times(self.path(), steps)?;
        // On a table of levels, neighbours of a grid may share an entry: they are parted below.
        check_order(&times, |earlier, later| earlier > later || (!self.continuous && earlier >= later))?;
        let (first, last) = (times[0], times[times.len() - 1]);
        if times.len() != steps + 1 || 1.0 - first > END || last > END {
            let count = times.len() - 1;
            return Err(Error::Config(format!(
                "a grid of {steps} steps must lead from 1 to 0; this one takes {count}, from {first} to {last}"
            )));
        }
        (times[0], times[steps]) = (1.0, 0.0);
        if self.continuous { Ok(times) } else { Ok(snapped(&times, total)) }
    }

    /// The nearest time that occurs in the process.
    pub fn nearest(&self, t: f64) -> f64 {
        let t = t.clamp(0.0, 1.0);
        if self.continuous { t } else { crate::time::fraction((t * self.steps as f64).round(), self.steps) }
    }

    /// Levels at each sample's time.
    ///
    /// # Errors
    /// When the device refuses.
    pub fn levels(&self, times: &Times, samples: usize, device: &Device) -> Result<Levels> {
        self.path.levels(&times.per_sample(samples), device)?.to_device(device)
    }

    /// The direction of travel a·x + b·ε at each sample's time; `levels` holds those of `times`.
    ///
    /// # Errors
    /// When the device refuses.
    pub fn direction(&self, times: &Times, levels: &Levels) -> Result<[Tensor; 2]> {
        self.path.direction(&times.per_sample(levels.alpha.dims()[0]), levels)
    }

    /// z_t = α·clean + σ·eps.
    ///
    /// # Errors
    /// When layouts differ.
    pub fn diffuse<S: Euclidean>(&self, clean: &S, levels: &Levels, eps: &S) -> Result<S> {
        Ok(clean.combine(&coefficient(&levels.alpha, clean.dtype())?, eps, &coefficient(&levels.sigma, clean.dtype())?)?)
    }

    /// What sampling starts from in the place of z_1, for samples shaped like `like`, whose values are not read.
    ///
    /// # Errors
    /// When a recording does not fit.
    pub fn start<S: Euclidean>(&self, like: &S, noise: Noise) -> Result<S> {
        let (drawn, deviation) = (like.gaussian(noise)?, self.path.start());
        if deviation.to_bits() == 1.0_f64.to_bits() {
            return Ok(drawn);
        }
        let scale = |by: f64| Tensor::full(by, drawn.samples().len(), &drawn.device())?.to_dtype(drawn.dtype());
        Ok(drawn.combine(&scale(deviation)?, &drawn, &scale(0.0)?)?)
    }

    /// KL(q(z_T | clean) ‖ N(0, s²)) of each sample, `[B]` in f64, where s is the deviation of the noise that sampling starts from: D·(−log(σ/s) +
    /// (σ²/s² − 1)/2) + |α·clean|²/(2·s²) in D dimensions.
    ///
    /// # Errors
    /// When the device refuses.
    pub fn prior_kl<S: Euclidean>(&self, clean: &S) -> Result<Tensor> {
        let (device, shrink) = (clean.device(), self.path.start().recip());
        let Levels { alpha, sigma, .. } = self.path.levels(&Times::Shared(1.0).per_sample(clean.samples().len()), &device)?;
        let (alpha, sigma) = ((alpha * shrink)?, (sigma * shrink)?);
        let spread = ((sigma.sqr()? * 0.5)? - sigma.log()?)?.affine(1.0, -0.5)?;
        let spread = (spread * dimensions(clean, sigma.device())?)?.to_device(&device)?;
        let mean = (clean.squared_norms()?.to_dtype(DType::F64)? * (alpha.sqr()? * 0.5)?.to_device(&device)?)?;
        Ok((spread + mean)?)
    }
}

impl Debug for Process {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("Process").field("steps", &self.steps).field("continuous", &self.continuous).finish_non_exhaustive()
    }
}

/// Refuses times that do not fall from 1, where there is noise alone, to 0, where data are read off.
pub(crate) fn check_whole(times: &[f64]) -> Result<()> {
    check_down(times)?;
    let first = times[0];
    if 1.0 - first <= END {
        return Ok(());
    }
    Err(Error::Config(format!("times of a whole trajectory must fall from 1 to 0; those given fall from {first}")))
}

/// Refuses times that do not fall to 0, where data are read off.
pub(crate) fn check_down(times: &[f64]) -> Result<()> {
    check_falling(times)?;
    let last = times[times.len() - 1];
    if last <= END {
        return Ok(());
    }
    Err(Error::Config(format!("times of a trajectory must fall from noise to 0, where data are read off; those given fall to {last}")))
}

/// How far from 1 and 0 the ends of a grid may lie: what rounding does.
const END: f64 = 1e-9;

/// Refuses times that do not fall, or leave \[0, 1\].
pub(crate) fn check_falling(times: &[f64]) -> Result<()> {
    check_order(times, |earlier, later| earlier > later)
}

fn check_order(times: &[f64], falls: impl Fn(f64, f64) -> bool) -> Result<()> {
    let all_fall = times.windows(2).all(|pair| falls(pair[0], pair[1]));
    if all_fall && times.len() > 1 && times[0] <= 1.0 && times[times.len() - 1] >= 0.0 {
        return Ok(());
    }
    let shown: Vec<f64> = times.iter().copied().take(8).collect();
    Err(Error::Config(format!(
        "sampling times must fall from at most 1 to at least 0; the {} given are {shown:?}{}",
        times.len(),
        if times.len() > 8 { ", …" } else { "" }
    )))
}

/// Falling times moved to multiples of 1/T, no two to the same one; halves are rounded up, whatever their last bit.
fn snapped(times: &[f64], total: usize) -> Vec<f64> {
    let last = times.len() - 1;
    let mut places: Vec<usize> = times.iter().map(|t| (t * total as f64 + 0.5 + 1e-9).floor() as usize).collect();
    for k in (0..last).rev() {
        places[k] = places[k].max(places[k + 1] + 1).min(total - k);
    }
    places.into_iter().map(|place| crate::time::fraction(place as f64, total)).collect()
}

/// D of each sample, `[B]` in f64.
pub(crate) fn dimensions<S: Euclidean>(like: &S, device: &Device) -> Result<Tensor> {
    let dimensions: Vec<f64> = like.dimensions().into_iter().map(|d| d as f64).collect();
    Ok(Tensor::new(dimensions, device)?)
}

/// |a − b|² of each sample, `[B]` in f64.
pub(crate) fn squared_error<S: Euclidean>(a: &S, b: &S) -> Result<Tensor> {
    let one = Tensor::ones(a.samples().len(), a.dtype(), &a.device())?;
    Ok(a.combine(&one, b, &one.neg()?)?.squared_norms()?.to_dtype(DType::F64)?)
}
