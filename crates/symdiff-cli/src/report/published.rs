//! Published figures, for comparison in reports. None of them was computed by this program.

/// A table of published results.
#[derive(Debug)]
pub(crate) struct Published {
    /// Where the figures come from and how they were made.
    pub(crate) source: &'static str,
    /// Its rows.
    pub(crate) rows: &'static [PublishedRow],
}

/// One published row. Rates in percent, as printed.
#[derive(Debug)]
pub(crate) struct PublishedRow {
    pub(crate) name: &'static str,
    /// Decimals printed.
    pub(crate) places: usize,
    pub(crate) nll: Option<f64>,
    pub(crate) atom_stability: Option<f64>,
    pub(crate) molecule_stability: Option<f64>,
    pub(crate) validity: Option<f64>,
    pub(crate) uniqueness: Option<f64>,
}

/// QM9: full-size models, thousands of epochs.
pub(crate) const QM9: Published = Published {
    source: "published: arXiv 2410.06262, QM9, 10,000 samples; not run here. EDM's last figure is valid and unique; the others are unique among valid",
    rows: &[
        row("SymDiff*", 2, Some(-133.79), [Some(98.92), Some(89.65), Some(96.36), Some(97.66)]),
        row("SymDiff", 2, Some(-129.35), [Some(98.74), Some(87.49), Some(95.75), Some(97.89)]),
        row("SymDiff-H", 2, Some(-126.53), [Some(98.57), Some(85.51), Some(95.22), Some(97.98)]),
        row("DiT-Aug", 2, Some(-126.81), [Some(98.64), Some(85.85), Some(95.10), Some(97.98)]),
        row("DiT", 2, Some(-127.78), [Some(98.23), Some(81.03), Some(94.71), Some(97.98)]),
        row("EDM", 1, Some(-110.7), [Some(98.7), Some(82.0), Some(91.9), Some(90.7)]),
        row("data", 1, None, [Some(99.0), Some(95.2), Some(97.8), Some(100.0)]),
    ],
};

/// GEOM-Drugs.
pub(crate) const GEOM: Published = Published {
    source: "published: arXiv 2410.06262, GEOM-Drugs, 10,000 samples; not run here",
    rows: &[
        row("SymDiff", 2, Some(-301.21), [Some(86.16), None, Some(99.27), None]),
        row("EDM", 1, Some(-137.1), [Some(81.3), None, None, None]),
        row("data", 1, None, [Some(86.5), None, Some(99.0), None]),
    ],
};

/// Rates in the order of the table: atom stability, molecule stability, validity, uniqueness.
const fn row(name: &'static str, places: usize, nll: Option<f64>, rates: [Option<f64>; 4]) -> PublishedRow {
    let [atom_stability, molecule_stability, validity, uniqueness] = rates;
    PublishedRow { name, places, nll, atom_stability, molecule_stability, validity, uniqueness }
}
