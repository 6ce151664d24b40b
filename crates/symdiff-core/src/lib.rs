//! Layer 2: Markov kernels and their stochastic symmetrisation.
//!
//! A Markov kernel k(dy | x) is stochastically equivariant when sampling it at g·x has the law of g·(sampling it at x). [`Symmetrised`]
//! makes any kernel so, given an equivariant kernel γ(dg | x) on the group; and γ itself is made from any network in the same way, starting
//! from the Haar measure:
//!
//! ```
//! use candle_core::{DType, Device, Tensor};
//! use symdiff_core::{Map, MarkovKernel, MarkovKernelExt};
//! use symdiff_groups::{GramSchmidt, Orthogonal, Points};
//! use symdiff_ops::{Noise, Ragged};
//! # fn main() -> symdiff_core::Result<()> {
//! let o3 = Orthogonal::new(3);
//! let frame_net = Map::new(|x: &Points| Ok(x.positions().reshape((2, 3, 3))?)); // any network: points → [B, 3, 3]
//! let denoiser = Map::new(|x: &Points| Ok(x.clone()));                          // any network: points → points
//!
//! let gamma = frame_net.charted(o3, GramSchmidt::columns()).haar_symmetrised(); // g₀ · f(g₀⁻¹·x)
//! let model = denoiser.symmetrised(gamma);                                      // g · k(g⁻¹·x)
//!
//! let layout = Ragged::from_sizes(&[3, 3])?;
//! let x = Points::new(Tensor::randn(0f32, 1.0, (6, 3), &Device::Cpu)?, layout)?;
//! let y = model.sample(&x, Noise::seeded(0))?;
//! assert_eq!(y.positions().dims(), [6, 3]);
//! # Ok(()) }
//! ```

mod average;
mod closure;
mod error;
mod ext;
mod gamma;
mod kernel;
mod network;
mod objective;
mod symmetrised;
pub mod testing;

pub use average::{AllElements, Averaged, Frame, Frames, MeanOf};
pub use closure::{Draw, Map};
pub use error::{Error, Result};
pub use ext::MarkovKernelExt;
pub use gamma::{Centroid, Charted, CosetHaar, GroupKernel, Haar, Identity, On, OnGroup, PointFrames, PrincipalAxes, Scatter};
pub use kernel::MarkovKernel;
pub use network::{Network, Raw};
pub use objective::{RaoBlackwell, jensen_bound};
pub use symmetrised::{Learned, Symmetrised};

// So that a crate needs to name this one and `symdiff-groups` alone.
pub use symdiff_ops::{Batched, Euclidean, Noise, Ragged, Recording, Samples};
