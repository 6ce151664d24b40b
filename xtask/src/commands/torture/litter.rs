//! Which files an output consists of, and which of them are half written.

use std::collections::BTreeSet;
use std::fs::DirEntry;
use std::path::Path;

/// The files of an output: those in it where it is a folder, and those beside it that bear its name. In the names `OUT` stands for its own, so that
/// two outputs of one command can be compared.
pub(super) fn names(out: &Path) -> BTreeSet<String> {
    let name = name(out);
    let mut found = BTreeSet::new();
    for entry in belonging(out) {
        let shown = entry.file_name().to_string_lossy().replacen(&name, "OUT", 1);
        collect(&entry.path(), &shown, &mut found);
    }
    found
}

/// Those of the names that belong to half-written files.
pub(super) fn half_written(names: &BTreeSet<String>) -> BTreeSet<String> {
    let partial = |name: &&String| name.rsplit('/').next().is_some_and(|file| file.starts_with(".partial."));
    names.iter().filter(partial).cloned().collect()
}

/// Removes an output with all that bears its name; the next round does not depend on it.
pub(super) fn clear(out: &Path) {
    for entry in belonging(out) {
        let path = entry.path();
        let _ = if path.is_dir() { std::fs::remove_dir_all(&path) } else { std::fs::remove_file(&path) };
    }
}

/// The output itself, and what lies beside it under a name that contains its own and an ending.
fn belonging(out: &Path) -> Vec<DirEntry> {
    let name = name(out);
    let with_ending = format!("{name}.");
    let entries = out.parent().and_then(|folder| folder.read_dir().ok()).into_iter().flatten().flatten();
    let belongs = |entry: &DirEntry| {
        let file = entry.file_name().to_string_lossy().into_owned();
        file == name || file.contains(&with_ending)
    };
    entries.filter(belongs).collect()
}

fn name(out: &Path) -> String {
    out.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn collect(path: &Path, shown: &str, found: &mut BTreeSet<String>) {
    if !path.is_dir() {
        found.insert(shown.to_owned());
        return;
    }
    for entry in path.read_dir().into_iter().flatten().flatten() {
        collect(&entry.path(), &format!("{shown}/{}", entry.file_name().to_string_lossy()), found);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_in_and_beside_an_output_are_found_and_those_of_others_are_not() {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("round-1");
        std::fs::create_dir_all(out.join("tiny")).unwrap();
        let files =
            ["round-1/tiny/last", "round-1/tiny/.partial.last", ".partial.round-1.xyz", "round-1.xyz", "round-10.xyz", "molecules.xyz"];
        for file in files {
            std::fs::write(folder.path().join(file), "").unwrap();
        }
        let found = names(&out);
        assert_eq!(found.iter().collect::<Vec<_>>(), [".partial.OUT.xyz", "OUT.xyz", "OUT/tiny/.partial.last", "OUT/tiny/last"]);
        assert_eq!(half_written(&found).iter().collect::<Vec<_>>(), [".partial.OUT.xyz", "OUT/tiny/.partial.last"]);
        clear(&out);
        assert!(names(&out).is_empty() && folder.path().join("round-10.xyz").exists());
    }
}
