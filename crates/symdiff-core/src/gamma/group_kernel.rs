//! Kernels on a group, which know their group.

use crate::{MarkovKernel, Result};
use std::sync::Arc;
use symdiff_groups::Group;
use symdiff_ops::Noise;

/// What makes elements of one group, and says of which group: every γ, and every set of frames. Code that uses the elements takes the group from
/// here, so that it cannot be another one.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not draw elements of a group",
    label = "a kernel on a group is needed here",
    note = "a network's raw numbers become elements of a group by `.charted(group, chart)`, such as `.charted(Orthogonal::new(3), GramSchmidt::columns())`, and an equivariant law of them by `.haar_symmetrised()`",
    note = "nothing learned: `Haar(group)`; a kernel of your own that returns elements: `.on(group)`"
)]
pub trait OnGroup {
    /// The type of the group.
    type Group: Group;

    /// The group.
    fn group(&self) -> &Self::Group;
}

/// A kernel on a group: a γ, or the f that one is made of. Every kernel that knows its group and draws its elements is one.
pub trait GroupKernel<X>: OnGroup + MarkovKernel<X, Out = <Self::Group as Group>::Element> {}

impl<X, K> GroupKernel<X> for K where K: OnGroup + MarkovKernel<X, Out = <K::Group as Group>::Element> {}

/// Pointers to what knows its group know it too.
macro_rules! forwarded {
    ($($pointer:ty),*) => {$(
        impl<K: OnGroup + ?Sized> OnGroup for $pointer {
            type Group = K::Group;

            fn group(&self) -> &K::Group {
                (**self).group()
            }
        }
    )*};
}
forwarded!(&K, Box<K>, Arc<K>);

/// A kernel and the group of whose elements it draws: how a kernel of your own becomes a γ.
#[derive(Clone, Copy, Debug)]
pub struct On<G, K> {
    group: G,
    kernel: K,
}

impl<G, K> On<G, K> {
    /// `kernel`, which draws elements of `group`.
    pub fn new(group: G, kernel: K) -> Self {
        Self { group, kernel }
    }
}

impl<G: Group, K> OnGroup for On<G, K> {
    type Group = G;

    fn group(&self) -> &G {
        &self.group
    }
}

impl<G: Group, X, K: MarkovKernel<X, Out = G::Element>> MarkovKernel<X> for On<G, K> {
    type Out = G::Element;

    fn sample(&self, x: &X, noise: Noise) -> Result<G::Element> {
        self.kernel.sample(x, noise)
    }
}
