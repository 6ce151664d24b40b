//! Somebody's own Candle module, and how it becomes equivariant under three groups.

use candle_core::{Module, Result, Tensor};

/// A perceptron on the flattened state: it knows no symmetry at all.
pub struct Mlp {
    first: Tensor,
    second: Tensor,
}

impl Mlp {
    /// Weights `[width, hidden]` and `[hidden, width]` on the CPU, made up from sines.
    ///
    /// # Errors
    /// When Candle refuses.
    pub fn new(width: usize, hidden: usize) -> Result<Self> {
        let weights = |rows: usize, columns: usize, phase: f64| {
            let entries = (0..rows * columns).map(|k| (1.7 * k as f64 + phase).sin() / (rows as f64).sqrt());
            Tensor::from_iter(entries, &candle_core::Device::Cpu)?.reshape((rows, columns))
        };
        Ok(Self { first: weights(width, hidden, 0.3)?, second: weights(hidden, width, 1.1)? })
    }
}

impl Module for Mlp {
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let flat = x.flatten_from(1)?;
        (flat.matmul(&self.first)? + 0.5)?.tanh()?.matmul(&self.second)?.reshape(x.shape())
    }
}
