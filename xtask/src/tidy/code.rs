//! Rules about library code: what may not be written where.

use super::Finding;
use super::source::Source;
use super::tree::TextFile;
use std::collections::HashSet;
use std::path::{Path, PathBuf};

/// Tokens that may not follow one another.
struct Ban {
    rule: &'static str,
    patterns: &'static [&'static [&'static str]],
    /// Where the ban holds, by the path from the root.
    holds: fn(&str) -> bool,
    remedy: &'static str,
}

const BANS: [Ban; 5] = [
    Ban {
        rule: "panic",
        patterns: &[&[".", "unwrap", "("], &[".", "expect", "("], &["panic", "!"], &["todo", "!"], &["unimplemented", "!"]],
        holds: |_| true,
        remedy: "library code does not panic; return a typed error that says what, where, how much and what to do",
    },
    Ban {
        rule: "unsafe",
        patterns: &[&["unsafe"]],
        holds: above_ops,
        remedy: "unsafe code belongs in symdiff-ops, or in a crate that keeps it for us",
    },
    Ban {
        rule: "cuda",
        patterns: &[&["feature", "=", "\"cuda\""]],
        holds: above_ops,
        remedy: "only symdiff-ops knows whether CUDA is built in; elsewhere the device is a value",
    },
    Ban {
        rule: "matmul",
        patterns: &[&[".", "matmul", "("], &["Tensor", ":", ":", "matmul"]],
        holds: |path| path.starts_with("crates/symdiff-core/") || is_top_level_of_groups(path),
        remedy: "group elements are used only by act, compose and inverse, which live with their group",
    },
    Ban {
        rule: "gradient",
        patterns: &[
            &["candle_nn", ":", ":", "LayerNorm"],
            &["candle_nn", ":", ":", "layer_norm"],
            &["candle_nn", ":", ":", "RmsNorm"],
            &["ops", ":", ":", "layer_norm"],
            &["ops", ":", ":", "rms_norm"],
            &["ops", ":", ":", "softmax_last_dim"],
            &[".", "apply_op1_no_bwd"],
            &[".", "apply_op2_no_bwd"],
            &[".", "apply_op3_no_bwd"],
        ],
        holds: above_ops,
        remedy: "it has no backward pass and drops gradients without a word; use the op of symdiff-ops",
    },
];

fn above_ops(path: &str) -> bool {
    !path.starts_with("crates/symdiff-ops/")
}

/// `traits.rs` and the like, where no particular group is known.
fn is_top_level_of_groups(path: &str) -> bool {
    path.strip_prefix("crates/symdiff-groups/src/").is_some_and(|inside| !inside.contains('/'))
}

pub(super) fn check(files: &[TextFile]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut sources = Vec::new();
    for file in files.iter().filter(|file| is_library(&file.path)) {
        match Source::parse(&file.text) {
            Ok(source) => sources.push((file.path.as_path(), source)),
            Err((line, remedy)) => findings.push(Finding { file: file.path.clone(), line, rule: "syntax", remedy }),
        }
    }
    let tests: HashSet<PathBuf> = sources.iter().flat_map(|(path, source)| module_roots(path, &source.test_modules)).collect();
    let is_test = |path: &Path| path.ancestors().any(|part| tests.contains(&part.with_extension("")));
    for (path, source) in sources.iter().filter(|(path, _)| !is_test(path)) {
        findings.extend(check_source(path, source));
    }
    findings
}

fn check_source(path: &Path, source: &Source) -> Vec<Finding> {
    let finding = |line, rule, remedy: &str| Finding { file: path.to_owned(), line, rule, remedy: remedy.to_owned() };
    let name = path.to_string_lossy();
    let mut findings = Vec::new();
    for ban in BANS.iter().filter(|ban| (ban.holds)(&name)) {
        let lines = ban.patterns.iter().flat_map(|pattern| source.places(pattern));
        findings.extend(lines.map(|line| finding(line, ban.rule, ban.remedy)));
    }
    if above_ops(&name) {
        let remedy = "what depends on the dtype is decided in symdiff-ops; convert, or ask an op";
        findings.extend(source.dtype_patterns.iter().map(|line| finding(*line, "dtype", remedy)));
    }
    for token in source.tokens.iter().filter(|token| token.is_name && !token.text.is_ascii()) {
        findings.push(finding(
            token.line,
            "ascii",
            &format!("the identifier {} is not ASCII; spell it, and use Greek in docs", token.text),
        ));
    }
    findings
}

/// Rust under `crates/*/src`.
fn is_library(path: &Path) -> bool {
    let mut parts = path.iter();
    path.extension().is_some_and(|ending| ending == "rs")
        && parts.next().is_some_and(|part| part == "crates")
        && parts.nth(1).is_some_and(|part| part == "src")
}

/// Where modules declared in a file live, without `.rs`: `a/mod.rs` and `a.rs` declare `a/name`, `lib.rs` declares `name`.
fn module_roots(path: &Path, modules: &[String]) -> Vec<PathBuf> {
    let is_root = path.file_stem().is_some_and(|stem| stem == "mod" || stem == "lib" || stem == "main");
    let folder = if is_root { path.parent().unwrap_or(path).to_owned() } else { path.with_extension("") };
    modules.iter().map(|module| folder.join(module)).collect()
}
