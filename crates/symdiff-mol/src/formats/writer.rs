//! Writing molecules to a file in the format of its ending.

use super::compression::Sink;
use super::{Format, jsonl, npz, sdf, smiles, xyz};
use crate::data::MoleculeSet;
use crate::error::{Error, Result};
use crate::molecule::Molecule;
use std::io::{self, Cursor, Write};
use std::path::{Path, PathBuf};

/// What came of writing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Written {
    /// Molecules in the file.
    pub molecules: usize,
    /// Molecules that the format cannot hold: SMILES of molecules that cannot be sanitised.
    pub skipped: usize,
}

/// An open file of molecules.
pub struct Writer {
    path: PathBuf,
    format: Format,
    sink: Sink,
    /// Formats that are written as a whole.
    held: Vec<Molecule>,
    written: Written,
}

impl Writer {
    /// Creates a file; its ending names the format.
    ///
    /// # Errors
    /// An ending that no writer knows, or a refusal of the system.
    pub fn create(path: &Path) -> Result<Self> {
        Ok(Self {
            path: path.to_owned(),
            format: writable(path)?,
            sink: Sink::create(path).map_err(|source| Error::io(path, "create it", source))?,
            held: Vec::new(),
            written: Written::default(),
        })
    }

    /// Whether a file of this name could be written: its ending names a format that has a writer.
    ///
    /// # Errors
    /// An ending that no writer knows.
    pub fn can_write(path: &Path) -> Result<()> {
        writable(path).map(|_| ())
    }

    /// Adds a molecule.
    pub fn write(&mut self, molecule: &Molecule) -> Result<()> {
        let kept = self.put(molecule).map_err(|source| Error::io(&self.path, "write to it", source))?;
        self.written.molecules += usize::from(kept);
        self.written.skipped += usize::from(!kept);
        Ok(())
    }

    /// Ends the file. Without this call it may lack its end.
    pub fn finish(mut self) -> Result<Written> {
        let mut ended = Ok(());
        if self.format == Format::Npz {
            let set = MoleculeSet::from_molecules(self.held.into_iter().map(Ok))?;
            let mut archive = Cursor::new(Vec::new());
            ended = npz::write(&mut archive, &set).and_then(|()| self.sink.write_all(archive.get_ref()));
        }
        ended.and_then(|()| self.sink.finish()).map_err(|source| Error::io(&self.path, "write to it", source))?;
        Ok(self.written)
    }

    /// `false` where the format has no place for the molecule.
    fn put(&mut self, molecule: &Molecule) -> io::Result<bool> {
        match self.format {
            Format::Xyz => xyz::write(&mut self.sink, molecule)?,
            Format::ExtendedXyz => xyz::write_extended(&mut self.sink, molecule)?,
            Format::Sdf => sdf::write(&mut self.sink, molecule, sdf::Version::Auto)?,
            Format::Jsonl => jsonl::write(&mut self.sink, molecule)?,
            Format::Smiles => return smiles::write(&mut self.sink, molecule),
            Format::Npz => self.held.push(molecule.clone()),
            Format::Qm9Tar | Format::GeomMsgpack | Format::Cache => {}
        }
        Ok(true)
    }
}

/// The format of an ending, where there is a writer for it.
fn writable(path: &Path) -> Result<Format> {
    let format = Format::of(path)?;
    if matches!(format, Format::Qm9Tar | Format::GeomMsgpack | Format::Cache) {
        return Err(Error::unknown_format(path, ".xyz, .extxyz, .sdf, .mol, .jsonl, .npz, .smi"));
    }
    Ok(format)
}

/// Writes all molecules to a file in the format of its ending.
///
/// ```
/// use symdiff_mol::{data, formats};
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("few.sdf.gz");
/// let few = (0..3).map(|i| data::embedded().molecule(i));
/// assert_eq!(formats::write_all(&path, few)?.molecules, 3);
/// assert_eq!(data::load(&path)?.len(), 3);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn write_all(path: &Path, molecules: impl IntoIterator<Item = Molecule>) -> Result<Written> {
    let mut writer = Writer::create(path)?;
    for molecule in molecules {
        writer.write(&molecule)?;
    }
    writer.finish()
}
