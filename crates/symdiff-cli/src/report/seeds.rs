//! Runs compared seed by seed, as HTML and Markdown.

use super::input::Report;
use maud::{Markup, html};
use std::fmt::Write;
use symdiff_models::suite::SeedTest;

const TITLES: [&str; 7] = ["run", "score", "difference", "± over seeds", "p", "p (Holm)", "verdict"];

/// The section of the page; nothing where nothing is compared.
pub(super) fn html(report: &Report) -> Markup {
    html! { @if let Some(first) = report.tests.first() {
        h3 { "Compared with " (first.reference) }
        p class="note" { (note(report)) }
        div class="wide" { table {
            thead { tr { @for title in TITLES { th scope="col" { (title) } } } }
            tbody { @for test in &report.tests { tr { @for cell in cells(test) { td { (cell) } } } } }
        } }
    } }
}

/// The same for a README or a terminal.
pub(super) fn markdown(report: &Report) -> String {
    let Some(first) = report.tests.first() else { return String::new() };
    let mut text = format!(
        "\nCompared with {}. {}\n\n| {} |\n|---|---{}|\n",
        first.reference,
        note(report),
        TITLES.join(" | "),
        "|---:".repeat(TITLES.len() - 2)
    );
    for test in &report.tests {
        let _ = writeln!(text, "| {} |", cells(test).join(" | "));
    }
    text
}

fn note(report: &Report) -> String {
    format!("Paired t-tests over {} training seeds; p corrected for the number of runs as by Holm.", report.seeds.len())
}

fn cells(test: &SeedTest) -> [String; 7] {
    let (factor, unit) = if test.score == "nll" { (1.0, "nat") } else { (100.0, "%") };
    let verdict = if test.significant { "significant" } else { "not significant" };
    [
        test.run.clone(),
        format!("{} / {unit}", test.score.replace('_', " ")),
        format!("{:+.2}", factor * test.difference).replace('-', "−"),
        format!("{:.2}", factor * test.standard_error),
        format!("{:.3}", test.p_value),
        format!("{:.3}", test.p_holm),
        verdict.to_owned(),
    ]
}
