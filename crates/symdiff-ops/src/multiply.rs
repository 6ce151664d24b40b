//! Matrix products of strided slices by the `gemm` crate, which Candle uses too.

use crate::host::Real;
use crate::simd::Matrix;
use crate::threads;
use gemm::{Parallelism, gemm};
#[cfg(target_arch = "x86_64")]
use std::sync::Once;

/// A result that a product is written to, or added to: rows of `stride` entries.
pub(crate) struct Target<'a, T> {
    pub(crate) values: &'a mut [T],
    pub(crate) stride: usize,
    pub(crate) add: bool,
}

/// target ← a·b, or target + a·b: a is `[m, k]`, b `[k, n]`, the target `[m, n]`.
pub(crate) fn multiply<T: Real>(target: Target<T>, a: Matrix<T>, b: Matrix<T>, [m, n, k]: [usize; 3]) {
    let Target { values, stride, add } = target;
    if m == 0 || n == 0 || (k == 0 && add) {
        return;
    }
    assert!(n <= stride && (m - 1) * stride + n <= values.len(), "the product fits its target");
    check(a, b, [m, n, k]);
    // SAFETY: the target's entries lie inside its slice (asserted above), which, borrowed mutably, overlaps neither operand.
    unsafe { run(values.as_mut_ptr(), stride, add, a, b, [m, n, k]) };
}

/// out + a·b, row-major `[m, n]`; an empty `out` stands for zeros and costs nothing.
pub(crate) fn product<T: Real>(mut out: Vec<T>, a: Matrix<T>, b: Matrix<T>, [m, n, k]: [usize; 3]) -> Vec<T> {
    let add = !out.is_empty();
    assert!(!add || out.len() == m * n, "what the product is added to has its shape");
    if m * n * k == 0 {
        out.resize(m * n, T::default());
        return out;
    }
    check(a, b, [m, n, k]);
    out.reserve_exact(m * n - out.len());
    // SAFETY: there is room for m·n entries, which are read only when there are as many; after the product all of them are written.
    unsafe {
        run(out.as_mut_ptr(), n, add, a, b, [m, n, k]);
        out.set_len(m * n);
    }
    out
}

fn check<T: Copy>(a: Matrix<T>, b: Matrix<T>, [m, n, k]: [usize; 3]) {
    assert!(k == 0 || (m - 1) * a.rows + (k - 1) * a.columns < a.values.len(), "the left operand holds what its strides reach");
    assert!(k == 0 || (k - 1) * b.rows + (n - 1) * b.columns < b.values.len(), "the right operand holds what its strides reach");
}

/// Our rows, `gemm`'s right operand, have their entries one after the other and are read where they lie: copying them first, as it does by
/// default, takes longer than it saves on the sizes of our networks. Candle's products in this process follow.
#[cfg(target_arch = "x86_64")]
static UNPACKED: Once = Once::new();

/// # Safety
/// The operands hold what the dimensions and strides reach; `out` has room for rows of n ≤ `stride` entries, which hold numbers when
/// `add`, and overlaps neither operand.
unsafe fn run<T: Real>(out: *mut T, stride: usize, add: bool, a: Matrix<T>, b: Matrix<T>, [m, n, k]: [usize; 3]) {
    let _span = tracing::trace_span!("product", flops = 2 * m * n * k).entered();
    #[cfg(target_arch = "x86_64")]
    UNPACKED.call_once(|| gemm::set_rhs_packing_threshold(256));
    let parallelism = match threads::count() {
        1 => Parallelism::None,
        count => Parallelism::Rayon(count),
    };
    // SAFETY: promised by the caller.
    unsafe {
        gemm(
            m,
            n,
            k,
            out,
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
