//! What denoisers take and return: types that keep a state at a time apart from its noise.

use symdiff_core::MarkovKernel;
use symdiff_groups::{Action, Group, Observe, Result};
use symdiff_ops::{Batched, Samples};

use crate::Times;
use candle_core::{DType, Device};

/// A noisy state at a time. A group acts on the state; time is invariant.
#[derive(Clone, Debug)]
pub struct At<S> {
    /// z_t.
    pub state: S,
    /// t.
    pub time: Times,
}

/// The noise ε in a state z_t = α·x + σ·ε, or a prediction of it.
#[derive(Clone, Debug)]
pub struct Eps<S>(pub S);

/// The clean state x in a state z_t, or a prediction of it.
#[derive(Clone, Debug)]
pub struct Clean<S>(pub S);

/// The velocity v = α·ε − σ·x of a state z_t (Salimans and Ho, arXiv 2202.00512), or a prediction of it.
#[derive(Clone, Debug)]
pub struct Velocity<S>(pub S);

impl<G: Group, S: Action<G>> Action<G> for At<S> {
    fn act(&self, group: &G, g: &G::Element) -> Result<Self> {
        Ok(Self { state: self.state.act(group, g)?, time: self.time.clone() })
    }
}

macro_rules! act_inside {
    ($($wrapper:ident),+) => {$(
        impl<G: Group, S: Action<G>> Action<G> for $wrapper<S> {
            fn act(&self, group: &G, g: &G::Element) -> Result<Self> {
                Ok(Self(self.0.act(group, g)?))
            }
        }

        impl<S: Observe> Observe for $wrapper<S> {
            fn observe(&self) -> Result<Vec<Vec<f64>>> {
                self.0.observe()
            }
        }
    )+};
}
act_inside!(Eps, Clean, Velocity);

impl<S: Batched> Batched for At<S> {
    fn samples(&self) -> Samples {
        self.state.samples()
    }

    fn device(&self) -> Device {
        self.state.device()
    }

    fn dtype(&self) -> DType {
        self.state.dtype()
    }
}

/// A Markov kernel that predicts the noise. A symmetrised denoiser is again a denoiser.
pub trait Denoiser<S>: MarkovKernel<At<S>, Out = Eps<S>> {}

impl<S, K: MarkovKernel<At<S>, Out = Eps<S>> + ?Sized> Denoiser<S> for K {}
