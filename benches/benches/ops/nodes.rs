//! Ops on single nodes: bound by memory.

use crate::{CHANNELS, layout, moves, tensor};
use criterion::Criterion;
use symdiff_ops::ada_layer_norm::Columns;
use symdiff_ops::{Result, ada_layer_norm, gated_residual, gelu, segment, silu, swiglu};

pub(crate) fn bench(criterion: &mut Criterion) {
    run(criterion).expect("shapes of the bench belong together");
}

fn run(criterion: &mut Criterion) -> Result<()> {
    let layout = layout()?;
    let row = 4 * layout.nodes() * CHANNELS;
    let (x, y, wide) =
        (tensor(&[layout.nodes(), CHANNELS])?, tensor(&[layout.nodes(), CHANNELS])?, tensor(&[layout.nodes(), 4 * CHANNELS])?);
    let hidden = tensor(&[layout.nodes(), 2 * CHANNELS])?;
    for (kind, rows) in [("per sample", layout.len()), ("shared", 1)] {
        let modulation = tensor(&[rows, 6 * CHANNELS])?;
        let columns = Columns { shift: 0, scale: CHANNELS };
        let name = |pass: &str| format!("{pass}, {kind}");
        moves(criterion, "ada_layer_norm", &name("forward"), 2 * row, || {
            ada_layer_norm::forward(&x, &modulation, columns, &layout).map(drop)
        });
        moves(criterion, "ada_layer_norm", &name("backward"), 3 * row, || {
            ada_layer_norm::backward(&x, &modulation, columns, &y, None, &layout).map(drop)
        });
        moves(criterion, "gated_residual", &name("forward"), 3 * row, || {
            gated_residual::forward(&x, &y, &modulation, 2 * CHANNELS, &layout).map(drop)
        });
        moves(criterion, "gated_residual", &name("backward"), 3 * row, || {
            gated_residual::backward(&y, &modulation, 2 * CHANNELS, &x, &layout).map(drop)
        });
    }
    moves(criterion, "swiglu", "forward", 6 * row, || swiglu::forward(&wide).map(drop));
    moves(criterion, "swiglu", "backward", 12 * row, || swiglu::backward(&wide, &hidden).map(drop));
    moves(criterion, "gelu", "forward", 2 * row, || gelu::forward(&x).map(drop));
    moves(criterion, "gelu", "replayed", 4 * row, || gelu::replayed(&x, &y).map(drop));
    moves(criterion, "silu", "forward", 2 * row, || silu::forward(&x).map(drop));
    moves(criterion, "silu", "backward", 3 * row, || silu::backward(&x, &y).map(drop));
    let samples = segment::segment_mean_forward(&x, &layout)?;
    moves(criterion, "segment", "mean", row, || segment::segment_mean_forward(&x, &layout).map(drop));
    moves(criterion, "segment", "spread", row, || segment::spread_forward(&samples, &layout).map(drop));
    moves(criterion, "segment", "centre", 2 * row, || segment::centre_forward(&x, &layout).map(drop));
    Ok(())
}
