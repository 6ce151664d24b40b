//! Products straight into the result.

use super::OP;
use crate::Result;
use crate::host::{Real, bind_slices, tensor};
use crate::multiply::product;
use crate::simd::{Matrix, vectorised};
use candle_core::Tensor;

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

/// One product after the other into the same result: it does not depend on the number of threads.
pub(super) fn backward_parameters<T: Real>(parts: &[[&Tensor; 2]], [i, o]: [usize; 2]) -> Result<[Tensor; 2]> {
    let (mut dw, mut db) = (Vec::new(), vec![T::default(); o]);
    for [x, g] in parts {
        let nodes = x.dims()[0];
        bind_slices!(OP, T, x, g);
        dw = product(dw, Matrix::transposed(g, o), Matrix::dense(x, i), [o, i, nodes]);
        add_rows(g, &mut db);
    }
    Ok([tensor(dw, &[o, i])?, tensor(db, &[o])?])
}

vectorised! {
    /// Adds rows to the sums.
    fn add_rows<T>(rows: &[T], sums: &mut [T]) {
        for row in rows.chunks_exact(sums.len()) {
            for (sum, &value) in sums.iter_mut().zip(row) {
                *sum += value;
            }
        }
    }
}
