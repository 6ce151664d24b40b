//! `D_n`: the 2n symmetries of a regular n-gon, turns and mirrored turns.

mod action;
mod charts;
mod element;
mod haar;
mod subgroup;

pub use element::Symmetries;

use crate::{Group, MetricGroup, Result};
use candle_core::{Device, Tensor};
use symdiff_ops::Batched;

/// The dihedral group of order 2n. Its elements are rᵏ·sᶠ: mirror the vertical coordinate if f, then turn counter-clockwise k times by 2π/n.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dihedral {
    n: u32,
}

impl Dihedral {
    /// `D_n` for a positive n.
    pub fn new(n: u32) -> Self {
        Self { n }
    }

    /// The number of turns n, half the order.
    pub fn n(&self) -> u32 {
        self.n
    }
}

impl Group for Dihedral {
    type Element = Symmetries;

    /// (rᵏ)⁻¹ = r⁻ᵏ, and every mirrored turn is its own inverse.
    fn inverse(&self, g: &Symmetries) -> Result<Symmetries> {
        self.owns("inverse of symmetries", g)?;
        Ok(Symmetries::of(*self, g.each().map(|(k, f)| if f { (k, f) } else { ((self.n - k) % self.n, f) })))
    }

    fn identity(&self, like: &impl Batched) -> Result<Symmetries> {
        Ok(Symmetries::of(*self, vec![(0, false); like.samples().len()]))
    }
}

/// The number of turns in g⁻¹·h, the shorter way round; n if it mirrors.
impl MetricGroup for Dihedral {
    fn distance(&self, g: &Symmetries, h: &Symmetries) -> Result<Tensor> {
        let between = self.compose(&self.inverse(g)?, h)?;
        let steps: Vec<f64> = between.each().map(|(k, f)| f64::from(if f { self.n } else { k.min(self.n - k) })).collect();
        Ok(Tensor::from_vec(steps, between.len(), &Device::Cpu)?)
    }
}
