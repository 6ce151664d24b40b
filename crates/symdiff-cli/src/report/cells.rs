//! Quality over calls of the network: each model along several routes, as HTML, Markdown, CSV and plots.

use super::input::{CellReport, Report, RunReport};
use super::table::{duration, shown};
use maud::{Markup, html};
use std::fmt::Write;
use symdiff_diffusion::Route;
use symdiff_figures::{Axis, Figure, Frame, Kind, Layer, Style};
use symdiff_models::suite::{Estimate, Scores};

/// One score of a cell.
struct Column {
    title: &'static str,
    key: &'static str,
    of: fn(&Scores) -> Option<Estimate>,
}

const COLUMNS: [Column; 4] = [
    Column { title: "atoms stable / %", key: "atom_stability", of: |s| s.atom_stability },
    Column { title: "molecules stable / %", key: "molecule_stability", of: |s| s.molecule_stability },
    Column { title: "valid and unique / %", key: "valid_unique", of: |s| s.valid_unique },
    Column { title: "in one piece / %", key: "connected", of: |s| s.connected },
];
/// The scores that are drawn.
const DRAWN: [usize; 2] = [0, 2];
const ROUTE: [&str; 5] = ["run", "sampler", "grid", "frames", "calls"];

/// The table of the page; nothing where no model was sampled along several routes.
pub(super) fn html(report: &Report) -> Markup {
    html! {
        @if report.rows.iter().any(|run| !run.cells.is_empty()) {
            h3 { "Quality over calls of the network" }
            div class="wide" { table {
                thead { tr {
                    @for title in ROUTE.into_iter().chain(COLUMNS.map(|c| c.title)).chain(["sampling"]) { th scope="col" { (title) } }
                } }
                @for run in report.rows.iter().filter(|run| !run.cells.is_empty()) {
                    tbody { @for cell in &run.cells { tr {
                        th scope="row" { (run.name) }
                        @for text in texts(cell) { td { (text) } }
                    } } }
                }
            } }
        }
    }
}

/// The table for a README or a terminal.
pub(super) fn markdown(report: &Report) -> String {
    let titles: Vec<&str> = ROUTE.into_iter().chain(COLUMNS.map(|c| c.title)).chain(["sampling"]).collect();
    let mut text = format!("| {} |\n|---|---|---|---{}|\n", titles.join(" | "), "|---:".repeat(titles.len() - 4));
    for (run, cell) in all(report) {
        let _ = writeln!(text, "| {} | {} |", run.name.replace('|', "\\|"), texts(cell).join(" | "));
    }
    let _ = writeln!(text, "\n± one standard error. Reading a molecule off the end of a trajectory takes one call more.");
    text
}

/// The table for programs: fractions and seconds, empty where there is no number.
pub(super) fn csv(report: &Report) -> String {
    let mut text = "run,sampler,grid,frames,steps,calls,samples,seconds".to_owned();
    for column in &COLUMNS {
        let _ = write!(text, ",{0},{0}_standard_error", column.key);
    }
    text.push('\n');
    for (run, cell) in all(report) {
        let Route { steps, spacing, framing, .. } = cell.route;
        let name = run.name.replace('"', "\"\"");
        let _ = write!(
            text,
            "\"{name}\",{},{spacing},{framing},{steps},{},{},{}",
            sampler(cell.route),
            cell.route.calls(),
            cell.samples,
            cell.seconds
        );
        for column in &COLUMNS {
            let estimate = (column.of)(&cell.scores);
            let [mean, error] = [estimate.map(|e| e.mean), estimate.map(|e| e.standard_error)].map(number);
            let _ = write!(text, ",{mean},{error}");
        }
        text.push('\n');
    }
    text
}

/// The sampler with what sets it apart from others of its name.
fn sampler(route: Route) -> String {
    route.churn().map_or_else(|| route.method.to_string(), |churn| format!("{} {churn}", route.method))
}

