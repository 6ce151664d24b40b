//! What a model is given, and how strongly it is guided.

use symdiff_diffusion::Guidance;

/// The numbers that describe an atom and a molecule to a denoiser.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Inputs {
    /// Features of an atom.
    pub features: usize,
    /// Properties that a molecule may be asked to have.
    pub conditions: usize,
    /// Whether a part of a molecule may be given, whose atoms are fixed.
    pub fixed: bool,
    /// How predictions under the condition are moved away from those without it.
    pub guidance: Guidance,
}

/// A model without conditions.
impl From<usize> for Inputs {
    fn from(features: usize) -> Self {
        Self { features, conditions: 0, fixed: false, guidance: Guidance::NONE }
    }
}
