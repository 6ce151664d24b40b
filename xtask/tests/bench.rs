//! The benchmarks' output.

mod common;

use common::json;

#[test]
fn a_profile_accounts_for_all_thread_time() {
    let summary =
        json(&["bench", "step", "--model", "symdiff-tiny", "--batch", "8", "--steps", "2", "--threads", "2", "--profile", "--json"]);
    let rows = summary["profile"].as_array().unwrap();
    let share: f64 = rows.iter().map(|row| row["share"].as_f64().unwrap()).sum();
    assert!((share - 1.0).abs() < 1e-9, "{share}");
    for op in ["matrix products", "ragged_attention", "ada_layer_norm", "adamw"] {
        let row = rows.iter().find(|row| row["op"] == op).unwrap_or_else(|| panic!("no row of {op}"));
        assert!(row["calls"].as_u64() > Some(0) && row["thread_s"].as_f64() > Some(0.0), "{row}");
    }
    assert_eq!(rows.last().unwrap()["op"], "outside ops");
}

#[test]
fn without_a_profile_nothing_listens() {
    let summary = json(&["bench", "sample", "--model", "symdiff-tiny", "--batch", "8", "--steps", "2", "--json"]);
    assert!(summary["profile"].is_null());
    assert!(summary["sample_s_per_call"].as_f64() > Some(0.0));
}
