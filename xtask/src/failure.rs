//! How a command fails: one sentence on stderr and an exit code that tells whose fault it was.

use std::fmt::Display;
use std::process::ExitCode;

/// Why a command ended without its result.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The arguments or an input file are wrong: exit code 2.
    Input(String),
    /// The input was fine and the work failed (a full disk, a diverged run): exit code 1.
    Run(String),
}

/// What a command returns.
pub(crate) type Outcome<T> = Result<T, Failure>;

impl Failure {
    /// A failure that the user mends by changing arguments or files.
    pub(crate) fn input(sentence: impl Display) -> Self {
        Self::Input(sentence.to_string())
    }

    /// A failure of the work itself.
    pub(crate) fn run(sentence: impl Display) -> Self {
        Self::Run(sentence.to_string())
    }

    /// Prints the sentence and gives the exit code.
    pub(crate) fn report(&self) -> ExitCode {
        let (sentence, code) = match self {
            Self::Input(sentence) => (sentence, 2),
            Self::Run(sentence) => (sentence, 1),
        };
        // A foreign error may carry a backtrace in its text; people get the sentence.
        eprintln!("error: {}", sentence.lines().next().unwrap_or_default());
        ExitCode::from(code)
    }
}

impl From<symdiff_mol::Error> for Failure {
    /// Molecules come from files that the user named.
    fn from(error: symdiff_mol::Error) -> Self {
        Self::input(error)
    }
}

impl From<symdiff_train::Error> for Failure {
    fn from(error: symdiff_train::Error) -> Self {
        if error.is_input() { Self::input(error) } else { Self::run(error) }
    }
}
