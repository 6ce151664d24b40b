//! Which model a command works with: that of a run folder or a file, or one that is compiled in.

use crate::builtin;
use crate::failure::{Failure, Outcome};
use candle_core::Device;
use std::path::{Path, PathBuf};
use symdiff_models::Trained;
use symdiff_models::models::PaddedTo;
use symdiff_train::{CHECKPOINT, Precision};

/// The model that is used where none is named.
const DEFAULT: &str = "symdiff-given-small";

/// A model by its place or name.
pub(crate) struct Chosen {
    place: Place,
}

enum Place {
    File(PathBuf),
    BuiltIn(&'static str, &'static [u8]),
}

impl Chosen {
    /// The model of a run folder or a file; of weights that are compiled in by their name, where there is no such file; the default one without a
    /// name.
    ///
    /// # Errors
    /// [`Failure::Input`] where no name is given and no weights are compiled in.
    pub(crate) fn of(run: Option<&Path>) -> Outcome<Self> {
        let name = run.map_or(Some(DEFAULT), |run| if run.exists() { None } else { run.to_str() });
        let compiled = name.and_then(|name| builtin::weights().into_iter().find(|(known, _)| *known == name));
        match (compiled, run) {
            (Some((name, bytes)), _) => Ok(Self { place: Place::BuiltIn(name, bytes) }),
            (None, Some(run)) if run.is_dir() => Ok(Self { place: Place::File(run.join(CHECKPOINT)) }),
            (None, Some(run)) => Ok(Self { place: Place::File(run.to_owned()) }),
            (None, None) => Err(Failure::input(format!(
                "no weights of {DEFAULT} are compiled into this program; name a model with --run: a run folder, or a file made by `export`, `fetch` or `import`"
            ))),
        }
    }

    /// The file that is read, which no output may replace; none of weights that are compiled in.
    pub(crate) fn inputs(&self) -> Vec<&Path> {
        match &self.place {
            Place::File(path) => vec![path],
            Place::BuiltIn(..) => Vec::new(),
        }
    }

    /// What it is called.
    pub(crate) fn name(&self) -> String {
        match &self.place {
            Place::File(path) => path.display().to_string(),
            Place::BuiltIn(name, _) => (*name).to_owned(),
        }
    }

    /// Reads it; `padding` is that of [`Trained::load_with`].
    ///
    /// # Errors
    /// Those of [`Trained::load_with`].
    pub(crate) fn load(&self, padding: Option<PaddedTo>, precision: Option<Precision>, device: &Device) -> Outcome<Trained> {
        Ok(match &self.place {
            Place::File(path) => Trained::load_with(path, padding, precision, device)?,
            Place::BuiltIn(name, bytes) => Trained::read_with(Path::new(name), bytes, padding, precision, device)?,
        })
    }
}
