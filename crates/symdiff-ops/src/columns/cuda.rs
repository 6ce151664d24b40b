//! One launch for as many parts as a table holds.

use super::OP;
use crate::Result;
use crate::gpu::{Arg, Grid, Launch};
use candle_core::Tensor;

/// Blocks that share one part, at most.
const BLOCKS: usize = 64;

pub(super) fn joined(parts: &[&Tensor], rows: usize) -> Result<Tensor> {
    if parts.len() > Arg::TABLE {
        let some = parts.chunks(Arg::TABLE).map(|parts| joined(parts, rows)).collect::<Result<Vec<_>>>()?;
        return joined(&some.iter().collect::<Vec<_>>(), rows);
    }
    let first = parts[0];
    let (mut from, mut widths, mut places, mut total, mut largest) = (Vec::new(), Vec::new(), Vec::new(), 0, 0);
    for part in parts {
        let width = part.dims()[1];
        from.push(Arg::Read(part.contiguous()?));
        widths.push(Arg::Long(width as i64));
        places.push(Arg::Long(total as i64));
        total += width;
        largest = largest.max(rows * width);
    }
    let launch = Launch::new(OP, "columns_joined", first)?.arg(Arg::Table(from)).arg(Arg::Table(widths)).arg(Arg::Table(places));
    let [all] = launch.write(&[rows, total]).ints([rows, total])?.run(&Grid::tabled(largest, parts.len(), BLOCKS))?;
    Ok(all)
}
