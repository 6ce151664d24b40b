//! `gated_residual` against broadcast products in Candle ops.

use crate::common::{check_op, layouts, own_row, random, samples};
use candle_core::Tensor;
use symdiff_ops::{Result, gated_residual};

#[test]
fn equals_the_composed_sum() -> Result<()> {
    for layout in layouts()? {
        for (rows, width, first) in [(1, 3, 0), (layout.len(), 3, 2), (layout.len(), 40, 80)] {
            let inputs = [random(1, &[layout.nodes(), width])?, random(2, &[layout.nodes(), width])?, random(3, &[rows, first + width])?];
            let twin = |i: &[&Tensor]| -> Result<Tensor> {
                let gated = samples(i[1], &layout)?.into_iter().enumerate().map(|(sample, y)| {
                    let gate = own_row(i[2], sample)?.narrow(1, first, width)?;
                    Ok(y.broadcast_mul(&gate)?)
                });
                Ok((i[0] + Tensor::cat(&gated.collect::<Result<Vec<_>>>()?, 0)?)?)
            };
            let eps = 8.0 + layout.nodes() as f64;
            check_op(&|i| gated_residual(i[0], i[1], i[2], first, &layout), &twin, &inputs, eps)?;
        }
    }
    Ok(())
}
