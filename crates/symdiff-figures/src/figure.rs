//! A plot as SVG that follows the reader's colour scheme. The same drawing stands in a page and in a file of its own.

use crate::scale::{Kind, Scale, label};
use maud::{Markup, PreEscaped, html};
use std::fmt::Write;
use std::path::Path;

/// One plot.
#[derive(Debug, Clone)]
pub struct Figure {
    /// File name without its ending.
    pub name: String,
    /// What is shown.
    pub title: String,
    /// What surrounds the layers.
    pub frame: Frame,
    /// Drawn in this order.
    pub layers: Vec<Layer>,
}

/// What surrounds the layers of a plot.
#[derive(Debug, Clone)]
pub enum Frame {
    /// Two axes with ticks.
    Axes {
        /// To the right.
        x: Axis,
        /// Upwards.
        y: Axis,
    },
    /// No axes, and one scale in both directions: a picture of points in the plane.
    Plane,
}

/// What an axis shows.
#[derive(Debug, Clone)]
pub struct Axis {
    /// The quantity and its unit.
    pub label: &'static str,
    /// How numbers are laid out.
    pub kind: Kind,
    /// The numbers at its ends; those of all points where it is absent.
    pub range: Option<(f64, f64)>,
}

/// One line, area or set of points. Points that are not finite are left out.
#[derive(Debug, Clone)]
pub struct Layer {
    /// Its name in the legend; without one it is not listed there.
    pub label: Option<String>,
    /// How it looks.
    pub style: Style,
    /// (x, y) of each point.
    pub points: Vec<(f64, f64)>,
}

/// How a layer looks. The number is the place of its colour among the eight of the palette, which is repeated.
#[derive(Debug, Clone, Copy)]
pub enum Style {
    /// Filled down to the axis, in grey: the data.
    Area,
    /// A plain line.
    Line(usize),
    /// A thin pale line beneath its plain one.
    Faint(usize),
    /// A line that shows its points: few measurements rather than a curve.
    Dotted(usize),
    /// Points without a line.
    Points(usize),
}

pub(crate) const WIDTH: f64 = 480.0;
pub(crate) const HEIGHT: f64 = 300.0;
const LEFT: f64 = 52.0;
const RIGHT: f64 = 12.0;
const TOP: f64 = 34.0;
const BOTTOM: f64 = 40.0;
/// Pixels of the ends of the axes.
const ACROSS: (f64, f64) = (LEFT, WIDTH - RIGHT);
const UP: (f64, f64) = (HEIGHT - BOTTOM, TOP);
/// A character of the legend is about this wide.
const CHARACTER: f64 = 6.8;
const PALETTE: usize = 8;

/// Colours and strokes, as a style sheet: once in a page, and once in each file.
pub const STYLE: &str = include_str!("figure.css");

impl Axis {
    /// An axis that shows all points.
    pub fn new(label: &'static str, kind: Kind) -> Self {
        Self { label, kind, range: None }
    }
}

impl Figure {
    /// The drawing, for a page that contains [`STYLE`].
    pub fn svg(&self) -> String {
        self.drawing(None).into_string()
    }

    /// The drawing as a file.
    pub fn standalone(&self) -> String {
        self.drawing(Some(STYLE)).into_string()
    }

    /// Writes the drawing as `NAME.svg` into a folder.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn save(&self, folder: &Path) -> std::io::Result<()> {
        std::fs::write(folder.join(format!("{}.svg", self.name)), self.standalone())
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
    pub(crate) fn content(&self) -> Markup {
        let (x, y) = match &self.frame {
            Frame::Axes { x, y } => (self.scale(x, |point| point.0, ACROSS), self.scale(y, |point| point.1, UP)),
            Frame::Plane => self.plane(),
        };
        html! {
            @if let Frame::Axes { x: across, y: up } = &self.frame { (grid((&x, across.label), (&y, up.label))) }
            @for layer in &self.layers { (layer.draw(&x, &y)) }
            (self.legend())
        }
    }

