//! Writing a cache one molecule at a time, in constant memory.

use super::{SCHEMA, checksum};
use crate::data::MoleculeSet;
use crate::error::{Error, Result};
use crate::molecule::Molecule;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::fs::File;
use std::hash::Hasher;
use std::io::{self, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};
use twox_hash::XxHash3_64;

/// A cache under construction. Each tensor grows in a file of its own beside the cache; `finish` joins them
/// under the final name, so that a crash never leaves half a cache.
pub struct CacheWriter {
    path: PathBuf,
    num_atoms: Part,
    index: Part,
    positions: Part,
    atomic_numbers: Part,
    molecules: usize,
    atoms: usize,
    properties: BTreeMap<String, Vec<f64>>,
}

impl CacheWriter {
    /// Begins a cache that will bear this name.
    pub fn create(path: &Path) -> Result<Self> {
        let part = |name| Part::create(path, name).map_err(|source| Error::io(path, "create a part of it", source));
        Ok(Self {
            path: path.to_owned(),
            num_atoms: part("num_atoms")?,
            index: part("index")?,
            positions: part("positions")?,
            atomic_numbers: part("atomic_numbers")?,
            molecules: 0,
            atoms: 0,
            properties: BTreeMap::new(),
        })
    }

    /// Adds a molecule under its own number or the next; a property counts if all molecules have it.
    pub fn push(&mut self, molecule: &Molecule) -> Result<()> {
        let positions: Vec<[f32; 3]> = molecule.positions().iter().map(|row| row.map(|v| v as f32)).collect();
        for (name, value) in molecule.properties() {
            self.properties.entry(name.clone()).or_default().push(*value);
        }
        let index = molecule.index().unwrap_or(self.molecules as i32 + 1);
        self.push_packed(molecule.atomic_numbers(), &positions, index)
    }

    /// Adds a set with its own numbering and properties; it must be all there is.
    pub(super) fn push_set(&mut self, set: &MoleculeSet) -> Result<()> {
        for i in 0..set.len() {
            self.push_packed(set.atomic_numbers(i), set.positions(i), set.index(i))?;
        }
        self.properties.clone_from(set.properties());
        Ok(())
    }

    fn push_packed(&mut self, atomic_numbers: &[u8], positions: &[[f32; 3]], index: i32) -> Result<()> {
        self.molecules += 1;
        self.atoms += atomic_numbers.len();
        self.atomic_numbers
            .write(atomic_numbers)
            .and_then(|()| self.positions.write(bytemuck::cast_slice(positions)))
            .and_then(|()| self.num_atoms.write(&(atomic_numbers.len() as u32).to_le_bytes()))
            .and_then(|()| self.index.write(&index.to_le_bytes()))
            .map_err(|source| Error::io(&self.path, "write to it", source))
    }

    /// Joins the parts under the final name; `source` is the fingerprint of what the molecules came from.
    pub(crate) fn finish(mut self, source: Option<&str>) -> Result<()> {
        let path = std::mem::take(&mut self.path);
        self.join(&path, source).map_err(|source| Error::io(&path, "write it", source))
    }

    fn join(self, path: &Path, source: Option<&str>) -> io::Result<()> {
        let (molecules, atoms) = (self.molecules, self.atoms);
        let mut tensors = Vec::new();
        for (name, values) in self.properties.into_iter().filter(|(_, values)| values.len() == molecules) {
            let name = format!("property.{name}");
            let mut part = Part::create(path, &format!("property-{}", tensors.len()))?;
            values.iter().try_for_each(|value| part.write(&value.to_le_bytes()))?;
            tensors.push((name, "F64", json!([molecules]), part));
        }
        // Widest elements first: every tensor is then aligned.
        tensors.push(("num_atoms".to_owned(), "U32", json!([molecules]), self.num_atoms));
        tensors.push(("index".to_owned(), "I32", json!([molecules]), self.index));
        tensors.push(("positions".to_owned(), "F32", json!([atoms, 3]), self.positions));
        tensors.push(("atomic_numbers".to_owned(), "U8", json!([atoms]), self.atomic_numbers));

        let mut metadata = Map::from_iter([("schema".to_owned(), json!(SCHEMA)), ("source".to_owned(), json!(source.unwrap_or_default()))]);
        let (mut entries, mut end) = (Map::new(), 0);
        for (name, dtype, shape, part) in &tensors {
            let offsets = [end, end + part.bytes];
            end += part.bytes;
            metadata.insert(format!("xxh3.{name}"), json!(checksum(part.hash.finish())));
            entries.insert(name.clone(), json!({"dtype": dtype, "shape": shape, "data_offsets": offsets}));
        }
        entries.insert("__metadata__".to_owned(), Value::Object(metadata));
        let mut header = Value::Object(entries).to_string();
        header.extend(std::iter::repeat_n(' ', header.len().next_multiple_of(8) - header.len()));

        let mut joined = Part::create(path, "joined")?;
        joined.out.write_all(&(header.len() as u64).to_le_bytes())?;
        joined.out.write_all(header.as_bytes())?;
        for (_, _, _, part) in tensors {
            part.append_to(&mut joined.out)?;
        }
        joined.out.flush()?;
        joined.out.get_ref().sync_all()?;
        std::fs::rename(&joined.path, path)
    }
}

/// One tensor as it grows; its file goes with it.
struct Part {
    path: PathBuf,
    out: BufWriter<File>,
    bytes: u64,
    hash: XxHash3_64,
}

impl Part {
    fn create(cache: &Path, name: &str) -> io::Result<Self> {
        let mut path = cache.as_os_str().to_owned();
        path.push(format!(".{name}.part"));
        let path = PathBuf::from(path);
        let out = BufWriter::new(File::create(&path)?);
        Ok(Self { path, out, bytes: 0, hash: XxHash3_64::new() })
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.bytes += bytes.len() as u64;
        self.hash.write(bytes);
        self.out.write_all(bytes)
    }

    fn append_to(mut self, out: &mut impl Write) -> io::Result<()> {
        self.out.flush()?;
        io::copy(&mut BufReader::new(File::open(&self.path)?), out)?;
        Ok(())
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        // A part that cannot be removed is litter, not an error.
        let _ = std::fs::remove_file(&self.path);
    }
}
