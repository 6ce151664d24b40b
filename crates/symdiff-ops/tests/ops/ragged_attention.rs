//! `ragged_attention` against products and exponentials in Candle ops, sample by sample and head by head.

use crate::common::{assert_close, check_op, flat, layouts, random, samples};
use candle_core::{DType, Tensor};
use symdiff_ops::{Ragged, Result, ragged_attention};

fn twin(qkv: &Tensor, heads: usize, layout: &Ragged) -> Result<Tensor> {
    let width = qkv.dims()[1] / (3 * heads);
    let one = |x: &Tensor, head: usize| -> Result<Tensor> {
        let part = |k: usize| x.narrow(1, (k * heads + head) * width, width);
        let scores = (part(0)?.matmul(&part(1)?.t()?)? / (width as f64).sqrt())?;
        let weights = scores.broadcast_sub(&scores.max_keepdim(1)?)?.exp()?;
        Ok(weights.broadcast_div(&weights.sum_keepdim(1)?)?.matmul(&part(2)?.contiguous()?)?)
    };
    let parts = samples(qkv, layout)?.into_iter().map(|x| {
        let heads = (0..heads).map(|head| one(&x, head)).collect::<Result<Vec<_>>>()?;
        Ok(Tensor::cat(&heads, 1)?)
    });
    Ok(Tensor::cat(&parts.collect::<Result<Vec<_>>>()?, 0)?)
}

#[test]
fn equals_the_composed_attention() -> Result<()> {
    for layout in layouts()? {
        for (heads, width) in [(1, 5), (2, 16), (3, 21)] {
            let qkv = random(1, &[layout.nodes(), 3 * heads * width])?;
            let eps = 64.0 + (width + layout.longest()) as f64;
            check_op(&|i| ragged_attention(i[0], heads, &layout), &|i| twin(i[0], heads, &layout), &[qkv], eps)?;
        }
    }
    Ok(())
}

/// Scores of the order of 10⁴ make one-hot weights: finite, and equal to the exact ones.
#[test]
fn large_scores_saturate() -> Result<()> {
    let layout = Ragged::from_sizes(&[19, 4])?;
    let qkv = (random(1, &[23, 48])? * 60.0)?;
    let expected = twin(&qkv, 2, &layout)?;
    assert_close("large scores", &ragged_attention(&qkv.to_dtype(DType::F32)?, 2, &layout)?, &expected, 1e-4)
}

#[test]
fn samples_do_not_see_each_other_and_nodes_have_no_order() -> Result<()> {
    let qkv = random(1, &[9, 24])?.to_dtype(DType::F32)?;
    let together = ragged_attention(&qkv, 2, &Ragged::from_sizes(&[2, 4, 3])?)?;
    let alone = ragged_attention(&qkv.narrow(0, 2, 4)?, 2, &Ragged::from_sizes(&[4])?)?;
    assert_eq!(flat(&together.narrow(0, 2, 4)?)?, flat(&alone)?);
    let order = Tensor::new(&[3_u32, 1, 0, 2], qkv.device())?;
    let permuted = ragged_attention(&qkv.narrow(0, 2, 4)?.index_select(&order, 0)?, 2, &Ragged::from_sizes(&[4])?)?;
    assert_close("permuted", &permuted, &alone.index_select(&order, 0)?, 32.0 * f64::from(f32::EPSILON))
}

#[test]
fn channels_that_do_not_divide_into_heads_are_refused() -> Result<()> {
    let refused = ragged_attention(&random(1, &[2, 12])?, 3, &Ragged::from_sizes(&[2])?);
    let expected = "ragged_attention: qkv has shape [2, 12], expected [N, 3C] with C a multiple of the 3 heads";
    assert_eq!(refused.map(|_| ()).map_err(|error| error.to_string()), Err(expected.into()));
    Ok(())
}
