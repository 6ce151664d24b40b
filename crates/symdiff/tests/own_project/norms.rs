//! Candle's own norms drop gradients: the trap, and the way round it.

// The types that the lint refuses are the ones shown here.
#![expect(clippy::disallowed_types)]

use candle_nn::{LayerNorm, Module};
use symdiff::candle_core::Var;
use symdiff::ops::ada_layer_norm::{Columns, ada_layer_norm};
use symdiff::prelude::*;

#[test]
fn the_norm_of_candle_has_no_gradient_and_ours_has() -> Result<(), Box<dyn std::error::Error>> {
    let x = Var::from_tensor(&Noise::seeded(1).normal(&Samples::numbered(4), &[8], DType::F32, &Device::Cpu)?)?;
    let (ones, zeros) = (Tensor::ones(8, DType::F32, &Device::Cpu)?, Tensor::zeros(8, DType::F32, &Device::Cpu)?);
    // ANCHOR: program
    // Contiguous input and a bias: no error, and no gradient.
    let normed = LayerNorm::new(ones, zeros, 1e-5).forward(x.as_tensor())?;
    assert!(normed.sqr()?.sum_all()?.backward()?.get(&x).is_none());

    // The op of this project: norm(x)·(1 + scale) + shift. One row of parameters, [1, 2·8]: the shift, then the scale.
    let (layout, parameters) = (Ragged::from_sizes(&[4])?, Var::zeros((1, 16), DType::F32, &Device::Cpu)?);
    let normed = ada_layer_norm(x.as_tensor(), parameters.as_tensor(), Columns { shift: 0, scale: 8 }, &layout)?;
    let gradients = normed.sqr()?.sum_all()?.backward()?;
    assert!(gradients.get(&x).is_some() && gradients.get(&parameters).is_some());
    // ANCHOR_END: program
    Ok(())
}
