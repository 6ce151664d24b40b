//! What backbones of one number of parameters cost over the size of molecules.

use symdiff_figures::{Axis, Figure, Frame, Kind, Layer, Style, panels};

/// A model at one size of molecules and of batches.
#[derive(Debug, Clone)]
pub struct BackboneRow {
    /// Its name.
    pub model: &'static str,
    /// Its name in tables.
    pub label: &'static str,
    /// Trainable numbers.
    pub parameters: Option<u64>,
    /// Atoms per molecule.
    pub atoms: usize,
    /// Molecules per batch.
    pub batch: usize,
    /// Of a training step, where measured.
    pub train: Option<Cost>,
    /// Of a call without gradients, where measured.
    pub sample: Option<Cost>,
    /// Relative error of equivariance at equal noise.
    pub pointwise_error: Option<f64>,
    /// Relative error of equivariance with the Haar draws transported.
    pub coupled_gap: Option<f64>,
    /// Why something is missing.
    pub note: String,
}

/// What a batch costs.
#[derive(Debug, Clone)]
pub struct Cost {
    /// The median.
    pub seconds: f64,
    /// The peak memory, less that of the process at its start.
    pub bytes: Option<u64>,
    /// Floating-point operations in products.
    pub flops: Option<u64>,
    /// Floating-point operations per second.
    pub flops_per_s: Option<f64>,
}

/// Time and memory per molecule against atoms per molecule: a row of panels for each batch size, a curve for each model.
pub fn drawing(rows: &[BackboneRow]) -> String {
    let mut batches: Vec<usize> = rows.iter().map(|row| row.batch).collect();
    batches.sort_unstable();
    batches.dedup();
    let lines: Vec<_> = batches.into_iter().map(|batch| (format!("batches of {batch}"), figures(rows, batch))).collect();
    panels("What backbones of equal size cost", &lines)
}

fn figures(rows: &[BackboneRow], batch: usize) -> Vec<Figure> {
    let milliseconds = |cost: &Cost| Some(1e3 * cost.seconds);
    let mebibytes = |cost: &Cost| cost.bytes.filter(|bytes| *bytes > 0).map(|bytes| bytes as f64 / f64::from(1 << 20));
    let shown: Vec<&BackboneRow> = rows.iter().filter(|row| row.batch == batch).collect();
    vec![
        figure(&shown, "training step, ms per molecule", |row| row.train.as_ref().and_then(milliseconds)),
        figure(&shown, "call, ms per molecule", |row| row.sample.as_ref().and_then(milliseconds)),
        figure(&shown, "memory of training, MiB per molecule", |row| row.train.as_ref().and_then(mebibytes)),
    ]
}

/// A quantity of a batch, divided by its molecules, against the atoms of a molecule.
fn figure(rows: &[&BackboneRow], what: &'static str, quantity: impl Fn(&BackboneRow) -> Option<f64>) -> Figure {
    let mut labels: Vec<&str> = Vec::new();
    for row in rows {
        if !labels.contains(&row.label) {
            labels.push(row.label);
        }
    }
    let curve = |(colour, label): (usize, &str)| {
        let own = rows.iter().filter(|row| row.label == label);
        let mut points: Vec<(f64, f64)> = own.filter_map(|row| Some((row.atoms as f64, quantity(row)? / row.batch as f64))).collect();
        points.sort_by(|a, b| a.0.total_cmp(&b.0));
        Layer { label: Some(label.to_owned()), style: Style::Dotted(colour), points }
    };
    Figure {
        name: "backbones".to_owned(),
        title: what.to_owned(),
        frame: Frame::Axes { x: Axis::new("atoms per molecule", Kind::Log), y: Axis::new(what, Kind::Log) },
        layers: labels.into_iter().enumerate().map(curve).collect(),
    }
}
