//! Products straight into the result.

use super::OP;
use crate::Result;
use crate::fill::{Blocks, even_bounds, fill};
use crate::host::{Real, bind_slices, elements, tensor};
use crate::multiply::{Target, multiply, product};
use crate::simd::{Matrix, vectorised};
use candle_core::Tensor;

/// The gradient of a weight is made by about as many tasks, each of which makes at least [`TALL`] of its rows.
const TASKS: usize = 8;
/// See [`TASKS`].
const TALL: usize = 48;

pub(super) fn forward<T: Real>(x: &Tensor, w: &Tensor, b: Option<&Tensor>, [n, i, o]: [usize; 3]) -> Result<Tensor> {
    bind_slices!(OP, T, x, w);
    let mut y = Vec::with_capacity(n * o);
    if let Some(b) = b {
        bind_slices!(OP, T, b);
        (0..n).for_each(|_| y.extend_from_slice(b));
    }
    tensor(product(y, Matrix::dense(x, i), Matrix::transposed(w, i), [n, o, i]), &[n, o])
}

pub(super) fn backward_input<T: Real>(g: &Tensor, w: &Tensor, [n, i, o]: [usize; 3]) -> Result<Tensor> {
    bind_slices!(OP, T, g, w);
    tensor(product(Vec::new(), Matrix::dense(g, o), Matrix::dense(w, i), [n, i, o]), &[n, i])
}

/// Each task makes a band of the weight's rows, over all parts in order: results do not depend on the number of threads.
pub(super) fn backward_parameters<T: Real>(parts: &[[&Tensor; 2]], [i, o]: [usize; 2]) -> Result<[Tensor; 2]> {
    let dense = parts.iter().map(|part| Ok([part[0].contiguous()?, part[1].contiguous()?])).collect::<Result<Vec<_>>>()?;
    let held: Vec<_> = dense.iter().map(|part| part.each_ref().map(Tensor::storage_and_layout)).collect();
    let parts = held.iter().map(|[(x, at_x), (g, at_g)]| Ok((at_x.dims()[0], elements::<T>(OP, x, at_x)?, elements::<T>(OP, g, at_g)?)));
    let parts = parts.collect::<Result<Vec<_>>>()?;

    let bounds = even_bounds(o, 1, o.div_ceil(TASKS).max(TALL));
    let work = parts.iter().map(|(_, x, _)| x.len() * o).sum();
    let [dw, db] = fill(work, [i, 1].map(|width| Blocks { bounds: &bounds, width }), |band, [dw, db]| {
        for (nodes, x, g) in &parts {
            let g = &g[bounds[band]..];
            multiply(Target { values: dw, stride: i, add: true }, Matrix::transposed(g, o), Matrix::dense(x, i), [db.len(), i, *nodes]);
            add_rows(g, o, db);
        }
    });
    Ok([tensor(dw, &[o, i])?, tensor(db, &[o])?])
}

vectorised! {
    /// Adds to the sums the first entries of every `stride` numbers.
    fn add_rows<T>(values: &[T], stride: usize, sums: &mut [T]) {
        for row in values.chunks(stride) {
            for (sum, &value) in sums.iter_mut().zip(row) {
                *sum += value;
            }
        }
    }
}
