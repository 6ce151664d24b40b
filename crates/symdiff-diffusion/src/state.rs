//! What denoisers take and return: types that keep a state at a time apart from its noise.

use symdiff_core::MarkovKernel;
use symdiff_groups::{Action, Group, Observe, Result};
use symdiff_ops::{Batched, Samples};

use crate::Times;
use candle_core::{DType, Device};

/// A noisy state at a time, given a condition. A group acts on the state, and on the condition as its type says; time is invariant.
///
/// Without a condition, `C` is `()`. Numbers or labels of each sample that no group changes are a [`Fixed`](symdiff_groups::Fixed), say `Fixed<Tensor>` with
/// `[B, C]` numbers; atoms held in place are [`Points`](symdiff_groups::Points), which turn with the state; a type of your own implements [`Action`], or
/// has [`act_on_fields`](symdiff_groups::act_on_fields) do so.
///
/// ```
/// use candle_core::{DType, Device, Tensor};
/// use symdiff_core::{Haar, Map, MarkovKernel, MarkovKernelExt};
/// use symdiff_diffusion::{At, Eps, Times};
/// use symdiff_groups::{Dense, Fixed, SpecialOrthogonal, Vectors};
/// use symdiff_ops::Noise;
/// # fn main() -> symdiff_core::Result<()> {
/// let so2 = SpecialOrthogonal::new(2);
/// let network = Map::new(|at: &At<Vectors, Fixed<Tensor>>| {
///     let Fixed(scales) = &at.given; // [B, 1], as it was given, in every frame
///     Ok(Eps(Vectors::new(at.state.tensor().broadcast_mul(scales)?)?))
/// });
/// let denoiser = network.symmetrised(Haar(so2));
///
/// let state = Vectors::new(Tensor::ones((2, 2), DType::F64, &Device::Cpu)?)?;
/// let given = Fixed(Tensor::new(&[[2.0_f64], [3.0]], &Device::Cpu)?);
/// let Eps(answer) = denoiser.sample(&At { state, time: Times::Shared(0.5), given }, Noise::seeded(1))?;
/// assert!((answer.tensor().sum_all()?.to_scalar::<f64>()? - 10.0).abs() < 1e-9);
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct At<S, C = ()> {
    /// z_t.
    pub state: S,
    /// t.
    pub time: Times,
    /// The condition.
    pub given: C,
}

impl<S> At<S> {
    /// A state at a time, without a condition.
    pub fn new(state: S, time: Times) -> Self {
        Self { state, time, given: () }
    }
}

/// The noise ε in a state z_t = α·x + σ·ε, or a prediction of it.
#[derive(Clone, Debug)]
pub struct Eps<S>(pub S);

/// The clean state x in a state z_t, or a prediction of it.
#[derive(Clone, Debug)]
pub struct Clean<S>(pub S);

/// The direction v = (α′·x + σ′·ε)/√(α′² + σ′²) in which a state z_t moves, or a prediction of it: α·ε − σ·x on a variance-preserving path (Salimans and Ho,
/// arXiv 2202.00512), (ε − x)/√2 on a linear one (flow matching), ε on a variance-exploding one.
#[derive(Clone, Debug)]
pub struct Velocity<S>(pub S);

/// The score s = ∇ log p(z_t) of a state z_t, or a prediction of it: −E\[ε | z_t\]/σ.
#[derive(Clone, Debug)]
pub struct Score<S>(pub S);

impl<G: Group, S: Action<G>, C: Action<G>> Action<G> for At<S, C> {
    fn act(&self, group: &G, g: &G::Element) -> Result<Self> {
        Ok(Self { state: self.state.act(group, g)?, time: self.time.clone(), given: self.given.act(group, g)? })
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
act_inside!(Eps, Clean, Velocity, Score);

impl<S: Batched, C> Batched for At<S, C> {
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

/// A Markov kernel that predicts the noise in a state at a time, given a condition. A symmetrised denoiser is again a denoiser.
pub trait Denoiser<S, C = ()>: MarkovKernel<At<S, C>, Out = Eps<S>> {}

impl<S, C, K: MarkovKernel<At<S, C>, Out = Eps<S>> + ?Sized> Denoiser<S, C> for K {}
