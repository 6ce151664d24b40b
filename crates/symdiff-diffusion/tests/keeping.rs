//! Sampling around a part that is kept: it stays, the rest follows the conditional law, and all of it turns with the part.

mod common;

use candle_core::{DType, Device, Tensor};
use common::{MEAN, Outcome, VARIANCE, denoiser, numbers};
use symdiff_core::testing::LawTest;
use symdiff_core::{Map, MarkovKernel, MarkovKernelExt};
use symdiff_diffusion::{
    At, Denoiser, Eps, Framing, Gaussian, Keeping, Known, Levels, LinearPath, Method, Process, Reverse, Spacing, VariancePreserving,
};
use symdiff_groups::{Cloud, Dense, GramSchmidt, Orthogonal, Vectors};
use symdiff_ops::Noise;

const COPIES: usize = 150;

/// The first points of each sample lie at these places.
struct First(Tensor);

impl First {
    fn put(&self, z: &Tensor, levels: &Levels, eps: &Tensor) -> symdiff_diffusion::Result<Tensor> {
        let kept = self.0.dims()[1];
        let ones = vec![1; z.rank() - 1];
        let scale = |values: &Tensor| values.reshape([&[z.dims()[0]], ones.as_slice()].concat())?.to_dtype(z.dtype());
        let noised = (self.0.broadcast_mul(&scale(&levels.alpha)?)? + eps.narrow(1, 0, kept)?.broadcast_mul(&scale(&levels.sigma)?)?)?;
        Ok(Tensor::cat(&[&noised, &z.narrow(1, kept, z.dims()[1] - kept)?], 1)?)
    }
}

impl Known<Vectors> for First {
    fn put(&self, z: &Vectors, levels: &Levels, eps: &Vectors) -> symdiff_diffusion::Result<Vectors> {
        Ok(Vectors::new(First::put(self, z.tensor(), levels, eps.tensor())?)?)
    }
}

impl Known<Cloud> for First {
    fn put(&self, z: &Cloud, levels: &Levels, eps: &Cloud) -> symdiff_diffusion::Result<Cloud> {
        Ok(Cloud::new(First::put(self, z.tensor(), levels, eps.tensor())?)?)
    }
}

/// Normal data with independent entries, whose denoiser is exact: given the first entry, the second has the data's own mean and variance.
#[test]
fn the_known_part_stays_and_the_rest_has_the_law_of_the_data() -> Outcome {
    for process in [Process::continuous(VariancePreserving(common::Straight), 1000)?, Process::continuous(LinearPath::new(0.01)?, 1000)?] {
        for (method, turns) in [(Method::Ancestral, 1), (Method::Ancestral, 3), (Method::Ddim, 2)] {
            let count = 4000;
            let wanted = Tensor::full(2.5, (count, 1), &Device::Cpu)?;
            let (exact, known) = (denoiser(&process, 1.0), First(wanted));
            let walk = Keeping::new(method.sampler(), &known, turns)?;
            let reverse = Reverse { process: &process, denoiser: &exact, data: &Gaussian::default(), given: &() };
            let like = Vectors::new(Tensor::zeros((count, 2), DType::F64, &Device::Cpu)?)?;
            let times = process.times(&*Spacing::Uniform.grid(), 240)?;
            let drawn = reverse.sample(&walk, &times, Framing::Fresh, &like, Noise::seeded(3), &mut |_, _| ())?;
            let rows = drawn.tensor().to_vec2::<f64>()?;
            let mean = |place: usize| rows.iter().map(|row| row[place]).sum::<f64>() / count as f64;
            let spread = |place: usize, about: f64| rows.iter().map(|row| (row[place] - about).powi(2)).sum::<f64>() / count as f64;
            assert!((mean(0) - 2.5).abs() < 0.02 && spread(0, 2.5) < 0.02, "{method}: {} ± {}", mean(0), spread(0, 2.5));
            // Four standard errors of 4,000 draws, and the error of so many steps.
            let error = (VARIANCE / count as f64).sqrt();
            assert!((mean(1) - MEAN).abs() < 4.0 * error + 0.01, "{method}, {turns} turns: mean {}", mean(1));
            assert!((spread(1, MEAN) / VARIANCE - 1.0).abs() < 0.12, "{method}, {turns} turns: variance {}", spread(1, MEAN));
        }
    }
    assert!(Keeping::<Vectors>::new(Method::Ddim.sampler(), &First(Tensor::zeros((1, 1), DType::F64, &Device::Cpu)?), 0).is_err());
    Ok(())
}

/// A denoiser that knows up from down: it moves three points towards a fixed shape.
fn lopsided(at: &At<Cloud>) -> symdiff_core::Result<Eps<Cloud>> {
    let x = at.state.tensor();
    let shape = Tensor::new(&[[[1.0, 0.2, 0.0], [0.0, -0.9, 0.5], [-0.6, 0.1, 0.8]]], &Device::Cpu)?;
    Ok(Eps(Cloud::new((x.broadcast_sub(&shape)? + (x * 2.0)?.sin()?)?)?))
}

