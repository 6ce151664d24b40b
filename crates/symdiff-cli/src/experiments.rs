//! Where an experiment comes from: a file, or by name from those that are compiled in.

use crate::builtin;
use crate::failure::{Failure, Outcome};
use std::path::Path;
use symdiff_models::Experiment;

/// The experiment of a file, or the compiled-in one of that name; with settings over it.
///
/// A file comes first. `symdiff-small`, `symdiff-small.toml` and `experiments/symdiff-small.toml` name the same compiled-in experiment where
/// there is no such file.
pub(crate) fn read(named: &Path, settings: &[String]) -> Outcome<Experiment> {
    if named.is_file() {
        return Ok(Experiment::read(named, settings)?);
    }
    let Some(text) = name(named).and_then(builtin::experiment) else {
        let known = builtin::experiments().join(", ");
        let there =
            if named.is_dir() { "a folder, not an experiment file" } else { "no such file, and no experiment of this name is compiled in" };
        return Err(Failure::input(format!("{}: {there}; those compiled in are {known}", named.display())));
    };
    Ok(Experiment::parse(text, settings)?)
}

/// The name that a path gives: its last part without `.toml`, where nothing but `experiments/` stands before it.
fn name(path: &Path) -> Option<&str> {
    let folder = path.parent()?;
    if folder != Path::new("") && folder != Path::new("experiments") {
        return None;
    }
    let name = path.file_name()?.to_str()?;
    Some(name.strip_suffix(".toml").unwrap_or(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_experiment_that_is_compiled_in_is_found_by_name_and_by_path() {
        let all = builtin::experiments();
        assert!(all.len() >= 15, "{all:?}");
        for known in all {
            for spelling in [known.to_owned(), format!("{known}.toml"), format!("experiments/{known}.toml")] {
                read(Path::new(&spelling), &[]).unwrap_or_else(|failure| panic!("{spelling}: {failure:?}"));
            }
        }
        for stranger in ["symdiff-tiny-none", "elsewhere/symdiff-small.toml", "suites/quick"] {
            assert!(matches!(read(Path::new(stranger), &[]), Err(Failure::Input(sentence)) if sentence.contains("symdiff-small")));
        }
    }
}
