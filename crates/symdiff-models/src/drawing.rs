//! One batch of a sampling run: from noise, around a part that is known, or from a structure.

use crate::chain::Watching;
use crate::request::{Part, Request};
use crate::{Asked, Decoded, Kept, Model, MoleculeReconstruction, Result};
use candle_core::DType;
use symdiff_diffusion::{Keeping, Reverse, Route};
use symdiff_mol::Molecule;
use symdiff_mol::data::MoleculeSet;
use symdiff_mol::state::Molecules;
use symdiff_ops::{Batched, Noise};

/// What a batch is drawn by.
pub(crate) struct Drawing<'a> {
    pub(crate) model: &'a Model,
    pub(crate) request: &'a Request,
    pub(crate) route: Route,
    /// The sizes of the molecules.
    pub(crate) like: Molecules,
    /// What they are asked to be.
    pub(crate) asked: Asked,
    /// The model's denoiser as it is asked and watched; the denoiser itself for none.
    pub(crate) watching: Option<&'a Watching<'a>>,
}

impl Drawing<'_> {
    /// The molecules; `progress` is called with the steps that are done, and how many there are.
    ///
    /// # Errors
    /// When the number of steps is not one of 1, …, T, an element is unknown, or the denoiser fails.
    pub(crate) fn decoded(&self, noise: Noise, progress: &mut dyn FnMut(usize, usize)) -> Result<Decoded> {
        let (route, steps) = (self.route, self.route.steps);
        match &self.request.part {
            Part::Nothing => Ok(self.reverse().sample_by(route, &self.like, noise, &mut |step| progress(step, steps))?),
            Part::Formula(formula) => self.around(&Kept::elements(formula.atomic_numbers()), noise, progress),
            Part::Atoms(kept) => self.around(kept, noise, progress),
            Part::Structure(molecule, time) => self.varied(molecule, *time, noise, progress),
        }
    }

    fn reverse(&self) -> Reverse<'_, Molecules, MoleculeReconstruction, Asked> {
        let mut reverse = self.model.reverse(&self.asked);
        if let Some(watching) = self.watching {
            reverse.denoiser = watching;
        }
        reverse
    }

    fn around(&self, kept: &Kept, noise: Noise, progress: &mut dyn FnMut(usize, usize)) -> Result<Decoded> {
        let (model, route, like) = (self.model, self.route, &self.like);
        let part = kept.within(like.layout(), &model.encoding, like.dtype(), &like.device())?;
        let walk = Keeping::new(route.sampler()?, &part, self.request.turns.unwrap_or(Request::TURNS))?;
        let times = model.process.times(&*route.spacing.grid(), route.steps)?;
        let decoded = self.reverse().sample(&walk, &times, route.framing, like, noise, &mut |step| progress(step, route.steps))?;
        kept.settled(decoded, &model.encoding)
    }

    fn varied(&self, molecule: &Molecule, time: f64, noise: Noise, progress: &mut dyn FnMut(usize, usize)) -> Result<Decoded> {
        let (model, route, like) = (self.model, self.route, &self.like);
        let set = MoleculeSet::from_molecules([Ok(molecule.clone())])?;
        let copies = vec![0; like.layout().len()];
        let clean = model.encoding.encode(&set, &copies, like.samples(), DType::F32, &like.device())?;
        let first = model.process.nearest(time);
        let all = model.process.times(&*route.spacing.grid(), route.steps)?;
        let times: Vec<f64> = std::iter::once(first).chain(all.into_iter().filter(|time| *time < first)).collect();
        let steps = times.len() - 1;
        Ok(self.reverse().vary(&*route.sampler()?, &times, route.framing, &clean, noise, &mut |step| progress(step, steps))?)
    }
}
