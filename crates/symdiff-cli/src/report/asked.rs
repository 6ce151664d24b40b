//! What was asked of molecules against what they turned out to be: a plot for each property, and molecules in the order of the first.

use super::document::document;
use super::gallery::gallery;
use maud::{PreEscaped, html};
use std::collections::BTreeMap;
use symdiff_figures::{Axis, Figure, Frame, Kind, Layer, Style};
use symdiff_mol::chemistry::Protocol;
use symdiff_mol::metrics::TargetSummary;
use symdiff_mol::{Fault, Molecule};

/// The page; `pairs` are (asked, got) of each property, `molecules` are shown in their order. `got` says what computed them.
///
/// # Errors
/// [`Fault`] for a molecule that the protocol does not know how to judge.
pub(crate) fn page(
    title: &str,
    got: &'static str,
    pairs: &BTreeMap<String, Vec<(f64, f64)>>,
    molecules: &[Molecule],
    protocol: Protocol,
) -> Result<String, Fault> {
    let gallery = gallery(molecules, protocol)?;
    let shown = |value: Option<f64>| value.map_or_else(|| "–".to_owned(), |value| format!("{value:.3}"));
    Ok(document(
        title,
        &html! {
            h1 { (title) }
            div class="figures" { @for (name, pairs) in pairs { figure { (PreEscaped(figure(name, got, pairs).svg())) } } }
            table {
                thead { tr { th { "property" } th { "molecules" } th { "mean absolute error" } th { "by chance" } th { "correlation" } } }
                tbody {
                    @for (name, pairs) in pairs {
                        @let summary = TargetSummary::of(pairs);
                        tr {
                            td { (name) } td { (summary.molecules) } td { (shown(summary.mae)) }
                            td { (shown(summary.mae_shuffled)) } td { (shown(summary.correlation)) }
                        }
                    }
                }
            }
            (gallery)
        },
    ))
}

/// Points about the diagonal.
fn figure(name: &str, got: &'static str, pairs: &[(f64, f64)]) -> Figure {
    let all = pairs.iter().flat_map(|(asked, got)| [*asked, *got]);
    let (low, high) = all.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)));
    let range = (low <= high).then_some((low, high));
    let axis = |label| Axis { label, kind: Kind::Linear, range };
    let diagonal = range.map(|(low, high)| vec![(low, low), (high, high)]).unwrap_or_default();
    Figure {
        name: format!("asked-{name}"),
        title: format!("{name}: asked against got"),
        frame: Frame::Axes { x: axis("asked"), y: axis(got) },
        layers: vec![
            Layer { label: Some(format!("{name}, as asked")), style: Style::Faint(1), points: diagonal },
            Layer { label: Some("molecules".to_owned()), style: Style::Points(0), points: pairs.to_vec() },
        ],
    }
}
