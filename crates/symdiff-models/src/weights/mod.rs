//! Files of weights that say what they are.
//!
//! Such a file is a checkpoint of the averaged weights alone, in f32 or rounded to bf16. Beside the experiment, the seed and the steps, its header has
//! a [`Provenance`]: which data, by hash and split; which scores, with their errors and the protocol that gave them; under which licence. The
//! checkpoint's checksums cover all of it.

mod provenance;
mod scored;

pub use provenance::{DataRecord, Provenance};
pub use scored::{Agreement, Scored, ScoredNll, Scoring};

use crate::{Error, Experiment, Result, Sampling, Trained};
use candle_core::Tensor;
use serde::Deserialize;
use serde_json::json;
use std::path::Path;
use symdiff_train::checkpoint::{self, Header};
use symdiff_train::{Precision, Record};

impl Trained {
    /// The same model with its weights rounded to what a file will hold, so that scores are those of the file.
    ///
    /// # Errors
    /// When the device refuses.
    pub fn rounded(self, storage: Precision) -> Result<Self> {
        // f32 is what they have.
        let variables = if storage == Precision::F32 { Vec::new() } else { self.model.parameters.named() };
        for (_, variable) in variables {
            let stored = variable.to_dtype(storage.dtype())?;
            variable.set(&stored.to_dtype(variable.dtype())?)?;
        }
        self.model.unsettled();
        Ok(self)
    }

    /// The content of a file of the weights, with what is known of them. Of the path of the data, the file's name alone is kept; `path`, where the file is to
    /// be, is what messages call it.
    ///
    /// # Errors
    /// When the device refuses, or the recorded experiment cannot be read.
    pub fn weights_file(&self, path: &Path, provenance: &Provenance) -> Result<Vec<u8>> {
        let tensors = self.model.parameters.named().into_iter();
        let stored = |(name, variable): (String, candle_core::Var)| -> Result<(String, Tensor)> {
            Ok((format!("ema.{name}"), variable.to_dtype(provenance.storage.dtype())?.contiguous()?))
        };
        let tensors = tensors.map(stored).collect::<Result<Vec<_>>>()?;
        let mut facts = self.header.record.facts.clone();
        facts[provenance::KEY] = json!(provenance);
        let mut experiment = Experiment::parse(&self.header.record.description, &[])?;
        experiment.data.path = experiment.data.path.and_then(|path| Some(path.file_name()?.into()));
        let record = Record { description: experiment.to_toml()?, facts };
        let Header { step, seconds, seed, .. } = self.header;
        Ok(checkpoint::serialised(path, &Header::new(step, seconds, seed, Vec::new(), record), &tensors)?)
    }

    /// How `count` molecules are drawn where nothing is asked for: as the scores that its file records were made; in all steps of ancestral sampling where it records none.
    ///
    /// # Errors
    /// [`Error::Config`] where the record cannot be read; those of [`Scored::sampling`].
    pub fn usual_sampling(&self, count: usize, seed: u64) -> Result<Sampling> {
        let recorded = self.header.record.facts.get(provenance::KEY).map(Provenance::deserialize).transpose();
        let recorded = recorded.map_err(|error| Error::Config(format!("what the weights say of themselves cannot be read: {error}")))?;
        let scores = recorded.and_then(|provenance| provenance.scores);
        scores.map_or_else(|| Ok(Sampling::of(count, seed)), |scores| scores.sampling(count, seed))
    }

    /// What the file says of itself.
    ///
    /// # Errors
    /// [`Error::File`] with `path` when it says nothing: it is a checkpoint of a run, or imported.
    pub fn provenance(&self, path: &Path) -> Result<Provenance> {
        let none = || Error::file(path, "does not say what it is: it is a checkpoint, not a file of weights; `export` makes one of it");
        let value = self.header.record.facts.get(provenance::KEY).ok_or_else(none)?;
        serde_json::from_value(value.clone()).map_err(|error| Error::file(path, format!("what it says of itself cannot be read: {error}")))
    }
}
