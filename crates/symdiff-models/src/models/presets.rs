//! The published sizes, small ones for a laptop, and five backbones of one number of parameters.

use crate::{Error, Result};

/// The names of all presets.
pub const PRESETS: [&str; 21] = [
    "symdiff-qm9",
    "symdiff-star-qm9",
    "symdiff-h-qm9",
    "dit-qm9",
    "dit-aug-qm9",
    "symdiff-geom",
    "symdiff-small",
    "symdiff-h-small",
    "dit-small",
    "dit-aug-small",
    "symdiff-tiny",
    "edm-qm9",
    "edm-geom",
    "edm-small",
    "gnn-qm9",
    "gnn-small",
    "edm-matched",
    "gnn-matched",
    "dit-matched",
    "symdiff-h-matched",
    "symdiff-matched",
];

/// Backbones of 1.13 to 1.14 million parameters each (γ's included), for comparisons at equal size: equivariant by construction, not
/// equivariant, and symmetrised.
pub const MATCHED: [&str; 5] = ["edm-matched", "gnn-matched", "dit-matched", "symdiff-h-matched", "symdiff-matched"];

const QM9: &str = "backbone = { kind = 'dit', embedding = 184, gaussians = 184, hidden = 384, depth = 12, heads = 6 }\n";
const STAR: &str = "backbone = { kind = 'dit', embedding = 382, gaussians = 382, hidden = 768, depth = 12, heads = 12 }\n";
const SMALL: &str = "backbone = { kind = 'dit', embedding = 64, gaussians = 64, hidden = 128, depth = 6, heads = 4 }\n";
const TINY: &str = "backbone = { kind = 'dit', embedding = 16, gaussians = 16, hidden = 32, depth = 2, heads = 2 }\n";
const EDM_QM9: &str = "backbone = { kind = 'egnn', width = 256, layers = 9 }\n";
const EDM_GEOM: &str = "backbone = { kind = 'egnn', width = 256, layers = 4 }\n";
const EDM_SMALL: &str = "backbone = { kind = 'egnn', width = 128, layers = 6 }\n";
const GNN_QM9: &str = "backbone = { kind = 'gnn', width = 256, layers = 9 }\n";
const EDM_MATCHED: &str = "backbone = { kind = 'egnn', width = 144, layers = 6 }\n";
const GNN_MATCHED: &str = "backbone = { kind = 'gnn', width = 144, layers = 9 }\n";
const DIT_MATCHED: &str = "backbone = { kind = 'dit', embedding = 64, gaussians = 64, hidden = 128, depth = 4, heads = 4 }\n";
/// One block less than [`DIT_MATCHED`], whose parameters γ takes.
const K_MATCHED: &str = "backbone = { kind = 'dit', embedding = 64, gaussians = 64, hidden = 128, depth = 3, heads = 4 }\n";
const GNN_SMALL: &str = "backbone = { kind = 'gnn', width = 128, layers = 6 }\n";

const NONE: &str = "gamma = { kind = 'none' }\n";
const HAAR: &str = "gamma = { kind = 'haar' }\n";
const GAMMA_QM9: &str = "gamma = { kind = 'learned', hidden = 128, depth = 8, heads = 4, decoder = 64 }\n";
const GAMMA_STAR: &str = "gamma = { kind = 'learned', hidden = 216, depth = 10, heads = 8, decoder = 80 }\n";
const GAMMA_SMALL: &str = "gamma = { kind = 'learned', hidden = 64, depth = 4, heads = 4, decoder = 64 }\n";
const GAMMA_MATCHED: &str = "gamma = { kind = 'learned', hidden = 64, depth = 3, heads = 4, ratio = 5, decoder = 64 }\n";
const GAMMA_TINY: &str = "gamma = { kind = 'learned', hidden = 16, depth = 1, heads = 2, decoder = 8 }\n";

/// The `[model]` section of a preset.
pub(super) fn text(name: &str) -> Result<String> {
    let (backbone, gamma) = match name {
        "symdiff-qm9" | "symdiff-geom" => (QM9, GAMMA_QM9),
        "symdiff-star-qm9" => (STAR, GAMMA_STAR),
        "symdiff-h-qm9" => (QM9, HAAR),
        "dit-qm9" | "dit-aug-qm9" => (QM9, NONE),
        "symdiff-small" => (SMALL, GAMMA_SMALL),
        "symdiff-h-small" => (SMALL, HAAR),
        "dit-small" | "dit-aug-small" => (SMALL, NONE),
        "edm-qm9" => (EDM_QM9, NONE),
        "edm-geom" => (EDM_GEOM, NONE),
        "edm-small" => (EDM_SMALL, NONE),
        "gnn-qm9" => (GNN_QM9, NONE),
        "gnn-small" => (GNN_SMALL, NONE),
        "edm-matched" => (EDM_MATCHED, NONE),
        "gnn-matched" => (GNN_MATCHED, NONE),
        "dit-matched" => (DIT_MATCHED, NONE),
        "symdiff-h-matched" => (DIT_MATCHED, HAAR),
        "symdiff-matched" => (K_MATCHED, GAMMA_MATCHED),
        "symdiff-tiny" => (TINY, GAMMA_TINY),
        _ => return Err(Error::Config(format!("model.preset `{name}` is unknown; use one of {}", PRESETS.join(", ")))),
    };
    Ok(format!("{backbone}{gamma}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ModelConfig;
    use candle_core::{DType, Device};
    use symdiff_mol::state::Encoding;
    use symdiff_train::Parameters;

    #[test]
    fn matched_models_are_of_one_size() -> Result<()> {
        let count = |name| -> Result<usize> {
            let parameters = Parameters::new(0, DType::F32, &Device::Cpu);
            ModelConfig::preset(name)?.build(Encoding::qm9().features(), None, parameters.builder())?;
            Ok(parameters.count())
        };
        let counts = MATCHED.map(count).into_iter().collect::<Result<Vec<_>>>()?;
        let (least, most) = (counts.iter().min(), counts.iter().max());
        assert!(least.zip(most).is_some_and(|(&least, &most)| 100 * (most - least) < 2 * least), "{counts:?}");
        Ok(())
    }
}
