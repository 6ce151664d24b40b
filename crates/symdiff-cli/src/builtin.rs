//! Experiments and suites that are compiled in, by name.

use include_dir::{Dir, include_dir};

static FOLDER: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/experiments");

/// The text of an experiment, such as `symdiff-small`.
pub fn experiment(name: &str) -> Option<&'static str> {
    FOLDER.get_file(format!("{name}.toml"))?.contents_utf8()
}

/// The text of a suite, such as `quick`.
pub fn suite(name: &str) -> Option<&'static str> {
    FOLDER.get_file(format!("suites/{name}.toml"))?.contents_utf8()
}

/// The names of all experiments.
pub fn experiments() -> Vec<&'static str> {
    names(&FOLDER)
}

/// The names of all suites.
pub fn suites() -> Vec<&'static str> {
    FOLDER.get_dir("suites").map(names).unwrap_or_default()
}

fn names(folder: &Dir<'static>) -> Vec<&'static str> {
    folder.files().filter_map(|file| file.path().file_stem()?.to_str()).collect()
}
