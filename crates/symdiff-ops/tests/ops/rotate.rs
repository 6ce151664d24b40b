//! `rotate` against one small product per sample.

use crate::common::{check_op, layouts, random, samples};
use candle_core::Tensor;
use symdiff_ops::{Result, rotate};

#[test]
fn equals_one_product_per_sample() -> Result<()> {
    for layout in layouts()? {
        let inputs = [random(1, &[layout.nodes(), 3])?, random(2, &[layout.len(), 3, 3])?];
        for inverse in [false, true] {
            let twin = |inputs: &[&Tensor]| -> Result<Tensor> {
                let rotated = samples(inputs[0], &layout)?.into_iter().enumerate().map(|(i, x)| {
                    let g = inputs[1].get(i)?;
                    Ok(x.matmul(&if inverse { g } else { g.t()? })?)
                });
                Ok(Tensor::cat(&rotated.collect::<Result<Vec<_>>>()?, 0)?)
            };
            check_op(&|inputs| rotate(inputs[0], inputs[1], &layout, inverse), &twin, &inputs, 64.0)?;
        }
    }
    Ok(())
}

#[test]
fn refuses_one_matrix_for_two_samples() -> Result<()> {
    let layout = symdiff_ops::Ragged::from_sizes(&[2, 1])?;
    let refused = rotate(&random(1, &[3, 3])?, &random(2, &[1, 3, 3])?, &layout, false);
    let message = refused.map(|_| ()).map_err(|error| error.to_string());
    assert_eq!(message, Err("rotate: g has shape [1, 3, 3], expected [2, 3, 3], one matrix per sample".into()));
    Ok(())
}
