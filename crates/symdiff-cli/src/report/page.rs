//! The page: headline, table, plots, molecules, and how each number was made.

use super::chain::chain;
use super::document::document;
use super::gallery::gallery;
use super::input::{Report, RunReport};
use super::table::{self, duration};
use super::{cells, histograms, seeds, time};
use crate::failure::{Failure, Outcome};
use maud::{Markup, PreEscaped, html};
use symdiff_figures::{Figure, losses};

/// Every plot of a report: the loss, the sizes, then one per kind of bond; before them, where models were sampled along several routes, quality over calls.
pub(super) fn figures(report: &Report) -> Vec<Figure> {
    let curve = |run: &RunReport| run.curve.iter().map(|(step, loss)| (*step as f64, *loss)).collect();
    let curves: Vec<_> = report.rows.iter().map(|run| (run.name.clone(), curve(run))).collect();
    let mut figures: Vec<Figure> = report.rows.iter().flat_map(cells::figures).collect();
    figures.push(losses("Training loss", &curves));
    figures.extend(time::figure(report));
    figures.push(histograms::sizes(report));
    figures.extend(histograms::bond_lengths(report));
    figures
}

/// The whole page.
pub(super) fn render(report: &Report, figures: &[Figure]) -> Outcome<String> {
    let galleries = galleries(report)?;
    Ok(document(
        &report.title,
        &html! {
            header {
                h1 { (report.title) }
                p class="facts" {
                    "profile " b { (report.profile) } " · " (seeds::words(report)) " · " (report.machines())
                    " · " (duration(report.seconds))
                }
            }
            section {
                h2 { "Results" }
                (table::html(report))
                p class="note" { (table::caption(report)) " " (cells::of_rows(report)) }
                (seeds::html(report))
                (cells::html(report))
            }
            section {
                h2 { "Training and distributions" }
                p class="note" { "Bold lines of the loss are running means; the pale ones beneath are what they average. Histograms have area 1." }
                div class="plots" {
                    @for figure in figures { figure { figcaption { (figure.title) } (PreEscaped(figure.svg())) } }
                }
            }
            section {
                h2 { "Molecules" }
                p class="note" {
                    "The first samples of each run, not the best. Drag to turn, double-click to enlarge. A green dot marks molecules whose atoms are all stable."
                }
                (galleries)
            }
            @if report.rows.iter().any(|run| !run.chain.is_empty()) { (forming(report)) }
            (provenance(report))
        },
    ))
}

/// One gallery per run, and the data's for comparison.
fn galleries(report: &Report) -> Outcome<Markup> {
    let sets = report.rows.iter().map(|run| (run.name.as_str(), &run.molecules));
    let sets = sets.chain([(report.data.name.as_str(), &report.data.molecules)]);
    let mut page = PreEscaped(String::new());
    for (name, molecules) in sets.filter(|(_, molecules)| !molecules.is_empty()) {
        let gallery = gallery(molecules, report.protocol).map_err(|fault| Failure::run(format!("the gallery of {name}: {fault}")))?;
        page.0 += &html! { h3 { (name) } (gallery) }.into_string();
    }
    Ok(page)
}

/// The first molecule of each run on its way from noise.
fn forming(report: &Report) -> Markup {
    html! {
        section {
            h2 { "A molecule forming" }
            p class="note" {
                "The first sample of each run at some times t of its trajectory, from noise at t = 1 to the molecule. Lines join atoms at the distance of a bond. "
                "Drag one to turn all."
            }
            @for run in report.rows.iter().filter(|run| !run.chain.is_empty()) { h3 { (run.name) } (chain(&run.chain)) }
        }
    }
}

/// How each number was made.
fn provenance(report: &Report) -> Markup {
    html! {
        section {
            h2 { "How these numbers were made" }
            pre { code { (report.command) } }
            dl {
                dt { "where" } dd { (report.machines()) ", " (duration(report.seconds)) " in all" }
                dt { "drawn from" } dd {
                    (seeds::words(report)) " for training and sampling"
                }
                dt { "samples" } dd {
                    @for (k, run) in report.rows.iter().enumerate() { @if k > 0 { ", " } (run.name) " " (run.samples) }
                    "; data (" (report.data.name) ") " (report.data.samples)
                }
                dt { "atoms stable" } dd { "stable atoms of all molecules over atoms of all molecules; bonds are perceived from distances" }
                dt { "molecules stable" } dd { "share of molecules all of whose atoms are stable" }
                dt { "valid" } dd { "share of molecules that can be sanitised" }
                dt { "unique" } dd { "distinct over valid molecules" }
                dt { "NLL" } dd { "negative log-likelihood of held-out molecules, nats per molecule; – where it was not computed" }
                dt { "published" } dd { (report.published.source) }
            }
        }
    }
}
