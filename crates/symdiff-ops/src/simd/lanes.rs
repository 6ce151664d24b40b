//! Vectors by name, for the one loop that a compiler does not turn into them by itself: the matrix product's.

use pulp::Simd;

/// A number type as `pulp` sees it: its vectors on a machine `S`, and what a product does with them.
pub(crate) trait Lanes: Copy + 'static {
    /// As many numbers as fit a register.
    type Vector<S: Simd>: Copy;

    /// The number in every lane.
    fn splat<S: Simd>(simd: S, value: Self) -> Self::Vector<S>;

    /// a·b + c, rounded once.
    fn fused<S: Simd>(simd: S, a: Self::Vector<S>, b: Self::Vector<S>, c: Self::Vector<S>) -> Self::Vector<S>;

    /// A slice as whole vectors; what does not fill one is left out.
    fn vectors<S: Simd>(values: &[Self]) -> &[Self::Vector<S>];

    /// As [`Lanes::vectors`], to be written.
    fn vectors_mut<S: Simd>(values: &mut [Self]) -> &mut [Self::Vector<S>];
}

macro_rules! lanes {
    ($T:ident: $vector:ident, $splat:ident, $fused:ident, $vectors:ident, $vectors_mut:ident) => {
        impl Lanes for $T {
            type Vector<S: Simd> = S::$vector;

            #[inline(always)]
            fn splat<S: Simd>(simd: S, value: Self) -> S::$vector {
                simd.$splat(value)
            }

            #[inline(always)]
            fn fused<S: Simd>(simd: S, a: S::$vector, b: S::$vector, c: S::$vector) -> S::$vector {
                simd.$fused(a, b, c)
            }

            #[inline(always)]
            fn vectors<S: Simd>(values: &[Self]) -> &[S::$vector] {
                S::$vectors(values).0
            }

            #[inline(always)]
            fn vectors_mut<S: Simd>(values: &mut [Self]) -> &mut [S::$vector] {
                S::$vectors_mut(values).0
            }
        }
    };
}

lanes!(f32: f32s, splat_f32s, mul_add_f32s, as_simd_f32s, as_mut_simd_f32s);
lanes!(f64: f64s, splat_f64s, mul_add_f64s, as_simd_f64s, as_mut_simd_f64s);
