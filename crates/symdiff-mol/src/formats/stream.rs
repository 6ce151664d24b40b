//! Molecules one after the other. A fault ends the stream, or is reported and skipped where the caller asks for that.

use crate::error::{Error, Fault, Result};
use crate::molecule::Molecule;

/// What a format needs to say: the next molecule, or that there is none.
pub(crate) trait Next {
    /// `None` at a proper end.
    fn next_molecule(&mut self) -> Result<Option<Molecule>>;

    /// After a fault, moves to where the next molecule begins; `false` where the format does not show that place.
    fn recover(&mut self) -> Result<bool> {
        Ok(false)
    }
}

/// Hears of every molecule that is skipped.
pub(crate) type Report = Box<dyn FnMut(&Error) + Send>;

/// A fused iterator over a format's molecules.
pub(crate) struct Stream<F> {
    format: F,
    ended: bool,
    skipping: Option<Report>,
}

impl<F: Next> Stream<F> {
    /// With `skipping`, molecules that cannot be read are reported there and left out.
    pub(crate) fn new(format: F, skipping: Option<Report>) -> Self {
        Self { format, ended: false, skipping }
    }

    /// Whether the fault was reported and the stream can go on behind it. A disk that fails and a stream that cannot be unpacked are no bad
    /// molecules.
    fn skipped(&mut self, error: &Error) -> bool {
        let readable = matches!(error, Error::Content { fault, .. } if !matches!(fault, Fault::Stream { .. }));
        let Some(report) = self.skipping.as_mut().filter(|_| readable) else {
            return false;
        };
        let goes_on = self.format.recover().unwrap_or(false);
        if goes_on {
            report(error);
        }
        goes_on
    }
}

impl<F: Next> Iterator for Stream<F> {
    type Item = Result<Molecule>;

    fn next(&mut self) -> Option<Self::Item> {
        while !self.ended {
            match self.format.next_molecule() {
                Ok(Some(molecule)) => return Some(Ok(molecule)),
                Ok(None) => self.ended = true,
                Err(error) if self.skipped(&error) => {}
                Err(error) => {
                    self.ended = true;
                    return Some(Err(error));
                }
            }
        }
        None
    }
}
