//! Checkpoints: everything that is needed to continue a run bit for bit, in one safetensors file.
//!
//! Tensors are `param.NAME`, `ema.NAME`, and the optimiser's `m.NAME`, `v.NAME`, and under AMSGrad `vmax.NAME`. The file's metadata holds the [`Header`], a checksum
//! (XXH3, 64 bits) of each tensor with its name, type and shape, and one of header and checksums together, so that any change is detected. Everything else
//! about a run is a function of seed and step.

use crate::{Error, Record, Result};
use candle_core::safetensors::Load;
use candle_core::{DType, Device, Tensor};
use safetensors::tensor::{TensorView, View};
use safetensors::{Dtype, SafeTensors};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::hash::Hasher;
use std::io::Read;
use std::path::Path;
use symdiff_files::Output;
use twox_hash::XxHash3_64;

/// The version of the layout above. Version 1 had no checksums, and named the record's parts `experiment` and `sizes`.
const FORMAT: u32 = 2;

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
    /// What was trained.
    pub record: Record,
}

/// A loaded checkpoint.
#[derive(Clone, Debug)]
pub struct Checkpoint {
    /// Its header.
    pub header: Header,
    /// Its tensors by kind (`param`, `ema`, `m`, `v`, `vmax`), then by name.
    pub tensors: BTreeMap<String, BTreeMap<String, Tensor>>,
    /// A hash of the averaged weights, their names and shapes.
    pub weights_hash: u64,
}

/// Where the header stands in the file's metadata.
const HEADER: &str = "symdiff";
/// The checksum of every tensor, as a JSON object.
const CHECKSUMS: &str = "symdiff.checksums";
/// The checksum of the two above.
const SEAL: &str = "symdiff.seal";

/// The largest header that is read; no model has a larger one.
const LARGEST_HEADER: u64 = 100 << 20;

impl Header {
    /// A header of the current format.
    pub fn new(step: u64, seconds: f64, seed: u64, norms: Vec<f64>, record: Record) -> Self {
        Self { format: FORMAT, step, seconds, seed, norms, record }
    }
}

/// Writes a checkpoint: the old file stays until the new one is whole on the disk.
///
/// # Errors
/// [`Error::Output`] when the disk refuses (it is full, say); the old file is untouched then.
pub fn save(path: &Path, header: &Header, tensors: &[(String, Tensor)]) -> Result<()> {
    let content = serialised(path, header, tensors)?;
    Ok(Output::replace(path)?.fill(content)?)
}

/// The content of a checkpoint file.
///
/// # Errors
/// [`Error::Checkpoint`], with the path of the file to be, when the tensors cannot be written as they are.
pub fn serialised(path: &Path, header: &Header, tensors: &[(String, Tensor)]) -> Result<Vec<u8>> {
    let text = |value: serde_json::Result<String>| value.map_err(|error| Error::checkpoint(path, error));
    let checksums: BTreeMap<&str, String> =
        tensors.iter().map(|(name, tensor)| (name.as_str(), written(checksum(name, &tensor)))).collect();
    let (header, checksums) = (text(serde_json::to_string(header))?, text(serde_json::to_string(&checksums))?);
    let seal = written(seal(&header, &checksums));
    let metadata = HashMap::from([(HEADER.to_owned(), header), (CHECKSUMS.to_owned(), checksums), (SEAL.to_owned(), seal)]);
    let views: Vec<(&str, &Tensor)> = tensors.iter().map(|(name, tensor)| (name.as_str(), tensor)).collect();
    safetensors::serialize(views, Some(metadata)).map_err(|error| Error::checkpoint(path, error))
}

