//! A state dict from a file: the format follows from the content, not from the ending.

use super::error::{ImportError, Read, damaged};
use super::index::{self, Stored};
use super::pickle::{Pickle, Value};
use candle_core::safetensors::Load;
use candle_core::{Device, Tensor};
use safetensors::SafeTensors;
use std::collections::{BTreeMap, HashMap};
use std::io::{Cursor, Read as _};
use zip::ZipArchive;

/// A pickle of names and shapes is small; larger ones are refused before they are parsed.
const LARGEST_PICKLE: u64 = 8 << 20;

/// What torch wrote before every archive until version 1.6: the pickle of a number.
const LEGACY: &[u8] = b"\x80\x02\x8a\x0al\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.";

type Tensors = BTreeMap<String, Tensor>;

/// Names and tensors. Nothing in the file is ever executed.
pub(super) fn read(bytes: &[u8]) -> Read<Tensors> {
    if bytes.starts_with(b"PK") {
        return zipped(bytes);
    }
    if let Some(rest) = bytes.strip_prefix(LEGACY) {
        return legacy(rest);
    }
    let unknown = |error| {
        let formats = "neither a whole zip archive of PyTorch nor a whole safetensors file";
        ImportError::Damaged(format!("{formats} ({error}); save it again"))
    };
    let file = SafeTensors::deserialize(bytes).map_err(unknown)?;
    file.iter()
        .map(|(name, view)| {
            let tensor = view.load(&Device::Cpu).map_err(|error| ImportError::entry(name, format!("cannot be read ({error})")))?;
            Ok((name.to_owned(), tensor))
        })
        .collect()
}

fn zipped(bytes: &[u8]) -> Read<Tensors> {
    const WHAT: &str = "no whole zip archive of PyTorch";
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(damaged(WHAT))?;
    let index = archive.file_names().flatten().map(std::borrow::Cow::into_owned).find(|name| name.ends_with("/data.pkl"));
    let index = index.ok_or_else(|| ImportError::Damaged("a zip archive without `data.pkl`: not written by torch.save".into()))?;
    let folder = index.trim_end_matches("data.pkl").to_owned();
    let mut member = |name: &str, limit: u64| -> Read<Vec<u8>> {
        let broken = |error: &dyn std::fmt::Display| damaged(WHAT)(format!("`{name}`: {error}"));
        let file = archive.by_name(name).map_err(|error| broken(&error))?;
        let mut content = Vec::new();
        file.take(limit + 1).read_to_end(&mut content).map_err(|error| broken(&error))?;
        if content.len() as u64 > limit { Err(broken(&format!("larger than the {limit} bytes it should have"))) } else { Ok(content) }
    };
    let pickled = member(&index, LARGEST_PICKLE)?;
    let pickle = Pickle::read(&mut pickled.as_slice())?;
    index::entries(&pickle)?
        .into_iter()
        .map(|(name, stored)| {
            let content = member(&format!("{folder}data/{}", stored.storage), bytes.len() as u64)?;
            let tensor = tensor(&stored, &content).map_err(|problem| ImportError::entry(&name, problem))?;
            Ok((name, tensor))
        })
        .collect()
}

/// Pickles of a version, of the machine, of the index, and of the storages' names; then of every storage its length in numbers and its bytes.
fn legacy(bytes: &[u8]) -> Read<Tensors> {
    let cut = || ImportError::Damaged("a file in torch's format of before 1.6 that ends early; copy it again".into());
    let mut rest = bytes;
    let version = Pickle::read(&mut rest)?;
    if version.root() != &Value::Int(1001) {
        return Err(ImportError::Damaged(
            "a file in torch's format of before 1.6, of an unknown version; save it again with a newer one".into(),
        ));
    }
    let _machine = Pickle::read(&mut rest)?;
    let (index, keys) = (Pickle::read(&mut rest)?, Pickle::read(&mut rest)?);
    let entries = index::entries(&index)?;
    let sizes: HashMap<&str, usize> = entries.iter().map(|(_, at)| (at.storage.as_str(), at.dtype.size_in_bytes())).collect();
    let keys = match keys.root() {
        Value::List(ids) => ids.iter().map(|&id| if let Value::Text(key) = keys.at(id) { Some(key.clone()) } else { None }).collect(),
        _ => None,
    };
    let keys: Vec<String> = keys.ok_or_else(cut)?;
    let mut storages = HashMap::new();
    for key in keys {
        let (length, content) = rest.split_first_chunk().ok_or_else(cut)?;
        // A storage that no entry refers to has an unknown width, and so an unknown end.
        let size =
            *sizes.get(key.as_str()).ok_or_else(|| ImportError::entry(&key, "is a storage that no tensor refers to; save it again"))?;
        let length = usize::try_from(i64::from_le_bytes(*length)).ok().and_then(|count| count.checked_mul(size)).ok_or_else(cut)?;
        let (content, after) = content.split_at_checked(length).ok_or_else(cut)?;
        storages.insert(key, content);
        rest = after;
    }
    entries
        .iter()
        .map(|(name, stored)| {
            let content = storages.get(&stored.storage).copied().unwrap_or_default();
            Ok((name.clone(), tensor(stored, content).map_err(|problem| ImportError::entry(name, problem))?))
        })
        .collect()
}

/// A contiguous tensor out of its storage.
fn tensor(stored: &Stored, content: &[u8]) -> Result<Tensor, String> {
    let Stored { dtype, offset, shape, stride, .. } = stored;
    let count = shape.iter().try_fold(1_usize, |count, &size| count.checked_mul(size)).ok_or("has too many numbers")?;
    if count == 0 {
        return Tensor::zeros(shape.as_slice(), *dtype, &Device::Cpu).map_err(|error| error.to_string());
    }
    if !contiguous(shape, stride) {
        return Err(format!("is strided ({stride:?} for shape {shape:?}); save `tensor.contiguous()`"));
    }
    let size = dtype.size_in_bytes();
    let range = offset.checked_mul(size).zip(count.checked_mul(size)).and_then(|(start, length)| Some(start..start.checked_add(length)?));
    let bytes = range.and_then(|range| content.get(range)).ok_or("is cut: its storage is too short")?;
    Tensor::from_raw_buffer(bytes, *dtype, shape, &Device::Cpu).map_err(|error| error.to_string())
}

fn contiguous(shape: &[usize], stride: &[usize]) -> bool {
    let mut expected = 1;
    shape.len() == stride.len()
        && shape.iter().zip(stride).rev().all(|(&size, &stride)| {
            let fits = size == 1 || stride == expected;
            expected *= size;
            fits
        })
}
