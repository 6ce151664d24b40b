//! A trained property network, for values of molecules.

use super::task::BASELINE;
use super::{Baseline, PropertyNetwork};
use crate::trained::checkpoint_of;
use crate::{Error, Experiment, Result};
use candle_core::{DType, Device};
use serde::Serialize;
use std::path::Path;
use symdiff_mol::Molecule;
use symdiff_mol::data::MoleculeSet;
use symdiff_mol::metrics::TargetSummary;
use symdiff_ops::{Noise, Samples};
use symdiff_train::checkpoint::{self, Header};
use symdiff_train::{Error as TrainError, Precision, Scores};

/// A property network with the averaged weights of a run.
pub struct TrainedProperty {
    /// The network.
    pub network: PropertyNetwork,
    /// The checkpoint's header.
    pub header: Header,
    experiment: Experiment,
    name: String,
    baseline: Baseline,
    device: Device,
}

/// Errors on real molecules that the network did not learn from: the rows of EDM's table beside which conditional models stand.
///
/// # Units
/// Those of the property.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct HeldOut {
    /// The mean absolute error of the network: no model that it judges can be seen to do better.
    pub lower_bound: f64,
    /// That of the mean of the training molecules of the same size.
    pub numnodes: f64,
    /// That of the network's values against those of every *other* molecule: what chance gives. `None` of one molecule.
    pub random: Option<f64>,
    /// How many molecules this is over.
    pub held_out: usize,
}

/// The most molecules of [`TrainedProperty::held_out`].
const MOST: usize = 10_000;

/// Molecules whose values are computed at once.
const BATCH: usize = 64;

impl TrainedProperty {
    /// The network of a run directory, or of a single checkpoint file. It computes in f32.
    ///
    /// # Errors
    /// When there is no checkpoint, it is damaged, or it holds no property network.
    pub fn load(path: &Path, device: &Device) -> Result<Self> {
        let file = checkpoint_of(path);
        let mut loaded = checkpoint::load(&file, device)?;
        let record = &loaded.header.record;
        let mut experiment = Experiment::parse(&record.description, &[])?;
        let Some(name) = experiment.property.as_ref().map(|property| property.name.clone()) else {
            return Err(Error::file(
                &file,
                "is a model that draws molecules, and predicts no property of them; train a network by an experiment with [property], such as property-gap",
            ));
        };
        let facts = record.facts.get(BASELINE).cloned().unwrap_or_default();
        let baseline = serde_json::from_value(facts).map_err(|error| Error::file(&file, format!("its statistics are damaged: {error}")))?;
        experiment.train.precision = Precision::F32;
        let network = PropertyNetwork::frozen(&experiment, device)?;
        let weights = loaded.take("ema").and_then(|weights| network.parameters.load(&weights));
        weights.map_err(|error| TrainError::checkpoint(&file, error))?;
        Ok(Self { network, header: loaded.header, experiment, name, baseline, device: device.clone() })
    }

    /// The property that it predicts.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The statistics of the property over the training molecules.
    pub fn baseline(&self) -> &Baseline {
        &self.baseline
    }

    /// The property of each molecule, in its units; `None` for one of an element that the network does not know. Bonds and charges are not looked at.
    ///
    /// # Errors
    /// Whatever the network returns.
    pub fn values(&self, molecules: &[Molecule]) -> Result<Vec<Option<f64>>> {
        let vocabulary = self.network.encoding.vocabulary();
        let known = |molecule: &&Molecule| molecule.atomic_numbers().iter().all(|&number| vocabulary.place(number).is_ok());
        let bare = |molecule: &Molecule| Molecule::new("", molecule.atomic_numbers().to_vec(), molecule.positions().to_vec());
        let kept = molecules.iter().filter(known).map(|molecule| bare(molecule).map_err(|fault| fault.at(0)));
        let set = MoleculeSet::from_molecules(kept)?;
        let mut predicted = self.of_set(&set, &(0..set.len()).collect::<Vec<_>>(), &mut |_| ())?.into_iter();
        Ok(molecules.iter().map(|molecule| if known(&molecule) { predicted.next() } else { None }).collect())
    }

    /// Its errors on molecules of its own data set that it did not learn from, 10,000 at most: on the other half of the training part where it learned from one, else on the test part.
    ///
    /// # Errors
    /// When the set cannot be read, is not the one that the network learned from, or has no such molecules.
    pub fn held_out(&self, progress: &mut dyn FnMut(f64)) -> Result<HeldOut> {
        let whole = self.experiment.whole_set()?;
        let half = self.experiment.data.half;
        let split = whole.split();
        let train = half.map_or_else(|| split.train.clone(), |half| split.clone().half(half).train);
        let (now, values) = Baseline::of(&whole, &train, &self.name)?;
        if !now.agrees(&self.baseline) {
            return Err(Error::Config(format!("the data set is not the one that the network of {} learned from; restore it", self.name)));
        }
        let mut places = half.map_or_else(|| split.test.clone(), |half| split.clone().half(half.other()).train);
        places.truncate(MOST);
        let predicted = self.of_set(&whole, &places, progress)?;
        let pairs: Vec<(f64, f64)> = places.iter().zip(&predicted).map(|(&place, predicted)| (values[place], *predicted)).collect();
        let summary = TargetSummary::of(&pairs);
        let nothing = || Error::Config(format!("the data set of the network of {} has no molecules that it did not learn from", self.name));
        let by_size = places.iter().map(|&place| (self.baseline.value(whole.num_atoms(place)) - values[place]).abs());
        Ok(HeldOut {
            lower_bound: summary.mae.ok_or_else(nothing)?,
            numnodes: by_size.sum::<f64>() / places.len() as f64,
            random: summary.mae_shuffled,
            held_out: places.len(),
        })
    }

    /// Absolute errors, in the property's units, on molecules of the validation part: as many as training validates on.
    ///
    /// # Errors
    /// As [`held_out`](Self::held_out).
    pub fn validated(&self) -> Result<Scores> {
        let set = self.experiment.whole_set()?;
        let mut places = set.split().valid;
        places.truncate(self.experiment.train.validate_samples);
        let values = set.conditioning(&self.name)?;
        let predicted = self.of_set(&set, &places, &mut |_| ())?;
        let errors: Vec<f64> = places.iter().zip(predicted).map(|(&place, predicted)| (predicted - values[place]).abs()).collect();
        Scores::of(&errors).ok_or_else(|| Error::Config("the data set has no validation part; give a set of more molecules".into()))
    }

    /// The property of molecules of a set, in its units.
    fn of_set(&self, set: &MoleculeSet, places: &[usize], progress: &mut dyn FnMut(f64)) -> Result<Vec<f64>> {
        let mut predicted = Vec::with_capacity(places.len());
        for chunk in places.chunks(BATCH) {
            let ids: Vec<u64> = chunk.iter().map(|&place| place as u64).collect();
            let clean = self.network.encoding.encode(set, chunk, Samples::new(ids), DType::F32, &self.device)?;
            // The same draws of γ each time.
            let values = self.network.mean_value(&clean, Noise::seeded(0))?;
            predicted.extend(values.into_iter().map(|value| self.baseline.statistics.restored(value)));
            progress(predicted.len() as f64 / places.len() as f64);
        }
        Ok(predicted)
    }
}
