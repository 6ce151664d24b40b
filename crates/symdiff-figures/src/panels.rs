//! Several plots in one file: lines of them, each under its heading.

use crate::figure::{Figure, HEIGHT, STYLE, WIDTH};
use maud::{PreEscaped, html};

/// Room for the heading of a line.
const HEADING: f64 = 28.0;
/// Room between plots.
const GAP: f64 = 24.0;

/// The drawing as a file. A line is its heading and its plots.
pub fn panels(title: &str, lines: &[(String, Vec<Figure>)]) -> String {
    let columns = lines.iter().map(|(_, figures)| figures.len()).max().unwrap_or(0);
    let (across, down) = (WIDTH + GAP, HEADING + HEIGHT + GAP);
    let (width, height) = (columns as f64 * across, lines.len() as f64 * down);
    let drawing = html! {
        svg xmlns="http://www.w3.org/2000/svg" class="figure" viewBox={ "0 0 " (width) " " (height) } role="img" aria-label=(title) {
            title { (title) }
            style { (PreEscaped(STYLE)) }
            @for (row, (heading, figures)) in lines.iter().enumerate() {
                text class="heading" x="12" y=(row as f64 * down + 19.0) { (heading) }
                @for (column, figure) in figures.iter().enumerate() {
                    g transform={ "translate(" (column as f64 * across) " " (row as f64 * down + HEADING) ")" } { (figure.content()) }
                }
            }
        }
    };
    drawing.into_string()
}
