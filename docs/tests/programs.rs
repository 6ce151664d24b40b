//! The programs that a chapter includes exist.

use std::path::Path;

/// The paths and anchors of mdBook's `{{#include path:anchor}}` in a text.
fn included(text: &str) -> Vec<(&str, Option<&str>)> {
    let inside = text.split("{{#include ").skip(1).filter_map(|rest| rest.split("}}").next());
    inside.map(|path| path.split_once(':').map_or((path, None), |(path, anchor)| (path, Some(anchor)))).collect()
}

#[test]
fn every_included_program_exists() -> Result<(), Box<dyn std::error::Error>> {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let chapter = std::fs::read_to_string(docs.join("own-project.md"))?;
    let programs = included(&chapter);
    assert!(!programs.is_empty());
    for (path, anchor) in programs {
        let program = std::fs::read_to_string(docs.join(path)).map_err(|error| format!("{path}: {error}"))?;
        for mark in anchor.into_iter().flat_map(|anchor| [format!("// ANCHOR: {anchor}\n"), format!("// ANCHOR_END: {anchor}\n")]) {
            assert!(program.contains(&mark), "{path} lacks `{}`", mark.trim());
        }
    }
    Ok(())
}
