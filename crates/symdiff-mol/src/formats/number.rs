//! Numbers as chemistry files write them.

use crate::error::Fault;

/// Reads a number; `6.1*^-6`, as Mathematica prints into QM9's files, is `6.1e-6`.
pub(crate) fn parse(what: &'static str, text: &str) -> Result<f64, Fault> {
    let parsed = match text.split_once("*^") {
        Some((mantissa, exponent)) => format!("{mantissa}e{exponent}").parse(),
        None => text.parse(),
    };
    parsed.map_err(|_| Fault::unexpected(what, text, "write a decimal number such as -1.25"))
}

/// [`parse`], for a number that must be finite.
pub(crate) fn finite(what: &'static str, text: &str) -> Result<f64, Fault> {
    let value = parse(what, text)?;
    if value.is_finite() { Ok(value) } else { Err(Fault::unexpected(what, text, "write a finite number")) }
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn reads_plain_and_mathematica_numbers() {
        for (text, value) in [("1.5", 1.5), ("-2", -2.0), ("6.1*^-6", 6.1e-6), ("1e3", 1e3)] {
            assert_eq!(parse("a number", text), Ok(value));
        }
        for text in ["", "1,5", "*^", "1*^", "*^3", "--1", "1*^2*^3"] {
            assert!(parse("a number", text).is_err(), "{text}");
        }
    }
}
