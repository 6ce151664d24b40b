//! States of your own in a line each, actions of states made of parts, and of products on states.

/// Gives leaf states the action of every product A × B whose factors act on them: B first, then A.
///
/// The two actions must commute. Wrappers that forward generically need no such line.
///
/// ```
/// use symdiff_groups::{Action, Cloud, Group, Orthogonal, Result, Symmetric, act_in_turn, act_on_fields};
///
/// struct Particles { positions: Cloud, velocities: Cloud }
/// act_on_fields!(Particles for Orthogonal, Symmetric: moving { positions, velocities } fixed {});
/// act_in_turn!(Particles); // now also under Product<Orthogonal, Symmetric>
/// ```
#[macro_export]
macro_rules! act_in_turn {
    ($($state:ty),+ $(,)?) => {$(
        impl<A: $crate::Group, B: $crate::Group> $crate::Action<$crate::Product<A, B>> for $state
        where
            $state: $crate::Action<A> + $crate::Action<B>,
        {
            fn act(&self, group: &$crate::Product<A, B>, g: &$crate::Pair<A, B>) -> $crate::Result<Self> {
                let moved = <Self as $crate::Action<B>>::act(self, &group.1, g.second())?;
                <Self as $crate::Action<A>>::act(&moved, &group.0, g.first())
            }
        }
    )+};
}

/// Lets groups act on a struct field by field: those named `moving` act, those named `fixed` (conditioning, say) are cloned.
///
/// ```
/// use symdiff_groups::{Cloud, Orthogonal, SpecialOrthogonal, act_on_fields};
///
/// struct Scene { positions: Cloud, label: u32 }
/// act_on_fields!(Scene for Orthogonal, SpecialOrthogonal: moving { positions } fixed { label });
/// ```
#[macro_export]
macro_rules! act_on_fields {
    ($state:ident for $($group:ty),+ : moving $moving:tt fixed $fixed:tt) => {
        $($crate::act_on_fields!(@one $state, $group, $moving, $fixed);)+
    };
    (@one $state:ident, $group:ty, { $($moving:ident),* $(,)? }, { $($fixed:ident),* $(,)? }) => {
        impl $crate::Action<$group> for $state {
            fn act(&self, group: &$group, g: &<$group as $crate::Group>::Element) -> $crate::Result<Self> {
                Ok(Self {
                    $($moving: $crate::Action::<$group>::act(&self.$moving, group, g)?,)*
                    $($fixed: ::std::clone::Clone::clone(&self.$fixed),)*
                })
            }
        }
    };
}

/// Lets groups move a dense state exactly as they move another one.
///
/// ```
/// use symdiff_groups::{Cloud, Orthogonal, SpecialOrthogonal, act_as, dense};
///
/// dense!(/// Velocities of m particles.
///     pub struct Velocities [B, m, n]);
/// act_as!(Velocities as Cloud for Orthogonal, SpecialOrthogonal);
/// ```
#[macro_export]
macro_rules! act_as {
    ($state:ident as $like:ident for $($group:ty),+ $(,)?) => {$(
        impl $crate::Action<$group> for $state {
            fn act(&self, group: &$group, g: &<$group as $crate::Group>::Element) -> $crate::Result<Self> {
                let alike = <$like as $crate::Dense>::new(::std::clone::Clone::clone($crate::Dense::tensor(self)))?;
                let moved = $crate::Action::<$group>::act(&alike, group, g)?;
                <Self as $crate::Dense>::new(::std::clone::Clone::clone($crate::Dense::tensor(&moved)))
            }
        }
    )+};
}

/// Declares states that are one tensor each, with names for its axes, the first of which counts samples. Each is [`Dense`](crate::Dense),
/// [`Observe`](crate::Observe), `Batched` and `Euclidean`: it can be diffused, tested and given to a network. How a group moves it is said
/// by [`act_as!`](crate::act_as) or by an `impl Action` of your own.
///
/// ```
/// use candle_core::{DType, Device, Tensor};
/// use symdiff_groups::{Action, Cyclic, Dense, Result, Turns, dense};
///
/// dense! {
///     /// Angles in radians of L spins on a ring.
///     pub struct Spins [B, L];
/// }
///
/// /// Every spin turns by 2πk/n.
/// impl Action<Cyclic> for Spins {
///     fn act(&self, group: &Cyclic, g: &Turns) -> Result<Self> {
///         let step = std::f64::consts::TAU / f64::from(group.n());
///         let turns: Vec<f64> = g.steps().iter().map(|&k| step * f64::from(k)).collect();
///         let turns = Tensor::from_vec(turns, (g.len(), 1), self.tensor().device())?.to_dtype(self.tensor().dtype())?;
///         Self::new(self.tensor().broadcast_add(&turns)?)
///     }
/// }
///
/// # fn main() -> Result<()> {
/// let refused = Spins::new(Tensor::zeros(4, DType::F32, &Device::Cpu)?).map(drop).map_err(|e| e.to_string());
/// assert_eq!(refused, Err("Spins: shape [4], expected [B, L]".into()));
/// # Ok(()) }
/// ```
#[macro_export]
macro_rules! dense {
    ($($(#[$meta:meta])* $public:vis struct $name:ident [$($axis:ident),+ $(,)?]);+ $(;)?) => {$(
        $(#[$meta])*
        #[derive(Clone, Debug)]
        $public struct $name($crate::macro_support::Tensor);

        impl $crate::Dense for $name {
            fn new(tensor: $crate::macro_support::Tensor) -> $crate::Result<Self> {
                const AXES: &[&str] = &[$(stringify!($axis)),+];
                if tensor.rank() == AXES.len() {
                    return Ok(Self(tensor));
                }
                let (got, expected) = (tensor.dims().to_vec(), format!("[{}]", AXES.join(", ")));
                Err($crate::Error::Shape { what: stringify!($name), got, expected })
            }

            fn tensor(&self) -> &$crate::macro_support::Tensor {
                &self.0
            }
        }

        impl $crate::macro_support::Batched for $name {
            fn samples(&self) -> $crate::macro_support::Samples {
                $crate::macro_support::Batched::samples(&self.0)
            }

            fn device(&self) -> $crate::macro_support::Device {
                self.0.device().clone()
            }

            fn dtype(&self) -> $crate::macro_support::DType {
                self.0.dtype()
            }
        }

        impl $crate::Observe for $name {
            fn observe(&self) -> $crate::Result<Vec<Vec<f64>>> {
                $crate::macro_support::observed(&self.0)
            }
        }

        impl $crate::macro_support::Euclidean for $name {
            fn combine(
                &self,
                a: &$crate::macro_support::Tensor,
                other: &Self,
                b: &$crate::macro_support::Tensor,
            ) -> $crate::macro_support::OpsResult<Self> {
                $crate::macro_support::combined(&self.0, a, &other.0, b).map(Self)
            }

            fn gaussian(&self, noise: $crate::macro_support::Noise) -> $crate::macro_support::OpsResult<Self> {
                $crate::macro_support::gaussian(&self.0, noise).map(Self)
            }

            fn squared_norms(&self) -> $crate::macro_support::OpsResult<$crate::macro_support::Tensor> {
                $crate::macro_support::squared_norms(&self.0)
            }

            fn dimensions(&self) -> Vec<usize> {
                $crate::macro_support::dimensions(&self.0)
            }

            fn detached(&self) -> Self {
                Self(self.0.detach())
            }
        }
    )+};
}
