//! Denoising targets averaged over the group.
//!
//! A datum x and its copies g·x are equally likely, so a noised state z = α·g·x + σ·ε does not tell which copy it came from. The usual target
//! is the copy that was drawn; its conditional mean given z has the same minimiser and less variance:
//!
//!   E[g·x | z] = Σ wⱼ·gⱼ·x,   wⱼ ∝ exp(−‖z − α·gⱼ·x‖² / 2σ²).
//!
//! With Haar draws gⱼ beside the true copy (g = e) the sum is unbiased at any number of draws: given z, the true copy and the fresh ones differ
//! only in that one was chosen with probability wⱼ, so choosing again changes no law.
//!
//! # Source
//! Tong et al., "Rao-Blackwell gradient estimators for equivariant denoising diffusion", arXiv 2502.09890.

use crate::average::weighted_sum;
use crate::{Error, Result};
use candle_core::Tensor;
use symdiff_groups::{Action, CompactGroup, FiniteGroup};
use symdiff_ops::{Euclidean, Noise};

/// Targets of denoising averaged over draws from a compact group.
#[derive(Clone, Copy, Debug)]
pub struct RaoBlackwell<G> {
    group: G,
    draws: usize,
}

impl<G: CompactGroup> RaoBlackwell<G> {
    /// Averages over the true copy and `draws` more.
    pub fn new(group: G, draws: usize) -> Self {
        Self { group, draws }
    }

    /// The averaged clean target given z = `noised` = α·`clean` + σ·ε, with α and σ `[B]`. It carries no gradient into α or σ.
    ///
    /// # Errors
    /// When batches differ, or recorded noise is replayed and does not fit.
    pub fn target<S: Euclidean + Action<G>>(&self, clean: &S, noised: &S, alpha: &Tensor, sigma: &Tensor, noise: Noise) -> Result<S> {
        let mut copies = vec![clean.clone()];
        for noise in noise.repeats(self.draws) {
            copies.push(clean.act(&self.group, &self.group.haar(clean, noise)?)?);
        }
        posterior_mean(copies, noised, &alpha.detach(), &sigma.detach())
    }

    /// The exact conditional mean over all elements of a finite group. Draws nothing.
    ///
    /// # Errors
    /// When the elements are too many to list.
    pub fn exact_target<S: Euclidean + Action<G>>(&self, clean: &S, noised: &S, alpha: &Tensor, sigma: &Tensor) -> Result<S>
    where
        G: FiniteGroup,
    {
        let elements = self.group.elements(clean)?;
        let copies = elements.iter().map(|g| Ok(clean.act(&self.group, g)?)).collect::<Result<Vec<S>>>()?;
        posterior_mean(copies, noised, &alpha.detach(), &sigma.detach())
    }
}

fn posterior_mean<S: Euclidean>(copies: Vec<S>, noised: &S, alpha: &Tensor, sigma: &Tensor) -> Result<S> {
    let (one, minus_alpha) = (alpha.ones_like()?, alpha.neg()?);
    let precision = (sigma.sqr()? * -2.0)?.recip()?;
    let exponents = copies
        .iter()
        .map(|copy| Ok((noised.combine(&one, copy, &minus_alpha)?.squared_norms()? * &precision)?.unsqueeze(0)?))
        .collect::<Result<Vec<Tensor>>>()?;
    if exponents.is_empty() {
        return Err(Error::Draws { what: "Rao-Blackwell target", got: 0, needed: 1 });
    }
    let exponents = Tensor::cat(&exponents, 0)?.detach();
    let weights = exponents.broadcast_sub(&exponents.max_keepdim(0)?)?.exp()?;
    let weights = weights.broadcast_div(&weights.sum_keepdim(0)?)?;
    let terms = copies.into_iter().enumerate().map(|(j, copy)| Ok((weights.get(j)?, copy))).collect::<Result<Vec<_>>>()?;
    weighted_sum("Rao-Blackwell target", terms)
}
