//! Pictures in forty lines.

use std::fmt::Write as _;
use std::path::Path;

/// A picture of the given size in pixels, y downwards.
pub struct Svg {
    size: (f64, f64),
    body: String,
}

impl Svg {
    pub fn new(width: f64, height: f64) -> Self {
        Self { size: (width, height), body: String::new() }
    }

    pub fn dot(&mut self, x: f64, y: f64, radius: f64, colour: &str) {
        let _ = writeln!(self.body, r#"<circle cx="{x:.2}" cy="{y:.2}" r="{radius}" fill="{colour}"/>"#);
    }

    pub fn square(&mut self, x: f64, y: f64, side: f64, colour: &str) {
        let _ = writeln!(self.body, r#"<rect x="{x:.2}" y="{y:.2}" width="{side}" height="{side}" fill="{colour}"/>"#);
    }

    pub fn path(&mut self, points: impl IntoIterator<Item = (f64, f64)>, width: f64, colour: &str) {
        let points: Vec<String> = points.into_iter().map(|(x, y)| format!("{x:.2},{y:.2}")).collect();
        let _ = writeln!(self.body, r#"<polyline points="{}" fill="none" stroke="{colour}" stroke-width="{width}"/>"#, points.join(" "));
    }

    pub fn text(&mut self, x: f64, y: f64, text: &str) {
        let _ = writeln!(self.body, r#"<text x="{x}" y="{y}" font-family="sans-serif" font-size="13">{text}</text>"#);
    }

    pub fn save(&self, path: &Path) -> std::io::Result<()> {
        let (w, h) = self.size;
        let head = format!(r#"<svg xmlns="http://www.w3.org/2000/svg" width="{w}" height="{h}" viewBox="0 0 {w} {h}">"#);
        std::fs::write(path, format!("{head}\n<rect width=\"{w}\" height=\"{h}\" fill=\"white\"/>\n{}</svg>\n", self.body))?;
        println!("wrote {}", path.display());
        Ok(())
    }
}

/// Grey for v in [0, 1], black at 1.
pub fn grey(v: f64) -> String {
    let level = (255.0 * (1.0 - v.clamp(0.0, 1.0))) as u8;
    format!("rgb({level},{level},{level})")
}

/// The colour at v in [0, 1) of the circle of colours.
pub fn hue(v: f64) -> String {
    let [r, g, b] = [0.0, 1.0, 2.0].map(|third| (120.0 + 100.0 * (std::f64::consts::TAU * (v - third / 3.0)).cos()) as u8);
    format!("rgb({r},{g},{b})")
}

pub const COLOURS: [&str; 4] = ["#1f77b4", "#d62728", "#2ca02c", "#9467bd"];

/// Smoothed curves of falling losses against the step on a logarithmic axis, one colour each; later ones are thinner, so that none hides another.
pub fn curves(svg: &mut Svg, named: &[(&str, Vec<f64>)], (left, top, width, height): (f64, f64, f64, f64)) {
    let window = 25;
    let smooth = |values: &[f64]| -> Vec<f64> { values.chunks(window).map(|c| (c.iter().sum::<f64>() / c.len() as f64).log10()).collect() };
    let smoothed: Vec<Vec<f64>> = named.iter().map(|(_, values)| smooth(values)).collect();
    let low = smoothed.iter().flatten().copied().fold(f64::INFINITY, f64::min);
    let high = smoothed.iter().flatten().copied().fold(f64::NEG_INFINITY, f64::max);
    let height_of = |v: f64| top + height * (high - v) / (high - low).max(1e-9);
    for decade in low.ceil() as i32..=high.floor() as i32 {
        let y = height_of(f64::from(decade));
        svg.path([(left, y), (left + width, y)], 0.5, "#bbbbbb");
        svg.text(left + width - 30.0, y - 4.0, &format!("1e{decade}"));
    }
    for (index, ((name, values), curve)) in named.iter().zip(&smoothed).enumerate() {
        let colour = COLOURS[index % COLOURS.len()];
        let at = |(i, v): (usize, &f64)| (left + width * i as f64 / curve.len().max(2) as f64, height_of(*v));
        svg.path(curve.iter().enumerate().map(at), [4.5, 2.5, 1.5, 1.0][index % 4], colour);
        svg.dot(left + 8.0, top + height + 22.0 + 18.0 * index as f64, 4.0, colour);
        let last = values.iter().rev().take(100).sum::<f64>() / values.len().min(100) as f64;
        svg.text(left + 18.0, top + height + 26.0 + 18.0 * index as f64, &format!("{name}: {last:.1e}"));
    }
}
