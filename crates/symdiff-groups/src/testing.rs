//! Checks of groups and actions, for tests of your own groups and states.
//!
//! Each returns the largest violation, to be compared with a tolerance; how exact a group has to be is for the caller to say.

#[cfg(feature = "testing")]
mod strategies;

#[cfg(feature = "testing")]
pub use strategies::{elements, ragged};

use crate::{Action, Group, Observe, Result};
use symdiff_ops::Batched;

/// The largest difference of two states' numbers; infinite when they differ in number.
///
/// # Errors
/// When the device refuses.
pub fn gap(a: &impl Observe, b: &impl Observe) -> Result<f64> {
    let (a, b) = (a.observe()?, b.observe()?);
    if a.iter().map(Vec::len).ne(b.iter().map(Vec::len)) {
        return Ok(f64::INFINITY);
    }
    let differences = a.iter().flatten().zip(b.iter().flatten()).map(|(a, b)| (a - b).abs());
    Ok(differences.fold(0.0, |worst, d| if d.is_nan() { f64::INFINITY } else { worst.max(d) }))
}

/// How far three elements are from the axioms: g·(h·k) = (g·h)·k, e·g = g = g·e, g⁻¹·g = e = g·g⁻¹.
///
/// # Errors
/// When the group refuses.
pub fn check_group<G>(group: &G, like: &impl Batched, [g, h, k]: [&G::Element; 3]) -> Result<f64>
where
    G: Group<Element: Observe>,
{
    let (e, back) = (group.identity(like)?, group.inverse(g)?);
    let gaps = [
        gap(&group.compose(g, &group.compose(h, k)?)?, &group.compose(&group.compose(g, h)?, k)?)?,
        gap(&group.compose(&e, g)?, g)?,
        gap(&group.compose(g, &e)?, g)?,
        gap(&group.compose(&back, g)?, &e)?,
        gap(&group.compose(g, &back)?, &e)?,
    ];
    Ok(gaps.into_iter().fold(0.0, f64::max))
}

/// How far a state is from the laws of a left action: (g·h)·x = g·(h·x) and e·x = x.
///
/// # Errors
/// When the group refuses.
pub fn check_action<G, X>(group: &G, x: &X, [g, h]: [&G::Element; 2]) -> Result<f64>
where
    G: Group,
    X: Action<G> + Observe + Batched,
{
    let at_once = x.act(group, &group.compose(g, h)?)?;
    let in_turn = x.act(group, h)?.act(group, g)?;
    Ok(gap(&at_once, &in_turn)?.max(gap(&x.act(group, &group.identity(x)?)?, x)?))
}
