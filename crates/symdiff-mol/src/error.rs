//! What goes wrong with molecules: which file, which place in it, what was found, what to do.

use crate::element;
use std::fmt;
use std::path::{Path, PathBuf};

/// Result of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Any failure of this crate.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The operating system refused.
    #[error("{}: cannot {action}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What was attempted.
        action: &'static str,
        /// The system's reason.
        source: std::io::Error,
    },
    /// The file was read and its content is wrong.
    #[error("{}, {place}: {fault}", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// Where in it.
        place: Place,
        /// What is wrong there.
        fault: Fault,
    },
    /// The ending of a file names no format.
    #[error("{}: the ending names no format for this; use one of {known}", path.display())]
    UnknownFormat {
        /// The file.
        path: PathBuf,
        /// The endings that would do.
        known: &'static str,
    },
    /// A molecule given from memory, not from a file, is wrong.
    #[error("molecule {index}: {fault}")]
    Molecule {
        /// Position in the list that was given.
        index: usize,
        /// What is wrong with it.
        fault: Fault,
    },
    /// A file could not be had over the network.
    #[error("{url}: {problem}; {remedy}")]
    Download {
        /// Where it was looked for.
        url: String,
        /// What went wrong.
        problem: String,
        /// What to do.
        remedy: &'static str,
    },
    /// Another program that is needed cannot be used.
    #[error("{program}: {problem}; {remedy}")]
    Program {
        /// Its name or path.
        program: String,
        /// What went wrong.
        problem: String,
        /// What to do.
        remedy: &'static str,
    },
    /// A name that stands for nothing here.
    #[error("`{name}` is not a known {what}; use one of {known}")]
    UnknownName {
        /// The name given.
        name: String,
        /// What was to be named.
        what: &'static str,
        /// The names that would do.
        known: String,
    },
    /// A file could not be written.
    #[error(transparent)]
    Output(#[from] symdiff_files::Error),
    /// A tensor could not be made.
    #[error(transparent)]
    Tensor(#[from] symdiff_ops::Error),
}

impl Error {
    /// Whether a file or an argument that the caller named is to blame (a program then exits with 2), rather than the work itself, such as a
    /// full disk (1).
    pub fn is_input(&self) -> bool {
        match self {
            Self::Io { source, .. } => symdiff_files::is_input(source.kind()),
            Self::Content { .. } | Self::UnknownFormat { .. } | Self::Molecule { .. } | Self::Program { .. } | Self::UnknownName { .. } => {
                true
            }
            Self::Output(error) => error.is_input(),
            Self::Download { .. } | Self::Tensor(_) => false,
        }
    }

    pub(crate) fn io(path: &Path, action: &'static str, source: std::io::Error) -> Self {
        Self::Io { path: path.to_owned(), action, source }
    }

    pub(crate) fn unknown_format(path: &Path, known: &'static str) -> Self {
        Self::UnknownFormat { path: path.to_owned(), known }
    }

    pub(crate) fn content(path: &Path, place: Place, fault: Fault) -> Self {
        Self::Content { path: path.to_owned(), place, fault }
    }
}

/// Where in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Place {
    /// Line, from 1.
    Line(u64),
    /// Line of a record, both from 1.
    Record {
        /// The record.
        record: u64,
        /// The line, counted from the beginning of the file.
        line: u64,
    },
    /// Molecule, from 1.
    Molecule(u64),
    /// Array of an archive.
    Array(String),
    /// Byte, from 0.
    Byte(u64),
    /// The file as a whole.
    Whole,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line(line) => write!(f, "line {line}"),
            Self::Record { record, line } => write!(f, "record {record}, line {line}"),
            Self::Molecule(index) => write!(f, "molecule {index}"),
            Self::Array(name) => write!(f, "array `{name}`"),
            Self::Byte(offset) => write!(f, "byte {offset}"),
            Self::Whole => write!(f, "whole file"),
        }
    }
}

