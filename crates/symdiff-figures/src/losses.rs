//! Loss curves: the running mean, over the losses themselves in a pale colour.

use crate::figure::{Axis, Figure, Frame, Layer, Style};
use crate::scale::Kind;

/// Points of a drawn line; more cannot be told apart.
const POINTS: usize = 300;
/// The running mean covers this share of the curve on either side.
const REACH: f64 = 0.02;
/// A loss that falls by more than this factor is drawn on a logarithmic axis.
const LOG_FROM: f64 = 3.0;

/// A figure named `loss` of losses against optimiser steps, with a colour for each named curve of (step, loss). Losses that are not finite are left out.
pub fn losses(title: impl Into<String>, curves: &[(String, Vec<(f64, f64)>)]) -> Figure {
    let curves: Vec<_> = curves.iter().map(|(name, points)| (name, finite(points))).collect();
    let smooth: Vec<_> = curves.iter().map(|(name, points)| (*name, smoothed(points))).collect();
    let means = smooth.iter().flat_map(|(_, points)| points);
    let (low, high) = means.fold((f64::INFINITY, 0.0_f64), |(low, high), (_, loss)| (low.min(*loss), high.max(*loss)));
    let kind = if low > 0.0 && high > LOG_FROM * low { Kind::Log } else { Kind::Linear };
    let room = if kind == Kind::Log { (low * 0.8, high * 1.1) } else { (low.min(0.0), high * 1.05) };
    let faint = curves.iter().enumerate().map(|(k, (_, points))| Layer { label: None, style: Style::Faint(k), points: extremes(points) });
    let lines =
        smooth.into_iter().enumerate().map(|(k, (name, points))| Layer { label: Some(name.clone()), style: Style::Line(k), points });
    Figure {
        name: "loss".to_owned(),
        title: title.into(),
        frame: Frame::Axes {
            x: Axis::new("optimiser step", Kind::Linear),
            y: Axis { label: "loss", kind, range: (low <= high).then_some(room) },
        },
        layers: faint.chain(lines).collect(),
    }
}

fn finite(curve: &[(f64, f64)]) -> Vec<(f64, f64)> {
    curve.iter().copied().filter(|(_, loss)| loss.is_finite()).collect()
}

/// The lowest and the highest point of each stretch, in their order: the outline of a long noisy curve.
fn extremes(points: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let stretch = points.len().div_ceil(POINTS).max(1);
    let ends = points.chunks(stretch).flat_map(|chunk| {
        let low = chunk.iter().enumerate().min_by(|a, b| a.1.1.total_cmp(&b.1.1));
        let high = chunk.iter().enumerate().max_by(|a, b| a.1.1.total_cmp(&b.1.1));
        let mut pair: Vec<_> = low.into_iter().chain(high).collect();
        pair.sort_by_key(|(at, _)| *at);
        pair.dedup_by_key(|(at, _)| *at);
        pair
    });
    ends.map(|(_, point)| *point).collect()
}

/// Means over a window around each of at most [`POINTS`] points. Near the start, where losses fall steeply, the window shrinks on
/// both sides alike; at the end it keeps its past, so that the last point is no single loss.
fn smoothed(points: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let Some(last) = points.len().checked_sub(1) else { return Vec::new() };
    let reach = (REACH * points.len() as f64) as usize;
    let mean = |at: usize| {
        let reach = reach.min(at);
        let window = &points[at - reach..=last.min(at + reach)];
        (points[at].0, window.iter().map(|(_, loss)| loss).sum::<f64>() / window.len() as f64)
    };
    let count = points.len().min(POINTS);
    (0..count).map(|k| mean(k * last / (count - 1).max(1))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_straight_line_stays_straight_and_spikes_stay_visible() {
        let mut points: Vec<(f64, f64)> = (0..5000).map(|k| (k as f64, 5000.0 - k as f64)).collect();
        let smooth = smoothed(&points);
        assert_eq!(smooth.len(), POINTS);
        assert!(smooth.iter().filter(|(x, _)| *x < 4900.0).all(|(x, y)| (x + y - 5000.0).abs() < 1e-6));
        assert!((smooth[POINTS - 1].1 - 51.0).abs() < 1e-6, "the last hundred points and the one itself");
        points[777].1 = 1e6;
        let outline = extremes(&points);
        assert!(outline.contains(&(777.0, 1e6)) && outline.len() <= 2 * POINTS);
        assert!(outline.windows(2).all(|pair| pair[0].0 < pair[1].0));
    }

    #[test]
    fn short_curves_are_drawn_as_they_are() {
        assert!(smoothed(&[]).is_empty() && extremes(&[]).is_empty());
        assert_eq!(smoothed(&[(1.0, 2.0)]), [(1.0, 2.0)]);
        assert_eq!(extremes(&[(1.0, 2.0), (2.0, 1.0)]), [(1.0, 2.0), (2.0, 1.0)]);
    }
}
