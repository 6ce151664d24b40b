//! Why a published run cannot be imported.

use std::fmt::Display;

/// What is wrong with a state dict, or with the arguments of its run.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ImportError {
    /// The file is not whole, or of no known format.
    #[error("{0}")]
    Damaged(String),
    /// Its pickle cannot be read as data.
    #[error("its pickle cannot be read at byte {at}: {problem}")]
    Pickle {
        /// The byte after the instruction.
        at: usize,
        /// What is wrong with it.
        problem: String,
    },
    /// It holds something other than tensors by name.
    #[error("holds no state dict{0}; save `model.state_dict()` alone")]
    NoStateDict(String),
    /// An entry is no plain tensor.
    #[error("`{name}` {problem}")]
    Entry {
        /// The entry.
        name: String,
        /// What is wrong with it.
        problem: String,
    },
    /// Its entries are not those of the model.
    #[error("no state dict of {model}: {problem}")]
    Mismatch {
        /// The model that was asked for.
        model: String,
        /// The first entry of each kind of difference.
        problem: String,
    },
    /// The table of its schedule is not the one of the run's settings.
    #[error("`gamma.gamma` ({levels} levels) is no {schedule} schedule of {steps} steps: off by {off:.1e}, at most {limit:.0e}; {remedy}")]
    Schedule {
        /// The entries of the table.
        levels: usize,
        /// The schedule that was expected.
        schedule: String,
        /// T.
        steps: usize,
        /// The largest difference of γ.
        off: f64,
        /// The largest difference that averaging in f32 makes.
        limit: f64,
        /// What to do.
        remedy: &'static str,
    },
    /// A setting of the run that this implementation does not support.
    #[error("the run's `{setting}` is {value}; {known}")]
    Setting {
        /// Its name in the published program.
        setting: &'static str,
        /// Its value.
        value: String,
        /// What is supported.
        known: String,
    },
    /// The name of a model is needed, or contradicts the run's arguments.
    #[error("{0}")]
    Model(String),
}

impl ImportError {
    pub(super) fn entry(name: &str, problem: impl Display) -> Self {
        Self::Entry { name: name.to_owned(), problem: problem.to_string() }
    }

    pub(super) fn setting(setting: &'static str, value: impl Display, known: impl Display) -> Self {
        Self::Setting { setting, value: value.to_string(), known: known.to_string() }
    }
}

/// The result of reading a part of a run.
pub(super) type Read<T> = Result<T, ImportError>;

/// For `map_err` on what reads a file's format.
pub(super) fn damaged<E: Display>(what: &str) -> impl Fn(E) -> ImportError + '_ {
    move |error| ImportError::Damaged(format!("{what} ({error}); copy it again"))
}
