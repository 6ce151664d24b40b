//! What is in a package works without the repository: a test that reads another crate's files, or those beside the repository, is left out of it.

use std::path::Path;

/// What the text of such a test contains.
const OUTSIDE: [&str; 4] = ["\"../symdiff-", "\"../../symdiff-", "\"/../symdiff-", "symdiff_golden::"];

#[test]
fn tests_that_need_other_files_are_not_packaged() -> std::io::Result<()> {
    let mut found = 0;
    for entry in std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates"))? {
        let folder = entry?.path();
        let manifest = std::fs::read_to_string(folder.join("Cargo.toml"))?;
        for test in std::fs::read_dir(folder.join("tests")).into_iter().flatten() {
            let test = test?.path();
            let text = if test.is_file() { std::fs::read_to_string(&test)? } else { String::new() };
            if OUTSIDE.iter().any(|mark| text.contains(mark)) {
                found += 1;
                let name = test.file_name().unwrap_or_default().display();
                assert!(manifest.contains(&format!("\"tests/{name}\"")), "{}: `exclude` lacks tests/{name}", folder.display());
            }
        }
    }
    assert!(found > 10, "only {found} such tests were found");
    Ok(())
}

#[test]
fn a_readme_names_every_feature() -> std::io::Result<()> {
    let mut found = 0;
    for entry in std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates"))? {
        let folder = entry?.path();
        let manifest = std::fs::read_to_string(folder.join("Cargo.toml"))?;
        let readme = std::fs::read_to_string(folder.join("README.md"))?;
        let section = manifest.split("\n[").find_map(|section| section.strip_prefix("features]\n")).unwrap_or_default();
        let names = section.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once(" = "));
        for (name, _) in names.filter(|(name, _)| *name != "default") {
            found += 1;
            assert!(readme.contains(&format!("`{name}`")), "{}: README.md lacks the feature `{name}`", folder.display());
        }
    }
    assert!(found > 15, "only {found} features were found");
    Ok(())
}
