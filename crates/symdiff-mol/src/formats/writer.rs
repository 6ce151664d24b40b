//! Writing molecules in the format that a file's ending names.

use super::compression::Sink;
use super::{Format, jsonl, npz, sdf, smiles, xyz};
use crate::data::MoleculeSet;
use crate::error::{Error, Result};
use crate::molecule::Molecule;
use std::io::{self, Cursor, Write};
use std::path::{Path, PathBuf};
use symdiff_files::Output;

/// What came of writing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Written {
    /// Molecules in the file.
    pub molecules: usize,
    /// Molecules that the format cannot hold: SMILES of molecules that cannot be sanitised.
    pub skipped: usize,
}

/// Molecules on their way into a file.
pub struct Writer<W: Write> {
    path: PathBuf,
    format: Format,
    sink: Sink<W>,
    /// Formats that are written as a whole.
    held: Vec<Molecule>,
    written: Written,
}

/// Whether a file of this name can hold molecules: its ending names a format that has a writer.
///
/// # Errors
/// An ending that no writer knows.
pub fn can_write(path: &Path) -> Result<()> {
    writable(path).map(|_| ())
}

impl<W: Write> Writer<W> {
    /// Writes to `out` in the format that the ending of `path` names; `path` stands for it in messages.
    ///
    /// # Errors
    /// An ending that no writer knows.
    pub fn new(out: W, path: &Path) -> Result<Self> {
        let format = writable(path)?;
        Ok(Self { sink: Sink::new(path, out), path: path.to_owned(), format, held: Vec::new(), written: Written::default() })
    }

    /// The same with the properties of molecules kept where the format has a variant for them: frames of `.xyz` are written as extended ones.
    #[must_use]
    pub fn with_properties(self) -> Self {
        let format = if self.format == Format::Xyz { Format::ExtendedXyz } else { self.format };
        Self { format, ..self }
    }

    /// Adds a molecule.
    pub fn write(&mut self, molecule: &Molecule) -> Result<()> {
        let kept = self.put(molecule).map_err(|source| Error::io(&self.path, "write to it", source))?;
        self.written.molecules += usize::from(kept);
        self.written.skipped += usize::from(!kept);
        Ok(())
    }

    /// Writes the end, and gives back what was written to.
    pub fn finish(mut self) -> Result<(W, Written)> {
        let mut ended = Ok(());
        if self.format == Format::Npz {
            let set = MoleculeSet::from_molecules(self.held.into_iter().map(Ok))?;
            let mut archive = Cursor::new(Vec::new());
            ended = npz::write(&mut archive, &set).and_then(|()| self.sink.write_all(archive.get_ref()));
        }
        let out = ended.and_then(|()| self.sink.finish()).map_err(|source| Error::io(&self.path, "write to it", source))?;
        Ok((out, self.written))
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
    const ENDINGS: &str = ".xyz, .extxyz, .sdf, .mol, .jsonl, .npz, .smi, all also with .gz, .bz2, .zst";
    match Format::of(path) {
        Ok(Format::Qm9Tar | Format::GeomMsgpack | Format::Cache) | Err(_) => Err(Error::unknown_format(path, ENDINGS)),
        format => format,
    }
}

/// Writes all molecules to a file in the format of its ending. It takes its name, and the place of an older file, when it is whole.
///
/// # Errors
/// An ending that no writer knows and a place where no file can be, both before the first molecule is asked for; a refusal of the system.
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
    can_write(path)?;
    let (output, written) = write_to(Output::create(path)?, path, molecules)?;
    output.finish()?;
    Ok(written)
}

/// Writes all molecules to `out` in the format that the ending of `path` names, and gives `out` back.
///
/// # Errors
/// An ending that no writer knows, and a refusal of the system.
pub fn write_to<W: Write>(out: W, path: &Path, molecules: impl IntoIterator<Item = Molecule>) -> Result<(W, Written)> {
    let mut writer = Writer::new(out, path)?;
    for molecule in molecules {
        writer.write(&molecule)?;
    }
    writer.finish()
}
