//! `ada_layer_norm` against mean and variance in Candle ops.

use crate::common::{assert_close, check_op, flat, layouts, own_row, random, samples};
use candle_core::{DType, Tensor};
use symdiff_ops::ada_layer_norm::{Columns, ada_layer_norm};
use symdiff_ops::{Ragged, Result};

fn twin(x: &Tensor, modulation: &Tensor, columns: Columns, layout: &Ragged) -> Result<Tensor> {
    let width = x.dims()[1];
    let parts = samples(x, layout)?.into_iter().enumerate().map(|(i, x)| {
        let row = own_row(modulation, i)?;
        let rest = x.broadcast_sub(&x.mean_keepdim(1)?)?;
        let normalised = rest.broadcast_div(&(rest.sqr()?.mean_keepdim(1)? + 1e-6)?.sqrt()?)?;
        let scale = (row.narrow(1, columns.scale, width)? + 1.0)?;
        Ok(normalised.broadcast_mul(&scale)?.broadcast_add(&row.narrow(1, columns.shift, width)?)?)
    });
    Ok(Tensor::cat(&parts.collect::<Result<Vec<_>>>()?, 0)?)
}

#[test]
fn equals_the_composed_norm() -> Result<()> {
    for layout in layouts()? {
        for (width, columns) in [(5, Columns { shift: 0, scale: 5 }), (40, Columns { shift: 121, scale: 40 })] {
            for rows in [1, layout.len()] {
                let inputs = [random(1, &[layout.nodes(), width])?, random(2, &[rows, 4 * width + 1])?];
                let eps = 64.0 + layout.nodes() as f64;
                check_op(&|i| ada_layer_norm(i[0], i[1], columns, &layout), &|i| twin(i[0], i[1], columns, &layout), &inputs, eps)?;
            }
        }
    }
    Ok(())
}

/// Rows of mean 10⁴ and spread 0.1 in f32: the input has three digits of the spread left, the norm must keep them.
#[test]
fn a_large_common_offset_costs_no_digits() -> Result<()> {
    let layout = Ragged::from_sizes(&[4])?;
    let x = ((random(1, &[4, 384])? * 0.1)? + 1e4)?.to_dtype(DType::F32)?;
    let none = Tensor::zeros((1, 768), DType::F32, x.device())?;
    let columns = Columns { shift: 0, scale: 384 };
    let expected = twin(&x.to_dtype(DType::F64)?, &none.to_dtype(DType::F64)?, columns, &layout)?;
    assert_close("offset rows", &ada_layer_norm(&x, &none, columns, &layout)?, &expected, 1e-5)
}

/// A sample's rows have the same bits whatever shares the batch.
#[test]
fn samples_do_not_see_each_other() -> Result<()> {
    let (x, m) = (random(1, &[9, 33])?.to_dtype(DType::F32)?, random(2, &[3, 66])?.to_dtype(DType::F32)?);
    let columns = Columns { shift: 33, scale: 0 };
    let together = ada_layer_norm(&x, &m, columns, &Ragged::from_sizes(&[2, 4, 3])?)?;
    let alone = ada_layer_norm(&x.narrow(0, 2, 4)?, &m.narrow(0, 1, 1)?, columns, &Ragged::from_sizes(&[4])?)?;
    assert_eq!(flat(&together.narrow(0, 2, 4)?)?, flat(&alone)?);
    Ok(())
}

#[test]
fn columns_outside_the_modulation_are_refused() -> Result<()> {
    let layout = Ragged::from_sizes(&[2])?;
    let refused = ada_layer_norm(&random(1, &[2, 4])?, &random(2, &[1, 7])?, Columns { shift: 0, scale: 4 }, &layout);
    let expected = "ada_layer_norm: modulation has shape [1, 7], expected at least 8 columns, as x has 4 channels and a part starts at 4";
    assert_eq!(refused.map(|_| ()).map_err(|error| error.to_string()), Err(expected.into()));
    Ok(())
}
