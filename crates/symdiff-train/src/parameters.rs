//! A model's parameters: named, ordered, seeded.

use crate::{Error, Result};
use candle_core::{DType, Device, Shape, Tensor, Var};
use candle_nn::var_builder::SimpleBackend;
use candle_nn::{Init, VarBuilder};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use symdiff_ops::{Noise, Samples};

/// Every variable of a model under its name, in the order of names.
///
/// Fresh variables are drawn from streams keyed by (seed, name), so the same seed gives the same start whatever the order of construction.
#[derive(Clone, Debug)]
pub struct Parameters {
    vars: Arc<Mutex<BTreeMap<String, Var>>>,
    seed: u64,
    dtype: DType,
    activations: DType,
    device: Device,
    frozen: bool,
}

impl Parameters {
    /// An empty set that will create what a model asks for.
    pub fn new(seed: u64, dtype: DType, device: &Device) -> Self {
        Self { vars: Arc::default(), seed, dtype, activations: dtype, device: device.clone(), frozen: false }
    }

    /// The same set, giving its models plain tensors: they build no graph, and see what is loaded later.
    #[must_use]
    pub fn frozen(self) -> Self {
        Self { frozen: true, ..self }
    }

    /// The same set for models whose activations are of another dtype: the cursor carries it, the parameters keep theirs.
    #[must_use]
    pub fn activating(self, activations: DType) -> Self {
        Self { activations, ..self }
    }

    /// The cursor that constructors take.
    pub fn builder(&self) -> VarBuilder<'static> {
        VarBuilder::from_backend(Box::new(self.clone()), self.activations, self.device.clone())
    }

    /// Names and variables, ordered by name.
    pub fn named(&self) -> Vec<(String, Var)> {
        self.lock().iter().map(|(name, var)| (name.clone(), var.clone())).collect()
    }

    /// The number of scalars.
    pub fn count(&self) -> usize {
        self.lock().values().map(|var| var.elem_count()).sum()
    }

    /// Sets every parameter from `values`.
    ///
    /// # Errors
    /// [`Error::Weights`] naming the first parameter that is missing, left over, or of another shape; nothing is changed then.
    pub fn load(&self, values: &BTreeMap<String, Tensor>) -> Result<()> {
        let vars = self.lock();
        for (name, var) in vars.iter() {
            match values.get(name) {
                None => return Err(Error::Weights(format!("`{name}` is missing"))),
                Some(value) if value.shape() != var.shape() => {
                    let (got, expected) = (value.dims(), var.dims());
                    return Err(Error::Weights(format!("`{name}` has shape {got:?}, this model needs {expected:?}")));
                }
                Some(_) => {}
            }
        }
        if let Some(name) = values.keys().find(|name| !vars.contains_key(*name)) {
            return Err(Error::Weights(format!("`{name}` is no parameter of this model")));
        }
        for (name, var) in vars.iter() {
            var.set(&values[name].to_dtype(self.dtype)?.to_device(&self.device)?)?;
        }
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Var>> {
        self.vars.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn hand_out(&self, var: &Var) -> Tensor {
        if self.frozen { var.as_tensor().detach() } else { var.as_tensor().clone() }
    }

    fn draw(&self, name: &str, shape: &Shape, init: Init) -> Result<Tensor> {
        let rows = Samples::numbered(shape.dims().first().copied().unwrap_or(1));
        let width = shape.dims().get(1..).unwrap_or(&[]);
        let stream = Noise::seeded(self.seed).steps().at(fingerprint(name));
        let drawn = match init {
            Init::Const(value) => (Tensor::ones(shape, self.dtype, &self.device)? * value)?,
            Init::Uniform { lo, up } => (stream.uniform(&rows, width, self.dtype, &self.device)? * (up - lo))?.affine(1.0, lo)?,
            Init::Randn { mean, stdev } => (stream.normal(&rows, width, self.dtype, &self.device)? * stdev)?.affine(1.0, mean)?,
            Init::Kaiming { .. } => return Err(Error::Weights(format!("`{name}` asks for a Kaiming start, which no model here uses"))),
        };
        Ok(drawn)
    }
}

impl SimpleBackend for Parameters {
    fn get(&self, shape: Shape, name: &str, init: Init, _: DType, _: &Device) -> candle_core::Result<Tensor> {
        if let Some(var) = self.lock().get(name) {
            if *var.shape() != shape {
                candle_core::bail!("`{name}` exists with shape {:?}, now {shape:?} is asked for", var.shape());
            }
            return Ok(self.hand_out(var));
        }
        let var = Var::from_tensor(&self.draw(name, &shape, init).map_err(candle_core::Error::wrap)?)?;
        let handed_out = self.hand_out(&var);
        self.lock().insert(name.to_owned(), var);
        Ok(handed_out)
    }

    fn get_unchecked(&self, name: &str, _: DType, _: &Device) -> candle_core::Result<Tensor> {
        match self.lock().get(name) {
            Some(var) => Ok(self.hand_out(var)),
            None => candle_core::bail!("`{name}` is no parameter of this model"),
        }
    }

    fn contains_tensor(&self, name: &str) -> bool {
        self.lock().contains_key(name)
    }
}

/// FNV-1a, 64 bits: a stable number for a name.
fn fingerprint(name: &str) -> u64 {
    name.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}
