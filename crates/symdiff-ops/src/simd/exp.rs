//! The exponential function in f32, without a branch.

/// Adding it rounds to the nearest whole number, and leaves that number in the low bits.
const ROUND: f32 = 12_582_912.0;

/// −126·ln 2, rounded towards zero: below it results are no longer normal numbers.
const LOWEST: f32 = -87.336_54;

/// e^x within 1 ulp for results in the normal range; +∞ above 88.72, 0 below −87.33, where results would no longer be normal numbers; NaN
/// for NaN.
///
/// Denormal results cost a processor some hundred cycles a vector, and masked entries of a softmax or Gaussians of far pairs have nothing else.
///
/// x = n·ln 2 + r with |r| ≤ ln 2 / 2; the factor 2ⁿ in two halves, so that neither overflows before the product does.
#[inline(always)]
pub(crate) fn exp(x: f32) -> f32 {
    // Comparisons that are false for NaN, so that it passes through.
    let vanishes = x < LOWEST;
    let x = if x > 89.0 { 89.0 } else { x };
    let (power, n) = reduced(if vanishes { LOWEST } else { x });
    let half = n >> 1;
    let result = power * two_to(half) * two_to(n.wrapping_sub(half));
    if vanishes { 0.0 } else { result }
}

/// As [`exp`], for x ≤ 0, where 2ⁿ is a normal number.
#[inline(always)]
pub(crate) fn exp_nonpositive(x: f32) -> f32 {
    let vanishes = x < LOWEST;
    let (power, n) = reduced(if vanishes { LOWEST } else { x });
    let result = power * two_to(n);
    if vanishes { 0.0 } else { result }
}

/// e^r and n. The former by a polynomial of degree seven in Horner's form, the terms from the third on fitted for the interval (coefficients of
/// Moshier's Cephes library).
#[inline(always)]
fn reduced(x: f32) -> (f32, i32) {
    const LN_2_HIGH: f32 = 0.693_145_75;
    const LN_2_LOW: f32 = 1.428_606_8e-6;
    let shifted = x.mul_add(std::f32::consts::LOG2_E, ROUND);
    let n = shifted - ROUND;
    let r = n.mul_add(-LN_2_LOW, n.mul_add(-LN_2_HIGH, x));
    let tail = 1.987_569_1e-4_f32
        .mul_add(r, 1.398_2e-3)
        .mul_add(r, 8.333_452e-3)
        .mul_add(r, 4.166_579_6e-2)
        .mul_add(r, 1.666_666_5e-1)
        .mul_add(r, 5e-1);
    (tail.mul_add(r * r, r) + 1.0, (shifted.to_bits() as i32).wrapping_sub(ROUND.to_bits() as i32))
}

/// 2ⁿ for |n| ≤ 126; some float for other n.
#[inline(always)]
fn two_to(n: i32) -> f32 {
    f32::from_bits((n.wrapping_add(127) as u32) << 23)
}

#[cfg(test)]
mod tests {
    use super::{exp, exp_nonpositive};

    /// The distance to the exact value in units of the last place of an f32 of that size.
    fn ulps(x: f32) -> f64 {
        let exact = f64::from(x).exp();
        let unit = (exact.log2().floor() - 23.0).exp2();
        (f64::from(exp(x)) - exact).abs() / unit
    }

    #[test]
    fn is_within_one_unit_in_the_normal_range_and_zero_below() {
        let every = |from: f32, to: f32, step: u32| {
            let (low, high) = (from.abs().min(to.abs()).to_bits(), from.abs().max(to.abs()).to_bits());
            let sign = if from < 0.0 { -1.0 } else { 1.0 };
            (low..=high).step_by(step as usize).map(|bits| ulps(sign * f32::from_bits(bits))).fold(0.0, f64::max)
        };
        assert!(every(0.0, 88.72, 9973) <= 1.0);
        assert!(every(-87.336_54, -0.0, 9973) <= 1.0);
        assert!(every(-87.336_54, -87.3, 1) <= 1.0);
        let first = (-87.336_54_f32).to_bits();
        assert!(exp(f32::from_bits(first)) >= f32::MIN_POSITIVE);
        assert!((first + 1..first + 3_000_000).step_by(31).all(|bits| exp(f32::from_bits(bits)).to_bits() == 0));
    }

    #[test]
    fn is_the_same_for_nonpositive_numbers_alone() {
        for bits in (0..f32::INFINITY.to_bits() + 2).step_by(9973) {
            let x = -f32::from_bits(bits);
            assert_eq!(exp_nonpositive(x).to_bits(), exp(x).to_bits(), "{x}");
        }
        assert!(exp_nonpositive(f32::NAN).is_nan());
    }

    #[test]
    fn treats_the_ends_as_the_library_does() {
        for x in [f32::INFINITY, 1e30, 88.73] {
            assert_eq!(exp(x).to_bits(), f32::INFINITY.to_bits(), "{x}");
        }
        for x in [f32::NEG_INFINITY, -1e30, -104.0] {
            assert_eq!(exp(x).to_bits(), 0.0_f32.to_bits(), "{x}");
        }
        assert!(exp(f32::NAN).is_nan());
        assert_eq!((exp(0.0).to_bits(), exp(-0.0).to_bits()), (1.0_f32.to_bits(), 1.0_f32.to_bits()));
        assert!(exp(88.72).is_finite());
    }
}
