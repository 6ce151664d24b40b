//! The traits that all other code is written against: a group, its action, its Haar measure, charts onto it.
//!
//! To bring a group of your own, write its element (a batch of group elements, one per sample) and five short methods:
//!
//! ```
//! use candle_core::Tensor;
//! use symdiff_groups::{Action, CompactGroup, Group, Result};
//! use symdiff_ops::{Batched, Noise};
//!
//! /// {1, −1}, acting on numbers `[B, C]` by multiplication.
//! #[derive(Clone, Copy)]
//! struct Signs;
//!
//! #[derive(Clone)]
//! struct Sign(Tensor); // [B, 1], each entry 1 or −1
//!
//! impl Group for Signs {
//!     type Element = Sign;
//!     fn inverse(&self, g: &Sign) -> Result<Sign> {
//!         Ok(g.clone())
//!     }
//!     fn identity(&self, like: &impl Batched) -> Result<Sign> {
//!         Ok(Sign(Tensor::ones((like.samples().len(), 1), like.dtype(), &like.device())?))
//!     }
//! }
//! impl Action<Signs> for Sign {
//!     fn act(&self, _: &Signs, g: &Sign) -> Result<Self> {
//!         Ok(Sign((&g.0 * &self.0)?))
//!     }
//! }
//! impl CompactGroup for Signs {
//!     fn haar(&self, like: &impl Batched, noise: Noise) -> Result<Sign> {
//!         let coin = noise.uniform(&like.samples(), &[1], like.dtype(), &like.device())?;
//!         Ok(Sign(((coin.ge(0.5)?.to_dtype(like.dtype())? * 2.0)? - 1.0)?))
//!     }
//! }
//! struct Numbers(Tensor);
//! impl Action<Signs> for Numbers {
//!     fn act(&self, _: &Signs, g: &Sign) -> Result<Self> {
//!         Ok(Numbers(self.0.broadcast_mul(&g.0)?))
//!     }
//! }
//! # fn main() -> Result<()> {
//! let x = Tensor::ones((4, 2), candle_core::DType::F32, &candle_core::Device::Cpu)?;
//! let g = Signs.haar(&x, Noise::seeded(1))?;
//! let back = Numbers(x.clone()).act(&Signs, &g)?.act(&Signs, &Signs.inverse(&g)?)?;
//! assert_eq!(back.0.to_vec2::<f32>()?, x.to_vec2::<f32>()?);
//! # Ok(()) }
//! ```

use crate::Result;
use candle_core::Tensor;
use symdiff_ops::{Batched, Noise};

/// A group. Its elements come in batches: one per sample.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a group",
    note = "the groups of this crate are values such as `Orthogonal::new(3)`, `Cyclic::new(4)`, `Symmetric::new(n)` and `Product(a, b)`",
    note = "a group of your own implements `Group`; the documentation of `Group` shows one in full"
)]
pub trait Group: Clone {
    /// One group element per sample of a batch. The group acts on itself by left translation: `h.act(group, g)` is g·h.
    type Element: Clone + Action<Self>;

    /// g·h, sample by sample.
    ///
    /// # Errors
    /// When the batches differ.
    fn compose(&self, g: &Self::Element, h: &Self::Element) -> Result<Self::Element> {
        h.act(self, g)
    }

    /// g⁻¹, sample by sample.
    ///
    /// # Errors
    /// When the device refuses.
    fn inverse(&self, g: &Self::Element) -> Result<Self::Element>;

    /// The identity for each sample of `like`.
    ///
    /// # Errors
    /// When the device refuses.
    fn identity(&self, like: &impl Batched) -> Result<Self::Element>;
}

/// A left action of `G` on a state: act(g·h, x) = act(g, act(h, x)) and act(e, x) = x.
#[diagnostic::on_unimplemented(
    message = "the group `{G}` does not act on `{Self}`",
    label = "`{G}` must say how it moves this",
    note = "a plain `Tensor` does not say how it is moved: wrap it in a state such as `Cloud`, `Points`, `Vectors`, `Set` or `Image`, or in `Fixed` if nothing moves it",
    note = "a state of your own implements `Action<{G}>`: by hand, by `act_as!` as another state, or by `act_on_fields!` field by field",
    note = "the table in the documentation of `symdiff_groups` lists which group acts on which state"
)]
pub trait Action<G: Group>: Sized {
    /// g·x, sample by sample.
    ///
    /// # Errors
    /// When the batches differ.
    fn act(&self, group: &G, g: &G::Element) -> Result<Self>;
}

