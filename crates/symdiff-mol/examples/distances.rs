//! Distances between carbon atoms in the embedded set, and the lengths by which EDM's rules read bonds off them.
//!
//! ```text
//! cargo run --release -p symdiff-mol --example distances -- --out pictures
//! ```
//!
//! `distances.svg` shows why rules on distances work, and where they are tight: double and aromatic bonds are next to each other.

use std::path::PathBuf;
use symdiff_figures::{Axis, Figure, Frame, Kind, Layer, Style};
use symdiff_mol::data;

const CARBON: u8 = 6;
/// Å.
const BIN: f64 = 0.005;
const RANGE: (f64, f64) = (1.1, 1.7);

/// The largest length of a single, double and triple bond between carbon atoms: EDM's typical length and margin, in Å.
const BONDS: [(&str, f64); 3] = [("single", 1.54 + 0.10), ("double", 1.34 + 0.05), ("triple", 1.20 + 0.03)];

fn main() -> std::io::Result<()> {
    let out = std::env::args().skip_while(|word| word != "--out").nth(1).map_or_else(|| PathBuf::from("pictures"), PathBuf::from);
    let mut counts = vec![0_u32; ((RANGE.1 - RANGE.0) / BIN).ceil() as usize];
    for molecule in data::embedded().molecules() {
        let atoms = molecule.atomic_numbers().iter().zip(molecule.positions());
        let carbons: Vec<&[f64; 3]> = atoms.filter(|(number, _)| **number == CARBON).map(|(_, position)| position).collect();
        for (i, a) in carbons.iter().enumerate() {
            for b in &carbons[..i] {
                let distance = (0..3).map(|k| (a[k] - b[k]).powi(2)).sum::<f64>().sqrt();
                if (RANGE.0..RANGE.1).contains(&distance) {
                    counts[((distance - RANGE.0) / BIN) as usize] += 1;
                }
            }
        }
    }
    let points = counts.iter().enumerate().map(|(bin, count)| (RANGE.0 + (bin as f64 + 0.5) * BIN, f64::from(*count))).collect();
    let highest = f64::from(counts.iter().copied().max().unwrap_or(1));
    let mut layers = vec![Layer { label: Some("C–C pairs".into()), style: Style::Area, points }];
    layers.extend(BONDS.iter().enumerate().map(|(colour, (order, length))| Layer {
        label: Some(format!("{order} below {length:.2} Å")),
        style: Style::Line(colour),
        points: vec![(*length, 0.0), (*length, highest)],
    }));
    let x = Axis { label: "distance / Å", kind: Kind::Linear, range: Some(RANGE) };
    let frame = Frame::Axes { x, y: Axis::new("pairs", Kind::Linear) };
    std::fs::create_dir_all(&out)?;
    Figure { name: "distances".into(), title: "Distances between carbon atoms".into(), frame, layers }.save(&out)
}