fn number(value: Option<f64>) -> String {
    value.filter(|value| value.is_finite()).map(|value| value.to_string()).unwrap_or_default()
}

fn all(report: &Report) -> impl Iterator<Item = (&RunReport, &CellReport)> {
    report.rows.iter().flat_map(|run| run.cells.iter().map(move |cell| (run, cell)))
}

/// How the rows of the table were sampled, in a sentence for each way.
pub(super) fn of_rows(report: &Report) -> String {
    let mut routes: Vec<Route> = Vec::new();
    for route in report.rows.iter().map(|run| run.route) {
        if !routes.contains(&route) {
            routes.push(route);
        }
    }
    let several = routes.len() > 1;
    let sentence = |route: Route| {
        let Route { method, spacing, framing, .. } = route;
        let (churn, calls) = (route.churn().map(|churn| format!(" with a churn of {churn}")).unwrap_or_default(), route.calls());
        let runs: Vec<&str> = report.rows.iter().filter(|run| run.route == route).map(|run| run.name.as_str()).collect();
        let of = if several { format!(" of {}", runs.join(", ")) } else { String::new() };
        format!(
            "Molecules{of} are sampled by {method}{churn} on the grid {spacing} with {framing} frames, in {calls} calls of the network."
        )
    };
    routes.into_iter().map(sentence).collect::<Vec<_>>().join(" ")
}

/// A row without the name of its run.
fn texts(cell: &CellReport) -> Vec<String> {
    let Route { spacing, framing, .. } = cell.route;
    let route = [sampler(cell.route), spacing.to_string(), framing.to_string(), cell.route.calls().to_string()];
    let scores = COLUMNS.iter().map(|column| shown((column.of)(&cell.scores), 100.0));
    route.into_iter().chain(scores).chain([duration(cell.seconds)]).collect()
}

impl CellReport {
    /// Route and scores in words, for a log.
    pub(crate) fn sentence(&self) -> String {
        let Route { spacing, framing, .. } = self.route;
        let scores = COLUMNS.iter().map(|column| format!("{} {}", column.title, shown((column.of)(&self.scores), 100.0)));
        let scores = scores.collect::<Vec<_>>().join(", ");
        format!(
            "{}, {spacing} grid, {framing} frames, {} calls: {scores}; {}",
            sampler(self.route),
            self.route.calls(),
            duration(self.seconds)
        )
    }
}

/// Scores of a run over calls, a curve for each sampler with its grid and frames.
pub(super) fn figures(run: &RunReport) -> Vec<Figure> {
    if run.cells.is_empty() {
        return Vec::new();
    }
    let kind = |cell: &CellReport| Route { steps: 0, ..cell.route };
    let mut kinds: Vec<Route> = Vec::new();
    for cell in &run.cells {
        if !kinds.contains(&kind(cell)) {
            kinds.push(kind(cell));
        }
    }
    let curve = |(colour, route): (usize, &Route), column: &Column| {
        let own = run.cells.iter().filter(|cell| kind(cell) == *route);
        let score = |cell: &CellReport| Some((cell.route.calls() as f64, 100.0 * (column.of)(&cell.scores)?.mean));
        let mut points: Vec<(f64, f64)> = own.filter_map(score).collect();
        points.sort_by(|a, b| a.0.total_cmp(&b.0));
        let label = format!("{}, {}, {}", sampler(*route), route.spacing, route.framing);
        Layer { label: Some(label), style: Style::Dotted(colour), points }
    };
    let figure = |column: &Column| Figure {
        name: format!("calls-{}-{}", run.name, column.key),
        title: format!("{}: {} over calls", run.name, column.title.trim_end_matches(" / %")),
        frame: Frame::Axes { x: Axis::new("calls of the network", Kind::Log), y: Axis::new(column.title, Kind::Linear) },
        layers: kinds.iter().enumerate().map(|kind| curve(kind, column)).collect(),
    };
    DRAWN.iter().map(|&drawn| figure(&COLUMNS[drawn])).collect()
}
