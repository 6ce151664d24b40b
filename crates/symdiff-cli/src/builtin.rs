//! Experiments, suites and weights that are compiled in, by name.

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

/// The weights that are compiled in, by name: files of `weights/` under the feature `weights`.
pub fn weights() -> Vec<(&'static str, &'static [u8])> {
    #[cfg(feature = "weights")]
    {
        static WEIGHTS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/weights");
        let files = WEIGHTS.files().filter(|file| file.path().extension().is_some_and(|ending| ending == "safetensors"));
        files.filter_map(|file| Some((file.path().file_stem()?.to_str()?, file.contents()))).collect()
    }
    #[cfg(not(feature = "weights"))]
    Vec::new()
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

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Device;
    use std::path::Path;
    use symdiff_models::Trained;

    #[test]
    fn weights_that_are_compiled_in_are_small_and_say_what_they_are() {
        for (name, bytes) in weights() {
            assert!(bytes.len() <= 8 << 20, "{name} has {} bytes", bytes.len());
            let provenance =
                Trained::read_with(Path::new(name), bytes, None, None, &Device::Cpu).and_then(|model| model.provenance(Path::new(name)));
            let provenance = provenance.unwrap_or_else(|error| panic!("{name}: {error}"));
            assert!(provenance.name == name && provenance.scores.is_some(), "{provenance:?}");
        }
    }
}
