//! Products by the `gemm` crate, which Candle uses too, straight into the result.

use super::OP;
use crate::Result;
use crate::fill::{Blocks, even_bounds, fill_one};
use crate::host::{Real, bind_slices, tensor};
use crate::threads;
use candle_core::Tensor;
use gemm::{Parallelism, gemm};

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
    bind_slices!(OP, T, x, w);
    let mut y = Vec::with_capacity(n * o);
    if let Some(b) = b {
        bind_slices!(OP, T, b);
        (0..n).for_each(|_| y.extend_from_slice(b));
    }
    tensor(product(y, [n, i, o], &Operand::new(x, i), &Operand::new(w, i).transposed()), &[n, o])
}

pub(super) fn backward_input<T: Real>(g: &Tensor, w: &Tensor, [n, i, o]: [usize; 3]) -> Result<Tensor> {
    bind_slices!(OP, T, g, w);
    tensor(product(Vec::new(), [n, o, i], &Operand::new(g, o), &Operand::new(w, i)), &[n, i])
}

pub(super) fn backward_weight<T: Real>(x: &Tensor, g: &Tensor, [n, i, o]: [usize; 3]) -> Result<Tensor> {
    bind_slices!(OP, T, x, g);
    tensor(product(Vec::new(), [o, n, i], &Operand::new(g, o).transposed(), &Operand::new(x, i)), &[o, i])
}

pub(super) fn backward_bias<T: Real>(g: &Tensor, o: usize) -> Result<Tensor> {
    bind_slices!(OP, T, g);
    // Columns are divided into fixed blocks: every sum runs over the rows in order, whatever the number of threads.
    let bounds = even_bounds(o, 1, 64);
    let db = fill_one(g.len(), Blocks { bounds: &bounds, width: 1 }, |block, sums: &mut [T]| {
        for row in g.chunks_exact(o) {
            sums.iter_mut().zip(&row[bounds[block]..]).for_each(|(sum, &value)| *sum += value);
        }
    });
    tensor(db, &[o])
}

/// out + a·b, with a `[m, k]`, b `[k, n]` and out `[m, n]` row-major; an empty `out` stands for zeros and costs nothing.
fn product<T: Real>(mut out: Vec<T>, [m, k, n]: [usize; 3], a: &Operand<T>, b: &Operand<T>) -> Vec<T> {
    let accumulate = !out.is_empty();
    assert!(!accumulate || out.len() == m * n, "what the product is added to has its shape");
    assert!(a.values.len() == m * k && b.values.len() == k * n, "operand sizes were checked by the caller");
    if k == 0 {
        out.resize(m * n, T::default());
        return out;
    }
    out.reserve_exact(m * n - out.len());
    let parallelism = match threads::count() {
        1 => Parallelism::None,
        count => Parallelism::Rayon(count),
    };
    // SAFETY: the operands hold exactly the elements that the dimensions and strides reach (asserted above; strides are those of dense
    // row-major or transposed matrices). `out` has room for m·n elements, is read only when `accumulate`, in which case it holds
    // them, and is owned, so it overlaps neither operand.
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
        out.set_len(m * n);
    }
    out
}
