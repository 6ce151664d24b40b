//! Rules that hold for any text: its length, and that it names no machine.

use super::Finding;
use super::tree::TextFile;

/// Most lines of a source file.
const LONGEST: usize = 450;
const SOURCES: [&str; 5] = ["rs", "js", "py", "cu", "cuh"];
/// Folders that exist on one machine and not on the next.
const PLACES: [&str; 4] = ["home", "root", "work", "Users"];

pub(super) fn check(file: &TextFile) -> Vec<Finding> {
    let mut findings = Vec::new();
    let lines = file.text.lines().count();
    let source = file.path.extension().is_some_and(|ending| SOURCES.iter().any(|s| ending == *s));
    if source && lines > LONGEST {
        let remedy = format!("{lines} lines, and {LONGEST} are the most; move one of its ideas into a file of its own");
        findings.push(Finding { file: file.path.clone(), line: LONGEST + 1, rule: "length", remedy });
    }
    for (number, line) in file.text.lines().enumerate() {
        if let Some(place) = PLACES.iter().find(|place| names(line, place)) {
            let remedy = format!("a path under /{place} exists on one machine only; make it relative to the workspace or an argument");
            findings.push(Finding { file: file.path.clone(), line: number + 1, rule: "paths", remedy });
        }
    }
    findings
}

/// Whether a line holds an absolute path into `/place/`.
fn names(line: &str, place: &str) -> bool {
    let path = format!("/{place}/");
    line.match_indices(&path).any(|(at, _)| !line[..at].ends_with(|before: char| before.is_alphanumeric() || "./_-}*~".contains(before)))
}
