//! Where results go: an output file is checked before the work, written beside its place, and renamed when it is whole.
//!
//! So neither a failure nor a kill replaces an older good file by a truncated one, no input is overwritten, and a misspelt folder is reported before hours of
//! work, not after.

use crate::failure::{Failure, Outcome};
use serde_json::Value;
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use symdiff_files::Output;
use symdiff_mol::formats;

/// What a file holds: a file of another kind is not replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Molecules, in the format of the ending.
    Molecules,
    /// One verdict per line, as JSON.
    Rows,
    /// A page.
    Page,
    /// A packed data set.
    Packed,
    /// Weights alone: a checkpoint that a run can go on from is another kind.
    Weights,
    /// A model card.
    Card,
    /// Metrics as CSV.
    Table,
    /// A share of a command's work.
    Shard,
}

/// An output file that is being written.
pub(crate) struct Destination {
    output: Output,
}

impl Destination {
    /// Checks a place and opens the file beside it.
    ///
    /// # Errors
    /// [`Failure::Input`] where the folder is missing or cannot be written, the ending is wrong, the place is a folder or one of `inputs`, another process writes it, or it
    /// holds a file of another kind and `force` is not given.
    pub(crate) fn claim(path: &Path, kind: Kind, inputs: &[&Path], force: bool) -> Outcome<Self> {
        check(path, kind, inputs, force)?;
        Ok(Self { output: Output::create(path)? })
    }

    /// Renames the complete file to its place.
    ///
    /// # Errors
    /// [`Failure::Run`] where the disk refuses; an older file stays.
    pub(crate) fn finish(self) -> Outcome<()> {
        Ok(self.output.finish()?)
    }

    /// Writes a whole content and finishes.
    ///
    /// # Errors
    /// As [`Destination::finish`].
    pub(crate) fn fill(self, content: impl AsRef<[u8]>) -> Outcome<()> {
        Ok(self.output.fill(content)?)
    }
}

impl Write for Destination {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.output.write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.output.flush()
    }
}

/// Replaces a file of ours by a text: written beside it, renamed when whole.
pub(crate) fn put(path: &Path, text: &str) -> Outcome<()> {
    Ok(Output::create(path)?.fill(text)?)
}

/// Checks a place without opening it, for writers that replace a file only when it is whole.
///
/// # Errors
/// As [`Destination::claim`].
pub(crate) fn check(path: &Path, kind: Kind, inputs: &[&Path], force: bool) -> Outcome<()> {
    let refuse = |problem: String| Err(Failure::input(format!("{}: {problem}", path.display())));
    let ending = path.extension().map(|ending| ending.to_string_lossy().to_lowercase()).unwrap_or_default();
    let folder = path.parent().filter(|folder| *folder != Path::new("")).unwrap_or(Path::new("."));
    if path.is_dir() {
        return refuse("is a folder; name a file in it".to_owned());
    }
    if !folder.is_dir() {
        return refuse(format!("there is no folder {}; make it first", folder.display()));
    }
    match kind {
        Kind::Page if !path.exists() && !["html", "htm"].contains(&ending.as_str()) => {
            return refuse("a page must end in .html".to_owned());
        }
        Kind::Packed | Kind::Weights if ending != "safetensors" => return refuse("it must end in .safetensors; rename it".to_owned()),
        Kind::Molecules => formats::can_write(path)?,
        _ => {}
    }
    if let Some(input) = inputs.iter().find(|input| same_file::is_same_file(input, path).unwrap_or(false)) {
        return refuse(format!("is the input {} itself; name another file", input.display()));
    }
    if !force && path.metadata().is_ok_and(|there| there.is_file() && there.len() > 0) && !kind.is_of(path) {
        return refuse(format!("holds something other than {}; name another file, or add --force to replace it", kind.what()));
    }
    Ok(())
}

impl Kind {
    fn what(self) -> &'static str {
        match self {
            Self::Molecules => "molecules in the format of its ending",
            Self::Rows => "rows of `evaluate`",
            Self::Page => "a page",
            Self::Packed => "a packed data set",
            Self::Weights => "weights alone, such as `export` and `import` write",
            Self::Card => "a model card",
            Self::Table => "a table of metrics",
            Self::Shard => "a shard",
        }
    }

    /// Whether a file looks like one of this kind, by its first molecule, line or header.
    fn is_of(self, path: &Path) -> bool {
        match self {
            Self::Molecules => formats::open(path).is_ok_and(|mut molecules| molecules.next().is_some_and(|first| first.is_ok())),
            Self::Rows => first_object(path).is_some_and(|row| row.get("mol_stable").is_some()),
            Self::Shard => first_object(path).is_some_and(|head| head.get("symdiff_shard").is_some()),
            Self::Page => first_line(path).is_some_and(|line| line.to_lowercase().starts_with("<!doctype html")),
            Self::Packed => header(path).is_some_and(|header| header["__metadata__"].get("schema").is_some()),
            Self::Weights => header(path).is_some_and(|header| is_weights_alone(&header)),
            Self::Card => is_card(path),
            Self::Table => first_line(path).is_some_and(|line| line.starts_with("step,")),
        }
    }
}

/// The first line, where it is text of a sensible length.
fn first_line(path: &Path) -> Option<String> {
    let mut line = String::new();
    BufReader::new(File::open(path).ok()?.take(1 << 20)).read_line(&mut line).ok()?;
    Some(line)
}

/// The first line, where it is JSON.
fn first_object(path: &Path) -> Option<Value> {
    serde_json::from_str(&first_line(path)?).ok()
}

/// Whether the front matter of a Markdown file names this library, as that of our model cards does.
fn is_card(path: &Path) -> bool {
    let Ok(file) = File::open(path) else { return false };
    let mut lines = BufReader::new(file.take(1 << 20)).lines().map_while(Result::ok);
    let names_us = |line: String| line.replace(['"', ' '], "") == "library_name:symdiff";
    lines.next().is_some_and(|first| first == "---") && lines.take_while(|line| line != "---").any(names_us)
}

/// Whether a file of ours has none of the parameters that its run would go on from.
fn is_weights_alone(header: &Value) -> bool {
    let resumable = || header.as_object().is_some_and(|tensors| tensors.keys().any(|name| name.starts_with("param.")));
    header["__metadata__"].get("symdiff").is_some() && !resumable()
}

/// The header of a safetensors file.
fn header(path: &Path) -> Option<Value> {
    let mut file = File::open(path).ok()?;
    let mut length = [0; 8];
    file.read_exact(&mut length).ok()?;
    let mut header = Vec::new();
    file.take(u64::from_le_bytes(length).min(64 << 20)).read_to_end(&mut header).ok()?;
    serde_json::from_slice(&header).ok()
}
