//! A world where everything is known: normal data, whose exact denoiser, likelihood, and sampling laws have closed forms.
#![allow(dead_code, reason = "each test file uses its part")]

use candle_core::{DType, Device, Tensor};
use symdiff_core::{Error, Map, MarkovKernel};
use symdiff_diffusion::{
    At, Clean, Coefficients, Eps, Grid, LinearPath, NoiseField, Polynomial, Predicting, Process, Schedule, VarianceExploding,
    VariancePreserving, Walk,
};
use symdiff_groups::{Dense, Vectors};
use symdiff_ops::{Noise, Samples};

pub(crate) type Outcome<T = ()> = Result<T, Box<dyn std::error::Error>>;

/// Data x ~ N(MEAN, VARIANCE·1).
pub(crate) const MEAN: f64 = 0.7;
/// The variance of a coordinate.
pub(crate) const VARIANCE: f64 = 0.3;

/// log SNR(t) = 7 − 14·t: smooth, so that orders of convergence can be seen.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Straight;

impl Schedule for Straight {
    fn log_snr(&self, t: f64) -> f64 {
        7.0 - 14.0 * t
    }
}

/// α² and σ² at a log-SNR.
pub(crate) fn alpha_sigma(log_snr: f64) -> (f64, f64) {
    let share = |x: f64| 1.0 / (1.0 + (-x).exp());
    (share(log_snr).sqrt(), share(-log_snr).sqrt())
}

/// Every kind of path: three at all times, and the published one in steps.
pub(crate) fn processes() -> symdiff_diffusion::Result<[Process; 4]> {
    Ok([
        Process::continuous(VariancePreserving(Straight), 1000)?,
        published()?,
        Process::continuous(VarianceExploding::default(), 1000)?,
        Process::continuous(LinearPath::default(), 1000)?,
    ])
}

/// The exact denoiser, E[ε | z_t], times `bias`; written as a prediction of x and adapted.
pub(crate) fn denoiser(process: &Process, bias: f64) -> impl MarkovKernel<At<Vectors>, Out = Eps<Vectors>> + use<> {
    let path = process.clone();
    let posterior = Map::new(move |at: &At<Vectors>| {
        let z = at.state.tensor();
        let row = |f: &dyn Fn(f64, f64) -> f64| -> candle_core::Result<Tensor> {
            let values = at.time.per_sample(z.dims()[0]).into_iter().map(|t| path.path().at(t));
            Tensor::from_iter(values.map(|at| f(at.alpha, at.sigma)), z.device())?.unsqueeze(1)?.to_dtype(z.dtype())
        };
        let total = |alpha: f64, sigma: f64| alpha * alpha * VARIANCE + sigma * sigma;
        let slope = row(&|alpha, sigma| VARIANCE * alpha / total(alpha, sigma))?;
        let offset = row(&|alpha, sigma| MEAN * sigma * sigma / total(alpha, sigma))?;
        Ok(Clean(Vectors::new(z.broadcast_mul(&slope)?.broadcast_add(&offset)?)?))
    });
    let exact = Predicting::new(posterior, process.clone());
    Scaled { exact, bias }
}

/// A denoiser that is off by a factor.
struct Scaled<K> {
    exact: K,
    bias: f64,
}

impl<K: MarkovKernel<At<Vectors>, Out = Eps<Vectors>>> MarkovKernel<At<Vectors>> for Scaled<K> {
    type Out = Eps<Vectors>;

    fn sample(&self, at: &At<Vectors>, noise: Noise) -> Result<Eps<Vectors>, Error> {
        let Eps(exact) = self.exact.sample(at, noise)?;
        Ok(Eps(Vectors::new((exact.tensor() * self.bias)?)?))
    }
}

/// The published process.
pub(crate) fn published() -> symdiff_diffusion::Result<Process> {
    Process::new(VariancePreserving(Polynomial { power: 2.0, precision: 1e-5 }.tabulated(1000)?), 1000)
}

/// The distance from the exact flow z₀ = α₀·m + S₀/S₁·(z₁ − α₁·m), at K steps.
pub(crate) fn flow_error(sampler: &dyn Walk<Vectors>, process: &Process, grid: &dyn Grid, steps: usize) -> Outcome<f64> {
    let denoiser = denoiser(process, 1.0);
    let scale = process.path().start();
    let start = Vectors::new((Tensor::new(&[[1.3_f64], [-0.8]], &Device::Cpu)? * scale)?)?;
    let times = grid.times(process.path(), steps)?;
    let z = sampler.walk(&NoiseField::new(process, &denoiser, &()), &times, start.clone(), Noise::seeded(0), &mut |_, _| ())?;
    let (noisy, clean) = (process.path().at(1.0), process.path().at(0.0));
    let spread = |at: Coefficients| (at.alpha * at.alpha * VARIANCE + at.sigma * at.sigma).sqrt();
    let exact = |from: f64| clean.alpha * MEAN + spread(clean) / spread(noisy) * (from - noisy.alpha * MEAN);
    let errors = numbers(z.tensor())?.into_iter().zip(numbers(start.tensor())?).map(|(end, from)| (end - exact(from)).abs());
    Ok(errors.fold(0.0, f64::max))
}

/// `count` states of `width` coordinates, drawn from the data's law.
pub(crate) fn data(count: usize, width: usize, dtype: DType, noise: Noise) -> Outcome<Vectors> {
    let drawn = noise.normal(&Samples::numbered(count), &[width], DType::F64, &Device::Cpu)?;
    Ok(Vectors::new(drawn.affine(VARIANCE.sqrt(), MEAN)?.to_dtype(dtype)?)?)
}

/// `count` states of zeros.
pub(crate) fn blank(count: usize, width: usize, dtype: DType) -> Outcome<Vectors> {
    Ok(Vectors::new(Tensor::zeros((count, width), dtype, &Device::Cpu)?)?)
}

/// All numbers of a tensor.
pub(crate) fn numbers(tensor: &Tensor) -> Outcome<Vec<f64>> {
    Ok(tensor.to_dtype(DType::F64)?.flatten_all()?.to_vec1()?)
}

/// Mean and its standard error.
pub(crate) fn mean(values: &[f64]) -> (f64, f64) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (n - 1.0);
    (mean, (variance / n).sqrt())
}

/// The slope of log y over log x by least squares: the order of convergence.
pub(crate) fn slope(points: &[(f64, f64)]) -> f64 {
    let logs: Vec<_> = points.iter().map(|&(x, y)| (x.ln(), y.ln())).collect();
    let n = logs.len() as f64;
    let (mx, my) = (logs.iter().map(|p| p.0).sum::<f64>() / n, logs.iter().map(|p| p.1).sum::<f64>() / n);
    logs.iter().map(|p| (p.0 - mx) * (p.1 - my)).sum::<f64>() / logs.iter().map(|p| (p.0 - mx).powi(2)).sum::<f64>()
}
