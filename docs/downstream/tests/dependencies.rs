//! Two crates bring tensors and groups: no molecule, no network, no diffusion process.

use std::process::Command;

/// The crates of ours that may come along.
const LOWER_LAYERS: [&str; 3] = ["symdiff-core", "symdiff-groups", "symdiff-ops"];

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
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
    let arguments = ["tree", "--locked", "--edges", "normal,build", "--prefix", "none", "--manifest-path", manifest];
    let output = Command::new(env!("CARGO")).args(arguments).output()?;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let tree = String::from_utf8(output.stdout)?;
    for layer in LOWER_LAYERS {
        assert!(tree.lines().any(|line| line.starts_with(&format!("{layer} "))), "{layer} is missing from\n{tree}");
    }
    assert_eq!(strangers(&tree), Vec::<&str>::new());
    Ok(())
}

/// The same search finds what must not be there.
#[test]
fn strangers_are_noticed() {
    let tree = "downstream v0.1.0\nsymdiff-core v0.1.0\nsymdiff-mol v0.1.0\nsymdiff-nets v0.1.0\nsymdiff-diffusion v0.1.0\ncandle-nn v0.11.1 (*)\nchematic-core v1.2.1";
    assert_eq!(strangers(tree), ["symdiff-mol", "symdiff-nets", "symdiff-diffusion", "candle-nn", "chematic-core"]);
}
