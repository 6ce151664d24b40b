//! Validation loss against the time of training: what each run has reached when.

use super::input::{Report, RunReport};
use symdiff_figures::{Axis, Figure, Frame, Kind, Layer, Style};

/// A loss that falls by more than this factor is drawn on a logarithmic axis.
const LOG_FROM: f64 = 3.0;

/// One line per run; `None` where no run has been validated.
pub(super) fn figure(Report { rows: runs, nominal_minutes, .. }: &Report) -> Option<Figure> {
    let validated = || runs.iter().enumerate().filter(|(_, run)| !run.timed.is_empty());
    let losses = validated().flat_map(|(_, run)| run.timed.iter().map(|(_, loss)| *loss));
    let (low, high) = losses.fold((f64::INFINITY, 0.0_f64), |(low, high), loss| (low.min(loss), high.max(loss)));
    let kind = if low > 0.0 && high > LOG_FROM * low { Kind::Log } else { Kind::Linear };
    let line = |(k, run): (usize, &RunReport)| Layer { label: Some(run.name.clone()), style: Style::Line(k), points: run.timed.clone() };
    let seconds = if nominal_minutes.is_some() { "nominal seconds of training" } else { "seconds of training" };
    let layers: Vec<Layer> = validated().map(line).collect();
    (!layers.is_empty()).then(|| Figure {
        name: "time".to_owned(),
        title: "Validation loss over time".to_owned(),
        frame: Frame::Axes { x: Axis::new(seconds, Kind::Linear), y: Axis::new("loss of averaged weights", kind) },
        layers,
    })
}
