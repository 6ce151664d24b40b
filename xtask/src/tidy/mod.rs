//! Rules for the code of this project that a program can check.
//!
//! | rule | meaning |
//! |---|---|
//! | `arrows` | a crate depends only on crates of lower layers, and only on those that `layers.rs` lists for it |
//! | `graph` | the drawing of the crates in the book agrees with the manifests |
//! | `length` | a file has at most 400 lines |
//! | `paths` | no file contains a path of a particular machine |
//! | `op` | every op folder has a test and a bench |
//! | `panic` | library code returns errors |
//! | `unsafe`, `cuda`, `dtype` | `unsafe`, `cfg(feature = "cuda")` and matches on a dtype occur only in `symdiff-ops` |
//! | `matmul` | group elements are used only by `act`, `compose` and `inverse` |
//! | `gradient` | no call of an op of Candle that silently drops gradients |
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
