//! A model's parameters: named, ordered, seeded.

use crate::{Result, Variables};
use candle_core::{DType, Device, Shape, Tensor, Var};
use candle_nn::init::NormalOrUniform;
use candle_nn::var_builder::SimpleBackend;
use candle_nn::{Init, VarBuilder};
use std::collections::BTreeMap;
use std::hash::Hasher;
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

    /// Where they live.
    pub fn device(&self) -> &Device {
        &self.device
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
    /// [`Error::Weights`](crate::Error::Weights) naming the first parameter that is missing, left over, or of another shape; nothing is changed then.
    pub fn load(&self, values: &BTreeMap<String, Tensor>) -> Result<()> {
        Variables::from(self).load(values)
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
            Init::Kaiming { dist, fan, non_linearity } => {
                let deviation = non_linearity.gain() / (fan.for_shape(shape) as f64).sqrt();
                match dist {
                    NormalOrUniform::Normal => return self.draw(name, shape, Init::Randn { mean: 0.0, stdev: deviation }),
                    NormalOrUniform::Uniform => {
                        let bound = 3_f64.sqrt() * deviation;
                        return self.draw(name, shape, Init::Uniform { lo: -bound, up: bound });
                    }
                }
            }
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

/// FNV-1a, 64 bits: a stable number for a name. Which numbers a seed's models start from rests on it.
fn fingerprint(name: &str) -> u64 {
    let mut hasher = fnv::FnvHasher::default();
    hasher.write(name.as_bytes());
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_the_published_fingerprints() {
        // Test vectors of the FNV authors.
        assert_eq!(
            [fingerprint(""), fingerprint("a"), fingerprint("foobar")],
            [0xcbf29ce484222325, 0xaf63dc4c8601ec8c, 0x85944171f73967e8]
        );
    }

    #[test]
    fn candles_own_layers_find_their_start() -> Result<()> {
        let parameters = Parameters::new(3, DType::F32, &Device::Cpu);
        candle_nn::linear(400, 300, parameters.builder().pp("linear"))?;
        candle_nn::conv1d(4, 6, 3, candle_nn::Conv1dConfig::default(), parameters.builder().pp("conv"))?;
        let variables = Variables::from(&parameters);
        // He et al.: normal with variance 2/fan-in. Over 120,000 weights the root mean square is within 1 % (five standard errors).
        let weight = variables.get("linear.weight").ok_or_else(|| crate::Error::Weights("`linear.weight` is missing".into()))?;
        let deviation = f64::from(weight.sqr()?.mean_all()?.sqrt()?.to_scalar::<f32>()?);
        assert!((deviation / (2.0_f64 / 400.0).sqrt() - 1.0).abs() < 0.01, "{deviation}");
        assert_eq!(variables.iter().len(), 4);
        Ok(())
    }
}
