//! The text files of a workspace.

use std::io;
use std::path::{Path, PathBuf};

/// One file, read.
#[derive(Debug)]
pub(super) struct TextFile {
    /// Relative to the root, with `/` between its parts.
    pub(super) path: PathBuf,
    pub(super) text: String,
}

const SKIPPED: [&str; 4] = ["target", "runs", ".git", "node_modules"];
const READ: [&str; 10] = ["rs", "toml", "md", "js", "css", "sh", "py", "cu", "cuh", "yml"];

/// All text files under `root`, by path, without builds and runs.
pub(super) fn files(root: &Path) -> io::Result<Vec<TextFile>> {
    let mut found = Vec::new();
    let mut folders = vec![PathBuf::new()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(root.join(&folder))? {
            let entry = entry?;
            let path = folder.join(entry.file_name());
            let name = entry.file_name();
            let kind = entry.file_type()?;
            if kind.is_dir() && !SKIPPED.iter().any(|skipped| name == *skipped) {
                folders.push(path);
            } else if kind.is_file() && is_text(&path) {
                found.push(path);
            }
        }
    }
    found.sort();
    found.into_iter().map(|path| Ok(TextFile { text: std::fs::read_to_string(root.join(&path))?, path })).collect()
}

fn is_text(path: &Path) -> bool {
    path.starts_with(".ci") || path.extension().is_some_and(|ending| READ.iter().any(|read| ending == *read))
}
