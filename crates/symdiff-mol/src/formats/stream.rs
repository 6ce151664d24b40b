//! Molecules one after the other until the first fault, which ends the stream.

use crate::error::Result;
use crate::molecule::Molecule;

/// What a format needs to say: the next molecule, or that there is none.
pub(crate) trait Next {
    /// `None` at a proper end.
    fn next_molecule(&mut self) -> Result<Option<Molecule>>;
}

/// A fused iterator over a format's molecules.
pub(crate) struct Stream<F> {
    format: F,
    ended: bool,
}

impl<F: Next> Stream<F> {
    pub(crate) fn new(format: F) -> Self {
        Self { format, ended: false }
    }
}

impl<F: Next> Iterator for Stream<F> {
    type Item = Result<Molecule>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let molecule = self.format.next_molecule().transpose();
        self.ended = !matches!(molecule, Some(Ok(_)));
        molecule
    }
}