/// Reads a checkpoint's header alone; the tensors are neither read nor verified.
///
/// # Errors
/// As [`load`].
pub fn header(path: &Path) -> Result<Header> {
    /// What stands before the tensors.
    #[derive(Deserialize)]
    struct Front {
        #[serde(rename = "__metadata__", default)]
        metadata: HashMap<String, String>,
    }
    let mut file = open(path)?;
    let mut length = [0; 8];
    file.read_exact(&mut length).map_err(|error| damaged(path, &error))?;
    let size = u64::from_le_bytes(length);
    if size > LARGEST_HEADER {
        return Err(damaged(path, &format!("its header claims {size} bytes")));
    }
    let mut bytes = Vec::new();
    file.take(size).read_to_end(&mut bytes).map_err(Error::io(path, "read the checkpoint"))?;
    let front: Front = serde_json::from_slice(&bytes).map_err(|error| damaged(path, &error))?;
    Ok(Sealed::read(path, &front.metadata)?.header)
}

/// The bytes of a checkpoint's file.
///
/// # Errors
/// [`Error::Io`] when it cannot be read, [`Error::Checkpoint`] when it is no regular file.
pub fn bytes(path: &Path) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    open(path)?.read_to_end(&mut bytes).map_err(Error::io(path, "read the checkpoint"))?;
    Ok(bytes)
}

/// Reads a checkpoint and verifies its checksums. One of an earlier version has none; the log then warns.
///
/// # Errors
/// [`Error::Checkpoint`] when the file is cut, changed, is no checkpoint, or has another format.
pub fn load(path: &Path, device: &Device) -> Result<Checkpoint> {
    read(path, &bytes(path)?, device)
}

/// The same of bytes in memory; `path` is what messages call them.
///
/// # Errors
/// As [`load`].
pub fn read(path: &Path, bytes: &[u8], device: &Device) -> Result<Checkpoint> {
    let (_, metadata) = SafeTensors::read_metadata(bytes).map_err(|error| damaged(path, &error))?;
    let entries = metadata.metadata().clone().unwrap_or_default();
    let Sealed { header, mut checksums } = Sealed::read(path, &entries)?;
    let file = SafeTensors::deserialize(bytes).map_err(|error| damaged(path, &error))?;
    let mut tensors: BTreeMap<String, BTreeMap<String, Tensor>> = BTreeMap::new();
    let mut weights = XxHash3_64::new();
    let mut views: Vec<(&str, TensorView)> = file.iter().collect();
    views.sort_unstable_by_key(|(name, _)| *name);
    for (key, view) in views {
        let (kind, name) = key.split_once('.').ok_or_else(|| Error::checkpoint(path, format!("`{key}` is no tensor of a checkpoint")))?;
        // Averaged weights alone may be rounded: nothing is continued from them.
        if view.dtype() != Dtype::F32 && (kind != "ema" || view.dtype() != Dtype::BF16) {
            return Err(Error::checkpoint(path, format!("`{key}` is of type {:?}; tensors of a checkpoint are F32", view.dtype())));
        }
        let found = checksum(key, &view);
        if let Some(checksums) = &mut checksums
            && checksums.remove(key) != Some(written(found))
        {
            return Err(changed(path, &format!("`{key}`")));
        }
        if kind == "ema" {
            weights.write(&found.to_le_bytes());
        }
        tensors.entry(kind.into()).or_default().insert(name.into(), view.load(device)?.to_dtype(DType::F32)?);
    }
    if let Some((key, _)) = checksums.and_then(|mut left| left.pop_first()) {
        return Err(changed(path, &format!("`{key}`, which is missing,")));
    }
    Ok(Checkpoint { header, tensors, weights_hash: weights.finish() })
}

impl Checkpoint {
    /// Takes the tensors of a kind, which must be finite.
    ///
    /// # Errors
    /// [`Error::Weights`] when there are none, or naming the first that holds a number that is not finite.
    pub fn take(&mut self, kind: &str) -> Result<BTreeMap<String, Tensor>> {
        let tensors = self.tensors.remove(kind).ok_or_else(|| Error::Weights(format!("no `{kind}` tensors in it")))?;
        for (name, tensor) in &tensors {
            if !tensor.to_dtype(DType::F64)?.abs()?.sum_all()?.to_scalar::<f64>()?.is_finite() {
                return Err(Error::Weights(format!("`{kind}.{name}` holds numbers that are not finite; take an earlier checkpoint")));
            }
        }
        Ok(tensors)
    }
}

