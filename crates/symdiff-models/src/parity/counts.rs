//! `param_counts.json`: the sizes of the published models.

use crate::models::ModelConfig;
use crate::{Error, Result};
use candle_core::{DType, Device, Shape, Tensor};
use candle_nn::var_builder::SimpleBackend;
use candle_nn::{Init, VarBuilder};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use symdiff_mol::state::Encoding;
use symdiff_ops::Noise;

/// The counts of one model.
#[derive(Deserialize)]
struct Published {
    /// Those that an optimiser may change: all but the table of the fixed schedule.
    trainable: usize,
    /// Those of the read-out that γ's encoder has and nothing uses.
    #[serde(default)]
    without_gradient: usize,
}

/// The largest difference between a model's parameters here and the published ones that any output depends on.
pub(super) fn difference(path: &Path) -> Result<f64> {
    let text = std::fs::read_to_string(path).map_err(Error::io(path, "read the golden file"))?;
    let counts: BTreeMap<String, Published> = serde_json::from_str(&text).map_err(|error| Error::file(path, error))?;
    counts.iter().try_fold(0.0_f64, |largest, (name, published)| {
        let here = parameters(&ModelConfig::preset(name)?, Encoding::qm9().features())?;
        Ok(largest.max(here.abs_diff(published.trainable - published.without_gradient) as f64))
    })
}

/// The number of parameters of a model, which is built without memory for them.
pub(super) fn parameters(config: &ModelConfig, features: usize) -> Result<usize> {
    let counter = Counter::default();
    config.build(features, Noise::seeded(0), VarBuilder::from_backend(Box::new(counter.clone()), DType::F32, Device::Cpu))?;
    Ok(counter.0.load(Ordering::Relaxed))
}

/// Adds up what is asked for, and gives views of a single zero.
#[derive(Clone, Default)]
struct Counter(Arc<AtomicUsize>);

impl SimpleBackend for Counter {
    fn get(&self, shape: Shape, _: &str, _: Init, dtype: DType, device: &Device) -> candle_core::Result<Tensor> {
        self.0.fetch_add(shape.elem_count(), Ordering::Relaxed);
        Tensor::zeros((), dtype, device)?.broadcast_as(shape)
    }

    fn get_unchecked(&self, name: &str, _: DType, _: &Device) -> candle_core::Result<Tensor> {
        candle_core::bail!("`{name}` is asked for without a shape")
    }

    fn contains_tensor(&self, _: &str) -> bool {
        true
    }
}
