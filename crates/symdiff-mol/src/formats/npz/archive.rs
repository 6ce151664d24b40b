//! An open archive that names its file and array in every complaint.

use super::Properties;
use crate::error::{Error, Fault, Place, Result};
use crate::formats::npy::Array;
use std::collections::HashMap;
use std::fmt::Display;
use std::io::{Read, Seek};
use std::path::Path;
use zip::ZipArchive;

const REWRITE: &str = "write the archive again";
/// An archive may not unpack to more than this: deflate can claim a thousand times its size.
pub(super) const LARGEST: u64 = 16 << 30;
/// Bytes for which memory is taken on the word of an archive; more is taken as it is read.
const AT_ONCE: u64 = 16 << 20;

pub(super) struct Archive<'a, R> {
    path: &'a Path,
    zip: ZipArchive<R>,
    arrays: HashMap<String, Array>,
}

impl<'a, R: Read + Seek> Archive<'a, R> {
    pub(super) fn new(path: &'a Path, reader: R) -> Result<Self> {
        let zip = ZipArchive::new(reader).map_err(|error| {
            let fault = Fault::Container { what: "the archive", reason: error.to_string() };
            Error::content(path, Place::Whole, fault)
        })?;
        Ok(Self { path, zip, arrays: HashMap::new() })
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.zip.index_for_name(&format!("{name}.npy")).is_some()
    }

    /// An array of whole numbers that fit `T`.
    pub(super) fn unsigned<T: TryFrom<i64>>(&mut self, name: &str) -> Result<Vec<T>> {
        let narrow = |value: i64| T::try_from(value).map_err(|_| Fault::unexpected("smaller numbers", &value.to_string(), REWRITE));
        self.take(name)?.integers(narrow).map_err(|fault| self.fault(name, fault))
    }

    /// An array of rows of three real numbers, whatever its other axes.
    pub(super) fn positions(&mut self, name: &str) -> Result<Vec<[f32; 3]>> {
        let array = self.take(name)?;
        if array.shape.len() < 2 || array.shape.last() != Some(&3) {
            let found = format!("{:?}", array.shape);
            return Err(self.fault(name, Fault::unexpected("the shape [atoms, 3]", &found, REWRITE)));
        }
        let values = array.reals(|value| value as f32).map_err(|fault| self.fault(name, fault))?;
        drop(array);
        Ok(values.as_chunks::<3>().0.to_vec())
    }

    /// The width of padded rows; `None` of packed arrays.
    pub(super) fn padding(&mut self, charges: &str, positions: &str, molecules: usize) -> Result<Option<usize>> {
        let charge_shape = self.array(charges)?.shape.clone();
        let position_shape = &self.array(positions)?.shape;
        match (charge_shape.as_slice(), position_shape.as_slice()) {
            ([_], [_, 3]) => Ok(None),
            ([m, p], [n, q, 3]) if m == n && p == q && *m == molecules => Ok(Some(*p)),
            (_, shape) => {
                let found = format!("{shape:?} beside {charge_shape:?}");
                let expected = "[N, 3] beside [N], or [M, P, 3] beside [M, P]";
                Err(self.fault(positions, Fault::unexpected(expected, &found, REWRITE)))
            }
        }
    }

    /// Every other array of one real number a molecule; names and other things that are no numbers stay behind.
    pub(super) fn properties(&mut self, molecules: usize) -> Result<Properties> {
        let names: Vec<String> = self
            .zip
            .file_names()
            .filter_map(|name| Some(name.ok()?.strip_suffix(".npy")?.to_owned()))
            .filter(|name| !["num_atoms", "charges", "positions", "index"].contains(&name.as_str()))
            .collect();
        let mut properties = Properties::new();
        for name in names {
            let array = match self.array(&name) {
                Err(Error::Content { fault: Fault::Unsupported { .. }, .. }) => continue,
                array => array?,
            };
            let (&[length], Ok(values)) = (array.shape.as_slice(), array.reals(|value| value)) else {
                continue;
            };
            match values.iter().position(|value| !value.is_finite()) {
                _ if length != molecules => {}
                None => drop(properties.insert(name, values)),
                Some(at) => {
                    let fault =
                        Fault::unexpected("finite numbers of a property", &format!("{} in entry {}", values[at], at + 1), "it is left out");
                    tracing::warn!("{}", self.fault(&name, fault));
                }
            }
        }
        Ok(properties)
    }

    /// An array that must be there.
    fn array(&mut self, name: &str) -> Result<&Array> {
        if !self.arrays.contains_key(name) {
            let array = self.unpack(name).map_err(|fault| self.fault(name, fault))?;
            self.arrays.insert(name.to_owned(), array);
        }
        Ok(&self.arrays[name])
    }

    /// The same, kept no longer than the caller needs it.
    fn take(&mut self, name: &str) -> Result<Array> {
        match self.arrays.remove(name) {
            Some(array) => Ok(array),
            None => self.unpack(name).map_err(|fault| self.fault(name, fault)),
        }
    }

    fn unpack(&mut self, name: &str) -> Result<Array, Fault> {
        if !self.has(name) {
            return Err(Fault::Missing {
                what: format!("array `{name}`"),
                remedy: "an archive of molecules holds num_atoms, charges, positions",
            });
        }
        let damaged = |error: &dyn Display| Fault::Container { what: "the array", reason: error.to_string() };
        let entry = self.zip.by_name(&format!("{name}.npy"));
        let entry = entry.map_err(|error| damaged(&error))?;
        // An archive may lie about both of its sizes.
        let mut bytes = Vec::with_capacity(entry.size().min(AT_ONCE) as usize);
        let read = entry.take(LARGEST).read_to_end(&mut bytes);
        read.map_err(|error| damaged(&error))?;
        Array::parse(bytes)
    }

    fn fault(&self, name: &str, fault: Fault) -> Error {
        Error::content(self.path, Place::Array(name.to_owned()), fault)
    }
}
