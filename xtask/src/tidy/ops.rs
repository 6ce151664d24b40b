//! Every op has a test against its twin and a bench that shows what it costs.

use super::Finding;
use super::tree::TextFile;
use std::collections::BTreeSet;
use std::path::Path;

const CRATE: &str = "crates/symdiff-ops/src";
/// Folders there that are no op: the noise streams, the sums over GPUs, and what all CPU, CUDA and emulated passes share.
const NOT_OPS: [&str; 6] = ["noise", "nccl", "simd", "gpu", "emulate", "agreement"];

pub(super) fn check(files: &[TextFile]) -> Vec<Finding> {
    let places = [("test", "crates/symdiff-ops/tests"), ("bench", "benches/benches")];
    let missing = |op: &str| {
        let named = |folder: &str| files.iter().any(|file| file.path.starts_with(folder) && mentions(&file.text, op));
        places.into_iter().filter(|(_, folder)| !named(folder)).collect::<Vec<_>>()
    };
    let folders = files.iter().filter_map(|file| op_folder(&file.path)).collect::<BTreeSet<_>>();
    let finding = |op: &str, (what, folder): (&str, &str)| Finding {
        file: Path::new(CRATE).join(op).join("mod.rs"),
        line: 1,
        rule: "op",
        remedy: format!("the op {op} has no {what}; name it in a file under {folder}"),
    };
    folders.iter().flat_map(|op| missing(op).into_iter().map(|place| finding(op, place))).collect()
}

fn op_folder(path: &Path) -> Option<String> {
    let inside = path.strip_prefix(CRATE).ok().filter(|inside| inside.components().count() > 1)?;
    let folder = inside.components().next()?.as_os_str().to_str()?;
    (!NOT_OPS.contains(&folder)).then(|| folder.to_owned())
}

/// Whether a word of the text starts with the op's name (`segment` is named by `segment_mean`).
fn mentions(text: &str, op: &str) -> bool {
    text.match_indices(op).any(|(at, _)| !text[..at].ends_with(|before: char| before.is_alphanumeric() || before == '_'))
}
