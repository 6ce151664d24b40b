//! A trained model: what samples and judges.

use crate::experiment::Experiment;
use crate::model::Model;
use crate::{Error, Result};
use candle_core::{DType, Device};
use std::path::Path;
use symdiff_diffusion::{Method, Route};
use symdiff_mol::Molecule;
use symdiff_mol::data::{MoleculeSet, SizeHistogram};
use symdiff_mol::state::Molecules;
use symdiff_ops::{Noise, Ragged, Samples};
use symdiff_train::checkpoint::{self, Header};
use symdiff_train::{CHECKPOINT, Error as TrainError, Record};

/// A model with the averaged weights of a run, and the sizes of the molecules it learned from.
pub struct Trained {
    /// The model.
    pub model: Model,
    /// The checkpoint's header.
    pub header: Header,
    /// A number that stands for its weights.
    pub weights_hash: u64,
    sizes: SizeHistogram,
    device: Device,
}

/// What to draw.
#[derive(Clone, Debug, PartialEq)]
pub struct Sampling {
    /// How many molecules.
    pub count: usize,
    /// The seed: molecule i of a seed is the same in every batch.
    pub seed: u64,
    /// Denoising steps; T when absent.
    pub steps: Option<usize>,
    /// Molecules a batch; batches of about 4,000 atoms when absent.
    pub batch: Option<usize>,
    /// The sampler.
    pub sampler: Method,
}

/// A Monte Carlo estimate of a negative log-likelihood.
#[derive(Clone, Debug, PartialEq)]
pub struct Nll {
    /// Mean over molecules, in nats, with −log p(size) of the training set.
    pub mean: f64,
    /// Its standard error over molecules.
    pub standard_error: f64,
    /// How many molecules it is over.
    pub molecules: usize,
    /// Molecules left out, since their size does not occur in the training set: under the model they have probability zero.
    pub unseen_sizes: usize,
}

/// Atoms a sampling batch: enough for the products to run at full rate, few enough to stay in cache.
const ATOMS: usize = 4_000;

impl Trained {
    /// The model of a run directory, or of a single checkpoint file.
    ///
    /// # Errors
    /// When there is no checkpoint, it is damaged, or it holds another model than its experiment says.
    pub fn load(path: &Path, device: &Device) -> Result<Self> {
        let file = if path.is_dir() { path.join(CHECKPOINT) } else { path.to_owned() };
        let mut loaded = checkpoint::load(&file, device)?;
        let experiment = Experiment::parse(&loaded.header.record.description, &[])?;
        let model = Model::frozen(&experiment, device)?;
        let weights = loaded.take("ema").and_then(|weights| model.parameters.load(&weights));
        weights.map_err(|error| TrainError::checkpoint(&file, error))?;
        let sizes = sizes(&loaded.header.record).ok_or_else(|| Error::file(&file, "knows no molecule sizes; train or import it again"))?;
        Ok(Self { model, header: loaded.header, weights_hash: loaded.weights_hash, sizes, device: device.clone() })
    }

    /// Draws molecules; `progress` hears the fraction done.
    ///
    /// # Errors
    /// When the number of steps is not one of 1, …, T, or the denoiser fails.
    pub fn sample(&self, options: &Sampling, progress: &mut dyn FnMut(f64)) -> Result<Vec<Molecule>> {
        let everyone = Samples::numbered(options.count);
        let [size, _] = Noise::seeded(options.seed).split();
        let uniform = size.uniform(&everyone, &[], DType::F64, &Device::Cpu)?.to_vec1::<f64>()?;
        let sizes: Vec<usize> = uniform.into_iter().map(|u| self.sizes.quantile(u)).collect();
        let mut molecules = Vec::with_capacity(options.count);
        for range in batches(&sizes, options.batch) {
            let samples = Samples::new(everyone.ids()[range.clone()].to_vec());
            let layout = Ragged::new(&sizes[range.clone()], samples)?;
            let done =
                |step: usize, steps: usize| (range.start as f64 + range.len() as f64 * step as f64 / steps as f64) / options.count as f64;
            molecules.extend(self.batch(layout, options, &mut |step, steps| progress(done(step, steps)))?);
        }
        Ok(molecules)
    }

