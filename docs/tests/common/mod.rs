//! The texts that are checked.

use std::path::{Path, PathBuf};

/// The folder of the repository.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Every Markdown file for readers, with its text: those of the root, of the book and of the crates.
pub(crate) fn texts() -> std::io::Result<Vec<(PathBuf, String)>> {
    let crates = std::fs::read_dir(root().join("crates"))?.collect::<Result<Vec<_>, _>>()?;
    let folders = [root(), root().join("docs/src")].into_iter().chain(crates.into_iter().map(|entry| entry.path()));
    let mut texts = Vec::new();
    for folder in folders {
        for entry in std::fs::read_dir(folder)? {
            let path = entry?.path();
            if path.extension().is_some_and(|ending| ending == "md") {
                texts.push((path.clone(), std::fs::read_to_string(path)?));
            }
        }
    }
    texts.sort();
    Ok(texts)
}

/// The lines of a text outside (`false`) or inside (`true`) blocks of code, and the language of the block.
pub(crate) fn lines(text: &str) -> impl Iterator<Item = (Option<&str>, &str)> {
    let mut language = None;
    text.lines().filter_map(move |line| match line.trim_start().strip_prefix("```") {
        Some(fence) => {
            language = if language.is_some() { None } else { Some(fence.trim()) };
            None
        }
        None => Some((language, line)),
    })
}