    /// The smallest and the largest of a coordinate.
    fn extent(&self, part: fn(&(f64, f64)) -> f64) -> Option<(f64, f64)> {
        let shown = self.layers.iter().flat_map(|layer| &layer.points).map(part).filter(|v| v.is_finite());
        let all = shown.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| (low.min(v), high.max(v)));
        (all.0 <= all.1).then_some(all)
    }

    /// The scale of an axis: its own range, or that of all points.
    fn scale(&self, axis: &Axis, part: fn(&(f64, f64)) -> f64, pixels: (f64, f64)) -> Scale {
        match axis.range.filter(|(low, high)| low <= high).or_else(|| self.extent(part)) {
            Some((low, high)) => Scale::new(axis.kind, low, high, pixels),
            None => Scale::new(Kind::Linear, 0.0, 1.0, pixels),
        }
    }

    /// Scales of equal units in both directions, around the middle of all points.
    fn plane(&self) -> (Scale, Scale) {
        let (across, up) = (self.extent(|p| p.0).unwrap_or_default(), self.extent(|p| p.1).unwrap_or_default());
        let (wide, high) = (ACROSS.1 - ACROSS.0, UP.0 - UP.1);
        let unit = ((across.1 - across.0) / wide).max((up.1 - up.0) / high).max(f64::MIN_POSITIVE);
        let around = |ends: (f64, f64), pixels: f64| {
            let middle = f64::midpoint(ends.0, ends.1);
            (middle - unit * pixels / 2.0, middle + unit * pixels / 2.0)
        };
        let (x, y) = (around(across, wide), around(up, high));
        (Scale::new(Kind::Linear, x.0, x.1, ACROSS), Scale::new(Kind::Linear, y.0, y.1, UP))
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

/// Ticks, lines and names of two axes.
fn grid((x, across): (&Scale, &str), (y, up): (&Scale, &str)) -> Markup {
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
        text x=(f64::midpoint(LEFT, WIDTH - RIGHT)) y=(HEIGHT - 6.0) text-anchor="middle" { (across) }
        text transform={ "translate(13 " (middle) ") rotate(-90)" } text-anchor="middle" { (up) }
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
            @if !path.is_empty() && !matches!(self.style, Style::Points(_)) { path class=(self.style.class()) d=(path) {} }
            @if let (Style::Dotted(colour) | Style::Points(colour), false) = (self.style, dots.is_empty()) {
                path class={ "dots c" (colour % PALETTE) } d=(dots) {}
            }
        }
    }
}

impl Style {
    fn class(self) -> String {
        match self {
            Self::Area => "area".to_owned(),
            Self::Line(colour) | Self::Dotted(colour) | Self::Points(colour) => format!("line c{}", colour % PALETTE),
            Self::Faint(colour) => format!("faint c{}", colour % PALETTE),
        }
    }
}

/// A coordinate to a tenth of a pixel.
fn pixel(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figure(style: Style, points: Vec<(f64, f64)>) -> Figure {
        let layers = vec![Layer { label: None, style, points }];
        Figure { name: "f".to_owned(), title: "<f>".to_owned(), frame: Frame::Plane, layers }
    }

    #[test]
    fn a_square_of_the_plane_stays_a_square_inside_the_picture() {
        let (x, y) = figure(Style::Line(0), vec![(-3.0, 10.0), (5.0, 10.0), (5.0, 18.0)]).plane();
        let (wide, high) = (x.at(5.0) - x.at(-3.0), y.at(10.0) - y.at(18.0));
        assert!((wide - high).abs() < 1e-9 && high > 0.0, "{wide} by {high}");
        assert!(x.at(-3.0) >= LEFT - 1e-9 && x.at(5.0) <= WIDTH - RIGHT + 1e-9 && y.at(18.0) >= TOP - 1e-9);
    }

    #[test]
    fn points_have_no_line_and_nothing_that_is_not_finite_is_drawn() {
        let points = vec![(0.0, 0.0), (f64::NAN, 1.0), (1.0, f64::INFINITY), (1.0, 2.0)];
        let drawing = figure(Style::Points(9), points.clone()).standalone();
        assert!(drawing.contains("class=\"dots c1\"") && !drawing.contains("class=\"line"), "{drawing}");
        assert!(!drawing.contains("NaN") && !drawing.contains("inf") && drawing.contains("&lt;f&gt;"));
        assert_eq!(figure(Style::Dotted(1), points).standalone().matches("c1\"").count(), 2, "a line and its points");
        assert!(!figure(Style::Points(0), Vec::new()).svg().contains("class=\"dots"));
    }
}
