//! Products by the `gemm` crate, which Candle uses too, straight into the result.

use super::OP;
use crate::Result;
use crate::host::{Real, tensor, with_slice};
use crate::threads;
use candle_core::Tensor;
use gemm::{Parallelism, gemm};
use rayon::prelude::*;

/// A row-major or transposed operand: its elements and the strides between rows and columns.
struct Operand<'a, T> {
    values: &'a [T],
    rows: usize,
    columns: usize,
}

impl<'a, T> Operand<'a, T> {
    fn new(values: &'a [T], width: usize) -> Self {
        Self { values, rows: width, columns: 1 }
    }

    fn transposed(self) -> Self {
        Self { values: self.values, rows: self.columns, columns: self.rows }
    }
}

pub(super) fn forward<T: Real>(x: &Tensor, w: &Tensor, b: Option<&Tensor>, [n, i, o]: [usize; 3]) -> Result<Tensor> {
    let mut y = vec![T::default(); n * o];
    if let Some(b) = b {
        with_slice::<T, _>(OP, b, |b| y.chunks_exact_mut(o).for_each(|row| row.copy_from_slice(b)))?;
    }
    with_slice::<T, _>(OP, x, |x| {
        with_slice::<T, _>(OP, w, |w| multiply(&mut y, [n, i, o], &Operand::new(x, i), &Operand::new(w, i).transposed(), b.is_some()))
    })??;
    tensor(y, &[n, o])
}

pub(super) fn backward_input<T: Real>(g: &Tensor, w: &Tensor, [n, i, o]: [usize; 3]) -> Result<Tensor> {
    let mut dx = vec![T::default(); n * i];
    with_slice::<T, _>(OP, g, |g| {
        with_slice::<T, _>(OP, w, |w| multiply(&mut dx, [n, o, i], &Operand::new(g, o), &Operand::new(w, i), false))
    })??;
    tensor(dx, &[n, i])
}

pub(super) fn backward_weight<T: Real>(x: &Tensor, g: &Tensor, [n, i, o]: [usize; 3]) -> Result<Tensor> {
    let mut dw = vec![T::default(); o * i];
    with_slice::<T, _>(OP, g, |g| {
        with_slice::<T, _>(OP, x, |x| multiply(&mut dw, [o, n, i], &Operand::new(g, o).transposed(), &Operand::new(x, i), false))
    })??;
    tensor(dw, &[o, i])
}

pub(super) fn backward_bias<T: Real>(g: &Tensor, o: usize) -> Result<Tensor> {
    let db = with_slice::<T, _>(OP, g, |g| {
        let mut db = vec![T::default(); o];
        // Columns are divided among the threads: every sum runs over the rows in order, whatever their number.
        let width = o.div_ceil(threads::count()).max(16);
        db.par_chunks_mut(width).enumerate().for_each(|(part, sums)| {
            for row in g.chunks_exact(o) {
                let row = &row[part * width..][..sums.len()];
                sums.iter_mut().zip(row).for_each(|(sum, &value)| *sum += value);
            }
        });
        db
    })?;
    tensor(db, &[o])
}

/// out (+)= a·b, with a `[m, k]`, b `[k, n]` and out `[m, n]` row-major.
fn multiply<T: Real>(out: &mut [T], [m, k, n]: [usize; 3], a: &Operand<T>, b: &Operand<T>, accumulate: bool) {
    assert!(out.len() == m * n && a.values.len() == m * k && b.values.len() == k * n, "operand sizes were checked by the caller");
    let parallelism = match threads::count() {
        1 => Parallelism::None,
        count => Parallelism::Rayon(count),
    };
    // SAFETY: the three slices hold exactly the elements that the dimensions and strides reach (asserted above; strides are those of
    // dense row-major or transposed matrices), and `out` is borrowed mutably, so it overlaps neither operand.
    unsafe {
        gemm(
            m,
            n,
            k,
            out.as_mut_ptr(),
            1,
            n as isize,
            accumulate,
            a.values.as_ptr(),
            a.columns as isize,
            a.rows as isize,
            b.values.as_ptr(),
            b.columns as isize,
            b.rows as isize,
            T::one_if(accumulate),
            T::one_if(true),
            false,
            false,
            false,
            parallelism,
        );
    }
}
