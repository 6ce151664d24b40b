//! Checkpoints: everything a run needs to go on, bit for bit, in one safetensors file.
//!
//! Tensors are `param.NAME`, `ema.NAME`, and the optimiser's `m.NAME`, `v.NAME`, `vmax.NAME`. The header's metadata holds format, step, seconds,
//! seed, clipping history and the experiment as TOML. All else about a run is a function of seed and step.

use crate::{Error, Result};
use candle_core::safetensors::Load;
use candle_core::{Device, Tensor};
use safetensors::SafeTensors;
use safetensors::tensor::Metadata;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};
use std::path::Path;

/// The version of the layout above.
const FORMAT: u32 = 1;

/// The header of a checkpoint.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Header {
    /// Version of the layout.
    pub format: u32,
    /// Optimiser steps done.
    pub step: u64,
    /// Wall-clock seconds of training so far.
    pub seconds: f64,
    /// The seed of every draw.
    pub seed: u64,
    /// Gradient norms that queue clipping remembers, newest first.
    pub norms: Vec<f64>,
    /// Molecule sizes of the training set and how often each occurs, ascending: what samplers draw from.
    pub sizes: Vec<(usize, u64)>,
    /// The experiment, as TOML.
    pub experiment: String,
}

/// A loaded checkpoint.
#[derive(Clone, Debug)]
pub struct Checkpoint {
    /// Its header.
    pub header: Header,
    /// Its tensors by kind (`param`, `ema`, `m`, `v`, `vmax`), then by name.
    pub tensors: BTreeMap<String, BTreeMap<String, Tensor>>,
}

const KEY: &str = "symdiff";

impl Header {
    /// A header of the current format.
    pub fn new(step: u64, seconds: f64, seed: u64, norms: Vec<f64>, experiment: String) -> Self {
        Self { format: FORMAT, step, seconds, seed, norms, sizes: Vec::new(), experiment }
    }
}

/// Writes a checkpoint: the old file stays until the new one is whole on the disk.
///
/// # Errors
/// [`Error::Io`] when the disk refuses (it is full, say); the old file is untouched then.
pub fn save(path: &Path, header: &Header, tensors: &[(String, Tensor)]) -> Result<()> {
    let json = serde_json::to_string(header).map_err(|error| Error::checkpoint(path, error))?;
    let metadata = HashMap::from([(KEY.to_owned(), json)]);
    let views: Vec<(&str, &Tensor)> = tensors.iter().map(|(name, tensor)| (name.as_str(), tensor)).collect();
    let bytes = safetensors::serialize(views, Some(metadata)).map_err(|error| Error::checkpoint(path, error))?;
    crate::atomic::write(path, &bytes)
}

/// Reads a checkpoint's header alone.
///
/// # Errors
/// As [`load`].
pub fn header(path: &Path) -> Result<Header> {
    let bytes = read(path)?;
    parse_header(path, &SafeTensors::read_metadata(&bytes).map_err(|error| damaged(path, &error))?.1)
}

/// Reads a checkpoint.
///
/// # Errors
/// [`Error::Checkpoint`] when the file is cut, is no checkpoint, or has another format.
pub fn load(path: &Path, device: &Device) -> Result<Checkpoint> {
    let bytes = read(path)?;
    let (_, metadata) = SafeTensors::read_metadata(&bytes).map_err(|error| damaged(path, &error))?;
    let header = parse_header(path, &metadata)?;
    let file = SafeTensors::deserialize(&bytes).map_err(|error| damaged(path, &error))?;
    let mut tensors: BTreeMap<String, BTreeMap<String, Tensor>> = BTreeMap::new();
    for (key, view) in file.iter() {
        let (kind, name) = key.split_once('.').ok_or_else(|| Error::checkpoint(path, format!("`{key}` is no tensor of a checkpoint")))?;
        tensors.entry(kind.into()).or_default().insert(name.into(), view.load(device)?);
    }
    Ok(Checkpoint { header, tensors })
}

fn read(path: &Path) -> Result<Vec<u8>> {
    std::fs::read(path).map_err(Error::io(path, "read the checkpoint"))
}

fn damaged(path: &Path, error: &dyn std::fmt::Display) -> Error {
    Error::checkpoint(path, format!("no whole safetensors file ({error}); take an earlier checkpoint"))
}

fn parse_header(path: &Path, metadata: &Metadata) -> Result<Header> {
    let json = metadata.metadata().as_ref().and_then(|map| map.get(KEY));
    let json = json.ok_or_else(|| Error::checkpoint(path, "a safetensors file, but no checkpoint of a run; `import` makes one of it"))?;
    let header: Header = serde_json::from_str(json).map_err(|error| Error::checkpoint(path, format!("its header is damaged: {error}")))?;
    if header.format != FORMAT {
        return Err(Error::checkpoint(path, format!("has format {}, this program reads {FORMAT}", header.format)));
    }
    Ok(header)
}
