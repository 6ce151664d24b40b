//! Ops on the pairs of a sample: bound by arithmetic.

use crate::{CHANNELS, GAUSSIANS, HEADS, computes, layout, tensor};
use criterion::Criterion;
use symdiff_ops::{Ragged, Result, pair_gaussian_mean, ragged_attention};

pub(crate) fn bench(criterion: &mut Criterion) {
    run(criterion).expect("shapes of the bench belong together");
}

fn run(criterion: &mut Criterion) -> Result<()> {
    for (name, layout) in [("64 molecules", layout()?), ("8 of 181 nodes", Ragged::from_sizes(&[181; 8])?)] {
        let (qkv, gradient) = (tensor(&[layout.nodes(), 3 * CHANNELS])?, tensor(&[layout.nodes(), CHANNELS])?);
        let work = CHANNELS * layout.pairs();
        computes(criterion, "ragged_attention", &format!("forward, {name}"), 4 * work, || {
            ragged_attention::forward(&qkv, HEADS, &layout).map(drop)
        });
        computes(criterion, "ragged_attention", &format!("backward, {name}"), 10 * work, || {
            ragged_attention::backward(&qkv, HEADS, &gradient, &layout).map(drop)
        });
        let x = (tensor(&[layout.nodes(), 3])? * 3.0)?;
        let (means, sigmas) = (tensor(&[GAUSSIANS])?.abs()?, (tensor(&[GAUSSIANS])?.abs()? + 0.2)?);
        let gradient = tensor(&[layout.nodes(), GAUSSIANS])?;
        // The unit here is one exponential.
        let exponentials = GAUSSIANS * (layout.pairs() - layout.nodes()) / 2;
        computes(criterion, "pair_gaussian_mean", &format!("forward, {name}, exponentials"), exponentials, || {
            pair_gaussian_mean::forward(&x, &means, &sigmas, &layout).map(drop)
        });
        computes(criterion, "pair_gaussian_mean", &format!("backward, {name}, exponentials"), exponentials, || {
            pair_gaussian_mean::backward(&x, &means, &sigmas, &gradient, &layout).map(drop)
        });
    }
    Ok(())
}