fn symmetrised() -> impl Denoiser<Cloud> {
    let frames = Map::new(|at: &At<Cloud>| Ok(at.state.tensor().clone()));
    Map::new(lopsided).symmetrised(frames.charted(Orthogonal::new(3), GramSchmidt::columns()).haar_symmetrised())
}

/// From two points that are kept to all three: the kernel whose law must turn with its input. The planted bug keeps the points in the pose of the first call, whatever it is given.
struct Completed {
    process: Process,
    framing: Framing,
    pose: Option<Tensor>,
}

impl Completed {
    fn new(framing: Framing, pose: Option<Tensor>) -> Outcome<Self> {
        Ok(Self { process: Process::continuous(LinearPath::new(0.05)?, 6)?, framing, pose })
    }
}

impl MarkovKernel<Cloud> for Completed {
    type Out = Cloud;

    fn sample(&self, kept: &Cloud, noise: Noise) -> symdiff_core::Result<Cloud> {
        let known = First(self.pose.clone().unwrap_or_else(|| kept.tensor().clone()));
        let (walk, model) = (Keeping::new(Method::Ancestral.sampler(), &known, 2)?, symmetrised());
        let reverse = Reverse { process: &self.process, denoiser: &model, data: &Gaussian::default(), given: &() };
        let like = Cloud::new(Tensor::zeros((kept.tensor().dims()[0], 3, 3), DType::F64, &Device::Cpu)?)?;
        let times = self.process.times(&*Spacing::Uniform.grid(), 6)?;
        Ok(reverse.sample(&walk, &times, self.framing, &like, noise, &mut |_, _| ())?)
    }
}

fn fragment() -> Outcome<Cloud> {
    Ok(Cloud::new(Tensor::new(&[[[0.7, 0.1, -0.4], [-0.2, 1.1, 0.3]]], &Device::Cpu)?.repeat((COPIES, 1, 1))?)?)
}

fn p_value(completed: &Completed, seed: u64) -> Outcome<f64> {
    Ok(LawTest::default().equivariance(&Orthogonal::new(3), completed, &fragment()?, Noise::seeded(seed))?.p_value)
}

/// Joint equivariance: rotate the part that is kept, and the law of the whole rotates.
#[test]
fn completions_turn_with_what_is_kept() -> Outcome {
    for &framing in Framing::ALL {
        let p = p_value(&Completed::new(framing, None)?, 6)?;
        assert!(p > 0.01, "{framing} frames: p = {p}");
    }
    let p = p_value(&Completed::new(Framing::Fresh, Some(fragment()?.tensor().clone()))?, 6)?;
    assert!(p < 0.01, "a part that is not rotated passes, p = {p}");
    Ok(())
}

/// How often the test rejects, at level 1 %: the planted bug, and what is right.
#[test]
#[ignore = "two times two hundred tests; docs/src/conditions.md has the figures"]
fn a_part_that_is_not_rotated_is_rejected_in_95_of_100_runs() -> Outcome {
    let rejections = |pose: Option<Tensor>| -> Outcome<usize> {
        let completed = Completed::new(Framing::Fresh, pose)?;
        (0..200).map(|seed| Ok(usize::from(p_value(&completed, 100 + seed)? < 0.01))).sum()
    };
    let (right, planted) = (rejections(None)?, rejections(Some(fragment()?.tensor().clone()))?);
    println!("of 200 runs: {planted} reject a part that stays, {right} reject one that turns");
    assert!(planted >= 190 && right <= 8, "{planted} and {right}");
    Ok(())
}

/// Varied structures: with no noise to speak of they stay what they are, with all of it they are new.
#[test]
fn variations_stay_as_close_as_the_noise_says() -> Outcome {
    let process = Process::continuous(VariancePreserving(common::Straight), 1000)?;
    let exact = denoiser(&process, 1.0);
    let reverse = Reverse { process: &process, denoiser: &exact, data: &Gaussian::default(), given: &() };
    let clean = Vectors::new(Tensor::full(2.5, (2000, 1), &Device::Cpu)?)?;
    let refused = reverse.vary(&*Method::Ddim.sampler(), &[0.5, 0.25], Framing::Fresh, &clean, Noise::seeded(2), &mut |_, _| ());
    assert!(refused.is_err_and(|error| error.to_string().contains("fall to 0.25")));
    let mut last = 2.6;
    for (first, low, high) in [(0.05, 2.3, 2.6), (0.5, 1.0, 1.9), (1.0, MEAN - 0.1, MEAN + 0.1)] {
        let times: Vec<f64> = (0..=40).map(|k| first * (1.0 - f64::from(k) / 40.0)).collect();
        let drawn = reverse.vary(&*Method::Ancestral.sampler(), &times, Framing::Fresh, &clean, Noise::seeded(2), &mut |_, _| ())?;
        let mean = numbers(drawn.tensor())?.iter().sum::<f64>() / 2000.0;
        assert!((low..=high).contains(&mean) && mean < last, "from {first}: mean {mean}");
        last = mean;
    }
    Ok(())
}
