//! The balanced binary tree within a process.

/// Adds values in a balanced binary tree, in their order: ((0 + 1) + (2 + 3)) + …. At most log₂(values) + 1 sums are kept at a time. `None` of none.
///
/// # Errors
/// The first error of `values` or of `add`.
pub fn in_tree<T, E>(values: impl IntoIterator<Item = Result<T, E>>, mut add: impl FnMut(T, T) -> Result<T, E>) -> Result<Option<T>, E> {
    // Sums of 2^level values each, with levels that fall from the first to the last.
    let mut sums: Vec<(u32, T)> = Vec::new();
    for value in values {
        let (mut level, mut sum) = (0, value?);
        while let Some((_, earlier)) = sums.pop_if(|(other, _)| *other == level) {
            (level, sum) = (level + 1, add(earlier, sum)?);
        }
        sums.push((level, sum));
    }
    let mut rest = sums.into_iter().rev().map(|(_, sum)| sum);
    let Some(last) = rest.next() else { return Ok(None) };
    rest.try_fold(last, |sum, earlier| add(earlier, sum)).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::convert::Infallible;

    #[test]
    fn values_meet_as_in_a_tournament() {
        let written = |count: u32| {
            let names = (0..count).map(|place| Ok::<_, Infallible>(place.to_string()));
            in_tree(names, |a, b| Ok(format!("({a}{b})"))).unwrap_or_default()
        };
        assert_eq!(written(0), None);
        assert_eq!(written(1).as_deref(), Some("0"));
        assert_eq!(written(4).as_deref(), Some("((01)(23))"));
        assert_eq!(written(8).as_deref(), Some("(((01)(23))((45)(67)))"));
        assert_eq!(written(5).as_deref(), Some("(((01)(23))4)"));
    }
}