    /// Estimates the negative log-likelihood of molecules of a set, with `passes` independent draws each.
    ///
    /// # Errors
    /// When a molecule has an element that the model does not know, or the denoiser fails.
    pub fn nll(
        &self,
        set: &MoleculeSet,
        places: &[usize],
        passes: usize,
        batch: usize,
        seed: u64,
        progress: &mut dyn FnMut(f64),
    ) -> Result<Nll> {
        let (known, unseen): (Vec<usize>, Vec<usize>) = places.iter().partition(|&&place| self.log_size(set, place).is_some());
        if known.is_empty() {
            return Err(Error::Config(
                "no molecules to estimate on: the part asked for is empty, or of sizes the model has not seen".into(),
            ));
        }
        let places = known.as_slice();
        let mut totals = Vec::with_capacity(places.len());
        for (round, chunk) in places.chunks(batch).enumerate() {
            let ids: Vec<u64> = chunk.iter().map(|&place| place as u64).collect();
            let clean = self.model.encoding.encode(set, chunk, Samples::new(ids), DType::F32, &self.device)?;
            let mut sums = vec![0.0; chunk.len()];
            for noise in Noise::seeded(seed).repeats(passes) {
                let values = self.model.likelihood(&clean, noise)?.total()?.to_vec1::<f64>()?;
                sums.iter_mut().zip(values).for_each(|(sum, value)| *sum += value / passes as f64);
            }
            for (&place, sum) in chunk.iter().zip(sums) {
                totals.push(sum - self.log_size(set, place).unwrap_or(f64::NEG_INFINITY));
            }
            progress((round * batch + chunk.len()) as f64 / places.len() as f64);
        }
        let n = totals.len() as f64;
        let mean = totals.iter().sum::<f64>() / n;
        let variance = totals.iter().map(|total| (total - mean).powi(2)).sum::<f64>() / (n - 1.0).max(1.0);
        Ok(Nll { mean, standard_error: (variance / n).sqrt(), molecules: places.len(), unseen_sizes: unseen.len() })
    }

    fn batch(&self, layout: Ragged, options: &Sampling, progress: &mut dyn FnMut(usize, usize)) -> Result<Vec<Molecule>> {
        let [_, noise] = Noise::seeded(options.seed).split();
        let model = &self.model;
        let like = Molecules::blank(layout, model.encoding.features(), DType::F32, &self.device)?;
        let steps = options.steps.unwrap_or(model.process.steps());
        let decoded = model.reverse().sample_by(Route::new(options.sampler, steps), &like, noise, &mut |step| progress(step, steps))?;
        let positions: Vec<[f64; 3]> = decoded.positions.to_vec2::<f64>()?.iter().map(|row| [row[0], row[1], row[2]]).collect();
        Ok(model.encoding.decode(&positions, &decoded.columns, &decoded.layout)?)
    }

    /// The log-probability of a molecule's size.
    fn log_size(&self, set: &MoleculeSet, place: usize) -> Option<f64> {
        self.sizes.log_probability(set.num_atoms(place))
    }
}

/// How often each size occurs among the molecules of a record.
fn sizes(record: &Record) -> Option<SizeHistogram> {
    let counts: Vec<(usize, u64)> = serde_json::from_value(record.facts.get("sizes")?.clone()).ok()?;
    SizeHistogram::from_counts(counts)
}

/// Consecutive ranges of `count` samples, or of about [`ATOMS`] atoms.
fn batches(sizes: &[usize], count: Option<usize>) -> Vec<std::ops::Range<usize>> {
    let mut ranges = Vec::new();
    let mut start = 0;
    while start < sizes.len() {
        let mut atoms = 0;
        let fitting = sizes[start..].iter().take_while(|&&size| {
            atoms += size;
            atoms <= ATOMS
        });
        let length = count.unwrap_or_else(|| fitting.count().max(1));
        let end = sizes.len().min(start + length);
        ranges.push(start..end);
        start = end;
    }
    ranges
}
