//! Runs compared seed by seed, as HTML and Markdown.

use super::input::Report;
use maud::{Markup, html};
use std::fmt::Write;
use symdiff_models::suite::SeedTest;

const TITLES: [&str; 7] = ["run", "score", "difference", "95 % interval", "p", "p (Holm)", "verdict"];

/// The seeds as people say them.
pub(super) fn words(report: &Report) -> String {
    match report.seeds.as_slice() {
        [] => format!("seed {}", report.seed),
        seeds => format!("seeds {}", seeds.iter().map(u64::to_string).collect::<Vec<_>>().join(", ")),
    }
}

/// The section of the page; nothing where nothing is compared.
pub(super) fn html(report: &Report) -> Markup {
    html! {
        @if let Some(first) = report.tests.made.first() {
            h3 { "Compared with " (first.reference) }
            p class="note" { (note(report)) }
            div class="wide" { table {
                thead { tr { @for title in TITLES { th scope="col" { (title) } } } }
                tbody { @for test in &report.tests.made { tr { @for cell in cells(test) { td { (cell) } } } } }
            } }
        }
        @if let Some(missing) = &report.tests.missing { p class="note" { (missing) } }
    }
}

/// The same for a README or a terminal.
pub(super) fn markdown(report: &Report) -> String {
    let missing = report.tests.missing.as_ref().map(|missing| format!("\n{missing}\n")).unwrap_or_default();
    let Some(first) = report.tests.made.first() else { return missing };
    let mut text = format!(
        "\nCompared with {}. {}\n\n| {} |\n|---|---{}|\n",
        first.reference,
        note(report),
        TITLES.join(" | "),
        "|---:".repeat(TITLES.len() - 2)
    );
    for test in &report.tests.made {
        let _ = writeln!(text, "| {} |", cells(test).join(" | "));
    }
    text + &missing
}

fn note(report: &Report) -> String {
    format!(
        "Paired t-tests over {} training seeds. p is corrected as by Holm for the number of runs that the suite compares, for each score apart; intervals are \
         of single comparisons, not corrected. What is not significant is not shown to be equal. A run that differs by the same at every seed has no t and is left out.",
        report.seeds.len()
    )
}

fn cells(test: &SeedTest) -> [String; 7] {
    let (factor, unit) = if test.score == "nll" { (1.0, "nat") } else { (100.0, "%") };
    let verdict = if test.significant { "significant" } else { "not significant" };
    [
        test.run.clone(),
        format!("{} / {unit}", test.score.replace('_', " ")),
        format!("{:+.2}", factor * test.difference).replace('-', "−"),
        test.interval.map(|end| format!("{:+.2}", factor * end)).join(" to ").replace('-', "−"),
        format!("{:.3}", test.p_value),
        format!("{:.3}", test.p_holm),
        verdict.to_owned(),
    ]
}
