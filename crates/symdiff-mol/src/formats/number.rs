//! Numbers as chemistry files write them.

use crate::error::Fault;

/// The number that a word is, if it is one: `6.1*^-6`, as Mathematica prints into QM9's files, and `6.1d-6`, as Fortran does, are `6.1e-6`.
pub(crate) fn read(text: &str) -> Option<f64> {
    let exponent = text.split_once("*^").or_else(|| text.split_once(['d', 'D']));
    match exponent {
        Some((mantissa, power)) => {
            // Only digits may follow: the rest of a word is no exponent, and two exponents are none.
            power.parse::<i32>().ok()?;
            format!("{mantissa}e{power}").parse().ok()
        }
        None => text.parse().ok(),
    }
}

/// [`read`], for a word that must be a number.
pub(crate) fn parse(what: &'static str, text: &str) -> Result<f64, Fault> {
    read(text).ok_or_else(|| Fault::unexpected(what, text, "write a decimal number such as -1.25"))
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
    fn reads_plain_mathematica_and_fortran_numbers() {
        for (text, value) in [("1.5", 1.5), ("-2", -2.0), ("6.1*^-6", 6.1e-6), ("1e3", 1e3), ("7.4d-1", 0.74), ("-1.5D+00", -1.5)] {
            assert_eq!(parse("a number", text), Ok(value));
        }
        for text in ["", "1,5", "*^", "1*^", "*^3", "--1", "1*^2*^3", "d", "d1", "1d", "1d2d3", "1e2d3", "dd", "1d2.5"] {
            assert!(parse("a number", text).is_err(), "{text}");
        }
    }
}
