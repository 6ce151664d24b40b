//! Sizes by name: the published ones, small ones for a laptop, and models with equal numbers of parameters. One file each in `presets/`.

use crate::{Error, Result};
use include_dir::{Dir, include_dir};

static FOLDER: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/presets");

/// The names of all presets.
pub fn presets() -> Vec<&'static str> {
    FOLDER.files().filter_map(|file| file.path().file_stem()?.to_str()).collect()
}

/// The `[model]` section of a preset.
pub(super) fn text(name: &str) -> Result<&'static str> {
    let file = FOLDER.get_file(format!("{name}.toml"));
    let text = file.and_then(|file| file.contents_utf8());
    text.ok_or_else(|| Error::Config(format!("model.preset `{name}` is unknown; use one of {}", presets().join(", "))))
}
