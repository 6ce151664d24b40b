//! A run folder's report: one self-contained page, the same table for people and machines, and every plot as a file.
//!
//! Plain data in (`Report`), files out (`write`). Nothing here trains, samples or evaluates; what the page says beside a number
//! is what the caller says about how it was made.

mod asked;
mod backbones;
mod cells;
mod chain;
mod document;
mod gallery;
mod geometry;
mod histograms;
mod input;
mod page;
mod published;
mod seeds;
mod stored;
mod table;
#[cfg(test)]
mod tests;
mod time;

pub use backbones::{BackboneRow, Cost, drawing as backbones};
pub(crate) use {
    asked::page as asked,
    gallery::standalone as gallery,
    geometry::Geometry,
    input::{CellReport, DataReport, Machine, Report, RunReport, Tests},
    published::{GEOM, QM9},
    table::markdown,
};

use crate::destination::put;
use crate::failure::{Failure, Outcome};
use std::path::Path;

/// Writes `report.html`, `table.md`, `table.csv` and `plots/*.svg` into `folder`, which exists; and `cells.md` and `cells.csv` where models were sampled along several routes.
pub(crate) fn write(report: &Report, folder: &Path) -> Outcome<()> {
    let figures = page::figures(report);
    put(&folder.join("report.html"), &page::render(report, &figures)?)?;
    put(&folder.join("table.md"), &markdown(report))?;
    put(&folder.join("table.csv"), &table::csv(report))?;
    if report.rows.iter().any(|run| !run.cells.is_empty()) {
        put(&folder.join("cells.md"), &cells::markdown(report))?;
        put(&folder.join("cells.csv"), &cells::csv(report))?;
    }
    let plots = folder.join("plots");
    std::fs::create_dir_all(&plots).map_err(|error| Failure::file(&plots, "create it", &error))?;
    figures.iter().try_for_each(|figure| put(&plots.join(format!("{}.svg", figure.name)), &figure.standalone()))
}
