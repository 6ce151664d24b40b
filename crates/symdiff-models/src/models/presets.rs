//! Sizes by name: the published ones, small ones for a laptop, and five models with equal numbers of parameters. One file each in `presets/`.

use crate::{Error, Result};
use include_dir::{Dir, include_dir};

static FOLDER: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/presets");

/// Models of 1.13 to 1.14 million parameters each (γ's included), for comparisons at equal size: equivariant by construction, not
/// equivariant, and symmetrised.
pub const MATCHED: [&str; 5] = ["edm-matched", "gnn-matched", "dit-matched", "symdiff-h-matched", "symdiff-matched"];

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ModelConfig;
    use candle_core::{DType, Device};
    use symdiff_mol::state::Encoding;
    use symdiff_ops::Noise;
    use symdiff_train::Parameters;

    #[test]
    fn matched_models_are_of_one_size() -> Result<()> {
        let count = |name| -> Result<usize> {
            let parameters = Parameters::new(0, DType::F32, &Device::Cpu);
            ModelConfig::preset(name)?.build(Encoding::qm9().features(), Noise::seeded(0), parameters.builder())?;
            Ok(parameters.count())
        };
        let counts = MATCHED.map(count).into_iter().collect::<Result<Vec<_>>>()?;
        let (least, most) = (counts.iter().min(), counts.iter().max());
        assert!(least.zip(most).is_some_and(|(&least, &most)| 100 * (most - least) < 2 * least), "{counts:?}");
        Ok(())
    }
}
