//! What the examples share: arguments, pictures, a small perceptron and its training.
#![allow(dead_code, unreachable_pub)]

use candle_core::{DType, Device, Tensor};
use candle_nn::{AdamW, Linear, Module, Optimizer, ParamsAdamW, VarBuilder, VarMap, linear};
use std::path::PathBuf;
use symdiff_core::{Noise, Result, Samples};

/// The folder named by `--out`, made if need be; `pictures` without it.
fn out_folder() -> std::io::Result<PathBuf> {
    let mut arguments = std::env::args().skip_while(|argument| argument != "--out").skip(1);
    let folder = PathBuf::from(arguments.next().unwrap_or_else(|| "pictures".into()));
    std::fs::create_dir_all(&folder)?;
    Ok(folder)
}

/// Writes a picture as `NAME.svg` into the folder of `--out`.
pub fn save(name: &str, picture: &str) -> std::io::Result<()> {
    let path = out_folder()?.join(format!("{name}.svg"));
    std::fs::write(&path, picture)?;
    println!("wrote {}", path.display());
    Ok(())
}

/// A loss per step as points of a plot.
pub fn curve(losses: &[f64]) -> Vec<(f64, f64)> {
    losses.iter().enumerate().map(|(step, loss)| ((step + 1) as f64, *loss)).collect()
}

/// Normals `[samples, shape…]` in f32.
pub fn normal(noise: Noise, samples: usize, shape: &[usize]) -> Result<Tensor> {
    Ok(noise.normal(&Samples::numbered(samples), shape, DType::F32, &Device::Cpu)?)
}

/// Three layers with SiLU between them: a backbone without symmetry.
pub struct Perceptron {
    layers: [Linear; 3],
}

impl Perceptron {
    pub fn new(inputs: usize, hidden: usize, outputs: usize, vb: &VarBuilder) -> Result<Self> {
        let sizes = [(inputs, hidden), (hidden, hidden), (hidden, outputs)];
        let [a, b, c] = [0, 1, 2].map(|i| linear(sizes[i].0, sizes[i].1, vb.pp(i)));
        Ok(Self { layers: [a?, b?, c?] })
    }
}

impl Module for Perceptron {
    fn forward(&self, x: &Tensor) -> candle_core::Result<Tensor> {
        let [a, b, c] = &self.layers;
        c.forward(&b.forward(&a.forward(x)?.silu()?)?.silu()?)
    }
}

/// Fresh parameters, drawn from the seed so that every run is the same.
pub fn parameters() -> (VarMap, VarBuilder<'static>) {
    let map = VarMap::new();
    let vb = VarBuilder::from_varmap(&map, DType::F32, &Device::Cpu);
    (map, vb)
}

/// Redraws all weights from `seed`: Candle's own initial draws on the CPU cannot be seeded.
pub fn seed_parameters(map: &VarMap, seed: u64) -> Result<()> {
    let vars = map.data().lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let mut names: Vec<_> = vars.keys().cloned().collect();
    names.sort();
    for (index, name) in names.iter().enumerate() {
        let var = &vars[name];
        let fan_in = if var.rank() == 2 { var.dims()[1] } else { 1 };
        let scale = if var.rank() == 2 { (1.0 / fan_in as f64).sqrt() } else { 0.0 };
        let draws = normal(Noise::seeded(seed).steps().at(index as u64), 1, var.dims())?.squeeze(0)?;
        var.set(&(draws * scale)?)?;
    }
    Ok(())
}

/// Adam on `loss(step)` for so many steps; the losses.
pub fn train(map: &VarMap, steps: usize, rate: f64, loss: impl Fn(u64) -> Result<Tensor>) -> Result<Vec<f64>> {
    let mut adam = AdamW::new(map.all_vars(), ParamsAdamW { lr: rate, weight_decay: 0.0, ..ParamsAdamW::default() })?;
    let mut losses = Vec::with_capacity(steps);
    for step in 0..steps {
        let loss = loss(step as u64)?;
        adam.backward_step(&loss)?;
        losses.push(f64::from(loss.to_scalar::<f32>()?));
    }
    Ok(losses)
}
