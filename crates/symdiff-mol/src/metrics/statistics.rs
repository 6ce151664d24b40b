//! What tests of several numbers share.

/// The chance of a false difference that is called significant.
pub const LEVEL: f64 = 0.05;

/// p-values corrected for their number, in their order: the chance of even one below a level is at most that level.
///
/// # Source
/// Holm, Scand. J. Stat. 6, 65 (1979).
pub fn holm(p_values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p_values.len()).collect();
    order.sort_by(|a, b| p_values[*a].total_cmp(&p_values[*b]));
    let (mut corrected, mut least) = (vec![0.0; p_values.len()], 0.0_f64);
    for (rank, at) in order.into_iter().enumerate() {
        least = least.max((p_values.len() - rank) as f64 * p_values[at]).min(1.0);
        corrected[at] = least;
    }
    corrected
}

/// Pearson's correlation; `None` where one of the two does not vary.
pub(super) fn correlation(pairs: &[[f64; 2]]) -> Option<f64> {
    let varies = |side: usize| pairs.iter().any(|pair| pair[side].to_bits() != pairs[0][side].to_bits());
    if !(varies(0) && varies(1)) {
        return None;
    }
    let means = [0, 1].map(|side| pairs.iter().map(|pair| pair[side]).sum::<f64>() / pairs.len() as f64);
    let [xx, yy, xy] = pairs.iter().fold([0.0; 3], |[xx, yy, xy], pair| {
        let [x, y] = [pair[0] - means[0], pair[1] - means[1]];
        [xx + x * x, yy + y * y, xy + x * y]
    });
    Some(xy / (xx * yy).sqrt()).filter(|value| value.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn corrected_p_values_are_those_of_the_definition() {
        // Sorted 0.01, 0.02, 0.03, 0.04 times 4, 3, 2, 1, and none below an earlier one.
        assert_eq!(holm(&[0.03, 0.01, 0.04, 0.02]), [0.06, 0.04, 0.06, 0.06]);
        assert_eq!(holm(&[0.01, 0.04, 0.03]), [0.03, 0.06, 0.06]);
        assert_eq!(holm(&[0.9, 0.8]), [1.0, 1.0]);
    }

    /// The mean of three times 0.1 differs from 0.1 in its last bit.
    #[test]
    fn what_does_not_vary_has_no_correlation() {
        assert_eq!(correlation(&[[0.1, 1.0], [0.1, 2.0], [0.1, 4.0]]), None);
        assert_eq!(correlation(&[]), None);
        assert!((correlation(&[[0.0, 3.0], [1.0, 1.0], [2.0, -1.0]]).unwrap() + 1.0).abs() < 1e-12);
    }
}
