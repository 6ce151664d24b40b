//! Ops of frames, one 3 × 3 matrix per sample: so small that the time is that of the call.

use crate::{layout, moves, tensor};
use criterion::Criterion;
use symdiff_ops::gram_schmidt3::By;
use symdiff_ops::{Result, gram_schmidt3, rotate};

pub(crate) fn bench(criterion: &mut Criterion) {
    run(criterion).expect("shapes of the bench belong together");
}

fn run(criterion: &mut Criterion) -> Result<()> {
    let layout = layout()?;
    let (points, samples) = (4 * 3 * layout.nodes(), 4 * 9 * layout.len());
    let (x, a) = (tensor(&[layout.nodes(), 3])?, tensor(&[layout.len(), 3, 3])?);
    let g = gram_schmidt3::forward(&a, By::Columns)?;
    moves(criterion, "gram_schmidt3", "forward", 2 * samples, || gram_schmidt3::forward(&a, By::Columns).map(drop));
    moves(criterion, "gram_schmidt3", "backward", 3 * samples, || gram_schmidt3::backward(&a, &g, By::Columns).map(drop));
    moves(criterion, "rotate", "forward", 2 * points + samples, || rotate::forward(&x, &g, &layout, false).map(drop));
    moves(criterion, "rotate", "backward", 2 * points + samples, || rotate::backward_matrix(&x, &x, &layout, false).map(drop));
    Ok(())
}