/// What is wrong with the content, and the remedy.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// A molecule of zero atoms, or a set of zero molecules.
    #[error("{what} is empty; remove it or write at least one {unit}")]
    Empty {
        /// What is empty.
        what: &'static str,
        /// What it lacks.
        unit: &'static str,
    },
    /// A symbol or number that is no element.
    #[error("atom {atom} has the unknown element `{text}`; use a symbol or an atomic number of 1 to 118")]
    UnknownElement {
        /// Atom of the molecule, from 1.
        atom: usize,
        /// What was written.
        text: String,
    },
    /// An element that a vocabulary or a protocol does not know.
    #[error(
        "{} (atomic number {atomic_number}) is not among the elements of {whose} ({known}); {remedy}",
        element::symbol_or_mark(*atomic_number)
    )]
    OutsideVocabulary {
        /// The stranger.
        atomic_number: u8,
        /// The vocabulary or protocol.
        whose: &'static str,
        /// Its elements.
        known: String,
        /// What to do.
        remedy: &'static str,
    },
    /// NaN or infinity.
    #[error("coordinate {axis} of atom {atom} is {value}; every coordinate must be a finite number of angstrom")]
    NotFinite {
        /// Atom of the molecule, from 1.
        atom: usize,
        /// `x`, `y` or `z`.
        axis: char,
        /// What was found.
        value: f64,
    },
    /// The text is not what the format wants there.
    #[error("expected {expected}, found `{found}`; {remedy}")]
    Unexpected {
        /// What the format wants.
        expected: &'static str,
        /// What is there, shortened.
        found: String,
        /// What to do.
        remedy: &'static str,
    },
    /// The file ends too early.
    #[error("the file ends in the middle of {what}; it was cut: copy or write it again")]
    Truncated {
        /// What is incomplete.
        what: String,
    },
    /// Two lengths that must agree do not.
    #[error("{what} has {found} entries and {expected} are needed; write the file again")]
    Length {
        /// Which array.
        what: &'static str,
        /// Entries it should have.
        expected: usize,
        /// Entries it has.
        found: usize,
    },
    /// An index beyond the atoms.
    #[error("bond {bond} joins atom {atom} and the molecule has {atoms} atoms; mend the bond list")]
    BondOutside {
        /// Bond, from 1.
        bond: usize,
        /// Its atom, from 1.
        atom: usize,
        /// Atoms there are.
        atoms: usize,
    },
    /// A bond of an atom with itself, or the same pair twice.
    #[error("bond {bond} joins atoms {first} and {second}, which is {problem}; mend the bond list")]
    BondInvalid {
        /// Bond, from 1.
        bond: usize,
        /// An atom, from 1.
        first: usize,
        /// An atom, from 1.
        second: usize,
        /// `the same atom` or `a pair that is already bonded`.
        problem: &'static str,
    },
    /// Something that an archive must hold and does not.
    #[error("there is no {what}; {remedy}")]
    Missing {
        /// What is missing.
        what: String,
        /// What to do.
        remedy: &'static str,
    },
    /// A feature of the format that is not supported.
    #[error("{what} is not supported; {remedy}")]
    Unsupported {
        /// The feature.
        what: String,
        /// What to do.
        remedy: &'static str,
    },
    /// Compressed bytes that cannot be unpacked to their end: nothing behind them can be read either.
    #[error("the compressed stream cannot be read ({reason}); it is damaged or of another kind: write it again")]
    Stream {
        /// The library's words.
        reason: String,
    },
    /// A library that reads a container refused it.
    #[error("{what} cannot be read ({reason}); it is damaged or of another kind: write it again")]
    Container {
        /// Which container.
        what: &'static str,
        /// The library's words.
        reason: String,
    },
}

impl Fault {
    /// Shortens what was found to a readable piece.
    pub(crate) fn unexpected(expected: &'static str, found: &str, remedy: &'static str) -> Self {
        const LONGEST: usize = 40;
        let mut shown: String = found.chars().take(LONGEST).flat_map(char::escape_debug).collect();
        if found.chars().nth(LONGEST).is_some() {
            shown.push_str("...");
        }
        Self::Unexpected { expected, found: shown, remedy }
    }

    /// The fault of a molecule in a list that came from memory.
    pub fn at(self, index: usize) -> Error {
        Error::Molecule { index, fault: self }
    }
}
