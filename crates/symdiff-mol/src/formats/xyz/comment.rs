//! The comment line of extended XYZ: `key = value` pairs.
//!
//! Blanks around `=` are allowed. A value is a bare word, text in double or single quotes with backslash escapes, or an array in brackets
//! `[…]` or braces `{…}`. A key without a value is true. Numbers may have a Fortran exponent (`1.5d0`).

use crate::error::Fault;
use crate::formats::number;
use std::iter::Peekable;
use std::str::Chars;

/// A key and its value, without quotes and outer brackets.
pub(super) type Pair = (String, String);

/// The pairs of a comment.
///
/// # Errors
/// A quote or bracket that is not closed.
pub(super) fn pairs(comment: &str) -> Result<Vec<Pair>, Fault> {
    let mut rest = comment.chars().peekable();
    let mut pairs = Vec::new();
    loop {
        skip_blanks(&mut rest);
        if rest.peek().is_none() {
            return Ok(pairs);
        }
        let unclosed = || Fault::unexpected("closed quotes and brackets", comment, "close them, or write the pair as key=value");
        let key = word(&mut rest, |c| c == '=' || c.is_whitespace()).ok_or_else(unclosed)?;
        skip_blanks(&mut rest);
        if rest.next_if_eq(&'=').is_some() {
            skip_blanks(&mut rest);
            let value = word(&mut rest, char::is_whitespace).ok_or_else(unclosed)?;
            pairs.push((key, value));
        }
    }
}

/// The number that a value is, if it is one, also as an array of one number.
pub(super) fn number_in(value: &str) -> Option<f64> {
    number::read(value.trim())
}

fn skip_blanks(rest: &mut Peekable<Chars<'_>>) {
    while rest.next_if(|c| c.is_whitespace()).is_some() {}
}

/// A bare word, quoted text, or an array; `None` where its end is missing.
fn word(rest: &mut Peekable<Chars<'_>>, ends: impl Fn(char) -> bool) -> Option<String> {
    let mut text = String::new();
    match rest.peek() {
        Some(&quote @ ('"' | '\'')) => {
            rest.next();
            loop {
                match rest.next()? {
                    '\\' => text.push(rest.next()?),
                    c if c == quote => return Some(text),
                    c => text.push(c),
                }
            }
        }
        Some('{' | '[') => {
            rest.next();
            let mut depth = 1;
            loop {
                let c = rest.next()?;
                match c {
                    '{' | '[' => depth += 1,
                    '}' | ']' => depth -= 1,
                    _ => {}
                }
                if depth == 0 {
                    return Some(text);
                }
                text.push(c);
            }
        }
        _ => {
            while let Some(c) = rest.next_if(|c| !ends(*c)) {
                text.push(c);
            }
            // A word that begins with its own end is a stray `=`.
            if text.is_empty() {
                text.extend(rest.next());
            }
            Some(text)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_follow_the_grammar() {
        let comment = r#"a=1 b = -2.5d0  pbc="F F F" c={3} d=[ 4 ] e='5' f=" 6 " flag name="say \"hi\" \\ [" L=[[1, 0], [0, 1]] g= 7"#;
        let read = pairs(comment).unwrap();
        let value = |key: &str| read.iter().find(|(k, _)| k == key).unwrap().1.as_str();
        for (key, number) in [("a", 1.0), ("b", -2.5), ("c", 3.0), ("d", 4.0), ("e", 5.0), ("f", 6.0), ("g", 7.0)] {
            assert_eq!(number_in(value(key)), Some(number), "{key}");
        }
        assert_eq!((value("name"), value("L"), number_in(value("pbc"))), (r#"say "hi" \ ["#, "[1, 0], [0, 1]", None));
        assert!(read.iter().all(|(key, _)| key != "flag"));
    }

    #[test]
    fn what_is_not_closed_is_refused_and_anything_else_ends() {
        for text in ["a=\"b", "a='b", "a=[1", "a={[1}", "\"k", "a=\"b\\"] {
            assert!(pairs(text).is_err(), "{text}");
        }
        for text in ["", "=", "==", "a=", "= a", "a = = b", "it's", "a=]"] {
            assert!(pairs(text).is_ok(), "{text}");
        }
    }
}
