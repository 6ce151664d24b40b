//! An HTML document around a body: its style, and the viewer of molecules.

use maud::{DOCTYPE, Markup, PreEscaped, html};

const STYLE: &str = include_str!("page.css");

/// The viewer of molecules: a small canvas, no library.
const VIEWER: &str = include_str!("viewer.js");

/// A document that needs no other file.
pub(super) fn document(title: &str, body: &Markup) -> String {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) }
                style { (PreEscaped(STYLE)) (PreEscaped(symdiff_figures::STYLE)) }
            }
            body {
                main { (body) }
                script { (PreEscaped(VIEWER)) }
            }
        }
    };
    page.into_string()
}
