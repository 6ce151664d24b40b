//! Which molecules a step sees: a function of seed and step alone.

use crate::{Error, Result};
use candle_core::{DType, Device};
use rand::seq::SliceRandom;
use symdiff_groups::{Action, CompactGroup, Orthogonal};
use symdiff_mol::data::MoleculeSet;
use symdiff_mol::state::{Encoding, Molecules};
use symdiff_ops::{Noise, Samples, Steps};

/// The training set in random order, epoch after epoch; a short last batch is dropped.
#[derive(Debug)]
pub(crate) struct Batches {
    set: MoleculeSet,
    /// The molecules of the set that train: a set in a mapped file is never copied.
    places: Vec<usize>,
    encoding: Encoding,
    batch: usize,
    augment: bool,
    orders: Steps,
    turns: Steps,
    epoch: Option<(u64, Vec<usize>)>,
}

impl Batches {
    /// Batches of `batch` of the molecules of `set` at `places`; with `augment`, each is turned by a Haar draw of O(3).
    ///
    /// # Errors
    /// [`Error::Config`] when the set is smaller than one batch.
    pub(crate) fn new(set: MoleculeSet, places: Vec<usize>, encoding: Encoding, batch: usize, augment: bool, noise: Noise) -> Result<Self> {
        if places.len() < batch {
            return Err(Error::Config(format!("train.batch is {batch} but the training set holds {} molecules", places.len())));
        }
        let [orders, turns] = noise.split();
        Ok(Self { set, places, encoding, batch, augment, orders: orders.steps(), turns: turns.steps(), epoch: None })
    }

    /// Steps in one pass over the set.
    pub(crate) fn per_epoch(&self) -> u64 {
        (self.places.len() / self.batch) as u64
    }

    /// The batch of a step (from 0). Sample ids are places in the batch.
    ///
    /// # Errors
    /// When a molecule cannot be encoded.
    pub(crate) fn at(&mut self, step: u64, dtype: DType, device: &Device) -> Result<Molecules> {
        let (epoch, place) = (step / self.per_epoch(), (step % self.per_epoch()) as usize);
        if self.epoch.as_ref().is_none_or(|(current, _)| *current != epoch) {
            let mut order = self.places.clone();
            order.shuffle(&mut self.orders.at(epoch).generator());
            self.epoch = Some((epoch, order));
        }
        let order = self.epoch.as_ref().map_or(&[][..], |(_, order)| order);
        let places = &order[place * self.batch..(place + 1) * self.batch];
        let molecules = self.encoding.encode(&self.set, places, Samples::numbered(self.batch), dtype, device)?;
        if !self.augment {
            return Ok(molecules);
        }
        let group = Orthogonal::new(3);
        let turn = group.haar(&molecules, self.turns.at(step)).map_err(symdiff_core::Error::from)?;
        Ok(molecules.act(&group, &turn).map_err(symdiff_core::Error::from)?)
    }
}
