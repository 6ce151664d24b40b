//! Which measurements would not fit into this machine's memory.

use super::cell::{Cell, Kind};
use symdiff_cli::Outcome;
use symdiff_models::{ModelConfig, memory};

const GIB: f64 = (1_u64 << 30) as f64;

/// Of what is available, the share that a measurement may take.
const SHARE: f64 = 0.9;

/// Why not to try, where a training step is expected to need more memory than there is.
pub(super) fn too_much(cell: &Cell) -> Outcome<Option<String>> {
    let needed = expected_bytes(cell)?;
    let there = memory::available().unwrap_or(f64::INFINITY);
    Ok((cell.device == "cpu" && needed > SHARE * there)
        .then(|| format!("{} skipped: about {:.0} GiB needed, {:.0} available", cell.kind, needed / GIB, there / GIB)))
}

/// What a training step keeps for its backward pass. A call without gradients keeps next to nothing.
fn expected_bytes(cell: &Cell) -> Outcome<f64> {
    if cell.kind != Kind::Step {
        return Ok(0.0);
    }
    let atoms = cell.batch as f64 * cell.atoms as f64;
    Ok(memory::activations(&ModelConfig::preset(&cell.model)?, atoms, atoms * (cell.atoms as f64 - 1.0)))
}
