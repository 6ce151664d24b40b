//! The one verb: sample y ~ k(dy | x).

use crate::Result;
use std::sync::Arc;
use symdiff_ops::Noise;

/// A Markov kernel k(dy | x): given x, a law over outputs; in other words, a network that may draw random numbers. A deterministic network is
/// a kernel that draws nothing.
///
/// [`Map`](crate::Map) and [`Draw`](crate::Draw) make one of a closure, [`Network`](crate::Network) of a Candle module; a type of your own
/// implements the trait:
///
/// ```
/// use symdiff_core::{MarkovKernel, Noise, Result};
/// use symdiff_groups::{Cloud, Dense};
/// use symdiff_ops::Euclidean;
///
/// /// x plus Gaussian noise.
/// struct Jitter { width: f64 }
///
/// impl MarkovKernel<Cloud> for Jitter {
///     type Out = Cloud;
///
///     fn sample(&self, x: &Cloud, noise: Noise) -> Result<Cloud> {
///         Ok(Cloud::new((x.tensor() + (x.gaussian(noise)?.tensor() * self.width)?)?)?)
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a Markov kernel on `{X}`",
    label = "a kernel that can be sampled at `{X}` is needed",
    note = "make one of a closure with `Map::new(|x: &State| ...)`, or with `Draw::new(|x: &State, noise| ...)` if it draws random numbers",
    note = "make one of a Candle module with `Network::<_, State>::new(module)`, or with `Raw::<_, State>::new(module)` to read its output `.charted(group, chart)`",
    note = "a type of your own implements `MarkovKernel<State>` for the state that it is sampled at"
)]
pub trait MarkovKernel<X> {
    /// What is drawn.
    type Out;

    /// Draws y ~ k(· | x), sample by sample.
    ///
    /// # Errors
    /// Any error of the kernel.
    fn sample(&self, x: &X, noise: Noise) -> Result<Self::Out>;
}

/// Pointers to kernels are kernels.
macro_rules! forwarded {
    ($($pointer:ty),*) => {$(
        impl<X, K: MarkovKernel<X> + ?Sized> MarkovKernel<X> for $pointer {
            type Out = K::Out;

            fn sample(&self, x: &X, noise: Noise) -> Result<K::Out> {
                (**self).sample(x, noise)
            }
        }
    )*};
}
forwarded!(&K, Box<K>, Arc<K>);
