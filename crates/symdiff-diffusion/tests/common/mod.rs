//! A world where everything is known: normal data, whose exact denoiser, likelihood, and sampling laws have closed forms.
#![allow(dead_code, reason = "each test file uses its part")]

use candle_core::{DType, Device, Tensor};
use symdiff_core::{Error, Map, MarkovKernel};
use symdiff_diffusion::{At, Clean, Eps, Levels, Predicting, Process, Reconstruction, Schedule};
use symdiff_groups::{Dense, Vectors};
use symdiff_ops::{Batched, Euclidean, Noise, Samples};

pub(crate) type Outcome<T = ()> = Result<T, Box<dyn std::error::Error>>;

/// Data x ~ N(MEAN, VARIANCE·1).
pub(crate) const MEAN: f64 = 0.7;
/// The variance of a coordinate.
pub(crate) const VARIANCE: f64 = 0.3;

/// log SNR(t) = 7 − 14·t: smooth, so that orders of convergence can be seen.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Linear;

impl Schedule for Linear {
    fn log_snr(&self, t: f64) -> f64 {
        7.0 - 14.0 * t
    }
}

/// α² and σ² at a log-SNR.
pub(crate) fn alpha_sigma(log_snr: f64) -> (f64, f64) {
    let share = |x: f64| 1.0 / (1.0 + (-x).exp());
    (share(log_snr).sqrt(), share(-log_snr).sqrt())
}

/// The standard deviation of a coordinate of z_t.
pub(crate) fn spread(log_snr: f64) -> f64 {
    let (alpha, sigma) = alpha_sigma(log_snr);
    (alpha * alpha * VARIANCE + sigma * sigma).sqrt()
}

/// The exact denoiser, E[ε | z_t], times `bias`; written as a prediction of x and adapted.
pub(crate) fn denoiser<Q: Schedule>(process: &Process<Q>, bias: f64) -> impl MarkovKernel<At<Vectors>, Out = Eps<Vectors>> + '_ {
    let posterior = Map::new(move |at: &At<Vectors>| {
        let z = at.state.tensor();
        let row = |f: &dyn Fn(f64, f64) -> f64| -> candle_core::Result<Tensor> {
            let values = at.time.per_sample(z.dims()[0]).into_iter().map(|t| alpha_sigma(process.schedule().log_snr(t)));
            Tensor::from_iter(values.map(|(alpha, sigma)| f(alpha, sigma)), z.device())?.unsqueeze(1)?.to_dtype(z.dtype())
        };
        let total = |alpha: f64, sigma: f64| alpha * alpha * VARIANCE + sigma * sigma;
        let slope = row(&|alpha, sigma| VARIANCE * alpha / total(alpha, sigma))?;
        let offset = row(&|alpha, sigma| MEAN * sigma * sigma / total(alpha, sigma))?;
        Ok(Clean(Vectors::new(z.broadcast_mul(&slope)?.broadcast_add(&offset)?)?))
    });
    let exact = Predicting::new(posterior, process);
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

/// p(x | z₀) = N((z₀ − σ₀·ε̂)/α₀, σ₀²/α₀²), with nothing discrete.
pub(crate) struct Plain;

impl Reconstruction<Vectors> for Plain {
    type Decoded = Tensor;

    fn log_likelihood(
        &self,
        _: &Vectors,
        _: &Vectors,
        eps: &Vectors,
        prediction: &Vectors,
        _: &Levels,
        normalisers: &[f64],
    ) -> symdiff_diffusion::Result<Tensor> {
        let error = (eps.tensor() - prediction.tensor())?.sqr()?.sum(1)?.to_dtype(DType::F64)?;
        Ok((error * -0.5)?.div(&Tensor::new(normalisers, eps.tensor().device())?)?)
    }

    fn log_constants(&self, like: &Vectors, zero: &Levels) -> symdiff_diffusion::Result<Tensor> {
        let per_dimension = zero.gamma.affine(-0.5, -0.5 * std::f64::consts::TAU.ln())?;
        Ok((per_dimension * like.tensor().dims()[1] as f64)?)
    }

    fn entries(&self, like: &Vectors, _: bool) -> Vec<f64> {
        like.dimensions().into_iter().map(|d| d as f64).collect()
    }

    fn decode(&self, z0: &Vectors, prediction: &Vectors, zero: &Levels, noise: Noise) -> symdiff_diffusion::Result<Tensor> {
        let Clean(mean) = Eps(prediction.clone()).clean(z0, zero)?;
        let one = Tensor::ones_like(&zero.alpha)?.to_dtype(z0.dtype())?;
        let width = (&zero.sigma / &zero.alpha)?.to_dtype(z0.dtype())?;
        Ok(mean.combine(&one, &z0.gaussian(noise)?, &width)?.tensor().clone())
    }
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
