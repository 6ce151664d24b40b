//! The arrows between crates: an arrow only goes down.

use super::Finding;
use super::tree::TextFile;

/// What each crate may depend on. Tests, benches and the façade may take anything.
const ARROWS: [(&str, &[&str]); 12] = [
    ("symdiff-ops", &[]),
    // Draws numbers; knows no tensor.
    ("symdiff-figures", &[]),
    // Writes bytes; knows neither tensors nor molecules.
    ("symdiff-files", &[]),
    ("symdiff-groups", &["symdiff-ops"]),
    ("symdiff-nets", &["symdiff-ops"]),
    ("symdiff-core", &["symdiff-ops", "symdiff-groups"]),
    // Knows the trait of kernels and the action of groups on its states; no γ, no network, no molecule.
    ("symdiff-diffusion", &["symdiff-ops", "symdiff-groups", "symdiff-core"]),
    ("symdiff-mol", &["symdiff-ops", "symdiff-files", "symdiff-groups"]),
    // Trains anything: knows tensors alone.
    ("symdiff-train", &["symdiff-ops", "symdiff-files"]),
    // Joins the processes of a job for the loop: no molecule either.
    ("symdiff-ranks", &["symdiff-ops", "symdiff-train"]),
    ("symdiff-models", &BELOW_MODELS),
    ("symdiff-cli", &BELOW_COMMANDS),
];

/// All that molecule models are put together from.
const BELOW_MODELS: [&str; 8] =
    ["symdiff-ops", "symdiff-files", "symdiff-groups", "symdiff-nets", "symdiff-core", "symdiff-diffusion", "symdiff-mol", "symdiff-train"];

/// What commands call: models and data, not the parts that models are made of.
const BELOW_COMMANDS: [&str; 8] = [
    "symdiff-ops",
    "symdiff-files",
    "symdiff-diffusion",
    "symdiff-figures",
    "symdiff-mol",
    "symdiff-train",
    "symdiff-ranks",
    "symdiff-models",
];

pub(super) fn check(files: &[TextFile]) -> Vec<Finding> {
    let manifest = |name: &str| {
        let path = format!("crates/{name}/Cargo.toml");
        files.iter().find(move |file| file.path.as_os_str() == path.as_str())
    };
    let pairs = ARROWS.iter().filter_map(|(name, lower)| Some((*name, *lower, manifest(name)?)));
    pairs.flat_map(|(name, lower, manifest)| upward(name, lower, manifest)).collect()
}

fn upward(name: &str, lower: &[&str], manifest: &TextFile) -> Vec<Finding> {
    let finding = |line, remedy| Finding { file: manifest.path.clone(), line, rule: "arrows", remedy };
    let ours = match ours(manifest) {
        Ok(ours) => ours,
        Err(problem) => return vec![finding(1, format!("not a manifest: {problem}"))],
    };
    let upward = ours.iter().filter(|key| !lower.contains(&key.as_str()));
    upward
        .map(|key| {
            let line = manifest.text.lines().position(|line| line.starts_with(key.as_str())).map_or(1, |at| at + 1);
            let below = if lower.is_empty() { "no crate of ours".to_owned() } else { lower.join(", ") };
            finding(line, format!("{name} depends on {key}, but may know {below}; move the code to a crate that may use both"))
        })
        .collect()
}

/// The crates of this workspace that a crate is built from.
pub(super) fn ours(manifest: &TextFile) -> Result<Vec<String>, String> {
    let table = manifest.text.parse::<toml::Table>().map_err(|error| error.message().to_owned())?;
    let targets = table.get("target").and_then(toml::Value::as_table).into_iter().flat_map(toml::Table::values);
    let tables = targets.filter_map(toml::Value::as_table).chain([&table]);
    let sections = tables.flat_map(|table| ["dependencies", "build-dependencies"].map(|key| table.get(key)));
    let names = sections.flatten().filter_map(toml::Value::as_table).flat_map(toml::Table::keys);
    Ok(names.filter(|key| *key == "symdiff" || *key == "xtask" || key.starts_with("symdiff-")).cloned().collect())
}
