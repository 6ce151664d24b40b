//! Writing a cache one molecule at a time, in constant memory, and taking it up where it was interrupted.
//!
//! Each tensor grows in a file beside the cache. From time to time a journal says how much of each counts, with a checksum; a run that is
//! killed leaves all of them behind, and the next one with the same key goes on from there. Where a part is not as noted, it begins anew.

use super::part::{Noted, Part, beside};
use super::{SCHEMA, checksum};
use crate::data::{MoleculeSet, Split};
use crate::error::{Error, Fault, Place, Result};
use crate::molecule::Molecule;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use symdiff_files::Output;
use twox_hash::XxHash3_64;

/// The tensors that every cache has.
const FIXED: [&str; 4] = ["num_atoms", "index", "positions", "atomic_numbers"];

/// A cache under construction; `finish` joins its parts under the final name, so that a crash never leaves half a cache.
pub struct CacheWriter {
    path: PathBuf,
    /// In the order of [`FIXED`].
    fixed: [Part; 4],
    /// Those that all molecules so far have.
    properties: BTreeMap<String, Part>,
    molecules: usize,
    atoms: usize,
}

/// What counts of the parts.
#[derive(Serialize, Deserialize)]
struct Journal {
    schema: String,
    key: String,
    read: u64,
    molecules: usize,
    atoms: usize,
    fixed: [Noted; 4],
    properties: BTreeMap<String, Noted>,
}

impl CacheWriter {
    /// Begins a cache that will bear this name.
    ///
    /// # Errors
    /// Those of [`Output::check`], and a cache that another run is writing.
    pub fn create(path: &Path) -> Result<Self> {
        Output::check(path)?;
        let part = |name| Part::create(path, name).map_err(|source| Error::io(path, "create a part of it", source));
        let [a, b, c, d] = FIXED;
        let fixed = [part(a)?, part(b)?, part(c)?, part(d)?];
        Ok(Self { path: path.to_owned(), fixed, properties: BTreeMap::new(), molecules: 0, atoms: 0 })
    }

    /// Takes up what an interrupted run with this key left, else begins anew; with the molecules of the source that are done.
    pub(in crate::data) fn resume(path: &Path, key: &str) -> Result<(Self, u64)> {
        Output::check(path)?;
        let journal = std::fs::read(beside(path, "journal")).ok().and_then(|text| serde_json::from_slice::<Journal>(&text).ok());
        if let Some(journal) = journal.filter(|journal| journal.schema == SCHEMA && journal.key == key) {
            let restored = Self::restored(path, &journal).map_err(|source| Error::io(path, "take up a part of it", source))?;
            if let Some(writer) = restored {
                return Ok((writer, journal.read));
            }
        }
        Ok((Self::create(path)?, 0))
    }

    fn restored(path: &Path, journal: &Journal) -> io::Result<Option<Self>> {
        let mut fixed = Vec::new();
        for (name, noted) in FIXED.iter().zip(&journal.fixed) {
            fixed.extend(Part::resume(path, name, noted)?);
        }
        let mut properties = BTreeMap::new();
        for (name, noted) in &journal.properties {
            properties.extend(Part::resume(path, &property_part(name), noted)?.map(|part| (name.clone(), part)));
        }
        let whole = properties.len() == journal.properties.len();
        let (molecules, atoms, path) = (journal.molecules, journal.atoms, path.to_owned());
        Ok(<[Part; 4]>::try_from(fixed).ok().filter(|_| whole).map(|fixed| Self { path, fixed, properties, molecules, atoms }))
    }

    /// Adds a molecule under its own number or the next; a property counts if all molecules have it.
    pub fn push(&mut self, molecule: &Molecule) -> Result<()> {
        self.put(molecule).map_err(|source| Error::io(&self.path, "write to it", source))
    }

    fn put(&mut self, molecule: &Molecule) -> io::Result<()> {
        if self.molecules == 0 {
            for name in molecule.properties().keys() {
                self.properties.insert(name.clone(), Part::create(&self.path, &property_part(name))?);
            }
        }
        let lacking: Vec<String> = self.properties.keys().filter(|name| !molecule.properties().contains_key(*name)).cloned().collect();
        for name in lacking {
            if let Some(part) = self.properties.remove(&name) {
                part.discard();
                tracing::warn!("{}: `{name}` is left out, since molecule {} lacks it", self.path.display(), self.molecules + 1);
            }
        }
        for (name, part) in &mut self.properties {
            part.write(&molecule.properties()[name].to_le_bytes())?;
        }
        self.molecules += 1;
        self.atoms += molecule.len();
        let rows: Vec<[f32; 3]> = molecule.positions().iter().map(|row| row.map(|v| v as f32)).collect();
        let [num_atoms, index, positions, atomic_numbers] = &mut self.fixed;
        num_atoms.write(&(molecule.len() as u32).to_le_bytes())?;
        index.write(&molecule.index().unwrap_or(self.molecules as i32).to_le_bytes())?;
        positions.write(bytemuck::cast_slice(&rows))?;
        atomic_numbers.write(molecule.atomic_numbers())
    }

