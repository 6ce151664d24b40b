//! One batch of a sampling run: from noise, around a part that is known, or from a structure.

use crate::request::{Part, Request};
use crate::{Asked, Decoded, Error, Kept, Model, Result};
use candle_core::DType;
use symdiff_diffusion::{Framing, Keeping, Process, Route, Walk};
use symdiff_mol::data::MoleculeSet;
use symdiff_mol::state::Molecules;
use symdiff_ops::{Batched, Noise};

/// What a batch is drawn by.
pub(crate) struct Drawing<'a> {
    model: &'a Model,
    request: &'a Request,
    like: Molecules,
    asked: Asked,
    sampler: Box<dyn Walk<Molecules>>,
    framing: Framing,
    times: Vec<f64>,
}

impl<'a> Drawing<'a> {
    /// A drawing of molecules of the sizes of `like`, which are asked to be what `asked` says.
    ///
    /// # Errors
    /// When the number of steps is not one of 1, …, T; [`Error::Request`] for a structure to be varied by less noise than a step has.
    pub(crate) fn new(model: &'a Model, request: &'a Request, route: Route, like: Molecules, asked: Asked) -> Result<Self> {
        let grid = model.process.times(&*route.spacing.grid(), route.steps)?;
        let times = match request.part {
            Part::Structure(_, time) => below(&model.process, &grid, time)?,
            Part::Nothing | Part::Formula(_) | Part::Atoms(_) => grid,
        };
        Ok(Self { model, request, like, asked, sampler: route.sampler()?, framing: route.framing, times })
    }

    /// The times of the trajectory.
    pub(crate) fn times(&self) -> &[f64] {
        &self.times
    }

    /// The molecules; `progress` is called as by [`Walk::walk`].
    ///
    /// # Errors
    /// When an element is unknown, or the denoiser fails.
    pub(crate) fn decoded(self, noise: Noise, progress: &mut dyn FnMut(usize, &Molecules)) -> Result<Decoded> {
        let Self { model, request, like, asked, sampler, framing, times } = self;
        let kept = match &request.part {
            Part::Nothing => return Ok(model.reverse(&asked).sample(&*sampler, &times, framing, &like, noise, progress)?),
            Part::Structure(molecule, _) => {
                let set = MoleculeSet::from_molecules([Ok((**molecule).clone())])?;
                let copies = vec![0; like.layout().len()];
                let clean = model.encoding.encode(&set, &copies, like.samples(), DType::F32, &like.device())?;
                return Ok(model.reverse(&asked).vary(&*sampler, &times, framing, &clean, noise, progress)?);
            }
            Part::Formula(formula) => &Kept::elements(formula.atomic_numbers()),
            Part::Atoms(kept) => kept,
        };
        let part = kept.within(like.layout(), &model.encoding, like.dtype(), &like.device())?;
        let asked = if model.completes { part.fixed_in(asked)? } else { asked };
        let walk = Keeping::new(sampler, &part, request.turns.unwrap_or(part.usual_turns(model.completes)))?;
        kept.settled(model.reverse(&asked).sample(&walk, &times, framing, &like, noise, progress)?, &model.encoding)
    }
}

/// `first` and the times of a grid below it. Of the grid's step that `first` lies in, a rest of less than half is taken together with the next step.
fn below(process: &Process, grid: &[f64], first: f64) -> Result<Vec<f64>> {
    let (steps, least) = (process.steps(), 1.0 / process.steps() as f64);
    if first < least && !process.is_continuous() {
        return Err(Error::Request(format!("--noise {first} is less than one of the process's {steps} steps; give at least {least}")));
    }
    let start = process.nearest(first);
    let place = grid.partition_point(|time| *time >= start);
    let (above, rest) = grid.split_at(place);
    let rest = match (above, rest) {
        // The last time stays, where data are read off.
        (&[.., above], &[next, ref after @ ..]) if !after.is_empty() && start - next < 0.5 * (above - next) => after,
        _ => rest,
    };
    Ok(std::iter::once(start).chain(rest.iter().copied()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use symdiff_diffusion::{LinearPath, Spacing};

    #[test]
    fn variations_begin_at_their_noise_without_a_step_that_is_much_too_short() -> Result<()> {
        let process = Process::new(LinearPath::new(0.01)?, 1000)?;
        let grid = process.times(&*Spacing::Uniform.grid(), 4)?;
        assert_eq!(below(&process, &grid, 0.6)?, [0.6, 0.25, 0.0]);
        assert_eq!(below(&process, &grid, 0.5)?, [0.5, 0.25, 0.0]);
        assert_eq!(below(&process, &grid, 0.7)?, [0.7, 0.5, 0.25, 0.0]);
        assert_eq!(below(&process, &grid, 1.0)?, grid);
        assert_eq!(below(&process, &grid, 0.26)?, [0.26, 0.0]);
        assert_eq!(below(&process, &grid, 0.001)?, [0.001, 0.0]);
        // Steps of a grid may differ much: one that is whole stays.
        assert_eq!(below(&process, &[1.0, 0.5, 0.4, 0.0], 0.5)?, [0.5, 0.4, 0.0]);
        for first in [0.0004, 0.0009] {
            let refused = below(&process, &grid, first).err().map(|error| error.to_string()).unwrap_or_default();
            assert!(refused.contains(&format!("--noise {first}")) && refused.contains("at least 0.001"), "{refused}");
        }
        let continuous = Process::continuous(LinearPath::new(0.01)?, 1000)?;
        assert_eq!(below(&continuous, &grid, 0.0004)?, [0.0004, 0.0]);
        Ok(())
    }
}
