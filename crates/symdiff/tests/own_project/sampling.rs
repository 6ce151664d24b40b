//! A noise schedule and a sampler of your own, judged on data whose denoiser is known exactly.

// ANCHOR: schedule
use symdiff::diffusion::{Clean, Framing, NoiseField, Sampler, Span, Uniform};
use symdiff::prelude::*;

/// log(α²/σ²) falls from 8 to −8, more slowly in the middle than at the ends.
#[derive(Clone, Copy, Debug)]
struct Cubic;

impl Schedule for Cubic {
    fn log_snr(&self, t: f64) -> f64 {
        let x = 1.0 - 2.0 * t;
        2.0 * x + 6.0 * x.powi(3)
    }
}
// ANCHOR_END: schedule

// ANCHOR: sampler
/// From z_t to z_s by way of the predicted clean state, with a share of the predicted noise replaced by fresh noise: none at `rate` 0, and the more
/// the longer the step.
#[derive(Clone, Copy, Debug)]
struct Renewing {
    rate: f64,
}

impl<S: Euclidean> Sampler<S> for Renewing {
    type Memory = ();

    fn step(&self, field: &NoiseField<S>, span: Span, z: &S, (): (), noise: Noise) -> symdiff::diffusion::Result<(S, ())> {
        let [kernel, fresh] = noise.split();
        let [t, s] = span.levels(field, z)?;
        let predicted = field.eps(z, span.from, kernel)?;
        let Clean(clean) = predicted.clean(z, &t)?;
        let kept = (-self.rate * (span.from - span.to)).exp();
        let part = |share: f64| Tensor::full(share.sqrt(), z.samples().len(), &z.device())?.to_dtype(z.dtype());
        let eps = predicted.0.combine(&part(kept)?, &z.gaussian(fresh)?, &part(1.0 - kept)?)?;
        Ok((field.process().diffuse(&clean, &s, &eps)?, ()))
    }
}
// ANCHOR_END: sampler

// ANCHOR: sampling
/// The variance of each coordinate of the data, which are normal with mean 0.
const VARIANCE: f64 = 0.25;

/// E[ε | z_t] = σ·z / (α²·VARIANCE + σ²).
fn exact(process: &Process) -> impl Denoiser<Vectors> + use<> {
    let process = process.clone();
    Map::new(move |at: &At<Vectors>| {
        let z = at.state.tensor();
        let share = at.time.per_sample(z.dims()[0]).into_iter().map(|t| {
            let at = process.path().at(t);
            at.sigma / (at.alpha.powi(2) * VARIANCE + at.sigma.powi(2))
        });
        let share = Tensor::from_iter(share, z.device())?.unsqueeze(1)?;
        Ok::<_, symdiff::kernels::Error>(Eps(Vectors::new(z.broadcast_mul(&share)?)?))
    })
}

#[test]
fn a_schedule_and_a_sampler_of_ones_own_draw_the_data() -> Result<(), Box<dyn std::error::Error>> {
    let process = Process::continuous(VariancePreserving(Cubic), 200)?;
    let denoiser = exact(&process);
    let like = Vectors::new(Tensor::zeros((4000, 2), DType::F64, &Device::Cpu)?)?;
    let reverse = Reverse { process: &process, denoiser: &denoiser, data: &Gaussian::default(), given: &() };
    let times = process.times(&Uniform, 200)?;
    for rate in [0.0, 4.0] {
        let drawn = reverse.sample(&Renewing { rate }, &times, Framing::Fresh, &like, Noise::seeded(1), &mut |_, _| ())?;
        let variance = drawn.tensor().sqr()?.mean_all()?.to_scalar::<f64>()?;
        // The standard error of the variance of 8,000 normals is 1.6 %; discretisation costs as much again.
        assert!((variance / VARIANCE - 1.0).abs() < 0.08, "rate {rate}: {variance}");
    }
    Ok(())
}
// ANCHOR_END: sampling
