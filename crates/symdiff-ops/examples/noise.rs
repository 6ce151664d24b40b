//! Random numbers that belong to a sample: the same walk, whatever else is in the batch.
//!
//! ```text
//! cargo run --release -p symdiff-ops --example noise -- --out pictures
//! ```
//!
//! `noise.svg` shows four random walks of the plane, made in one batch (lines) and again in four batches of one, with other samples drawn in between
//! (points). A stream is named by the seed, the step and the sample, so the points lie on the lines to the bit.

use candle_core::{DType, Device, Tensor};
use std::path::PathBuf;
use symdiff_figures::{Figure, Frame, Layer, Style};
use symdiff_ops::{Noise, Samples};

type Fallible<T = ()> = Result<T, Box<dyn std::error::Error>>;
type Walk = Vec<(f64, f64)>;

const STEPS: u64 = 60;

/// The walk of each sample: from the origin by normal steps.
fn walks(ids: &[u64]) -> Fallible<Vec<Walk>> {
    let (samples, steps) = (Samples::new(ids.to_vec()), Noise::seeded(11).steps());
    let mut at = Tensor::zeros((ids.len(), 2), DType::F64, &Device::Cpu)?;
    let mut walks = vec![vec![(0.0, 0.0)]; ids.len()];
    for step in 0..STEPS {
        at = (at + steps.at(step).normal(&samples, &[2], DType::F64, &Device::Cpu)?)?;
        for (walk, place) in walks.iter_mut().zip(at.to_vec2::<f64>()?) {
            walk.push((place[0], place[1]));
        }
    }
    Ok(walks)
}

fn main() -> Fallible {
    let out = std::env::args().skip_while(|word| word != "--out").nth(1).map_or_else(|| PathBuf::from("pictures"), PathBuf::from);
    let ids = [3, 1, 4, 15];
    let together = walks(&ids)?;
    let mut layers = Vec::new();
    for (colour, (id, walk)) in ids.into_iter().zip(&together).enumerate() {
        let alone = walks(&[id])?.remove(0);
        let _others = walks(&[92, 65])?;
        println!("sample {id}: {}", if alone == *walk { "equal to the bit" } else { "different" });
        layers.push(Layer { label: Some(format!("sample {id}")), style: Style::Line(colour), points: walk.clone() });
        layers.push(Layer { label: None, style: Style::Points(colour), points: alone });
    }
    std::fs::create_dir_all(&out)?;
    Ok(Figure { name: "noise".into(), title: "Random walks".into(), frame: Frame::Plane, layers }.save(&out)?)
}
