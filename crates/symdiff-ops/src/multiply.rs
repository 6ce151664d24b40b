//! Matrix products of strided slices by the `gemm` crate, into memory that the caller owns.

use crate::host::Real;
use crate::simd::Matrix;
use crate::threads;
use gemm::{Parallelism, gemm};

/// Who works on a product: all threads, or the calling one, inside a task that is one of many.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Workers {
    All,
    This,
}

/// A result that a product is written to, or added to: rows of `stride` entries.
pub(crate) struct Target<'a, T> {
    pub(crate) values: &'a mut [T],
    pub(crate) stride: usize,
    pub(crate) add: bool,
}

/// target ← a·b, or target + a·b: a is `[m, k]`, b `[k, n]`, the target `[m, n]`.
pub(crate) fn multiply<T: Real>(target: Target<T>, a: Matrix<T>, b: Matrix<T>, [m, n, k]: [usize; 3], workers: Workers) {
    let Target { values, stride, add } = target;
    if m == 0 || n == 0 || (k == 0 && add) {
        return;
    }
    assert!(n <= stride && (m - 1) * stride + n <= values.len(), "the product fits its target");
    assert!(k == 0 || (m - 1) * a.rows + (k - 1) * a.columns < a.values.len(), "the left operand holds what its strides reach");
    assert!(k == 0 || (k - 1) * b.rows + (n - 1) * b.columns < b.values.len(), "the right operand holds what its strides reach");
    let parallelism = match threads::count() {
        count if workers == Workers::All && count > 1 => Parallelism::Rayon(count),
        _ => Parallelism::None,
    };
    // SAFETY: every entry that the dimensions and strides reach lies inside its slice (asserted above), and the target, borrowed
    // mutably, overlaps neither operand; its rows do not overlap each other as n ≤ stride.
    unsafe {
        gemm(
            m,
            n,
            k,
            values.as_mut_ptr(),
            1,
            stride as isize,
            add,
            a.values.as_ptr(),
            a.columns as isize,
            a.rows as isize,
            b.values.as_ptr(),
            b.columns as isize,
            b.rows as isize,
            T::one_if(add),
            T::one_if(true),
            false,
            false,
            false,
            parallelism,
        );
    }
}
