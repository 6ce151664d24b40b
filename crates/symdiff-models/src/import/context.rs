//! Conditional models of EDM: the properties that they are told, and the weights that read them.
//!
//! EDM's network reads one number of each property behind the features and the time of an atom. The network here reads two: the normalised value, 0 where nothing is asked, and whether it is
//! asked. With zeros as the weights of the second it computes the same; and where nothing is asked, what EDM's computes of the mean value.

use super::error::ImportError;
use crate::experiment::Experiment;
use crate::{Conditions, Error, Result};
use candle_core::Tensor;
use std::collections::BTreeMap;
use std::path::Path;
use symdiff_mol::data::MoleculeSet;

/// The axis along which a tensor's entries belong to the numbers that the network reads.
const READERS: [(&str, usize); 3] = [("egnn.embedding.weight", 1), ("egnn.embedding_out.weight", 0), ("egnn.embedding_out.bias", 0)];

/// The weights with zeros for whether a property is asked. A tensor of another shape is left as it is, for the comparison of shapes to name.
pub(super) fn widened(mut weights: BTreeMap<String, Tensor>, experiment: &Experiment) -> Result<BTreeMap<String, Tensor>> {
    let properties = experiment.data.condition.len();
    if properties == 0 {
        return Ok(weights);
    }
    let plain = experiment.encoding().features() + 1;
    for (name, axis) in READERS {
        let Some(tensor) = weights.get_mut(name).filter(|tensor| tensor.dims().get(axis) == Some(&(plain + properties))) else { continue };
        let mut parts = vec![tensor.narrow(axis, 0, plain)?];
        for property in 0..properties {
            let value = tensor.narrow(axis, plain + property, 1)?;
            let asked = value.zeros_like()?;
            parts.extend([value, asked]);
        }
        *tensor = Tensor::cat(&parts, axis)?;
    }
    Ok(weights)
}

/// The properties of the molecules of its data set, normalised by those of the validation part, as EDM's program does for the halves of QM9.
///
/// # Errors
/// Without the set, which alone holds mean and deviation; without its property or a validation part.
pub(super) fn conditions(experiment: &Experiment, set: Option<&MoleculeSet>, from: &Path) -> Result<Conditions> {
    let names = &experiment.data.condition;
    let set = set.ok_or_else(|| {
        let told = names.join(", ");
        let problem =
            format!("is told {told}, and does not hold mean and deviation of that: give the set that it was trained on with --data");
        Error::import(from, ImportError::Model(problem))
    })?;
    let split = set.split();
    let valid = split.valid.clone();
    let train = experiment.data.half.map_or_else(|| split.train.clone(), |half| split.clone().half(half).train);
    let own = Conditions::of(set, &train, names)?;
    // Of the whole of QM9 the program takes the training part's.
    if experiment.data.half.is_some() { own.normalised_by(set, &valid) } else { Ok(own) }
}
