//! A transformer on samples of different sizes: which node of a sample is the farthest from its centre?
//!
//! ```text
//! cargo run --release -p symdiff-nets --example sizes -- --out pictures
//! ```
//!
//! Every node has to know all others of its sample, and none of another sample. The network is trained on samples of 2 to 12 nodes, stored one after the
//! other without padding, and asked about samples of up to 24. `sizes.svg` shows the share of right answers by size, beside that of a guess.

use candle_core::{DType, Device, Tensor};
use candle_nn::{AdamW, Optimizer, ParamsAdamW, VarBuilder, VarMap};
use std::path::PathBuf;
use symdiff_figures::{Axis, Figure, Frame, Kind, Layer, Style};
use symdiff_nets::{Dit, DitConfig, MlpType};
use symdiff_ops::{Noise, Ragged, centre};

type Fallible<T = ()> = Result<T, Box<dyn std::error::Error>>;

const BATCH: usize = 64;

/// Points of the plane about their mean, `[N, 2]`, and 1 at the farthest of each sample, 0 elsewhere, `[N, 1]`.
fn data(layout: &Ragged, noise: Noise) -> Fallible<(Tensor, Tensor)> {
    let points = centre(&noise.normal_nodes(layout, 2, DType::F32, &Device::Cpu)?, layout)?;
    let lengths = points.sqr()?.sum(1)?.to_vec1::<f32>()?;
    let mut farthest = vec![0.0_f32; layout.nodes()];
    for sample in 0..layout.len() {
        if let Some(node) = layout.rows(sample).max_by(|&a, &b| lengths[a].total_cmp(&lengths[b])) {
            farthest[node] = 1.0;
        }
    }
    Ok((points, Tensor::from_vec(farthest, (layout.nodes(), 1), &Device::Cpu)?))
}

/// The share of samples whose farthest node gets the largest output.
fn right(answers: &Tensor, wanted: &Tensor, layout: &Ragged) -> Fallible<f64> {
    let (answers, wanted) = (answers.squeeze(1)?.to_vec1::<f32>()?, wanted.squeeze(1)?.to_vec1::<f32>()?);
    let largest = |sample: &usize| layout.rows(*sample).max_by(|&a, &b| answers[a].total_cmp(&answers[b]));
    let count = (0..layout.len()).filter(|sample| largest(sample).is_some_and(|node| wanted[node] > 0.5)).count();
    Ok(count as f64 / layout.len() as f64)
}

fn main() -> Fallible {
    let out = std::env::args().skip_while(|word| word != "--out").nth(1).map_or_else(|| PathBuf::from("pictures"), PathBuf::from);
    let variables = VarMap::new();
    let config = DitConfig { input: Some(2), hidden: 48, depth: 3, heads: 4, ratio: 4, mlp_type: MlpType::Swiglu, output: Some(1) };
    let net = Dit::new(&config, Noise::seeded(0), VarBuilder::from_varmap(&variables, DType::F32, &Device::Cpu))?;
    let time = Tensor::zeros(1, DType::F32, &Device::Cpu)?; // the network is made for diffusion; here all samples share one time
    let mut adam = AdamW::new(variables.all_vars(), ParamsAdamW { lr: 2e-3, ..ParamsAdamW::default() })?;
    let sizes: Vec<usize> = (0..BATCH).map(|sample| 2 + sample % 11).collect();
    let layout = Ragged::from_sizes(&sizes)?;
    for (step, noise) in Noise::seeded(1).repeats(1500).enumerate() {
        let (points, wanted) = data(&layout, noise)?;
        let answers = net.forward(&points, &time, &layout)?;
        let loss = (&answers - &wanted)?.sqr()?.mean_all()?;
        adam.backward_step(&loss)?;
        if step % 300 == 0 {
            println!("step {step:4}: loss {:.4}, {:.0} % right", loss.to_scalar::<f32>()?, 100.0 * right(&answers, &wanted, &layout)?);
        }
    }

    let (mut shares, mut guesses) = (Vec::new(), Vec::new());
    for size in 2..=24 {
        let layout = Ragged::from_sizes(&[size; 200])?;
        let (points, wanted) = data(&layout, Noise::seeded(2))?;
        shares.push((size as f64, 100.0 * right(&net.forward(&points, &time, &layout)?, &wanted, &layout)?));
        guesses.push((size as f64, 100.0 / size as f64));
    }
    let y = Axis { label: "right answers / %", kind: Kind::Linear, range: Some((0.0, 100.0)) };
    let layers = vec![
        Layer { label: Some("transformer, trained on 2 to 12 nodes".into()), style: Style::Dotted(0), points: shares },
        Layer { label: Some("guess".into()), style: Style::Line(7), points: guesses },
    ];
    std::fs::create_dir_all(&out)?;
    let frame = Frame::Axes { x: Axis::new("nodes of a sample", Kind::Linear), y };
    Ok(Figure { name: "sizes".into(), title: "The farthest node".into(), frame, layers }.save(&out)?)
}
