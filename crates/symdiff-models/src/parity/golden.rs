//! One golden file: weights, inputs, expected results, and a header with sizes and tolerances.

use crate::published;
use crate::{Error, Result};
use candle_core::safetensors::Load;
use candle_core::{DType, Device, Tensor};
use candle_nn::VarBuilder;
use safetensors::SafeTensors;
use serde::Deserialize;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use symdiff_mol::data::MoleculeSet;
use symdiff_mol::state::{Encoding, Molecules};
use symdiff_ops::{Noise, Ragged, Recording, Samples};

/// A golden file in memory. Its arrays are padded; what leaves this type is packed.
pub(super) struct Golden {
    path: PathBuf,
    header: Header,
    tensors: BTreeMap<String, Tensor>,
    device: Device,
}

/// The metadata entry `golden`.
#[derive(Deserialize)]
struct Header {
    config: Map<String, Value>,
    atol: BTreeMap<String, f64>,
}

impl Golden {
    pub(super) fn read(path: &Path, device: &Device) -> Result<Self> {
        let damaged = |error: &dyn std::fmt::Display| Error::file(path, format!("no whole golden file ({error})"));
        let bytes = std::fs::read(path).map_err(Error::io(path, "read the golden file"))?;
        let (_, metadata) = SafeTensors::read_metadata(&bytes).map_err(|error| damaged(&error))?;
        let json = metadata.metadata().as_ref().and_then(|map| map.get("golden"));
        let json = json.ok_or_else(|| Error::file(path, "its header has no entry `golden`"))?;
        let header = serde_json::from_str(json).map_err(|error| damaged(&error))?;
        let file = SafeTensors::deserialize(&bytes).map_err(|error| damaged(&error))?;
        let tensors = file.iter().map(|(name, view)| Ok((name.to_owned(), view.load(device)?))).collect::<Result<_>>()?;
        Ok(Self { path: path.to_owned(), header, tensors, device: device.clone() })
    }

    pub(super) fn device(&self) -> &Device {
        &self.device
    }

    /// What must be met: name, value, tolerance.
    pub(super) fn expected(&self) -> impl Iterator<Item = (&str, &Tensor, Option<f64>)> {
        let results = self.tensors.iter().filter(|(name, _)| name.starts_with("out.") || name.starts_with("grad"));
        results.map(|(name, tensor)| (name.as_str(), tensor, self.header.atol.get(name).copied()))
    }

    /// The names of the expected results that begin with `prefix`, less the prefix.
    pub(super) fn expected_under<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = &'a str> {
        self.expected().filter_map(move |(name, ..)| name.strip_prefix(prefix))
    }

    pub(super) fn tensor(&self, name: &str) -> Result<&Tensor> {
        self.tensors.get(name).ok_or_else(|| Error::file(&self.path, format!("`{name}` is missing")))
    }

    /// A vector of numbers.
    pub(super) fn numbers(&self, name: &str) -> Result<Vec<f64>> {
        Ok(self.tensor(name)?.to_dtype(DType::F64)?.flatten_all()?.to_vec1()?)
    }

    /// A number of the header's configuration; `default` when it is not there.
    pub(super) fn number(&self, key: &str, default: f64) -> f64 {
        self.header.config.get(key).and_then(Value::as_f64).unwrap_or(default)
    }

    /// A switch of the header's configuration.
    pub(super) fn switch(&self, key: &str, default: bool) -> bool {
        self.header.config.get(key).and_then(Value::as_bool).unwrap_or(default)
    }

    /// A word of the header's configuration.
    pub(super) fn word<'a>(&'a self, key: &str, default: &'a str) -> &'a str {
        self.header.config.get(key).and_then(Value::as_str).unwrap_or(default)
    }

    /// A size of the header's configuration.
    pub(super) fn size(&self, key: &str) -> Result<usize> {
        let value = self.header.config.get(key).and_then(Value::as_f64);
        value.map(|value| value as usize).ok_or_else(|| Error::file(&self.path, format!("its configuration has no number `{key}`")))
    }

    /// The molecules' sizes.
    pub(super) fn layout(&self) -> Result<Ragged> {
        let sizes: Vec<usize> = self.numbers("in.num_atoms")?.into_iter().map(|size| size as usize).collect();
        Ok(Ragged::from_sizes(&sizes)?)
    }

    /// An input `[B, padded, C]` without its padding, `[N, C]`.
    pub(super) fn rows(&self, name: &str) -> Result<Tensor> {
        packed(self.tensor(name)?, &self.layout()?)
    }

    /// A state z `[B, padded, 3 + F]`, packed.
    pub(super) fn state(&self, name: &str) -> Result<Molecules> {
        Ok(Molecules::from_joined(&self.rows(name)?, self.layout()?)?)
    }

    /// The clean molecules of `in.x` and `in.charge`, under the published encoding of QM9.
    pub(super) fn clean(&self) -> Result<Molecules> {
        let positions: Vec<[f32; 3]> = self.rows("in.x")?.to_vec2::<f32>()?.iter().map(|row| [row[0], row[1], row[2]]).collect();
        let charges = self.rows("in.charge")?.flatten_all()?.to_vec1::<f32>()?;
        let numbers = charges.into_iter().map(|charge| charge as u8).collect();
        let set = MoleculeSet::from_packed(self.layout()?.sizes(), numbers, positions, None)?;
        let places: Vec<usize> = (0..set.len()).collect();
        Ok(Encoding::qm9().encode(&set, &places, Samples::numbered(set.len()), DType::F32, &self.device)?)
    }

    /// Noise that replays the named draws, in the order a program asks for them. `t_int`: whole times; normals of nodes lose their padding.
    pub(super) fn replay(&self, draws: &[&str]) -> Result<Noise> {
        let draws = draws.iter().map(|name| self.draw(name)).collect::<Result<Vec<_>>>()?;
        Ok(Noise::recorded(Recording::new(draws)))
    }

    fn draw(&self, name: &str) -> Result<Tensor> {
        if name.starts_with("in.eps") || name.starts_with("in.gamma_noise") { self.rows(name) } else { Ok(self.tensor(name)?.clone()) }
    }

    /// The weights under this project's names.
    pub(super) fn weights(&self) -> BTreeMap<String, Tensor> {
        published::localised(self.inputs_under("w."))
    }

    /// A cursor over the weights.
    pub(super) fn builder(&self) -> VarBuilder<'static> {
        VarBuilder::from_tensors(self.weights().into_iter().collect(), DType::F32, &self.device)
    }

    /// The tensors whose names begin with `prefix`, under the rest of their names.
    pub(super) fn inputs_under(&self, prefix: &str) -> BTreeMap<String, Tensor> {
        let named = self.tensors.iter().filter_map(|(name, tensor)| Some((name.strip_prefix(prefix)?.to_owned(), tensor.clone())));
        named.collect()
    }
}

/// `[B, padded, C]` → `[N, C]`: the first `n_i` rows of each molecule.
pub(super) fn packed(padded: &Tensor, layout: &Ragged) -> Result<Tensor> {
    let rows = layout.sizes().enumerate().map(|(i, size)| padded.get(i)?.narrow(0, 0, size));
    Ok(Tensor::cat(&rows.collect::<candle_core::Result<Vec<_>>>()?, 0)?)
}
