//! Values of settings that a file leaves out, and checks that several sections share.

use crate::{Error, Result};

pub(super) fn three() -> usize {
    3
}

pub(super) fn one() -> usize {
    1
}

pub(super) fn yes() -> bool {
    true
}

pub(super) fn unit() -> f64 {
    1.0
}

pub(super) fn four() -> usize {
    4
}

/// Refuses heads that do not divide the width of the trunk.
pub(super) fn divided(section: &str, heads: usize, hidden: usize) -> Result<()> {
    if heads > 0 && hidden.is_multiple_of(heads) {
        return Ok(());
    }
    Err(Error::Config(format!("{section}.heads is {heads}, which does not divide the hidden size {hidden}")))
}
