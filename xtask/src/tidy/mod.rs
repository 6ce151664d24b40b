//! The rules of the house that a machine can check. What is not checked decays.
//!
//! | rule | says |
//! |---|---|
//! | `arrows` | a crate depends on lower floors alone, and on those that its own sentence needs |
//! | `graph` | the book draws the arrows of the manifests |
//! | `length` | a file is one idea, read top to bottom |
//! | `paths` | nothing names a place on somebody's machine |
//! | `op` | every op folder has a test and a bench |
//! | `panic` | library code returns errors |
//! | `unsafe`, `cuda`, `dtype` | happen on floor 0 alone |
//! | `matmul` | group elements are used only by `act`, `compose` and `inverse` |
//! | `gradient` | no op that silently drops gradients |
//! | `ascii` | identifiers are ASCII; Greek belongs in docs |

mod code;
mod exceptions;
mod files;
mod graph;
mod layers;
mod ops;
mod source;
#[cfg(test)]
mod tests;
mod tree;

use std::fmt;
use std::path::{Path, PathBuf};

/// A rule that is broken: where, which, and how to mend it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Finding {
    /// Relative to the root.
    pub(crate) file: PathBuf,
    /// From 1.
    pub(crate) line: usize,
    /// Name of the rule.
    pub(crate) rule: &'static str,
    /// What is wrong and what to do.
    pub(crate) remedy: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, out: &mut fmt::Formatter) -> fmt::Result {
        write!(out, "{}:{}: {}: {}", self.file.display(), self.line, self.rule, self.remedy)
    }
}

/// What a check saw.
#[derive(Debug)]
pub(crate) struct Checked {
    /// Files read.
    pub(crate) files: usize,
    /// Broken rules, by file and line.
    pub(crate) findings: Vec<Finding>,
}

/// Checks the workspace at `root`.
///
/// # Errors
/// When a file cannot be read.
pub(crate) fn check(root: &Path) -> std::io::Result<Checked> {
    let files = tree::files(root)?;
    let mut findings = Vec::new();
    for file in &files {
        findings.extend(files::check(file));
    }
    findings.extend(layers::check(&files));
    findings.extend(graph::check(&files));
    findings.extend(code::check(&files));
    findings.extend(ops::check(&files));
    findings.retain(|finding| !exceptions::allowed(finding));
    findings.sort();
    Ok(Checked { files: files.len(), findings })
}
