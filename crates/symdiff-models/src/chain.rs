//! A molecule forming: where the first sample of a batch has been on its way from noise.

use crate::{Decoded, Result};
use candle_core::DType;
use symdiff_mol::Molecule;
use symdiff_mol::state::{Encoding, Molecules};
use symdiff_ops::Ragged;

/// States of a trajectory at some of its times.
pub(crate) struct Chain {
    /// The numbers of steps after which a state is kept, and their times.
    kept: Vec<(usize, f64)>,
    seen: Vec<(f64, Molecules)>,
}

impl Chain {
    /// States at up to `count` of the times of a trajectory, evenly spread over its steps, both ends included; at none for 0.
    pub(crate) fn new(times: &[f64], count: usize) -> Self {
        let last = times.len().saturating_sub(1);
        let intervals = count.saturating_sub(1).clamp(1, last.max(1));
        let mut steps: Vec<usize> = (0..=intervals).filter(|_| count > 0).map(|k| k * last / intervals).collect();
        steps.dedup();
        Self { kept: steps.into_iter().filter_map(|step| Some((step, *times.get(step)?))).collect(), seen: Vec::new() }
    }

    /// Keeps the state that so many steps have led to, where it is one of those asked for.
    pub(crate) fn see(&mut self, step: usize, state: &Molecules) {
        let place = self.kept.iter().find(|(kept, _)| *kept == step);
        self.seen.extend(place.map(|&(_, time)| (time, state.clone())));
    }

    /// The first sample of the states as molecules, named after their times: positions as they are, the element of the largest feature.
    ///
    /// # Errors
    /// A coordinate that is not finite.
    pub(crate) fn molecules(&self, encoding: &Encoding) -> Result<Vec<Molecule>> {
        let mut molecules = Vec::new();
        for (time, state) in &self.seen {
            let rows = state.layout().rows(0);
            let [positions, features] = [state.positions(), state.features()].map(|tensor| tensor.narrow(0, rows.start, rows.len()));
            let decoded = Decoded {
                positions: (positions?.to_dtype(DType::F64)? * Encoding::POSITION_SCALE)?,
                columns: features?.narrow(1, 0, encoding.types())?.contiguous()?.argmax(1)?.to_vec1()?,
                charges: None,
                layout: Ragged::from_sizes(&[rows.len()])?,
            };
            molecules.extend(decoded.molecules(encoding)?.into_iter().map(|molecule| molecule.renamed(format!("t = {time:.3}"))));
        }
        Ok(molecules)
    }
}
