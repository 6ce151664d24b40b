//! One axis of a plot: numbers to pixels, and the round numbers worth a tick.

/// How numbers are laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Equal differences take equal room.
    Linear,
    /// Equal ratios take equal room. Every number shown is positive.
    Log,
}

/// A range of numbers on a range of pixels.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scale {
    kind: Kind,
    low: f64,
    high: f64,
    pixels: (f64, f64),
}

impl Scale {
    /// Covers `low..=high`, widened when it is empty. A logarithmic scale starts at a positive number.
    pub(crate) fn new(kind: Kind, low: f64, high: f64, pixels: (f64, f64)) -> Self {
        let (low, high) = match kind {
            Kind::Log => (low.max(f64::MIN_POSITIVE), high.max(low * 1.1)),
            Kind::Linear if high > low => (low, high),
            Kind::Linear => (low - 0.5, low + 0.5),
        };
        Self { kind, low, high, pixels }
    }

    /// Where a number lies.
    pub(crate) fn at(&self, value: f64) -> f64 {
        let position = |x: f64| if self.kind == Kind::Log { x.max(f64::MIN_POSITIVE).ln() } else { x };
        let share = (position(value) - position(self.low)) / (position(self.high) - position(self.low));
        self.pixels.0 + share.clamp(-0.02, 1.02) * (self.pixels.1 - self.pixels.0)
    }

    /// Round numbers inside the range, ascending.
    pub(crate) fn ticks(&self) -> Vec<f64> {
        match self.kind {
            Kind::Linear => self.even_ticks(),
            Kind::Log => self.decade_ticks(),
        }
    }

    fn even_ticks(&self) -> Vec<f64> {
        let rough = (self.high - self.low) / 5.0;
        let power = 10_f64.powf(rough.log10().floor());
        let step = [1.0, 2.0, 5.0, 10.0].into_iter().map(|k| k * power).find(|step| *step >= rough).unwrap_or(rough);
        let first = (self.low / step - 1e-9).ceil() as i64;
        let last = (self.high / step + 1e-9).floor() as i64;
        (first..=last).map(|k| k as f64 * step).collect()
    }

    fn decade_ticks(&self) -> Vec<f64> {
        let (first, last) = (self.low.log10().floor() as i32, self.high.log10().ceil() as i32);
        let steps: &[f64] = match self.high / self.low {
            ..10.0 => &[1.0, 2.0, 3.0, 5.0, 7.0],
            10.0..1000.0 => &[1.0, 2.0, 5.0],
            _ => &[1.0],
        };
        let all = (first..=last).flat_map(|power| steps.iter().map(move |k| k * 10_f64.powi(power)));
        all.filter(|tick| (self.low * (1.0 - 1e-9)..=self.high * (1.0 + 1e-9)).contains(tick)).collect()
    }
}

/// A tick's number in as few characters as it needs.
pub(crate) fn label(value: f64) -> String {
    match value.abs() {
        0.0 => "0".to_owned(),
        1e6.. => format!("{}M", rounded(value / 1e6)),
        1e4.. => format!("{}k", rounded(value / 1e3)),
        ..1e-3 => format!("{value:.0e}"),
        _ => rounded(value),
    }
}

fn rounded(value: f64) -> String {
    let text = format!("{value:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_inside() {
        let labels = |kind, low, high| Scale::new(kind, low, high, (0.0, 1.0)).ticks().into_iter().map(label).collect::<Vec<_>>();
        assert_eq!(labels(Kind::Linear, 0.0, 24_000.0), ["0", "5000", "10k", "15k", "20k"]);
        assert_eq!(labels(Kind::Linear, 0.93, 1.21), ["1", "1.1", "1.2"]);
        assert_eq!(labels(Kind::Log, 0.03, 4.0), ["0.05", "0.1", "0.2", "0.5", "1", "2"]);
        assert_eq!(labels(Kind::Log, 1e-5, 20.0), ["1e-5", "1e-4", "0.001", "0.01", "0.1", "1", "10"]);
    }

    #[test]
    fn ends_meet_the_pixels_and_an_empty_range_is_widened() {
        let log = Scale::new(Kind::Log, 0.01, 100.0, (200.0, 0.0));
        assert!([(0.01, 200.0), (1.0, 100.0), (100.0, 0.0)].iter().all(|(x, px)| (log.at(*x) - px).abs() < 1e-9));
        let flat = Scale::new(Kind::Linear, 3.0, 3.0, (0.0, 10.0));
        assert!((flat.at(3.0) - 5.0).abs() < 1e-9);
    }
}
