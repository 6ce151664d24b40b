//! An affine layer and the distributions that its weights start from.

use crate::Result;
use candle_core::{Module, Tensor};
use candle_nn::{Init, VarBuilder};
use symdiff_ops::{Products, linear};

/// How the weights of a fresh layer are drawn.
#[derive(Clone, Copy, Debug)]
pub enum Start {
    /// Uniform on ±gain·√(6 / (inputs + outputs)), biases zero (Glorot and Bengio 2010).
    Xavier {
        /// Factor on the bound; 1 unless said otherwise.
        gain: f64,
    },
    /// Normal with this standard deviation, biases zero.
    Normal(f64),
    /// Uniform on ±1/√inputs, biases too: what `torch.nn.Linear` does by default.
    Torch,
    /// All zero.
    Zero,
}

impl Start {
    pub(crate) fn weight(self, inputs: usize, outputs: usize) -> Init {
        match self {
            Self::Xavier { gain } => symmetric(gain * (6.0 / (inputs + outputs) as f64).sqrt()),
            Self::Normal(stdev) => Init::Randn { mean: 0.0, stdev },
            Self::Torch => symmetric(1.0 / (inputs as f64).sqrt()),
            Self::Zero => Init::Const(0.0),
        }
    }

    fn bias(self, inputs: usize) -> Init {
        match self {
            Self::Torch => symmetric(1.0 / (inputs as f64).sqrt()),
            _ => Init::Const(0.0),
        }
    }
}

fn symmetric(bound: f64) -> Init {
    Init::Uniform { lo: -bound, up: bound }
}

/// y = x·Wᵀ + b.
///
/// # Shapes
/// x `[N, I]` → y `[N, O]`; parameters `weight` `[O, I]` and `bias` `[O]`.
#[derive(Clone, Debug)]
pub struct Linear {
    pub(crate) weight: Tensor,
    pub(crate) bias: Tensor,
    pub(crate) products: Products,
}

impl Linear {
    /// A layer whose parameters are `weight` and `bias` under `vb`.
    ///
    /// # Errors
    /// When a parameter is missing or has another shape.
    pub fn new(inputs: usize, outputs: usize, start: Start, vb: VarBuilder) -> Result<Self> {
        Ok(Self {
            weight: vb.get_with_hints((outputs, inputs), "weight", start.weight(inputs, outputs))?,
            bias: vb.get_with_hints(outputs, "bias", start.bias(inputs))?,
            products: Products::Full,
        })
    }

    /// I.
    pub fn inputs(&self) -> usize {
        self.weight.dims()[1]
    }

    /// The same layer with other products.
    #[must_use]
    pub fn with_products(self, products: Products) -> Self {
        Self { products, ..self }
    }

    /// Applies the layer.
    ///
    /// # Errors
    /// When `x` has another width.
    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        Ok(linear(x, &self.weight, Some(&self.bias), self.products)?)
    }

    /// x·Wᵀ alone.
    ///
    /// # Errors
    /// When `x` has another width.
    pub fn forward_without_bias(&self, x: &Tensor) -> Result<Tensor> {
        Ok(linear(x, &self.weight, None, self.products)?)
    }

    /// A layer on existing tensors, weight and bias.
    pub(crate) fn of(tensors: &[Tensor]) -> Self {
        Self { weight: tensors[0].clone(), bias: tensors[1].clone(), products: Products::Full }
    }

    /// The bias, `[O]`.
    pub fn bias(&self) -> &Tensor {
        &self.bias
    }
}

/// The layer as a part of Candle's own models (`Sequential`, …).
impl Module for Linear {
    fn forward(&self, x: &Tensor) -> candle_core::Result<Tensor> {
        Ok(linear(x, &self.weight, Some(&self.bias), self.products)?)
    }
}
