//! The rows for people, for spreadsheets and for programs.

use serde_json::{Value, json};
use symdiff_cli::report::{BackboneRow, Cost};

const MIB: f64 = (1_u64 << 20) as f64;

/// One line per row, the training step left of the call; a gap where the size changes.
pub(super) fn readable(rows: &[BackboneRow]) -> String {
    let mut lines = vec![
        format!("{:>31} | {:^42} | {:^42} | {:^20}", "", "training step", "call", "equivariance error"),
        format!("{:<20} {:>4} {:>5} | {} | {} | {:>10} {:>9}  note", "model", "N", "batch", HEAD, HEAD, "same noise", "coupled"),
    ];
    let mut last = None;
    for row in rows {
        if last.replace((row.atoms, row.batch)).is_some_and(|last| last != (row.atoms, row.batch)) {
            lines.push(String::new());
        }
        let BackboneRow { label, atoms, batch, note, .. } = row;
        let [train, sample] = [&row.train, &row.sample].map(|cost| columns(cost.as_ref(), *batch));
        let [pointwise, coupled] = [row.pointwise_error, row.coupled_gap].map(|error| shown(error, |error| format!("{error:.1e}")));
        lines.push(
            format!("{label:<20} {atoms:>4} {batch:>5} | {train} | {sample} | {pointwise:>10} {coupled:>9}  {note}").trim_end().to_owned(),
        );
    }
    lines.join("\n")
}

/// The head of [`columns`].
const HEAD: &str = "        s ms/molecule  GFLOP GFLOP/s   MiB";

fn columns(cost: Option<&Cost>, batch: usize) -> String {
    let of = |part: fn(&Cost) -> Option<f64>, digits: usize| shown(cost.and_then(part), |value| format!("{value:.digits$}"));
    let each = shown(cost, |cost| format!("{:.3}", 1e3 * cost.seconds / batch as f64));
    let seconds = of(|cost| Some(cost.seconds), 4);
    let flops = of(|cost| cost.flops.map(|flops| flops as f64 / 1e9), 1);
    let speed = of(|cost| cost.flops_per_s.map(|flops| flops / 1e9), 0);
    let memory = of(|cost| cost.bytes.map(|bytes| bytes as f64 / MIB), 0);
    format!("{seconds:>9} {each:>11} {flops:>6} {speed:>7} {memory:>5}")
}

fn shown<T>(value: Option<T>, text: impl FnOnce(T) -> String) -> String {
    value.map_or_else(|| "–".to_owned(), text)
}

/// One flat object per row, as the table in the book explains it.
pub(super) fn json(row: &BackboneRow) -> Value {
    let [train, sample] = [row.train.as_ref(), row.sample.as_ref()];
    let each = |cost: Option<&Cost>| cost.map(|cost| cost.seconds / row.batch as f64);
    let bytes = |cost: Option<&Cost>| cost.and_then(|cost| cost.bytes);
    let flops = |cost: Option<&Cost>| cost.and_then(|cost| cost.flops);
    let speed = |cost: Option<&Cost>| cost.and_then(|cost| cost.flops_per_s);
    json!({
        "model": row.model,
        "label": row.label,
        "parameters": row.parameters,
        "atoms": row.atoms,
        "batch": row.batch,
        "train_s_per_step": train.map(|cost| cost.seconds),
        "train_s_per_molecule": each(train),
        "train_bytes": bytes(train),
        "train_flops": flops(train),
        "train_flops_per_s": speed(train),
        "sample_s_per_call": sample.map(|cost| cost.seconds),
        "sample_s_per_molecule": each(sample),
        "sample_bytes": bytes(sample),
        "sample_flops": flops(sample),
        "sample_flops_per_s": speed(sample),
        "pointwise_error": row.pointwise_error,
        "coupled_gap": row.coupled_gap,
        "note": row.note,
    })
}

/// The columns of the file, in order: the keys of [`json()`].
const COLUMNS: [&str; 18] = [
    "model",
    "label",
    "parameters",
    "atoms",
    "batch",
    "train_s_per_step",
    "train_s_per_molecule",
    "train_bytes",
    "train_flops",
    "train_flops_per_s",
    "sample_s_per_call",
    "sample_s_per_molecule",
    "sample_bytes",
    "sample_flops",
    "sample_flops_per_s",
    "pointwise_error",
    "coupled_gap",
    "note",
];

pub(super) fn csv(rows: &[BackboneRow]) -> String {
    let field = |value: &Value| match value {
        Value::Null => String::new(),
        Value::String(text) => format!("\"{}\"", text.replace('"', "\"\"")),
        number => number.to_string(),
    };
    let line = |row| {
        let row = json(row);
        COLUMNS.map(|column| field(&row[column])).join(",")
    };
    let lines: Vec<String> = rows.iter().map(line).collect();
    format!("{}\n{}\n", COLUMNS.join(","), lines.join("\n"))
}
