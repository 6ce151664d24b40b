//! What property networks predict for molecules: `--network`.

use super::super::target::Got;
use crate::failure::{Failure, Outcome};
use crate::progress::Bar;
use candle_core::Device;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::PathBuf;
use symdiff_models::property::TrainedProperty;
use symdiff_mol::Molecule;

/// Networks by the property that each of them predicts.
pub(super) struct Networks(BTreeMap<String, TrainedProperty>);

impl Networks {
    /// The networks of run folders or files.
    ///
    /// # Errors
    /// One that cannot be read, and two for one property.
    pub(super) fn load(paths: &[PathBuf], device: &Device) -> Outcome<Self> {
        let mut networks = BTreeMap::new();
        for path in paths {
            let network = TrainedProperty::load(path, device)?;
            let name = network.name().to_owned();
            if networks.insert(name.clone(), network).is_some() {
                return Err(Failure::input(format!("--network {}: another network predicts {name} already; name one", path.display())));
            }
        }
        Ok(Self(networks))
    }

    /// What they predict for each molecule: nothing where it has an element that a network does not know.
    pub(super) fn of(&self, molecules: &[Molecule]) -> Outcome<Vec<Got>> {
        let mut got = vec![Got::new(); molecules.len()];
        for (name, network) in &self.0 {
            for (got, value) in got.iter_mut().zip(network.values(molecules)?) {
                got.extend(value.map(|value| (name.clone(), value)));
            }
        }
        Ok(got)
    }

    /// Their part of the summary: of each property that was asked for and is predicted, with their errors on real molecules that they did not learn from, null where these are not there.
    ///
    /// # Errors
    /// When nothing was asked for that they predict.
    pub(super) fn summary(&self, targets: BTreeMap<String, Value>) -> Outcome<Value> {
        let asked: Vec<String> = targets.keys().cloned().collect();
        let mut predicted: BTreeMap<String, Value> = targets.into_iter().filter(|(name, _)| self.0.contains_key(name)).collect();
        if predicted.is_empty() {
            let [asked, known] = [asked, self.0.keys().cloned().collect()].map(|names: Vec<String>| names.join(", "));
            return Err(Failure::input(format!(
                "{asked} was asked of the molecules, and --network predicts {known}; name a network of what was asked"
            )));
        }
        for (name, summary) in &mut predicted {
            let bar = Bar::new("held-out molecules");
            let held_out = self.0[name].held_out(&mut |done| bar.show(done, ""));
            drop(bar);
            let bounds =
                held_out.inspect_err(|error| tracing::warn!("no error of the network of {name} on held-out molecules: {error}")).ok();
            for key in ["lower_bound", "numnodes", "random", "held_out"] {
                summary[key] = bounds.as_ref().map_or(Value::Null, |bounds| json!(bounds)[key].clone());
            }
        }
        Ok(json!(predicted))
    }
}
