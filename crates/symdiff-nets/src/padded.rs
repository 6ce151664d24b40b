//! The length to which an implementation pads its samples, for networks whose results depend on it.

use serde::{Deserialize, Serialize};
use symdiff_ops::Ragged;

/// The number of rows of every sample of a padded batch. In a file: a number, or `"longest"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Written", into = "Written")]
pub enum PaddedTo {
    /// This many.
    Rows(usize),
    /// As many as the longest sample of the batch has, so that results depend on the batch.
    Longest,
}

impl PaddedTo {
    /// The rows of every sample of a batch.
    pub fn rows(self, layout: &Ragged) -> usize {
        match self {
            Self::Rows(rows) => rows,
            Self::Longest => layout.longest(),
        }
    }
}

impl From<usize> for PaddedTo {
    fn from(rows: usize) -> Self {
        Self::Rows(rows)
    }
}

#[derive(Serialize, Deserialize)]
#[serde(untagged, expecting = "padding is a number of rows, or \"longest\"")]
enum Written {
    Rows(usize),
    Word(Word),
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Word {
    Longest,
}

impl From<Written> for PaddedTo {
    fn from(written: Written) -> Self {
        match written {
            Written::Rows(rows) => Self::Rows(rows),
            Written::Word(Word::Longest) => Self::Longest,
        }
    }
}

impl From<PaddedTo> for Written {
    fn from(padded: PaddedTo) -> Self {
        match padded {
            PaddedTo::Rows(rows) => Self::Rows(rows),
            PaddedTo::Longest => Self::Word(Word::Longest),
        }
    }
}
