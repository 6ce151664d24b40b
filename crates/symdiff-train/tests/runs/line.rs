//! A task, and short runs of it.

use candle_core::{DType, Device, Tensor};
use candle_nn::{Linear, Module};
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::Path;
use symdiff_ops::{Noise, Samples};
use symdiff_train::{Clipping, Error, Parameters, Record, Settings, Share, Streams, Task, Trainer};

pub(crate) type TestResult = Result<(), Box<dyn std::error::Error>>;

/// y = 3·x₀ − x₁ + noise, learned by Candle's own linear layer.
pub(crate) struct Line {
    pub(crate) layer: Linear,
    pub(crate) name: &'static str,
    pub(crate) held_out: bool,
}

/// Points, and their sample ids.
pub(crate) struct Batch {
    pub(crate) x: Tensor,
    ids: Samples,
}

impl Line {
    pub(crate) fn new(parameters: &Parameters) -> candle_core::Result<Self> {
        Ok(Self { layer: candle_nn::linear(2, 1, parameters.builder())?, name: "line", held_out: true })
    }

    fn errors(&self, x: &Tensor) -> Result<Tensor, Error> {
        let target = x.matmul(&Tensor::new(&[[3_f32], [-1.0]], &Device::Cpu)?)?;
        Ok((self.layer.forward(x)? - target)?.sqr()?.squeeze(1)?)
    }
}

impl Task for Line {
    type Batch = Batch;
    type Error = Error;

    fn batch(&self, step: u64, share: Share) -> Result<Batch, Error> {
        let ids = Samples::new(share.range(8).map(|sample| sample as u64).collect::<Vec<_>>());
        let x = Streams::of(1).data.steps().at(step).normal(&ids, &[2], DType::F32, &Device::Cpu)?;
        Ok(Batch { x, ids })
    }

    fn loss(&self, batch: &Batch, noise: Noise) -> Result<Tensor, Error> {
        let shift = noise.normal(&batch.ids, &[2], DType::F32, &Device::Cpu)?;
        self.errors(&(&batch.x + (shift * 0.1)?)?)
    }

    fn validate(&self, share: Share, noise: Noise) -> Result<Vec<f64>, Error> {
        // Batches of eight whatever the share: the last bits of a product may depend on its number of rows.
        let (batches, mut losses) = (if self.held_out { 4 } else { 0 }, Vec::new());
        let draws = noise.steps();
        for batch in share.range(batches) {
            let x = draws.at(batch as u64).normal(&Samples::numbered(8), &[2], DType::F32, &Device::Cpu)?;
            losses.extend(self.errors(&x)?.to_dtype(DType::F64)?.to_vec1::<f64>()?);
        }
        Ok(losses)
    }

    fn steps_per_epoch(&self) -> Option<u64> {
        Some(10)
    }

    fn record(&self) -> Record {
        Record { description: self.name.into(), ..Record::default() }
    }
}

pub(crate) fn settings(steps: u64) -> Settings {
    Settings { batch: 8, lr: 0.05, ema: 0.9, steps, clipping: Clipping::Queue, validate_every: 5, ..Settings::default() }
}

pub(crate) fn fresh(folder: &Path, settings: Settings) -> Result<Trainer<Line>, Box<dyn std::error::Error>> {
    let parameters = Parameters::new(4, DType::F32, &Device::Cpu);
    Ok(Trainer::start(Line::new(&parameters)?, &parameters, settings, 4, folder)?)
}

pub(crate) fn again(folder: &Path, settings: Settings, seed: u64) -> Result<Trainer<Line>, Error> {
    let parameters = Parameters::new(99, DType::F32, &Device::Cpu);
    Trainer::resume(Line::new(&parameters)?, &parameters, settings, seed, folder)
}

pub(crate) fn go_on(_: &symdiff_train::Status) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

pub(crate) fn tensors(file: &Path) -> Result<BTreeMap<String, Vec<u8>>, Box<dyn std::error::Error>> {
    let bytes = std::fs::read(file)?;
    let file = safetensors::SafeTensors::deserialize(&bytes)?;
    Ok(file.iter().map(|(name, view)| (name.to_owned(), view.data().to_vec())).collect())
}
