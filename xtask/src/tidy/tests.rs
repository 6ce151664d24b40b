//! Small made-up trees: what breaks a rule is found where it stands, and what looks like it is left alone.

use super::*;

/// Writes files, checks them, and gives `file:line: rule`, without the rules about ops where none is asked for.
fn found(files: &[(&str, &str)]) -> Vec<String> {
    let root = tempfile::tempdir().unwrap();
    for (path, text) in files {
        let path = root.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    let checked = check(root.path()).unwrap();
    assert_eq!(checked.files, files.len());
    checked.findings.iter().map(|f| format!("{}:{}: {}", f.file.display(), f.line, f.rule)).collect()
}

const TRAIN: &str = "crates/symdiff-train/src/lib.rs";

#[test]
fn panics_are_found_and_tests_docs_and_strings_are_not() {
    let text = r#"//! Call `.unwrap()` in docs as you like.
/// ```
/// x.unwrap();
/// ```
pub fn f(x: Option<u8>) -> u8 {
    println!("{}", x.unwrap());
    let text = "todo!() .unwrap()";
    x.unwrap_or(text.len() as u8)
}
pub fn g() { todo!() }
#[cfg(test)]
mod tests {
    #[test]
    fn t() { None::<u8>.unwrap(); panic!("fine") }
}
#[cfg(test)]
mod more;
#[cfg(not(test))]
pub fn h(x: Option<u8>) -> u8 { x.expect("?") }
"#;
    let more = ("crates/symdiff-train/src/more.rs", "pub fn t() { panic!() }");
    let deeper = ("crates/symdiff-train/src/more/deeper.rs", "pub fn t() { panic!() }");
    assert_eq!(found(&[(TRAIN, text), more, deeper]), [6, 10, 19].map(|line| format!("{TRAIN}:{line}: panic")));
    assert!(found(&[("crates/symdiff-train/tests/t.rs", "fn t() { panic!() }"), ("xtask/src/main.rs", "fn t() { panic!() }")]).is_empty());
}

#[test]
fn what_belongs_to_the_ops_stays_there() {
    let text = r#"use candle_core::DType;
#[cfg(feature = "cuda")]
fn a() {}
fn b(x: *const u8) -> u8 { unsafe { *x } }
fn c(d: Option<DType>) -> bool { match d { Some(DType::F32 | DType::F64) => true, _ => d == Some(DType::BF16) } }
fn d(x: &candle_core::Tensor) { candle_nn::ops::softmax_last_dim(x); symdiff_ops::ada_layer_norm(x); }
"#;
    let lines = [(2, "cuda"), (4, "unsafe"), (5, "dtype"), (5, "dtype"), (6, "gradient")];
    assert_eq!(found(&[(TRAIN, text)]), lines.map(|(line, rule)| format!("{TRAIN}:{line}: {rule}")));
    assert!(found(&[("crates/symdiff-ops/src/lib.rs", text)]).is_empty());
}

#[test]
fn group_elements_are_not_multiplied_by_hand() {
    let text = "fn f(a: &Tensor) { a.matmul(a); }";
    let core = "crates/symdiff-core/src/a.rs";
    let traits = "crates/symdiff-groups/src/traits.rs";
    let files =
        [(core, text), (traits, text), ("crates/symdiff-groups/src/orthogonal/mod.rs", text), ("crates/symdiff-nets/src/a.rs", text)];
    assert_eq!(found(&files), [core, traits].map(|path| format!("{path}:1: matmul")));
}

#[test]
fn arrows_go_down() {
    let manifest =
        "[dependencies]\nsymdiff-ops.workspace = true\nsymdiff-core.workspace = true\n[dev-dependencies]\nsymdiff-mol.workspace = true\n";
    let nets = ("crates/symdiff-nets/Cargo.toml", manifest);
    let models = ("crates/symdiff-models/Cargo.toml", manifest);
    assert_eq!(found(&[nets, models]), ["crates/symdiff-nets/Cargo.toml:3: arrows"]);
    let target = "[target.'cfg(unix)'.dependencies]\nsymdiff-train = { path = \"..\" }\n";
    assert_eq!(found(&[("crates/symdiff-mol/Cargo.toml", target)]), ["crates/symdiff-mol/Cargo.toml:2: arrows"]);
}

#[test]
fn ops_have_tests_and_benches() {
    let op = ("crates/symdiff-ops/src/rotate/mod.rs", "");
    let test = ("crates/symdiff-ops/tests/ops/turns.rs", "use symdiff_ops::rotate;");
    let bench = ("benches/benches/ops.rs", "fn b() { rotate_rows() }");
    let missing = "crates/symdiff-ops/src/rotate/mod.rs:1: op";
    assert_eq!(found(&[op]), [missing, missing]);
    assert_eq!(found(&[op, test]), [missing]);
    assert_eq!(found(&[op, test, ("benches/benches/ops.rs", "fn b() { unrotate() }")]), [missing]);
    assert!(found(&[op, test, bench, ("crates/symdiff-ops/src/noise/mod.rs", "")]).is_empty());
}

#[test]
fn long_files_foreign_paths_and_letters_are_found() {
    let long = "// a line\n".repeat(451);
    let place = format!("see /{}/somebody/x, not https://a.b/{}/x", "home", "home");
    let files = [("benches/src/a.rs", long.as_str()), ("docs/a.md", place.as_str()), (TRAIN, "pub fn f(γ: f64) -> f64 { γ }")];
    let letters = format!("{TRAIN}:1: ascii");
    assert_eq!(found(&files), ["benches/src/a.rs:451: length", &letters, &letters, "docs/a.md:1: paths"]);
}
