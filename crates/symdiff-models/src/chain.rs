//! A molecule forming: where the first sample of a batch has been on its way from noise.

use crate::{Asked, Decoded, Result};
use candle_core::{DType, Tensor};
use std::sync::{Mutex, MutexGuard, PoisonError};
use symdiff_core::MarkovKernel;
use symdiff_diffusion::{At, Denoiser, Eps, Times};
use symdiff_mol::Molecule;
use symdiff_mol::state::{Encoding, Molecules};
use symdiff_ops::{Noise, Ragged};

/// A denoiser that keeps the first sample of the states it is asked about, at some times. What it draws and says is what the denoiser within it does, so
/// that a trajectory is the same whether it is watched or not.
pub(crate) struct Watching<'a> {
    denoiser: &'a dyn Denoiser<Molecules, Asked>,
    /// The times at which states are kept, falling.
    times: Vec<f64>,
    /// Positions and features at each of them; samplers that ask twice about a time come with the better state last.
    seen: Mutex<Vec<Option<[Tensor; 2]>>>,
}

impl<'a> Watching<'a> {
    /// Watches at up to `count` of the times of a trajectory, evenly spread over its steps, both ends included.
    pub(crate) fn new(denoiser: &'a dyn Denoiser<Molecules, Asked>, trajectory: &[f64], count: usize) -> Self {
        let last = trajectory.len().saturating_sub(1);
        let intervals = count.saturating_sub(1).clamp(1, last.max(1));
        let mut times: Vec<f64> = (0..=intervals).filter_map(|k| trajectory.get(k * last / intervals).copied()).collect();
        times.dedup();
        let seen = Mutex::new(vec![None; times.len()]);
        Self { denoiser, times, seen }
    }

    /// The states that were kept as molecules, named after their times: positions as they are, the element of the largest feature.
    ///
    /// # Errors
    /// A coordinate that is not finite.
    pub(crate) fn states(&self, encoding: &Encoding) -> Result<Vec<Molecule>> {
        let mut states = Vec::new();
        for (time, seen) in self.times.iter().zip(self.seen().iter()) {
            let Some([positions, features]) = seen else { continue };
            let decoded = Decoded {
                positions: (positions.to_dtype(DType::F64)? * Encoding::POSITION_SCALE)?,
                columns: features.narrow(1, 0, encoding.types())?.contiguous()?.argmax(1)?.to_vec1()?,
                charges: None,
                layout: Ragged::from_sizes(&[positions.dims()[0]])?,
            };
            states.extend(decoded.molecules(encoding)?.into_iter().map(|molecule| molecule.renamed(format!("t = {time:.3}"))));
        }
        Ok(states)
    }

    fn seen(&self) -> MutexGuard<'_, Vec<Option<[Tensor; 2]>>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl MarkovKernel<At<Molecules, Asked>> for Watching<'_> {
    type Out = Eps<Molecules>;

    fn sample(&self, x: &At<Molecules, Asked>, noise: Noise) -> symdiff_core::Result<Eps<Molecules>> {
        if let Times::Shared(time) = x.time
            && let Some(place) = self.times.iter().position(|kept| kept.to_bits() == time.to_bits())
        {
            let rows = x.state.layout().rows(0);
            let first = |tensor: &Tensor| tensor.narrow(0, rows.start, rows.len()).map_err(symdiff_core::Error::kernel);
            self.seen()[place] = Some([first(x.state.positions())?, first(x.state.features())?]);
        }
        self.denoiser.sample(x, noise)
    }
}
