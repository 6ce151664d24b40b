//! Molecules that can be turned: their data for `viewer.js`, and one card each.

use super::document::document;
use maud::{Markup, PreEscaped, html};
use serde::Serialize;
use std::borrow::Cow;
use std::collections::BTreeMap;
use symdiff_mol::chemistry::{Protocol, Verdict, perceive_bonds};
use symdiff_mol::{Bond, Fault, Molecule, element};

/// What the viewer draws.
#[derive(Serialize)]
pub(super) struct Drawing {
    pub(super) name: String,
    symbols: Vec<&'static str>,
    /// Angstrom, to the third decimal.
    positions: Vec<[f64; 3]>,
    /// First atom, second atom, electron pairs.
    bonds: Vec<[usize; 3]>,
}

/// A page of one gallery.
///
/// # Errors
/// [`Fault`] for a molecule that the protocol does not know how to judge.
pub(crate) fn standalone(title: &str, molecules: &[Molecule], protocol: Protocol) -> Result<String, Fault> {
    let gallery = gallery(molecules, protocol)?;
    Ok(document(title, &html! { h1 { (title) } (gallery) }))
}

/// Cards of molecules as a protocol judges them.
pub(super) fn gallery(molecules: &[Molecule], protocol: Protocol) -> Result<Markup, Fault> {
    let verdicts = molecules.iter().map(|molecule| protocol.judge(molecule)).collect::<Result<Vec<_>, _>>()?;
    let drawings = drawings_of(molecules);
    Ok(html! {
        div class="gallery" {
            script type="application/json" { (PreEscaped(json(&drawings))) }
            @for (drawing, verdict) in drawings.iter().zip(&verdicts) { (card(drawing, verdict)) }
        }
    })
}

/// What the viewer draws of molecules.
pub(super) fn drawings_of(molecules: &[Molecule]) -> Vec<Drawing> {
    molecules.iter().map(drawing).collect()
}

fn card(drawing: &Drawing, verdict: &Verdict) -> Markup {
    let Verdict { atoms, stable_atoms, mol_stable, valid, n_fragments, .. } = verdict;
    html! {
        figure class=(if *mol_stable { "card stable" } else { "card" }) title=(drawing.name) {
            canvas tabindex="0" role="img" aria-label={ (drawing.name) ": drag or use the arrow keys to turn, double-click to enlarge" } {}
            figcaption {
                b { (formula(&drawing.symbols)) }
                span { @if *mol_stable { "● stable" } @else { (stable_atoms) " of " (atoms) " atoms stable" } }
                @if !valid { span class="bad" { "invalid" } }
                @if *n_fragments > 1 { span class="bad" { (n_fragments) " pieces" } }
            }
        }
    }
}

fn drawing(molecule: &Molecule) -> Drawing {
    let (atomic_numbers, positions) = (molecule.atomic_numbers(), molecule.positions());
    let bonds = molecule.bonds().map_or_else(|| Cow::Owned(perceive_bonds(atomic_numbers, positions)), Cow::Borrowed);
    Drawing {
        name: molecule.name().to_owned(),
        symbols: atomic_numbers.iter().map(|z| element::symbol(*z).unwrap_or("?")).collect(),
        positions: positions.iter().map(|x| x.map(|x| (x * 1e3).round() / 1e3)).collect(),
        bonds: bonds.iter().map(|Bond { first, second, order }| [*first, *second, order.pairs().map_or(1, usize::from)]).collect(),
    }
}

/// JSON that cannot end the script element it stands in.
pub(super) fn json(drawings: &[Drawing]) -> String {
    let list = serde_json::json!(drawings);
    list.to_string().replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026")
}

/// Hill's formula: carbon, hydrogen, then the alphabet.
fn formula(symbols: &[&'static str]) -> Markup {
    let mut counts: BTreeMap<(u8, &str), usize> = BTreeMap::new();
    let carbon = symbols.contains(&"C");
    for symbol in symbols {
        let rank = match *symbol {
            "C" => 0,
            "H" if carbon => 1,
            _ => 2,
        };
        *counts.entry((rank, symbol)).or_default() += 1;
    }
    html! { @for ((_, symbol), count) in &counts { (symbol) @if *count > 1 { sub { (count) } } } }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_follow_hill() {
        assert_eq!(formula(&["H", "O", "C", "H", "H", "H"]).into_string(), "CH<sub>4</sub>O");
        assert_eq!(formula(&["O", "H", "H"]).into_string(), "H<sub>2</sub>O");
    }

    #[test]
    fn names_cannot_leave_their_place() -> Result<(), Fault> {
        let evil = "</script><script>alert('&\"')</script>";
        let water = Molecule::new(evil, vec![8, 1, 1], vec![[0.0; 3], [0.76, 0.59, 0.0], [-0.76, 0.59, 0.0]])?;
        let page = standalone(evil, &[water], Protocol::EdmQm9)?;
        assert_eq!(page.matches("<script").count(), 2);
        assert!(!page.contains("<script>alert"));
        Ok(())
    }
}
