//! The molecules of each training step, a function of seed and step alone.

use crate::models::{GroupChoice, SpaceGroup};
use crate::{Asked, Conditions, Error, Result, fixed};
use candle_core::{DType, Device};
use rand::seq::SliceRandom;
use std::sync::{Arc, Mutex, PoisonError};
use symdiff_groups::{Action, Orthogonal, SpecialOrthogonal};
use symdiff_mol::data::MoleculeSet;
use symdiff_mol::state::{Encoding, Molecules};
use symdiff_ops::{Batched, Noise, Samples, Steps};
use symdiff_train::Share;

/// How a training molecule is changed each time it is seen.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Augment {
    /// Moves it by a Haar draw of this group.
    pub(crate) group: Option<GroupChoice>,
    /// Adds normal noise of this standard deviation to its positions, in angstrom.
    pub(crate) noise: f64,
}

/// Molecules, and what a model is told of them.
#[derive(Clone, Debug)]
pub struct Examples {
    /// The molecules.
    pub molecules: Molecules,
    /// What the model is told of each: properties, and atoms that are fixed.
    pub asked: Asked,
}

/// The properties of all molecules of a set, normalised.
#[derive(Debug)]
pub(crate) struct Told {
    /// `[M][P]`.
    values: Vec<Vec<f64>>,
    /// How often they are withheld in training.
    dropout: f64,
}

impl Told {
    /// The properties of `conditions` of a whole set.
    ///
    /// # Errors
    /// When the set has no such property.
    pub(crate) fn new(set: &MoleculeSet, conditions: &Conditions, dropout: f64) -> Result<Self> {
        let columns = conditions.names().iter().zip(conditions.statistics());
        let columns = columns.map(|(name, statistics)| -> Result<Vec<f64>> {
            Ok(set.conditioning(name)?.into_iter().map(|value| statistics.normalised(value)).collect())
        });
        let columns = columns.collect::<Result<Vec<_>>>()?;
        let values = (0..set.len()).map(|place| columns.iter().map(|column| column[place]).collect()).collect();
        Ok(Self { values, dropout })
    }

    /// What is told of molecules at these places: all, or in training what is left by dropout.
    fn of(&self, places: &[usize], molecules: &Molecules, dropout: Option<Noise>) -> Result<Asked> {
        let mut told: Vec<Vec<Option<f64>>> = places.iter().map(|&place| self.values[place].iter().copied().map(Some).collect()).collect();
        if let Some(noise) = dropout {
            let each = self.values.first().map_or(0, Vec::len);
            let drawn = noise.uniform(&molecules.samples(), &[1 + each], DType::F64, &Device::Cpu)?.to_vec2::<f64>()?;
            for (told, drawn) in told.iter_mut().zip(drawn) {
                let dropped = |place: usize| drawn[0] < self.dropout || (each > 1 && drawn[1 + place] < self.dropout);
                told.iter_mut().enumerate().filter(|(place, _)| dropped(*place)).for_each(|(_, value)| *value = None);
            }
        }
        Asked::new(&told, molecules.dtype(), &molecules.device())
    }
}

/// The training set in random order, epoch after epoch; a short last batch is dropped.
#[derive(Debug)]
pub(crate) struct Batches {
    set: MoleculeSet,
    /// The molecules of the set that train: a set in a mapped file is never copied.
    places: Vec<usize>,
    encoding: Encoding,
    batch: usize,
    augment: Augment,
    orders: Steps,
    turns: Steps,
    blurs: Steps,
    told: Option<Told>,
    drops: Steps,
    /// How often a molecule has a part that the model is given.
    fixed: f64,
    parts: Steps,
    held_out_parts: Steps,
    /// The epoch of the last batch, with its order.
    epoch: Mutex<Option<(u64, Arc<[usize]>)>>,
}

impl Batches {
    /// Batches of `batch` of the molecules of `set` at `places`; each is changed as `augment` says.
    ///
    /// # Errors
    /// [`Error::Config`] when the set is smaller than one batch.
    pub(crate) fn new(
        set: MoleculeSet,
        places: Vec<usize>,
        encoding: Encoding,
        batch: usize,
        augment: Augment,
        told: Option<Told>,
        noise: Noise,
    ) -> Result<Self> {
        if places.len() < batch {
            return Err(Error::Config(format!(
                "train.batch is {batch} but the training set holds {} molecules; take a smaller batch",
                places.len()
            )));
        }
        let [orders, turns, blurs, drops, parts, held_out_parts] = noise.split().map(Noise::steps);
        Ok(Self {
            set,
            places,
            encoding,
            batch,
            augment,
            orders,
            turns,
            blurs,
            told,
            drops,
            fixed: 0.0,
            parts,
            held_out_parts,
            epoch: Mutex::default(),
        })
    }

    /// The same, where the model is given a part of this share of the molecules.
    pub(crate) fn fixing(self, fixed: f64) -> Self {
        Self { fixed, ..self }
    }

    /// Steps in one pass over the set.
    pub(crate) fn per_epoch(&self) -> u64 {
        (self.places.len() / self.batch) as u64
    }

