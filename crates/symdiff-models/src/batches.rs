//! Which molecules a step sees: a function of seed and step alone.

use crate::models::{GroupChoice, SpaceGroup};
use crate::{Error, Result};
use candle_core::{DType, Device};
use rand::seq::SliceRandom;
use std::sync::{Arc, Mutex, PoisonError};
use symdiff_groups::{Action, Orthogonal, SpecialOrthogonal};
use symdiff_mol::data::MoleculeSet;
use symdiff_mol::state::{Encoding, Molecules};
use symdiff_ops::{Noise, Samples, Steps};
use symdiff_train::Share;

/// The training set in random order, epoch after epoch; a short last batch is dropped.
#[derive(Debug)]
pub(crate) struct Batches {
    set: MoleculeSet,
    /// The molecules of the set that train: a set in a mapped file is never copied.
    places: Vec<usize>,
    encoding: Encoding,
    batch: usize,
    augment: Option<GroupChoice>,
    orders: Steps,
    turns: Steps,
    /// The epoch last asked for, with its order.
    epoch: Mutex<Option<(u64, Arc<[usize]>)>>,
}

impl Batches {
    /// Batches of `batch` of the molecules of `set` at `places`; with `augment`, each is moved by a Haar draw of that group.
    ///
    /// # Errors
    /// [`Error::Config`] when the set is smaller than one batch.
    pub(crate) fn new(
        set: MoleculeSet,
        places: Vec<usize>,
        encoding: Encoding,
        batch: usize,
        augment: Option<GroupChoice>,
        noise: Noise,
    ) -> Result<Self> {
        if places.len() < batch {
            return Err(Error::Config(format!("train.batch is {batch} but the training set holds {} molecules", places.len())));
        }
        let [orders, turns] = noise.split();
        Ok(Self { set, places, encoding, batch, augment, orders: orders.steps(), turns: turns.steps(), epoch: Mutex::default() })
    }

    /// Steps in one pass over the set.
    pub(crate) fn per_epoch(&self) -> u64 {
        (self.places.len() / self.batch) as u64
    }

    /// The share of the batch of a step (from 0). Sample ids are places in the whole batch.
    ///
    /// # Errors
    /// When a molecule cannot be encoded.
    pub(crate) fn at(&self, step: u64, share: Share, dtype: DType, device: &Device) -> Result<Molecules> {
        let (epoch, place) = (step / self.per_epoch(), (step % self.per_epoch()) as usize);
        let order = self.order(epoch);
        let samples = share.samples(self.batch);
        let places = &order[place * self.batch..(place + 1) * self.batch][samples.clone()];
        let ids = Samples::new(samples.map(|sample| sample as u64).collect::<Vec<_>>());
        let molecules = self.encoding.encode(&self.set, places, ids, dtype, device)?;
        match self.augment {
            None | Some(GroupChoice::None) => Ok(molecules),
            Some(GroupChoice::O3) => moved(&molecules, &Orthogonal::new(3), self.turns.at(step)),
            Some(GroupChoice::So3) => moved(&molecules, &SpecialOrthogonal::new(3), self.turns.at(step)),
        }
    }

    /// Molecules by their places in the set, which are their sample ids.
    ///
    /// # Errors
    /// When a molecule cannot be encoded.
    pub(crate) fn held_out(&self, places: &[usize], dtype: DType, device: &Device) -> Result<Molecules> {
        let ids = Samples::new(places.iter().map(|&place| place as u64).collect::<Vec<_>>());
        Ok(self.encoding.encode(&self.set, places, ids, dtype, device)?)
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

/// Molecules moved by a Haar draw each.
fn moved(molecules: &Molecules, group: &impl SpaceGroup, noise: Noise) -> Result<Molecules> {
    Ok(molecules.act(group, &group.haar(molecules, noise)?)?)
}
