//! The right operand of products, packed for the precision that its product has.

use super::slivers::Slivers;
use super::{Part, Products, bf16};
use crate::host::Real;
use crate::simd::Matrix;
use std::any::TypeId;
use std::mem::MaybeUninit;

/// A right operand `[k, n]`. What is known here decides how the product is made.
#[derive(Debug)]
pub(crate) enum Packed<T> {
    /// As it is.
    Full(Slivers<T>),
    /// Pairs of bf16 for instructions that multiply them; T is f32.
    Pairs(bf16::Slivers),
    /// Rounded to bf16, for machines without such instructions: products in T of rounded operands.
    Rounded(Slivers<T>),
}

impl<T: Real> Packed<T> {
    /// Packs b, `[k, n]`.
    pub(crate) fn new(b: Matrix<T>, [k, n]: [usize; 2], products: Products) -> Self {
        Self::stacked(&[Part::new(b, k)], n, products)
    }

    /// Packs the rows of all parts, one below the other.
    pub(crate) fn stacked(parts: &[Part<T>], columns: usize, products: Products) -> Self {
        let _span = tracing::trace_span!(target: "symdiff_ops::product", "pack").entered();
        assert!(parts.iter().all(|part| part.matrix.holds([part.depth, columns])), "the right operand holds what its strides reach");
        assert!(parts.iter().all(|part| part.matrix.is_regular()), "rows or columns of the right operand are contiguous");
        let level = match products {
            Products::Full => return Self::Full(Slivers::new(parts, columns)),
            Products::Bf16 if TypeId::of::<T>() == TypeId::of::<f32>() => bf16::Level::here(),
            Products::Bf16 => None,
        };
        match level {
            Some(level) => Self::Pairs(bf16::Slivers::new(level, &as_f32(parts), columns)),
            None => Self::rounded(parts, columns),
        }
    }

    /// The form for machines without instructions for bf16.
    pub(super) fn rounded(parts: &[Part<T>], columns: usize) -> Self {
        Self::Rounded(with_rounded(parts, |parts| Slivers::new(parts, columns)))
    }

    /// k.
    pub(crate) fn depth(&self) -> usize {
        self.parts().iter().sum()
    }

    /// n.
    pub(crate) fn columns(&self) -> usize {
        match self {
            Self::Full(slivers) | Self::Rounded(slivers) => slivers.columns(),
            Self::Pairs(slivers) => slivers.columns(),
        }
    }

    /// The rows of each part.
    pub(super) fn parts(&self) -> &[usize] {
        match self {
            Self::Full(slivers) | Self::Rounded(slivers) => slivers.parts(),
            Self::Pairs(slivers) => slivers.parts(),
        }
    }
}

/// Runs `body` on copies of the parts whose numbers are rounded to bf16.
pub(super) fn with_rounded<T: Real, R>(parts: &[Part<T>], body: impl FnOnce(&[Part<T>]) -> R) -> R {
    let rounded: Vec<Vec<T>> = parts.iter().map(|part| part.matrix.values.iter().map(|value| value.to_bf16()).collect()).collect();
    let parts = parts.iter().zip(&rounded).map(|(part, values)| Part { matrix: Matrix { values, ..part.matrix }, ..*part });
    body(&parts.collect::<Vec<_>>())
}

/// A slice of T as one of U, which must be the same type.
pub(super) fn same<T: 'static, U: 'static>(values: &[T]) -> &[U] {
    assert!(TypeId::of::<T>() == TypeId::of::<U>(), "packed for another type");
    // SAFETY: T is U.
    unsafe { std::slice::from_raw_parts(values.as_ptr().cast(), values.len()) }
}

/// As [`same`], for memory that may be uninitialised.
pub(super) fn same_mut<T: 'static, U: 'static>(values: &mut [MaybeUninit<T>]) -> &mut [MaybeUninit<U>] {
    assert!(TypeId::of::<T>() == TypeId::of::<U>(), "packed for another type");
    // SAFETY: T is U.
    unsafe { std::slice::from_raw_parts_mut(values.as_mut_ptr().cast(), values.len()) }
}

/// The parts, where T is f32.
pub(super) fn as_f32<'a, T: Real>(parts: &[Part<'a, T>]) -> Vec<Part<'a, f32>> {
    let cast =
        |&Part { matrix: Matrix { values, rows, columns }, depth }| Part { matrix: Matrix { values: same(values), rows, columns }, depth };
    parts.iter().map(cast).collect()
}
