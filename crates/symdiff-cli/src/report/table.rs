//! The table: rows of this run, of its data and of others, as HTML, Markdown and CSV.

use super::input::Report;
use super::published::PublishedRow;
use super::{cells, seeds};
use maud::{Markup, html};
use std::fmt::Write;
use symdiff_models::suite::{Estimate, Scores};

/// One score: how it is called, shown and found.
struct Column {
    title: &'static str,
    key: &'static str,
    /// What a number is multiplied with to be shown: 100 for rates.
    shown: f64,
    ours: fn(&Scores) -> Option<Estimate>,
    theirs: fn(&PublishedRow) -> Option<f64>,
}

const COLUMNS: [Column; 6] = [
    Column { title: "NLL / nat", key: "nll", shown: 1.0, ours: |s| s.nll, theirs: |r| r.nll },
    Column { title: "atoms stable / %", key: "atom_stability", shown: 100.0, ours: |s| s.atom_stability, theirs: |r| r.atom_stability },
    Column {
        title: "molecules stable / %",
        key: "molecule_stability",
        shown: 100.0,
        ours: |s| s.molecule_stability,
        theirs: |r| r.molecule_stability,
    },
    Column { title: "valid / %", key: "validity", shown: 100.0, ours: |s| s.validity, theirs: |r| r.validity },
    Column { title: "unique / %", key: "uniqueness", shown: 100.0, ours: |s| s.uniqueness, theirs: |r| r.uniqueness },
    Column { title: "in one piece / %", key: "connected", shown: 100.0, ours: |s| s.connected, theirs: |_| None },
];
const COSTS: [&str; 5] = ["samples", "parameters", "steps", "training", "sampling"];

/// A row before it is set in any format.
struct Row {
    name: String,
    scores: [String; COLUMNS.len()],
    costs: [String; COSTS.len()],
}

/// The table of the page.
pub(super) fn html(report: &Report) -> Markup {
    let columns = 1 + COLUMNS.len() + COSTS.len();
    let published: Vec<Row> = report.published.rows.iter().map(theirs).collect();
    html! {
        div class="wide" { table {
            thead { tr {
                th scope="col" { "run" }
                @for title in COLUMNS.iter().map(|c| c.title).chain(COSTS) { th scope="col" { (title) } }
            } }
            tbody { @for row in ours(report) { (row.html()) } }
            tbody class="published" {
                tr { th colspan=(columns) scope="rowgroup" { (report.published.source) } }
                @for row in &published { (row.html()) }
            }
        } }
    }
}

/// The table for a README or a terminal.
pub(crate) fn markdown(report: &Report) -> String {
    let titles: Vec<&str> = std::iter::once("run").chain(COLUMNS.iter().map(|c| c.title)).chain(COSTS).collect();
    let mut text = format!("| {} |\n|---{}|\n", titles.join(" | "), "|---:".repeat(titles.len() - 1));
    for row in ours(report) {
        row.markdown(&mut text, "");
    }
    for row in report.published.rows {
        theirs(row).markdown(&mut text, " (published)");
    }
    let _ = writeln!(text, "\n{} {} {}.", caption(report), cells::of_rows(report), report.published.source);
    text += &seeds::markdown(report);
    text
}

/// What ± is, and what the times are.
pub(super) fn caption(report: &Report) -> String {
    let over = match report.seeds.len() {
        0 => String::new(),
        seeds => format!(" over {seeds} training seeds; of the data over groups of molecules"),
    };
    let nominal = report.nominal_minutes.map(|minutes| {
        format!(
            " The steps of each run take {minutes} minutes on the machine for which they were chosen; the times of training are those measured, with the threads of the time and beside other work."
        )
    });
    format!("± one standard error{over}.{}", nominal.unwrap_or_default())
}

/// The table for programs: fractions, nats and seconds, empty where there is no number.
pub(super) fn csv(report: &Report) -> String {
    let mut text = "source,name".to_owned();
    for column in &COLUMNS {
        let _ = write!(text, ",{0},{0}_standard_error", column.key);
    }
    text += ",samples,parameters,steps,train_seconds,sample_seconds\n";
    for run in &report.rows {
        let costs = format!(",{},{},{},{},{}", run.samples, run.parameters, run.steps, run.train_seconds, run.sample_seconds);
        csv_row(&mut text, "run", &run.name, |column| estimate(column, &run.scores), &costs);
    }
    let costs = format!(",{},,,,", report.data.samples);
    csv_row(&mut text, "data", &report.data.name, |column| estimate(column, &report.data.scores), &costs);
    for row in report.published.rows {
        csv_row(&mut text, "published", row.name, |column| ((column.theirs)(row).map(|value| value / column.shown), None), ",,,,,");
    }
    text
}

