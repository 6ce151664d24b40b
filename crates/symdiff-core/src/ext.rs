//! What every kernel can be wrapped in.

use crate::{Averaged, Centroid, Charted, Frames, GroupKernel, Learned, MarkovKernel, MeanOf, On, Symmetrised};
use candle_core::Tensor;
use symdiff_groups::{Action, Centred, Chart, CompactGroup, Group, Translations};
use symdiff_ops::{Batched, Euclidean};

/// Methods of every [`MarkovKernel`]. The group comes from γ, the frames or the chart, and is said once: two groups that disagree cannot be given.
///
/// A kernel that can be sampled at several types of states has these methods once for each type; where the compiler cannot tell which one is
/// meant, call the constructor of the wrapper instead, such as [`Symmetrised::new`].
pub trait MarkovKernelExt<X>: MarkovKernel<X> + Sized {
    /// `sym_γ(k)`: g ~ γ(· | x), y ~ k(· | g⁻¹·x), g·y. The group is γ's.
    ///
    /// A network is not a γ before its raw numbers are read in a chart:
    ///
    /// ```compile_fail,E0277
    /// # use symdiff_core::{Map, MarkovKernelExt};
    /// # use symdiff_groups::{Cloud, Dense};
    /// let (k, f) = (Map::new(|x: &Cloud| Ok(x.clone())), Map::new(|x: &Cloud| Ok(x.tensor().clone())));
    /// let model = k.symmetrised(f); // `.charted(o3, GramSchmidt::columns()).haar_symmetrised()` is missing
    /// ```
    ///
    /// A tensor does not say how a group moves it:
    ///
    /// ```compile_fail,E0277
    /// # use symdiff_core::{Haar, Map, MarkovKernelExt};
    /// # use symdiff_groups::Orthogonal;
    /// let k = Map::new(|x: &candle_core::Tensor| Ok(x.tanh()?));
    /// let model = k.symmetrised(Haar(Orthogonal::new(3))); // a state such as `Cloud` is missing
    /// ```
    fn symmetrised<C>(self, gamma: C) -> Symmetrised<C, Self>
    where
        C: GroupKernel<X>,
        X: Action<C::Group>,
        Self::Out: Action<C::Group>,
    {
        Symmetrised::new(gamma, self)
    }

    /// γ = `sym_Haar(f)`, where f is this kernel on a group: g₀ ~ Haar, r ~ f(· | g₀⁻¹·x), g₀·r. Equivariant for every f.
    fn haar_symmetrised(self) -> Learned<Self>
    where
        Self: GroupKernel<X>,
        Self::Group: CompactGroup,
        X: Action<Self::Group> + Batched,
    {
        Learned::of(self)
    }

    /// The kernel on a group that reads this kernel's output, a tensor of raw numbers, in a chart.
    fn charted<G: Group, H: Chart<G>>(self, group: G, chart: H) -> Charted<G, Self, H>
    where
        Self: MarkovKernel<X, Out = Tensor>,
    {
        Charted::new(group, self, chart)
    }

    /// This kernel, whose outputs are elements of `group`, as a kernel that knows its group.
    fn on<G: Group>(self, group: G) -> On<G, Self>
    where
        Self: MarkovKernel<X, Out = G::Element>,
    {
        On::new(group, self)
    }

    /// The kernel made equivariant under the translations of ℝⁿ: centre x, sample, move back. Outputs that do not translate stay.
    fn centred(self, n: usize) -> Symmetrised<Centroid, Self>
    where
        X: Centred + Action<Translations>,
        Self::Out: Action<Translations>,
    {
        Symmetrised::new(Centroid::new(n), self)
    }

    /// Σ w·g·k(g⁻¹·x) over the weighted frames of x.
    fn averaged_over<F>(self, frames: F) -> Averaged<F, Self>
    where
        F: Frames<X>,
        X: Action<F::Group>,
        Self::Out: Action<F::Group> + Euclidean,
    {
        Averaged::new(frames, self)
    }

    /// The mean of `draws` draws.
    fn mean_of(self, draws: usize) -> MeanOf<Self>
    where
        Self::Out: Euclidean,
    {
        MeanOf::new(self, draws)
    }

    /// The kernel behind a pointer, its type forgotten; it can be sent to other threads.
    fn boxed<'a>(self) -> Box<dyn MarkovKernel<X, Out = Self::Out> + Send + Sync + 'a>
    where
        Self: Send + Sync + 'a,
    {
        Box::new(self)
    }
}

impl<X, K: MarkovKernel<X>> MarkovKernelExt<X> for K {}