/// A compact group, which has a unique invariant probability measure.
#[diagnostic::on_unimplemented(
    message = "the group `{Self}` has no Haar measure here",
    label = "it must be a compact group",
    note = "translations and Euclidean motions are not compact: make the kernel equivariant under translations with `.centred(n)`, and under rotations with `Orthogonal` or `SpecialOrthogonal`",
    note = "a compact group of your own implements `CompactGroup`, whose one method draws uniform elements"
)]
pub trait CompactGroup: Group {
    /// An independent draw from the Haar measure for each sample of `like`.
    ///
    /// # Errors
    /// When recorded noise is replayed and does not fit.
    fn haar(&self, like: &impl Batched, noise: Noise) -> Result<Self::Element>;
}

/// A finite group whose elements can be listed.
pub trait FiniteGroup: CompactGroup {
    /// Every element once, each the same for all samples of `like`.
    ///
    /// # Errors
    /// When they are too many to list.
    fn elements(&self, like: &impl Batched) -> Result<Vec<Self::Element>>;
}

/// A group with a distance that left translation preserves: d(k·g, k·h) = d(g, h).
pub trait MetricGroup: Group {
    /// The distance of each sample's two elements, `[B]`.
    ///
    /// # Errors
    /// When the batches differ.
    fn distance(&self, g: &Self::Element, h: &Self::Element) -> Result<Tensor>;
}

/// A Lie group whose exponential is known in closed form.
pub trait LieGroup: Group {
    /// The dimension of the group as a manifold: how many numbers make a velocity.
    fn dimension(&self) -> usize;

    /// The element reached from the identity with velocity `algebra`, `[B, dimension]`; differentiable.
    ///
    /// # Errors
    /// When the shape does not fit or no closed form exists.
    fn exp(&self, algebra: &Tensor) -> Result<Self::Element>;

    /// The shortest velocity that reaches g, `[B, dimension]`: exp(log(g)) = g.
    ///
    /// # Errors
    /// When no closed form exists, or a gradient would be lost.
    fn log(&self, g: &Self::Element) -> Result<Tensor>;
}

/// A subgroup H of `G`.
pub trait Subgroup<G: Group>: Group {
    /// The elements h of H as elements of `group`; tensors are made alike `like`.
    ///
    /// # Errors
    /// When H does not lie in `group`.
    fn embed(&self, group: &G, h: &Self::Element, like: &impl Batched) -> Result<G::Element>;
}

/// A group whose quotient by the subgroup `H` is compact, though it may not be compact itself.
pub trait Cosets<H: Group>: Group {
    /// A representative g of a uniform coset g·H for each sample of `like`. Only its coset means something.
    ///
    /// # Errors
    /// When recorded noise is replayed and does not fit.
    fn coset(&self, subgroup: &H, like: &impl Batched, noise: Noise) -> Result<Self::Element>;
}

/// The numbers of each sample, to compare and to test: what an element or a state is, for statistics.
pub trait Observe {
    /// One list of numbers per sample, B of them.
    ///
    /// # Errors
    /// When the device refuses.
    fn observe(&self) -> Result<Vec<Vec<f64>>>;
}

/// A map from raw network outputs onto the group.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a chart of the group `{G}`",
    note = "charts of O(n): `GramSchmidt`, `Polar`; of SO(n): these, `SixD` and `Quaternion`; of `Cyclic` and `Dihedral`: `Argmax`; of `Symmetric`: `Argsort`"
)]
pub trait Chart<G: Group> {
    /// The group element of each sample's raw numbers, differentiable almost everywhere.
    ///
    /// # Errors
    /// When the shape does not fit the chart, or a sample's numbers name no element.
    fn project(&self, group: &G, raw: &Tensor) -> Result<G::Element>;
}