/// The header, and the checksums that its file promises: `None` in a file of an earlier version.
struct Sealed {
    header: Header,
    checksums: Option<BTreeMap<String, String>>,
}

impl Sealed {
    fn read(path: &Path, metadata: &HashMap<String, String>) -> Result<Self> {
        let entry = |key: &str| metadata.get(key).map(String::as_str);
        let none = || Error::checkpoint(path, "a safetensors file, but no checkpoint of a run; `import` makes one of it");
        let text = entry(HEADER).ok_or_else(none)?;
        let unreadable = |error: serde_json::Error| Error::checkpoint(path, format!("its header is damaged: {error}"));
        let value: Value = serde_json::from_str(text).map_err(unreadable)?;
        let checksums = match (value["format"].as_u64(), entry(CHECKSUMS), entry(SEAL)) {
            (Some(1), _, _) => {
                tracing::warn!(
                    "{}: made by an earlier version, which kept no checksums; changed bits would not be noticed",
                    path.display()
                );
                None
            }
            (Some(2), Some(checksums), Some(found)) if found == written(seal(text, checksums)) => {
                Some(serde_json::from_str(checksums).map_err(unreadable)?)
            }
            (Some(2), _, _) => return Err(changed(path, "its header")),
            _ => return Err(Error::checkpoint(path, format!("has format {}, this program reads 1 and {FORMAT}", value["format"]))),
        };
        let header: Header = serde_json::from_value(upgraded(value)).map_err(unreadable)?;
        let sound = header.step < 1 << 53 && header.seconds >= 0.0 && header.seconds.is_finite();
        if sound { Ok(Self { header, checksums }) } else { Err(Error::checkpoint(path, "its step or its seconds are no count of a run")) }
    }
}

/// A header of version 1, converted to the current version.
fn upgraded(mut header: Value) -> Value {
    if header["format"] == json!(1) {
        header["record"] = json!({"description": header["experiment"], "facts": {"sizes": header["sizes"]}});
        header["format"] = json!(FORMAT);
    }
    header
}

/// The checksum of a tensor: of its name, type, shape and numbers.
fn checksum(name: &str, tensor: &impl View) -> u64 {
    let mut hash = XxHash3_64::new();
    hash.write(format!("{name} {:?} {:?}\n", tensor.dtype(), tensor.shape()).as_bytes());
    hash.write(&tensor.data());
    hash.finish()
}

/// A hash of all that a run starts from: what `described` says, and the tensors.
pub(crate) fn fingerprint(described: &impl Serialize, tensors: &[(String, Tensor)]) -> u64 {
    let mut hash = XxHash3_64::new();
    // What cannot be written as JSON is the same nothing on every process.
    hash.write(&serde_json::to_vec(described).unwrap_or_default());
    for (name, tensor) in tensors {
        hash.write_u64(checksum(name, &tensor));
    }
    hash.finish()
}

fn seal(header: &str, checksums: &str) -> u64 {
    XxHash3_64::oneshot([header, "\n", checksums].concat().as_bytes())
}

fn written(checksum: u64) -> String {
    format!("{checksum:016x}")
}

/// Opens a file and refuses others than regular ones: reading a device might never end.
fn open(path: &Path) -> Result<File> {
    let file = File::open(path).map_err(Error::io(path, "read the checkpoint"))?;
    let kind = file.metadata().map_err(Error::io(path, "read the checkpoint"))?;
    if kind.is_file() { Ok(file) } else { Err(Error::checkpoint(path, "is no regular file; a checkpoint or a run folder is needed")) }
}

fn damaged(path: &Path, error: &dyn std::fmt::Display) -> Error {
    Error::checkpoint(path, format!("no whole safetensors file ({error}); take an earlier checkpoint"))
}

fn changed(path: &Path, what: &str) -> Error {
    Error::checkpoint(path, format!("{what} has changed since it was written: its checksum differs; take an earlier checkpoint"))
}
