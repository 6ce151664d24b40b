//! Segment sums, means and their opposites against Candle's reductions sample by sample.

use crate::common::{assert_close, check_op, layouts, own_row, random, samples};
use candle_core::Tensor;
use symdiff_ops::{Ragged, Result, centre, segment_mean, segment_sum, spread};

fn by_sample(x: &Tensor, layout: &Ragged, f: impl Fn(usize, &Tensor) -> Result<Tensor>) -> Result<Tensor> {
    let parts = samples(x, layout)?.iter().enumerate().map(|(i, x)| f(i, x)).collect::<Result<Vec<_>>>()?;
    Ok(Tensor::cat(&parts, 0)?)
}

#[test]
fn reductions_equal_those_of_each_sample() -> Result<()> {
    for layout in layouts()? {
        for channels in [1, 3, 37] {
            let x = [random(1, &[layout.nodes(), channels])?];
            let eps = 8.0 + layout.longest() as f64;
            let sum = |x: &[&Tensor]| by_sample(x[0], &layout, |_, x| Ok(x.sum_keepdim(0)?));
            check_op(&|x| segment_sum(x[0], &layout), &sum, &x, eps)?;
            let mean = |x: &[&Tensor]| by_sample(x[0], &layout, |_, x| Ok(x.mean_keepdim(0)?));
            check_op(&|x| segment_mean(x[0], &layout), &mean, &x, eps)?;
        }
    }
    Ok(())
}

#[test]
fn spread_gives_each_node_its_samples_row() -> Result<()> {
    for layout in layouts()? {
        for rows in [1, layout.len()] {
            let v = [random(2, &[rows, 5])?];
            let nodes = random(0, &[layout.nodes(), 5])?;
            let twin = |v: &[&Tensor]| by_sample(&nodes, &layout, |i, x| Ok(own_row(v[0], i)?.broadcast_as(x.shape())?.contiguous()?));
            check_op(&|v| spread(v[0], &layout), &twin, &v, 8.0 + layout.nodes() as f64)?;
        }
    }
    Ok(())
}

#[test]
fn centring_subtracts_the_mean_and_is_a_projection() -> Result<()> {
    for layout in layouts()? {
        if layout.longest() == 1 {
            continue; // a sample of one node is its own centre: all is zero, and there is no scale to compare with
        }
        let x = [random(3, &[layout.nodes(), 3])?];
        let twin = |x: &[&Tensor]| by_sample(x[0], &layout, |_, x| Ok(x.broadcast_sub(&x.mean_keepdim(0)?)?));
        check_op(&|x| centre(x[0], &layout), &twin, &x, 8.0 + layout.longest() as f64)?;
        let once = centre(&x[0], &layout)?;
        assert_close("centre ∘ centre", &centre(&once, &layout)?, &once, 1e-14)?;
    }
    Ok(())
}

#[test]
fn a_row_for_neither_one_nor_all_samples_is_refused() -> Result<()> {
    let layout = Ragged::from_sizes(&[2, 1, 4])?;
    let message = spread(&random(1, &[2, 5])?, &layout).map(|_| ()).map_err(|error| error.to_string());
    assert_eq!(message, Err("spread: v has shape [2, 5], expected [3, W], one row per sample, or [1, W], shared".into()));
    assert!(segment_sum(&random(1, &[6, 5])?, &layout).is_err());
    Ok(())
}
