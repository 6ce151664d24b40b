//! The input of the networks: a noisy molecule, its time, and pair features, which are invariant under rotations.

use crate::{Asked, Error, Result};
use candle_core::{DType, Device, Tensor};
use symdiff_core::{MarkovKernel, Scatter};
use symdiff_diffusion::{At, Conditional, Eps, Times};
use symdiff_groups::{Action, Group, Points, Result as GroupResult};
use symdiff_mol::state::Molecules;
use symdiff_nets::PairFeatures;
use symdiff_ops::{Batched, Noise, Samples};

/// Noisy molecules with their pair features. A group acts on the molecules; the features are invariant, so one computation serves γ and k.
#[derive(Clone, Debug)]
pub struct Observed {
    /// Molecules, time, and what is asked of the molecules.
    pub at: At<Molecules, Asked>,
    /// Pair features `[N, width]`, where the model has any.
    pub pairs: Option<Tensor>,
}

impl Observed {
    /// The pair features.
    ///
    /// # Errors
    /// [`Error::Config`] when the model computes none.
    pub fn features(&self) -> Result<&Tensor> {
        self.pairs.as_ref().ok_or_else(|| Error::Config("a network reads pair features, but its model computes none".into()))
    }
}

impl Conditional for Observed {
    fn unconditional(&self) -> Self {
        Self { at: self.at.unconditional(), pairs: self.pairs.clone() }
    }

    fn asks_nothing(&self) -> bool {
        self.at.asks_nothing()
    }

    fn times(&self) -> &Times {
        &self.at.time
    }
}

impl<G: Group> Action<G> for Observed
where
    Molecules: Action<G>,
{
    fn act(&self, group: &G, g: &G::Element) -> GroupResult<Self> {
        Ok(Self { at: self.at.act(group, g)?, pairs: self.pairs.clone() })
    }
}

impl Batched for Observed {
    fn samples(&self) -> Samples {
        self.at.state.samples()
    }

    fn device(&self) -> Device {
        self.at.state.device()
    }

    fn dtype(&self) -> DType {
        self.at.state.dtype()
    }
}

/// The atoms' positions.
impl Scatter for Observed {
    fn scatter(&self) -> symdiff_core::Result<Vec<Vec<Vec<f64>>>> {
        let state = &self.at.state;
        Points::new(state.positions().clone(), state.layout().clone())?.scatter()
    }
}

/// Gives molecules to a kernel. If the kernel uses pair features, molecules are centred and the features computed once for all networks that
/// the kernel consists of.
#[derive(Clone, Debug)]
pub struct Observing<K> {
    /// The features.
    pub pairs: Option<PairFeatures>,
    /// The kernel that takes them.
    pub kernel: K,
}

impl<K> MarkovKernel<At<Molecules, Asked>> for Observing<K>
where
    K: MarkovKernel<Observed, Out = Eps<Molecules>>,
{
    type Out = Eps<Molecules>;

    fn sample(&self, x: &At<Molecules, Asked>, noise: Noise) -> symdiff_core::Result<Eps<Molecules>> {
        let Some(pairs) = &self.pairs else {
            return self.kernel.sample(&Observed { at: x.clone(), pairs: None }, noise);
        };
        let state = x.state.centred()?;
        let features = pairs.forward(state.positions(), state.layout()).map_err(symdiff_core::Error::kernel)?;
        let at = At { state, time: x.time.clone(), given: x.given.clone() };
        self.kernel.sample(&Observed { at, pairs: Some(features) }, noise)
    }
}
