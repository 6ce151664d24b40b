//! Sizes and bond lengths of samples against the data's.

use super::geometry::Geometry;
use super::input::Report;
use std::collections::BTreeMap;
use symdiff_figures::{Axis, Figure, Frame, Kind, Layer, Style};

/// How many kinds of bond are drawn: the data's most frequent.
const KINDS: usize = 6;
/// This share of the counts may lie outside a plot on either side.
const TAIL: f64 = 0.004;

/// Share of molecules by number of atoms.
pub(super) fn sizes(report: &Report) -> Figure {
    let bars = |geometry: &Geometry| -> Bars { geometry.sizes.iter().map(|(atoms, count)| (*atoms as i64, *count)).collect() };
    Figure {
        name: "sizes".to_owned(),
        title: "Atoms per molecule".to_owned(),
        frame: Frame::Axes { x: Axis::new("atoms", Kind::Linear), y: Axis::new("share of molecules", Kind::Linear) },
        layers: layers(report, bars, |bin| bin as f64 - 0.5, 1.0),
    }
}

/// Density of the lengths of the data's most frequent kinds of bond, one figure per kind.
pub(super) fn bond_lengths(report: &Report) -> Vec<Figure> {
    let total = |bins: &BTreeMap<u32, u64>| bins.values().sum::<u64>();
    let mut kinds: Vec<_> = report.data.geometry.bonds.iter().map(|(kind, bins)| (kind, total(bins))).collect();
    kinds.sort_by_key(|(kind, count)| (std::cmp::Reverse(*count), kind.as_str()));
    kinds.iter().take(KINDS).map(|(kind, _)| bond_length(report, kind)).collect()
}

fn bond_length(report: &Report, kind: &str) -> Figure {
    let bars = |geometry: &Geometry| -> Bars {
        geometry.bonds.get(kind).into_iter().flatten().map(|(bin, count)| (i64::from(*bin), *count)).collect()
    };
    let edge = |bin: i64| bin as f64 * Geometry::BIN;
    let ranges = std::iter::once(&report.data.geometry).chain(report.rows.iter().map(|run| &run.geometry)).filter_map(|g| bulk(&bars(g)));
    let range = ranges.reduce(|a, b| (a.0.min(b.0), a.1.max(b.1))).map(|(low, high)| (edge(low - 1), edge(high + 2)));
    let mut layers = layers(report, bars, edge, Geometry::BIN);
    if let Some((low, high)) = range {
        for layer in &mut layers {
            layer.points.retain(|(length, _)| (low..=high).contains(length));
        }
    }
    Figure {
        name: format!("bond-{}", kind.to_lowercase()),
        title: format!("{kind} bonds"),
        frame: Frame::Axes { x: Axis { label: "length / Å", kind: Kind::Linear, range }, y: Axis::new("density / Å⁻¹", Kind::Linear) },
        layers,
    }
}

/// Counts by bin.
type Bars = BTreeMap<i64, u64>;

/// The data as an area, each run as a line; every one of total area 1.
fn layers(report: &Report, bars: impl Fn(&Geometry) -> Bars, edge: impl Fn(i64) -> f64, width: f64) -> Vec<Layer> {
    let outline = |geometry: &Geometry| steps(&bars(geometry), &edge, width);
    let data = Layer { label: Some("data".to_owned()), style: Style::Area, points: outline(&report.data.geometry) };
    let runs = report.rows.iter().enumerate().map(|(k, run)| Layer {
        label: Some(run.name.clone()),
        style: Style::Line(k),
        points: outline(&run.geometry),
    });
    std::iter::once(data).chain(runs).collect()
}

/// The outline of a histogram of area 1, from zero to zero.
fn steps(bars: &Bars, edge: impl Fn(i64) -> f64, width: f64) -> Vec<(f64, f64)> {
    let (Some((&first, _)), Some((&last, _))) = (bars.first_key_value(), bars.last_key_value()) else {
        return Vec::new();
    };
    let total = bars.values().sum::<u64>() as f64;
    let height = |bin: i64| bars.get(&bin).map_or(0.0, |count| *count as f64 / (total * width));
    (first..=last + 1).flat_map(|bin| [(edge(bin), height(bin - 1)), (edge(bin), height(bin))]).collect()
}

/// First and last bin but for the tails.
fn bulk(bars: &Bars) -> Option<(i64, i64)> {
    let tail = (TAIL * bars.values().sum::<u64>() as f64) as u64;
    let reached = |counts: &mut dyn Iterator<Item = (&i64, &u64)>| {
        let mut seen = 0;
        for (bin, count) in counts {
            seen += count;
            if seen > tail {
                return Some(*bin);
            }
        }
        None
    };
    Some((reached(&mut bars.iter())?, reached(&mut bars.iter().rev())?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outlines_enclose_area_one_and_gaps_fall_to_zero() {
        let bars = Bars::from([(3, 1), (5, 3)]);
        let outline = steps(&bars, |bin| bin as f64 * 0.5, 0.5);
        let area: f64 = outline.windows(2).map(|pair| (pair[1].0 - pair[0].0) * pair[0].1).sum();
        assert!((area - 1.0).abs() < 1e-12);
        assert_eq!((outline[0], outline[outline.len() - 1]), ((1.5, 0.0), (3.0, 0.0)));
        assert!(outline.contains(&(2.0, 0.0)));
    }

    #[test]
    fn the_bulk_leaves_lonely_outliers_out() {
        let bars = Bars::from([(0, 1), (50, 500), (51, 500), (140, 2)]);
        assert_eq!(bulk(&bars), Some((50, 51)));
        assert_eq!(bulk(&Bars::new()), None);
    }
}
