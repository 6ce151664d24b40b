//! A plot as SVG that follows the reader's colour scheme. The same drawing stands in the page and in a file of its own.

use super::scale::{Kind, Scale, label};
use maud::{Markup, PreEscaped, html};
use std::fmt::Write;

/// One plot.
#[derive(Debug)]
pub(super) struct Figure {
    /// File name without its ending.
    pub(super) name: String,
    /// What is shown.
    pub(super) title: String,
    pub(super) x: Axis,
    pub(super) y: Axis,
    /// Drawn in this order.
    pub(super) layers: Vec<Layer>,
}

/// What an axis counts, and the range to show; by default all there is.
#[derive(Debug)]
pub(super) struct Axis {
    pub(super) label: &'static str,
    pub(super) kind: Kind,
    pub(super) range: Option<(f64, f64)>,
}

/// One line or area.
#[derive(Debug)]
pub(super) struct Layer {
    /// Name for the legend, if it stands there.
    pub(super) label: Option<String>,
    pub(super) style: Style,
    pub(super) points: Vec<(f64, f64)>,
}

/// How a layer looks. Numbers count the colours of the palette.
#[derive(Debug, Clone, Copy)]
pub(super) enum Style {
    /// Filled down to the axis, in grey: the data.
    Area,
    /// A plain line.
    Line(usize),
    /// A thin pale line beneath its plain one.
    Faint(usize),
    /// A line that shows its points: few measurements rather than a curve.
    Dotted(usize),
}

pub(super) const WIDTH: f64 = 480.0;
pub(super) const HEIGHT: f64 = 300.0;
const LEFT: f64 = 52.0;
const RIGHT: f64 = 12.0;
const TOP: f64 = 34.0;
const BOTTOM: f64 = 40.0;
/// A character of the legend is about this wide.
const CHARACTER: f64 = 6.8;
const PALETTE: usize = 8;

/// Colours and strokes, used once in the page and once in each file.
pub(super) const STYLE: &str = include_str!("figure.css");

impl Figure {
    /// The drawing.
    pub(super) fn svg(&self) -> Markup {
        self.drawing(None)
    }

    /// The drawing as a file.
    pub(super) fn standalone(&self) -> String {
        self.drawing(Some(STYLE)).into_string()
    }

    fn drawing(&self, style: Option<&str>) -> Markup {
        html! {
            svg xmlns="http://www.w3.org/2000/svg" class="figure" viewBox={ "0 0 " (WIDTH) " " (HEIGHT) } role="img" aria-label=(self.title) {
                title { (self.title) }
                @if let Some(style) = style { style { (PreEscaped(style)) } }
                (self.content())
            }
        }
    }

    /// All that is drawn, [`WIDTH`] by [`HEIGHT`], for a picture of several.
    pub(super) fn content(&self) -> Markup {
        let x = self.scale(&self.x, |point| point.0, (LEFT, WIDTH - RIGHT));
        let y = self.scale(&self.y, |point| point.1, (HEIGHT - BOTTOM, TOP));
        html! {
            (self.grid(&x, &y))
            @for layer in &self.layers { (layer.draw(&x, &y)) }
            (self.legend())
        }
    }

    /// The scale of an axis: its own range, or that of all points.
    fn scale(&self, axis: &Axis, part: fn(&(f64, f64)) -> f64, pixels: (f64, f64)) -> Scale {
        let shown = self.layers.iter().flat_map(|layer| &layer.points).map(part).filter(|v| v.is_finite());
        let all = shown.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| (low.min(v), high.max(v)));
        let (low, high) = axis.range.unwrap_or(all);
        if low <= high { Scale::new(axis.kind, low, high, pixels) } else { Scale::new(Kind::Linear, 0.0, 1.0, pixels) }
    }

    fn grid(&self, x: &Scale, y: &Scale) -> Markup {
        let (floor, middle) = (HEIGHT - BOTTOM, f64::midpoint(TOP, HEIGHT - BOTTOM));
        html! {
            @for tick in y.ticks() {
                path class="grid" d={ "M" (LEFT) " " (pixel(y.at(tick))) "H" (WIDTH - RIGHT) } {}
                text class="tick" x=(LEFT - 6.0) y=(pixel(y.at(tick) + 4.0)) text-anchor="end" { (label(tick)) }
            }
            @for tick in x.ticks() {
                path class="mark" d={ "M" (pixel(x.at(tick))) " " (floor) "v4" } {}
                text class="tick" x=(pixel(x.at(tick))) y=(floor + 17.0) text-anchor="middle" { (label(tick)) }
            }
            path class="mark" d={ "M" (LEFT) " " (floor) "H" (WIDTH - RIGHT) } {}
            text x=(f64::midpoint(LEFT, WIDTH - RIGHT)) y=(HEIGHT - 6.0) text-anchor="middle" { (self.x.label) }
            text transform={ "translate(13 " (middle) ") rotate(-90)" } text-anchor="middle" { (self.y.label) }
        }
    }

    fn legend(&self) -> Markup {
        let named = self.layers.iter().filter_map(|layer| Some((layer.label.as_deref()?, layer.style)));
        let (mut next, mut line) = (LEFT, 0.0);
        // A name that would leave the picture begins another line.
        let mut place = |name: &str| {
            let wide = 34.0 + CHARACTER * name.chars().count() as f64;
            if next > LEFT && next + wide > WIDTH {
                (next, line) = (LEFT, line + 15.0);
            }
            next += wide;
            (next - wide, line + 12.0)
        };
        html! {
            @for (name, style) in named {
                @let (x, y) = place(name);
                path class={ "key " (style.class()) } d={ "M" (pixel(x)) " " (y - 4.0) "h14" } {}
                text x=(pixel(x + 19.0)) y=(y) { (name) }
            }
        }
    }
}

impl Layer {
    fn draw(&self, x: &Scale, y: &Scale) -> Markup {
        let finite = self.points.iter().filter(|(a, b)| a.is_finite() && b.is_finite());
        let places: Vec<(f64, f64)> = finite.map(|(a, b)| (x.at(*a), y.at(*b))).collect();
        let (mut path, mut dots) = (String::new(), String::new());
        for (k, (a, b)) in places.iter().enumerate() {
            let _ = write!(path, "{}{} {}", if k == 0 { "M" } else { "L" }, pixel(*a), pixel(*b));
            let _ = write!(dots, "M{} {}h0", pixel(*a), pixel(*b));
        }
        if let (Style::Area, Some(first), Some(last)) = (self.style, places.first(), places.last()) {
            let floor = HEIGHT - BOTTOM;
            let _ = write!(path, "L{} {floor}L{} {floor}Z", pixel(last.0), pixel(first.0));
        }
        html! {
            @if !path.is_empty() {
                path class=(self.style.class()) d=(path) {}
                @if let Style::Dotted(colour) = self.style { path class={ "dots c" (colour % PALETTE) } d=(dots) {} }
            }
        }
    }
}

impl Style {
    fn class(self) -> String {
        match self {
            Self::Area => "area".to_owned(),
            Self::Line(colour) | Self::Dotted(colour) => format!("line c{}", colour % PALETTE),
            Self::Faint(colour) => format!("faint c{}", colour % PALETTE),
        }
    }
}

/// A coordinate to a tenth of a pixel.
fn pixel(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}
