//! How a command fails: one sentence on stderr and an exit code that says whether the input was wrong or the work failed.

use std::fmt::Display;
use std::io::{self, ErrorKind, Write};
use std::path::Path;

/// Why a command ended without its result.
#[derive(Debug)]
pub enum Failure {
    /// The arguments or an input file are wrong: exit code 2.
    Input(String),
    /// The input was fine and the work failed (a full disk, a diverged run): exit code 1.
    Run(String),
    /// A signal ended the work, and what was done is saved: exit code 128 + the signal's number.
    Interrupted {
        /// The signal's number.
        signal: i32,
        /// What was saved.
        sentence: String,
    },
}

/// What a command returns.
pub type Outcome<T> = Result<T, Failure>;

impl Failure {
    /// A failure that the user mends by changing arguments or files.
    pub fn input(sentence: impl Display) -> Self {
        Self::Input(sentence.to_string())
    }

    /// A failure of the work itself.
    pub fn run(sentence: impl Display) -> Self {
        Self::Run(sentence.to_string())
    }

    /// What the system said about a file: the user's to mend where the name or its permissions are wrong, a failed run where the disk is.
    pub fn file(path: &Path, action: &str, error: &io::Error) -> Self {
        Self::of_kind(error.kind(), format!("{}: cannot {action}: {error}", path.display()))
    }

    /// Prints the sentence, with the number of the process where there are several.
    pub(crate) fn report(&self, rank: Option<usize>) {
        let (word, sentence) = match self {
            Self::Input(sentence) | Self::Run(sentence) => ("error", sentence),
            Self::Interrupted { sentence, .. } => ("interrupted", sentence),
        };
        let who = rank.map(|rank| format!("rank {rank}: ")).unwrap_or_default();
        // A foreign error may carry a backtrace in its text; people get the sentence.
        note(&format!("{word}: {who}{}", sentence.lines().next().unwrap_or_default()));
    }

    /// The exit code.
    pub(crate) fn code(&self) -> u8 {
        match self {
            Self::Input(_) => 2,
            Self::Run(_) => 1,
            Self::Interrupted { signal, .. } => 128 + *signal as u8,
        }
    }

    fn of_kind(kind: ErrorKind, sentence: String) -> Self {
        if is_users(kind) { Self::Input(sentence) } else { Self::Run(sentence) }
    }
}

/// Prints text on stderr. Where it is full or closed, the work goes on.
pub(crate) fn note(text: &str) {
    let _ = writeln!(io::stderr(), "{text}");
}

/// Whether another name, another permission or another file would help: not so with a full or broken disk.
fn is_users(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::NotFound
            | ErrorKind::PermissionDenied
            | ErrorKind::AlreadyExists
            | ErrorKind::NotADirectory
            | ErrorKind::IsADirectory
            | ErrorKind::ReadOnlyFilesystem
            | ErrorKind::InvalidFilename
            | ErrorKind::InvalidInput
            | ErrorKind::InvalidData
            | ErrorKind::UnexpectedEof
            | ErrorKind::Unsupported
    )
}

impl From<symdiff_files::Error> for Failure {
    fn from(error: symdiff_files::Error) -> Self {
        match &error {
            symdiff_files::Error::Io { source, .. } => Self::of_kind(source.kind(), error.to_string()),
            _ if error.is_input() => Self::input(error),
            _ => Self::run(error),
        }
    }
}

impl From<symdiff_mol::Error> for Failure {
    /// Molecules come from files that the user named; where they go, the disk may be full.
    fn from(error: symdiff_mol::Error) -> Self {
        match error {
            symdiff_mol::Error::Io { ref source, .. } => Self::of_kind(source.kind(), error.to_string()),
            symdiff_mol::Error::Output(error) => error.into(),
            error if error.is_input() => Self::input(error),
            error => Self::run(error),
        }
    }
}

impl From<symdiff_train::Error> for Failure {
    fn from(error: symdiff_train::Error) -> Self {
        match error {
            symdiff_train::Error::Io { ref source, .. } => Self::of_kind(source.kind(), error.to_string()),
            symdiff_train::Error::Output(error) => error.into(),
            error if error.is_input() => Self::input(error),
            error => Self::run(error),
        }
    }
}

impl From<symdiff_models::Error> for Failure {
    fn from(error: symdiff_models::Error) -> Self {
        match error {
            symdiff_models::Error::Molecules(error) => (*error).into(),
            symdiff_models::Error::Train(error) => error.into(),
            symdiff_models::Error::Output(error) => error.into(),
            error if error.is_input() => Self::input(error),
            error => Self::run(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_a_failed_run_and_a_wrong_name_is_wrong_input() {
        let failure = |kind: ErrorKind| Failure::file(Path::new("a.xyz"), "write it", &kind.into());
        for kind in [ErrorKind::StorageFull, ErrorKind::FileTooLarge, ErrorKind::QuotaExceeded, ErrorKind::Other] {
            assert!(matches!(failure(kind), Failure::Run(_)), "{kind}");
        }
        for kind in [ErrorKind::NotFound, ErrorKind::IsADirectory, ErrorKind::PermissionDenied] {
            assert!(matches!(failure(kind), Failure::Input(_)), "{kind}");
        }
    }
}
