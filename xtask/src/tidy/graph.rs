//! The drawing of the crates in the book is that of the manifests.

use super::Finding;
use super::layers::ours;
use super::tree::TextFile;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::Path;

/// Where the drawing stands: in the block of text after the marker.
const PAGE: &str = "docs/src/architecture.md";
const MARKER: &str = "<!-- The arrows of the manifests; `cargo xtask tidy` compares. -->\n\n```text\n";

type Arrows = BTreeMap<String, BTreeSet<String>>;

pub(super) fn check(files: &[TextFile]) -> Vec<Finding> {
    let Some(page) = files.iter().find(|file| file.path == Path::new(PAGE)) else { return Vec::new() };
    let expected = drawing(&arrows(files));
    let finding = |line, remedy| vec![Finding { file: page.path.clone(), line, rule: "graph", remedy }];
    let Some(start) = page.text.find(MARKER) else {
        return finding(1, format!("the drawing of the crates is missing; put this after the marker:\n{MARKER}{expected}```"));
    };
    let rest = &page.text[start + MARKER.len()..];
    if rest.starts_with(&format!("{expected}```")) {
        return Vec::new();
    }
    let line = page.text[..start].lines().count() + 1;
    finding(line, format!("the drawing is not that of the manifests, which is\n{expected}"))
}

/// What each crate is built from.
fn arrows(files: &[TextFile]) -> Arrows {
    let manifests = files.iter().filter_map(|file| {
        let name = match file.path.to_str()?.split('/').collect::<Vec<_>>()[..] {
            ["crates", name, "Cargo.toml"] => name,
            ["xtask", "Cargo.toml"] => "xtask",
            _ => return None,
        };
        Some((name.to_owned(), ours(file).ok()?.into_iter().collect()))
    });
    manifests.collect()
}

/// One line per crate, lowest first: its name, and those of the crates below it that are not below another of them.
fn drawing(arrows: &Arrows) -> String {
    let mut names: Vec<&String> = arrows.keys().collect();
    names.sort_by_key(|name| (below(arrows, name).len(), *name));
    let widest = names.iter().map(|name| name.len()).max().unwrap_or(0);
    let mut text = String::new();
    for name in names {
        let direct = &arrows[name];
        let implied = |lower: &String| direct.iter().any(|other| other != lower && below(arrows, other).contains(lower));
        let drawn: Vec<&str> = direct.iter().filter(|lower| !implied(lower)).map(String::as_str).collect();
        let line = if drawn.is_empty() { name.clone() } else { format!("{name:widest$} → {}", drawn.join(", ")) };
        let _ = writeln!(text, "{line}");
    }
    text
}

/// All crates below one.
fn below(arrows: &Arrows, name: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut waiting: Vec<&String> = arrows.get(name).into_iter().flatten().collect();
    while let Some(next) = waiting.pop() {
        if found.insert(next.clone()) {
            waiting.extend(arrows.get(next).into_iter().flatten());
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrows_that_others_imply_are_not_drawn() {
        let arrows = |pairs: &[(&str, &[&str])]| -> Arrows {
            pairs.iter().map(|(name, lower)| ((*name).to_owned(), lower.iter().map(|l| (*l).to_owned()).collect())).collect()
        };
        let drawn = drawing(&arrows(&[("a", &[]), ("bb", &["a"]), ("c", &["a"]), ("d", &["a", "bb", "c"])]));
        assert_eq!(drawn, "a\nbb → a\nc  → a\nd  → bb, c\n");
    }
}