    /// Adds the molecules of a set.
    pub(in crate::data) fn push_set(&mut self, set: &MoleculeSet) -> Result<()> {
        set.molecules().try_for_each(|molecule| self.push(&molecule))
    }

    /// Molecules and atoms that it holds so far.
    pub(in crate::data) fn so_far(&self) -> (usize, usize) {
        (self.molecules, self.atoms)
    }

    /// Makes what is there count for a later run with this key, which will pass over the first `read` molecules of the source.
    pub(in crate::data) fn note(&mut self, key: &str, read: u64) -> Result<()> {
        self.write_journal(key, read).map_err(|source| Error::io(&self.path, "write the journal of it", source))
    }

    fn write_journal(&mut self, key: &str, read: u64) -> io::Result<()> {
        let [a, b, c, d] = &mut self.fixed;
        let properties = self.properties.iter_mut().map(|(name, part)| Ok((name.clone(), part.note()?)));
        let journal = Journal {
            schema: SCHEMA.to_owned(),
            key: key.to_owned(),
            read,
            molecules: self.molecules,
            atoms: self.atoms,
            fixed: [a.note()?, b.note()?, c.note()?, d.note()?],
            properties: properties.collect::<io::Result<_>>()?,
        };
        let (fresh, path) = (beside(&self.path, "new-journal"), beside(&self.path, "journal"));
        std::fs::write(&fresh, serde_json::to_vec(&journal)?)?;
        std::fs::rename(fresh, path)
    }

    /// Joins the parts under the final name; `source` is the fingerprint of what the molecules came from.
    ///
    /// # Errors
    /// A split of another set, or a refusal of the disk.
    pub(in crate::data) fn finish(mut self, source: Option<&str>, split: Option<&Split>) -> Result<()> {
        let path = std::mem::take(&mut self.path);
        split.map_or(Ok(()), |split| split.check(self.molecules)).map_err(|fault: Fault| Error::content(&path, Place::Whole, fault))?;
        self.join(&path, source, split).map_err(|source| Error::io(&path, "write it", source))
    }

    fn join(self, path: &Path, source: Option<&str>, split: Option<&Split>) -> io::Result<()> {
        let (molecules, atoms) = (self.molecules, self.atoms);
        let [num_atoms, index, positions, atomic_numbers] = self.fixed;
        // Widest elements first: every tensor is then aligned.
        let properties = self.properties.into_iter().map(|(name, part)| (format!("property.{name}"), "F64", json!([molecules]), part));
        let mut tensors: Vec<_> = properties.collect();
        tensors.push(("num_atoms".to_owned(), "U32", json!([molecules]), num_atoms));
        tensors.push(("index".to_owned(), "I32", json!([molecules]), index));
        tensors.push(("positions".to_owned(), "F32", json!([atoms, 3]), positions));
        for (part, places) in split.iter().flat_map(|split| split.parts()) {
            let name = format!("split.{part}");
            let mut part = Part::create(path, &name)?;
            places.iter().try_for_each(|place| part.write(&(*place as u32).to_le_bytes()))?;
            tensors.push((name, "U32", json!([places.len()]), part));
        }
        tensors.push(("atomic_numbers".to_owned(), "U8", json!([atoms]), atomic_numbers));

        let mut metadata = Map::from_iter([("schema".to_owned(), json!(SCHEMA)), ("source".to_owned(), json!(source.unwrap_or_default()))]);
        let (mut entries, mut end) = (Map::new(), 0);
        for (name, dtype, shape, part) in &tensors {
            let offsets = [end, end + part.bytes()];
            end += part.bytes();
            metadata.insert(format!("xxh3.{name}"), json!(part.checksum()));
            entries.insert(name.clone(), json!({"dtype": dtype, "shape": shape, "data_offsets": offsets}));
        }
        entries.insert("__metadata__".to_owned(), Value::Object(metadata));
        let mut header = Value::Object(entries).to_string();
        header.extend(std::iter::repeat_n(' ', header.len().next_multiple_of(8) - header.len()));

        let mut joined = Part::create(path, "joined")?;
        joined.write(&(header.len() as u64).to_le_bytes())?;
        joined.write(header.as_bytes())?;
        for (_, _, _, part) in &mut tensors {
            joined.append(part)?;
        }
        joined.publish(path)?;
        for (_, _, _, part) in tensors {
            part.discard();
        }
        // Without its parts a journal that cannot be removed means nothing. A kill may have left a new one that never took its name.
        for journal in ["journal", "new-journal"] {
            let _ = std::fs::remove_file(beside(path, journal));
        }
        Ok(())
    }
}

/// The part of a property: its name may hold what no file's name can.
fn property_part(name: &str) -> String {
    format!("property-{}", checksum(XxHash3_64::oneshot(name.as_bytes())))
}
