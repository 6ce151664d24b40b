//! A molecule forming: the states of one trajectory side by side, from noise to the molecule.

use super::gallery::{Drawing, drawings_of, json};
use maud::{Markup, PreEscaped, html};
use symdiff_mol::Molecule;

/// The frames of a trajectory in order, each under its name. The viewer shows all of them from the side from which the last one is seen best, and
/// turns them together.
pub(super) fn chain(frames: &[Molecule]) -> Markup {
    let drawings = drawings_of(frames);
    html! {
        div class="gallery chain" {
            script type="application/json" { (PreEscaped(json(&drawings))) }
            @for drawing in &drawings { (frame(drawing)) }
        }
    }
}

fn frame(Drawing { name, .. }: &Drawing) -> Markup {
    html! {
        figure class="card" {
            canvas tabindex="0" role="img" aria-label={ (name) ": drag or use the arrow keys to turn, double-click to enlarge" } {}
            figcaption { (name) }
        }
    }
}
