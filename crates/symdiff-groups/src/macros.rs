//! Actions of states made of parts, and of products on states.

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
