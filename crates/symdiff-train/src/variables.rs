//! What is learned: variables by name.

use crate::{Error, Parameters, Result};
use candle_core::{Device, Tensor, Var};
use candle_nn::VarMap;
use std::collections::BTreeMap;
use std::sync::PoisonError;

/// Named variables in the order of names, whichever way they were made: by this crate's [`Parameters`], by Candle's `VarMap`, or by hand.
#[derive(Clone, Debug, Default)]
pub struct Variables(BTreeMap<String, Var>);

impl Variables {
    /// Names and variables, ordered by name.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &Var)> {
        self.0.iter().map(|(name, var)| (name.as_str(), var))
    }

    /// The variable of that name.
    pub fn get(&self, name: &str) -> Option<&Var> {
        self.0.get(name)
    }

    /// The number of scalars.
    pub fn count(&self) -> usize {
        self.0.values().map(|var| var.elem_count()).sum()
    }

    /// Where they live; the CPU when there are none.
    pub fn device(&self) -> Device {
        self.0.values().next().map_or(Device::Cpu, |var| var.device().clone())
    }

    /// Sets every variable from `values`.
    ///
    /// # Errors
    /// [`Error::Weights`] naming the first variable that is missing, left over, or of another shape; nothing is changed then.
    pub fn load(&self, values: &BTreeMap<String, Tensor>) -> Result<()> {
        for (name, var) in &self.0 {
            match values.get(name) {
                None => return Err(Error::Weights(format!("`{name}` is missing"))),
                Some(value) if value.shape() != var.shape() => {
                    let (got, expected) = (value.dims(), var.dims());
                    return Err(Error::Weights(format!("`{name}` has shape {got:?}, this model needs {expected:?}")));
                }
                Some(_) => {}
            }
        }
        if let Some(name) = values.keys().find(|name| !self.0.contains_key(*name)) {
            return Err(Error::Weights(format!("`{name}` is no parameter of this model")));
        }
        for (name, var) in &self.0 {
            var.set(&values[name].to_dtype(var.dtype())?.to_device(var.device())?)?;
        }
        Ok(())
    }
}

impl<N: Into<String>> FromIterator<(N, Var)> for Variables {
    fn from_iter<I: IntoIterator<Item = (N, Var)>>(named: I) -> Self {
        Self(named.into_iter().map(|(name, var)| (name.into(), var)).collect())
    }
}

impl From<&Parameters> for Variables {
    fn from(parameters: &Parameters) -> Self {
        parameters.named().into_iter().collect()
    }
}

impl From<&VarMap> for Variables {
    fn from(map: &VarMap) -> Self {
        let vars = map.data().lock().unwrap_or_else(PoisonError::into_inner);
        vars.iter().map(|(name, var)| (name.clone(), var.clone())).collect()
    }
}
