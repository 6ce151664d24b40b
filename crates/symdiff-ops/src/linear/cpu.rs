//! The affine map on slices.

use super::OP;
use crate::Result;
use crate::host::{Real, bind_slices, elements, tensor};
use crate::product::{Packed, Part, Products, product};
use crate::simd::{Matrix, vectorised};
use candle_core::Tensor;

/// W `[O, I]`, or its transpose, packed as a right operand.
pub(super) fn packed<T: Real>(w: &Tensor, [o, i]: [usize; 2], transposed: bool, products: Products) -> Result<Packed<T>> {
    bind_slices!(OP, T, w);
    let (matrix, dims) = if transposed { (Matrix::transposed(w, i), [i, o]) } else { (Matrix::dense(w, i), [o, i]) };
    Ok(Packed::new(matrix, dims, products))
}

pub(super) fn times<T: Real>(x: &Tensor, weight: &Packed<T>, bias: Option<&Tensor>) -> Result<Tensor> {
    let (n, columns) = (x.dims()[0], weight.columns());
    bind_slices!(OP, T, x);
    let a = [Part::new(Matrix::dense(x, weight.depth()), weight.depth())];
    let y = match bias {
        Some(bias) => {
            bind_slices!(OP, T, bias);
            product(Some(bias), &a, weight, n)
        }
        None => product(None, &a, weight, n),
    };
    tensor(y, &[n, columns])
}

/// One product, over the nodes of all parts.
pub(super) fn backward_parameters<T: Real>(parts: &[[&Tensor; 2]], [i, o]: [usize; 2], products: Products) -> Result<[Tensor; 2]> {
    let tensors = parts.iter().flatten().map(|tensor| tensor.contiguous()).collect::<candle_core::Result<Vec<_>>>()?;
    let guards: Vec<_> = tensors.iter().map(Tensor::storage_and_layout).collect();
    let slices = guards.iter().map(|(storage, layout)| elements::<T>(OP, "part", storage, layout)).collect::<Result<Vec<_>>>()?;
    let (mut xs, mut gs, mut db) = (Vec::new(), Vec::new(), vec![T::default(); o]);
    for (&[x, g], part) in slices.as_chunks::<2>().0.iter().zip(parts) {
        let depth = part[0].dims()[0];
        xs.push(Part::new(Matrix::dense(x, i), depth));
        gs.push(Part::new(Matrix::transposed(g, o), depth));
        add_rows(g, &mut db);
    }
    let dw = product(None, &gs, &Packed::stacked(&xs, i, products), o);
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
