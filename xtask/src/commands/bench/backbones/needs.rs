//! Which measurements would not fit into this machine's memory.

use super::cell::{Cell, Kind};
use crate::commands::bench::memory::available_bytes;
use symdiff_cli::Outcome;
use symdiff_models::ModelConfig;
use symdiff_models::models::Backbone;

const GIB: f64 = (1_u64 << 30) as f64;

/// Of what is available, the share that a measurement may take.
const SHARE: f64 = 0.9;

/// Why not to try, where a training step is expected to need more memory than there is.
pub(super) fn too_much(cell: &Cell) -> Outcome<Option<String>> {
    let needed = expected_bytes(cell)?;
    let there = available_bytes().map_or(f64::INFINITY, |bytes| bytes as f64);
    Ok((cell.device == "cpu" && needed > SHARE * there)
        .then(|| format!("{} skipped: about {:.0} GiB needed, {:.0} available", cell.kind, needed / GIB, there / GIB)))
}

/// What a training step keeps for its backward pass, roughly: a graph network one row of its width for each edge and edge network, and
/// any network some twenty rows for each atom and layer. A call without gradients keeps next to nothing.
fn expected_bytes(cell: &Cell) -> Outcome<f64> {
    if cell.kind != Kind::Step {
        return Ok(0.0);
    }
    let nodes = cell.batch as f64 * cell.atoms as f64;
    let edges = nodes * (cell.atoms as f64 - 1.0);
    let (width, layers, edge_networks) = match ModelConfig::preset(&cell.model)?.backbone {
        Backbone::Dit(sizes) => (sizes.hidden, sizes.depth, 0),
        Backbone::Egnn(sizes) => (sizes.width, sizes.layers, sizes.layers * (sizes.sublayers + 1)),
        Backbone::Gnn(sizes) => (sizes.width, sizes.layers, sizes.layers),
    };
    Ok(4.0 * width as f64 * (edge_networks as f64 * edges + 20.0 * layers as f64 * nodes))
}