    /// The share of the batch of a step (from 0). Sample ids are places in the whole batch, and the largest molecule is that of the whole batch.
    ///
    /// # Errors
    /// When a molecule cannot be encoded.
    pub(crate) fn at(&self, step: u64, share: Share, dtype: DType, device: &Device) -> Result<Examples> {
        let (epoch, place) = (step / self.per_epoch(), (step % self.per_epoch()) as usize);
        let order = self.order(epoch);
        let batch = &order[place * self.batch..(place + 1) * self.batch];
        let samples = share.range(self.batch);
        let places = &batch[samples.clone()];
        let ids = Samples::new(samples.map(|sample| sample as u64).collect::<Vec<_>>());
        let mut molecules = self.encoding.encode(&self.set, places, ids, dtype, device)?;
        if share != Share::WHOLE {
            molecules = molecules.part_of(batch.iter().map(|&place| self.set.num_atoms(place)).max().unwrap_or(0))?;
        }
        if self.augment.noise > 0.0 {
            molecules = blurred(&molecules, self.augment.noise, self.blurs.at(step))?;
        }
        let molecules = match self.augment.group {
            None | Some(GroupChoice::None) => molecules,
            Some(GroupChoice::O3) => moved(&molecules, &Orthogonal::new(3), self.turns.at(step))?,
            Some(GroupChoice::So3) => moved(&molecules, &SpecialOrthogonal::new(3), self.turns.at(step))?,
        };
        let asked = self.asked(places, &molecules, Some(self.drops.at(step)))?;
        let asked = self.with_part(asked, &molecules, self.parts.at(step))?;
        Ok(Examples { molecules, asked })
    }

    /// The molecules of a round of validation by their places in the set, which are their sample ids.
    ///
    /// # Errors
    /// When a molecule cannot be encoded.
    pub(crate) fn held_out(&self, places: &[usize], round: u64, dtype: DType, device: &Device) -> Result<Examples> {
        let ids = Samples::new(places.iter().map(|&place| place as u64).collect::<Vec<_>>());
        let molecules = self.encoding.encode(&self.set, places, ids, dtype, device)?;
        let asked = self.with_part(self.asked(places, &molecules, None)?, &molecules, self.held_out_parts.at(round))?;
        Ok(Examples { molecules, asked })
    }

    /// What is asked, with a part of some of the molecules.
    fn with_part(&self, asked: Asked, molecules: &Molecules, noise: Noise) -> Result<Asked> {
        if self.fixed > 0.0 { Ok(asked.fixing(fixed::part(molecules, self.fixed, noise)?)) } else { Ok(asked) }
    }

    fn asked(&self, places: &[usize], molecules: &Molecules, dropout: Option<Noise>) -> Result<Asked> {
        self.told.as_ref().map_or_else(|| Ok(Asked::default()), |told| told.of(places, molecules, dropout))
    }

    /// The order of an epoch, shuffled once.
    fn order(&self, epoch: u64) -> Arc<[usize]> {
        let mut current = self.epoch.lock().unwrap_or_else(PoisonError::into_inner);
        match &*current {
            Some((known, order)) if *known == epoch => order.clone(),
            _ => {
                let mut order = self.places.clone();
                order.shuffle(&mut self.orders.at(epoch).generator());
                let order: Arc<[usize]> = order.into();
                *current = Some((epoch, order.clone()));
                order
            }
        }
    }
}

/// Molecules with normal noise on their positions, centred again.
fn blurred(molecules: &Molecules, deviation: f64, noise: Noise) -> Result<Molecules> {
    let positions = molecules.positions();
    let drawn = noise.normal_nodes(molecules.layout(), 3, positions.dtype(), positions.device())?;
    let moved = (positions + (drawn * (deviation / Encoding::POSITION_SCALE))?)?;
    Ok(Molecules::new(moved, molecules.features().clone(), molecules.layout().clone())?.centred()?)
}

/// Molecules moved by a Haar draw each.
fn moved(molecules: &Molecules, group: &impl SpaceGroup, noise: Noise) -> Result<Molecules> {
    Ok(molecules.act(group, &group.haar(molecules, noise)?)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Tensor;
    use symdiff_mol::data::embedded;

    /// Over 200 molecules the sample's standard deviation is within 5 % of the true one; centring takes one part in n of the variance.
    #[test]
    fn noise_on_positions_has_its_deviation_and_other_draws_stay() -> Result<()> {
        let batch = |noise: f64| -> Result<Molecules> {
            let (places, augment) = ((0..300).collect(), Augment { group: Some(GroupChoice::O3), noise });
            let batches = Batches::new(embedded().clone(), places, Encoding::qm9(), 200, augment, None, Noise::seeded(1))?;
            Ok(batches.at(0, Share::WHOLE, DType::F64, &Device::Cpu)?.molecules)
        };
        let [plain, noisy] = [batch(0.0)?, batch(0.1)?];
        let off = (noisy.positions() - plain.positions())?;
        let mean = |x: Tensor| -> Result<f64> { Ok(x.mean_all()?.to_scalar::<f64>()?) };
        let atoms = plain.layout().nodes() as f64;
        let expected = 0.01 * (1.0 - plain.layout().len() as f64 / atoms);
        let variance = mean(off.sqr()?)?;
        assert!((variance / expected - 1.0).abs() < 0.1, "{variance}, expected {expected}");
        assert!(mean(off)?.abs() < 1e-12);
        assert!(mean((noisy.features() - plain.features())?.abs()?)? < 1e-12);
        Ok(())
    }
}
