//! A state dict from a file: the format follows from the content, not from the ending.

use super::pickle::{self, Stored};
use crate::{Error, Result};
use candle_core::safetensors::Load;
use candle_core::{DType, Device, Tensor};
use safetensors::SafeTensors;
use std::collections::BTreeMap;
use std::io::{Cursor, Read};
use std::path::Path;
use zip::ZipArchive;

/// A pickle of names and shapes is small; larger ones are refused before they are parsed.
const LARGEST_PICKLE: u64 = 8 << 20;

/// Names and tensors. Nothing in the file is ever executed.
pub(super) fn read(path: &Path) -> Result<BTreeMap<String, Tensor>> {
    // A device would never end.
    if std::fs::metadata(path).is_ok_and(|there| !there.is_file()) {
        return Err(Error::file(path, "is no regular file; a state dict is needed"));
    }
    let bytes = std::fs::read(path).map_err(Error::io(path, "read the state dict"))?;
    if bytes.starts_with(b"PK") {
        return zipped(path, &bytes);
    }
    let file = SafeTensors::deserialize(&bytes).map_err(|error| {
        Error::file(path, format!("neither a whole zip archive of PyTorch nor a whole safetensors file ({error}); save it again"))
    })?;
    file.iter().map(|(name, view)| Ok((name.to_owned(), view.load(&Device::Cpu)?))).collect()
}

fn zipped(path: &Path, bytes: &[u8]) -> Result<BTreeMap<String, Tensor>> {
    let damaged = |error: &dyn std::fmt::Display| Error::file(path, format!("no whole zip archive of PyTorch ({error}); copy it again"));
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(|error| damaged(&error))?;
    let index = archive.file_names().flatten().map(std::borrow::Cow::into_owned).find(|name| name.ends_with("/data.pkl"));
    let index = index.ok_or_else(|| Error::file(path, "a zip archive without `data.pkl`: not written by torch.save"))?;
    let folder = index.trim_end_matches("data.pkl").to_owned();
    let mut member = |name: &str, limit: u64| -> Result<Vec<u8>> {
        let file = archive.by_name(name).map_err(|error| damaged(&format!("`{name}`: {error}")))?;
        let mut content = Vec::new();
        file.take(limit + 1).read_to_end(&mut content).map_err(|error| damaged(&format!("`{name}`: {error}")))?;
        if content.len() as u64 > limit {
            Err(damaged(&format!("`{name}` is larger than the {limit} bytes it should have")))
        } else {
            Ok(content)
        }
    };
    let pickled = member(&index, LARGEST_PICKLE)?;
    let entries = pickle::entries(&pickled).map_err(|problem| Error::file(path, problem))?;
    entries
        .into_iter()
        .map(|(name, stored)| {
            let content = member(&format!("{folder}data/{}", stored.storage), bytes.len() as u64)?;
            let tensor = tensor(&stored, &content).map_err(|problem| Error::file(path, format!("`{name}` {problem}")))?;
            Ok((name, tensor))
        })
        .collect()
}

/// A contiguous tensor out of its storage.
fn tensor(stored: &Stored, content: &[u8]) -> std::result::Result<Tensor, String> {
    let Stored { dtype, offset, shape, stride, .. } = stored;
    let count = shape.iter().try_fold(1_usize, |count, &size| count.checked_mul(size)).ok_or("has too many numbers")?;
    if count > 0 && !contiguous(shape, stride) {
        return Err(format!("is strided ({stride:?} for shape {shape:?}); save `tensor.contiguous()`"));
    }
    let size = dtype.size_in_bytes();
    let range = offset.checked_mul(size).zip(count.checked_mul(size)).and_then(|(start, length)| Some(start..start.checked_add(length)?));
    let bytes = range.and_then(|range| content.get(range)).ok_or("is cut: its storage is too short")?;
    let dtype = if count == 0 { DType::F32 } else { *dtype };
    if count == 0 {
        return Tensor::zeros(shape.as_slice(), dtype, &Device::Cpu).map_err(|error| error.to_string());
    }
    Tensor::from_raw_buffer(bytes, dtype, shape, &Device::Cpu).map_err(|error| error.to_string())
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