type Pair = (Option<f64>, Option<f64>);

fn estimate(column: &Column, scores: &Scores) -> Pair {
    let found = (column.ours)(scores);
    (found.map(|e| e.mean), found.map(|e| e.standard_error))
}

fn csv_row(text: &mut String, source: &str, name: &str, value: impl Fn(&Column) -> Pair, costs: &str) {
    let number = |value: Option<f64>| value.filter(|v| v.is_finite()).map(|v| v.to_string()).unwrap_or_default();
    let _ = write!(text, "{source},\"{}\"", name.replace('"', "\"\""));
    for column in &COLUMNS {
        let (mean, error) = value(column);
        let _ = write!(text, ",{},{}", number(mean), number(error));
    }
    text.push_str(costs);
    text.push('\n');
}

/// The runs, and the data they learned from.
fn ours(report: &Report) -> Vec<Row> {
    let scores = |scores: &Scores| COLUMNS.each_ref().map(|column| shown((column.ours)(scores), column.shown));
    let runs = report.rows.iter().map(|run| Row {
        name: run.name.clone(),
        scores: scores(&run.scores),
        costs: [
            run.samples.to_string(),
            count(run.parameters as f64),
            run.steps.to_string(),
            duration(run.train_seconds),
            duration(run.sample_seconds),
        ],
    });
    let data = Row {
        name: format!("data: {}", report.data.name),
        scores: scores(&report.data.scores),
        costs: [report.data.samples.to_string(), String::new(), String::new(), String::new(), String::new()],
    };
    runs.chain([data]).collect()
}

fn theirs(row: &PublishedRow) -> Row {
    let score =
        |column: &Column| (column.theirs)(row).map_or_else(|| "–".to_owned(), |value| format!("{value:.0$}", row.places).replace('-', "−"));
    Row { name: row.name.to_owned(), scores: COLUMNS.each_ref().map(score), costs: Default::default() }
}

impl Row {
    fn html(&self) -> Markup {
        html! { tr {
            th scope="row" { (self.name) }
            @for cell in self.scores.iter().chain(&self.costs) { td { (cell) } }
        } }
    }

    fn markdown(&self, text: &mut String, mark: &str) {
        let cells: Vec<&str> = self.scores.iter().chain(&self.costs).map(String::as_str).collect();
        let name = self.name.replace('|', "\\|").replace(['\n', '\r'], " ");
        let _ = writeln!(text, "| {name}{mark} | {} |", cells.join(" | "));
    }
}

/// `87.5 ± 1.2`, with as many decimals as the error deserves.
pub(super) fn shown(estimate: Option<Estimate>, factor: f64) -> String {
    let Some(Estimate { mean, standard_error }) = estimate.filter(|e| e.mean.is_finite()) else {
        return "–".to_owned();
    };
    let (mean, error) = (mean * factor, standard_error * factor);
    let places = if error.is_finite() && error >= 0.95 { 1 } else { 2 };
    let error = if error.is_finite() { format!(" ± {error:.places$}") } else { String::new() };
    format!("{mean:.places$}{error}").replace('-', "−")
}

fn count(number: f64) -> String {
    match number {
        ..1e4 => format!("{number:.0}"),
        ..1e6 => format!("{:.0} k", number / 1e3),
        _ => format!("{:.2} M", number / 1e6),
    }
}

/// Seconds as people say them.
pub(super) fn duration(seconds: f64) -> String {
    let whole = seconds.max(0.0).round() as u64;
    match whole {
        0..10 => format!("{seconds:.1} s"),
        10..120 => format!("{whole} s"),
        120..7200 => format!("{} min {:02} s", whole / 60, whole % 60),
        _ => format!("{} h {:02} min", whole / 3600, whole / 60 % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_shown_as_well_as_they_are_known() {
        let of = |mean, standard_error| shown(Some(Estimate { mean, standard_error }), 100.0);
        assert_eq!(of(0.8749, 0.0023), "87.49 ± 0.23");
        assert_eq!(of(0.8749, 0.0213), "87.5 ± 2.1");
        assert_eq!(of(f64::NAN, 0.1), "–");
        assert_eq!(shown(Some(Estimate { mean: -41.237, standard_error: f64::NAN }), 1.0), "−41.24");
        assert_eq!([9.96, 75.2, 125.0, 86_399.0].map(duration), ["10 s", "75 s", "2 min 05 s", "23 h 59 min"]);
    }
}
