//! Two crates bring tensors and groups: no molecule, no network, no diffusion process.

use std::collections::BTreeSet;
use std::process::Command;

/// The crates of ours that may come along.
const LOWER_LAYERS: [&str; 3] = ["symdiff-core", "symdiff-groups", "symdiff-ops"];

/// What else these need that Candle does not: random numbers of another version, and spans for profilers.
const BEYOND_CANDLE: [&str; 8] =
    ["pin-project-lite", "rand", "rand_chacha", "rand_core", "rand_distr", "tracing", "tracing-attributes", "tracing-core"];

/// The dependencies of this crate, or of one of them, each once a line.
fn tree(more: &[&str]) -> Result<String, Box<dyn std::error::Error>> {
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
    let arguments = ["tree", "--locked", "--edges", "normal,build", "--prefix", "none", "--manifest-path", manifest];
    let output = Command::new(env!("CARGO")).args(arguments).args(more).output()?;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8(output.stdout)?)
}

/// Crates of `tree`, one a line, that must not be in it: ours of higher layers, networks, chemistry.
fn strangers(tree: &str) -> Vec<&str> {
    let names = tree.lines().filter_map(|line| line.split_whitespace().next());
    let strange = |name: &&str| {
        let upper_layer = (name.starts_with("symdiff") || *name == "xtask") && !LOWER_LAYERS.contains(name);
        upper_layer || *name == "candle-nn" || name.starts_with("chematic")
    };
    names.filter(strange).collect()
}

#[test]
fn only_crates_of_lower_layers_come_along() -> Result<(), Box<dyn std::error::Error>> {
    let tree = tree(&[])?;
    for layer in LOWER_LAYERS {
        assert!(tree.lines().any(|line| line.starts_with(&format!("{layer} "))), "{layer} is missing from\n{tree}");
    }
    assert_eq!(strangers(&tree), Vec::<&str>::new());
    Ok(())
}

/// A new dependency of the lower layers is a decision: it is named here, and counted in the chapter on projects of one's own.
#[test]
fn little_comes_along_that_candle_does_not_need() -> Result<(), Box<dyn std::error::Error>> {
    let named = |tree: String| -> BTreeSet<String> {
        tree.lines()
            .filter_map(|line| line.split_once(" v"))
            .map(|(name, rest)| format!("{name} {}", rest.split(' ').next().unwrap_or(rest)))
            .collect()
    };
    let (all, candle) = (named(tree(&[])?), named(tree(&["--package", "candle-core"])?));
    let beyond = all
        .difference(&candle)
        .filter_map(|line| line.split(' ').next())
        .filter(|name| *name != "downstream" && !LOWER_LAYERS.contains(name));
    assert_eq!(beyond.collect::<Vec<_>>(), BEYOND_CANDLE);
    Ok(())
}

/// The same search finds what must not be there.
#[test]
fn strangers_are_noticed() {
    let tree = "downstream v0.1.0\nsymdiff-core v0.1.0\nsymdiff-mol v0.1.0\nsymdiff-nets v0.1.0\nsymdiff-diffusion v0.1.0\ncandle-nn v0.11.1 (*)\nchematic-core v1.2.1";
    assert_eq!(strangers(tree), ["symdiff-mol", "symdiff-nets", "symdiff-diffusion", "candle-nn", "chematic-core"]);
}
