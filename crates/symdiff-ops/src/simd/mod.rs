//! Loops compiled for the vector instructions of the machine, which [`pulp::Arch`] finds at run time.
//!
//! [`vectorised!`] compiles a function once for each of its levels (on x86: AVX-512, AVX2 with FMA, and what the target has anyway). The bodies
//! are ordinary Rust over slices, most of them generic over [`Real`], written so that the compiler turns their inner loops into vector
//! instructions: fixed numbers of lanes in reductions, no branches, and [`exp`] instead of a library call. The one loop that a compiler does
//! not turn into vectors by itself, the matrix product's, names them: [`Lanes`].

mod accumulate;
mod exp;
mod lanes;
mod matrix;
mod transpose;

pub(crate) use accumulate::accumulate;
pub(crate) use exp::{exp, exp_nonpositive};
pub(crate) use lanes::Lanes;
pub(crate) use matrix::Matrix;
pub(crate) use transpose::{transpose, transpose_words};

use crate::host::Real;
use std::mem::MaybeUninit;

/// Independent partial sums of a reduction: two AVX-512 registers of f32.
const LANES: usize = 32;

/// Defines functions, generic over one [`Real`] or over nothing, that run compiled for the best vector instructions of the machine. Whatever a body calls must
/// be `#[inline(always)]`: a function that is not inlined is compiled without them.
macro_rules! vectorised {
    ($($(#[$meta:meta])* $vis:vis fn $name:ident$(<$T:ident>)?($($arg:ident: $type:ty),* $(,)?) $(-> $out:ty)? $body:block)*) => {$(
        $(#[$meta])*
        $vis fn $name$(<$T: $crate::host::Real>)?($($arg: $type),*) $(-> $out)? {
            #[inline(always)]
            fn body$(<$T: $crate::host::Real>)?($($arg: $type),*) $(-> $out)? $body

            // Functions with features of their own, not a closure behind `Arch::dispatch`: attention took fifty times as long through one.
            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "avx512f,avx512vl,avx512dq,avx512bw,avx512cd,avx2,fma")]
                fn avx512$(<$T: $crate::host::Real>)?($($arg: $type),*) $(-> $out)? {
                    body($($arg),*)
                }
                #[target_feature(enable = "avx2,fma")]
                fn avx2$(<$T: $crate::host::Real>)?($($arg: $type),*) $(-> $out)? {
                    body($($arg),*)
                }
                match pulp::Arch::new() {
                    // SAFETY: the token proves every feature that the function is compiled for.
                    pulp::Arch::V4(_) => return unsafe { avx512($($arg),*) },
                    // SAFETY: as above.
                    pulp::Arch::V3(_) => return unsafe { avx2($($arg),*) },
                    _ => {}
                }
            }
            body($($arg),*)
        }
    )*};
}
pub(crate) use vectorised;

/// Σ `term(a_k)`, in lanes: the order of the additions depends on the length alone.
#[inline(always)]
pub(crate) fn sum<T: Real>(a: &[T], term: impl Fn(T) -> T) -> T {
    sum3(a, a, a, |a, _, _| term(a))
}

/// Σ `term(a_k`, `b_k`), as [`sum`].
#[inline(always)]
pub(crate) fn sum2<T: Real>(a: &[T], b: &[T], term: impl Fn(T, T) -> T) -> T {
    sum3(a, b, b, |a, b, _| term(a, b))
}

/// Σ `term(a_k`, `b_k`, `c_k`), as [`sum`].
#[inline(always)]
pub(crate) fn sum3<T: Real>(a: &[T], b: &[T], c: &[T], term: impl Fn(T, T, T) -> T) -> T {
    let mut lanes = [T::default(); LANES];
    let ((a, a_rest), (b, b_rest), (c, c_rest)) = (a.as_chunks::<LANES>(), b.as_chunks::<LANES>(), c.as_chunks::<LANES>());
    for ((a, b), c) in a.iter().zip(b).zip(c) {
        for l in 0..LANES {
            lanes[l] += term(a[l], b[l], c[l]);
        }
    }
    for (((lane, &a), &b), &c) in lanes.iter_mut().zip(a_rest).zip(b_rest).zip(c_rest) {
        *lane += term(a, b, c);
    }
    folded(std::array::from_fn(|l| lanes[l] + lanes[l + LANES / 2]), |x, y| x + y)
}

/// Sixteen lanes joined by halves, in arrays that the compiler keeps in vector registers.
#[inline(always)]
pub(crate) fn folded<T: Real>(lanes: [T; 16], join: impl Fn(T, T) -> T) -> T {
    let lanes: [T; 8] = std::array::from_fn(|l| join(lanes[l], lanes[l + 8]));
    let lanes: [T; 4] = std::array::from_fn(|l| join(lanes[l], lanes[l + 4]));
    let lanes: [T; 2] = std::array::from_fn(|l| join(lanes[l], lanes[l + 2]));
    join(lanes[0], lanes[1])
}

/// The first W entries, by value: the compiler keeps arrays that nothing can alias in vector registers.
#[inline(always)]
pub(crate) fn loaded<T: Real, const W: usize>(values: &[T]) -> [T; W] {
    let mut vector = [T::default(); W];
    vector.copy_from_slice(&values[..W]);
    vector
}

/// Numbers as memory that may be uninitialised, for code that fills either.
///
/// # Safety
/// Whoever gets the slice must leave every entry initialised.
pub(crate) unsafe fn uninitialised<T>(values: &mut [T]) -> &mut [MaybeUninit<T>] {
    // SAFETY: `MaybeUninit<T>` has the layout of `T`.
    unsafe { &mut *(std::ptr::from_mut(values) as *mut [MaybeUninit<T>]) }
}

/// 1 / (1 + e^−x).
#[inline(always)]
pub(crate) fn sigmoid<T: Real>(x: T) -> T {
    let one = T::one_if(true);
    one / (one + (-x).exp())
}

#[cfg(test)]
mod tests {
    use super::*;

    vectorised! {
        fn total<T>(a: &[T]) -> T { sum(a, |a| a) }
        fn product<T>(a: &[T], b: &[T]) -> T { sum2(a, b, |a, b| a * b) }
    }

    #[test]
    fn reductions_of_every_length_miss_and_double_nothing() {
        for length in 0..200_usize {
            let a: Vec<f32> = (1..=length).map(|k| k as f32).collect();
            let expected = (length * (length + 1) / 2) as f32;
            assert_eq!(total(&a).to_bits(), expected.to_bits(), "length {length}");
            let squares: usize = (1..=length).map(|k| k * k).sum();
            assert_eq!(product(&a, &a).to_bits(), (squares as f32).to_bits(), "length {length}");
        }
    }
}
