//! Moments of AdamW, composed of tensor operations.
#![allow(missing_docs)]
use crate::*;
use candle_core::{Tensor, Var};
#[derive(Debug)]
pub struct Moments {
    t: [Tensor; 4],
}
#[derive(Debug, Clone)]
pub struct Rule {
    pub lr: f64,
    pub weight_decay: f64,
    pub step: u64,
    pub scale: f64,
    pub ema: f64,
    pub betas: (f64, f64),
    pub eps: f64,
}
impl Default for Rule {
    fn default() -> Self {
        Rule { lr: 1e-3, weight_decay: 0., step: 1, scale: 1., ema: 0.999, betas: (0.9, 0.999), eps: 1e-8 }
    }
}
pub fn global_norm<'a>(g: impl Iterator<Item = &'a Tensor>) -> Result<f64> {
    let mut s = 0f64;
    for t in g {
        s += t.sqr()?.sum_all()?.to_scalar::<f32>()? as f64;
    }
    Ok(s.sqrt())
}
impl Moments {
    pub fn new(v: &Var) -> Result<Self> {
        let z = || v.zeros_like();
        Ok(Self { t: [z()?, z()?, z()?, v.as_tensor().copy()?.detach()] })
    }
    pub fn tensors(&self) -> Result<[Tensor; 4]> {
        Ok(self.t.clone())
    }
    pub fn from_tensors(t: [&Tensor; 4]) -> Result<Self> {
        Ok(Self { t: t.map(Clone::clone) })
    }
    pub fn step(&mut self, p: &Var, g: &Tensor, r: &Rule) -> Result<()> {
        let g = (g.detach() * r.scale)?;
        let [m, v, x, e] = &self.t;
        let (b1, b2) = r.betas;
        let m = ((m * b1)? + (&g * (1. - b1))?)?;
        let v = ((v * b2)? + (g.sqr()? * (1. - b2))?)?;
        let x = x.maximum(&v)?;
        let den = ((x.sqrt()? / (1. - b2.powi(r.step as i32)).sqrt())? + r.eps)?;
        let upd = ((&m / den)? * (r.lr / (1. - b1.powi(r.step as i32))))?;
        let new = ((p.as_tensor().detach() * (1. - r.lr * r.weight_decay))? - upd)?;
        let e = ((e * r.ema)? + (&new * (1. - r.ema))?)?;
        p.set(&new)?;
        self.t = [m, v, x, e];
        Ok(())
    }
}
