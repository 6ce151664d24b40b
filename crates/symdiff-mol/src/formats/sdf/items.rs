//! Data items: `> <NAME>`, lines, and a blank line. One that is a single number becomes a property.

use super::END;
use crate::error::{Fault, Result};
use crate::formats::source::Source;
use crate::molecule::Molecule;

/// A data item that is being read.
struct Item {
    name: String,
    lines: usize,
    /// Its first line, if that is a number.
    number: Option<f64>,
}

impl Item {
    fn new(header: &str) -> Self {
        let named = header.split_once('<').and_then(|(_, rest)| rest.split_once('>'));
        Self { name: named.map_or_else(String::new, |(name, _)| name.to_owned()), lines: 0, number: None }
    }

    fn add(&mut self, line: &str) {
        self.lines += 1;
        self.number = line.parse().ok().filter(|_| self.lines == 1);
    }

    /// The molecule with the property that the item is, if it is one.
    fn close(self, source: &Source, molecule: Molecule) -> Molecule {
        match self.number.filter(|_| !self.name.is_empty()) {
            Some(value) if value.is_finite() => molecule.with_property(self.name, value),
            Some(value) => {
                let fault = Fault::unexpected("a finite number as a data item", &value.to_string(), "the item is left out");
                tracing::warn!("{}", source.fault(fault));
                molecule
            }
            None => molecule,
        }
    }
}

/// Reads up to `$$$$`, or to the end of a molfile.
pub(super) fn read(source: &mut Source, mut molecule: Molecule) -> Result<Molecule> {
    let mut open: Option<Item> = None;
    loop {
        let Some(line) = source.next_line()? else {
            return match open {
                None => Ok(molecule),
                Some(item) => Err(source.truncated(format!("the data item `{}`", item.name))),
            };
        };
        let line = line.trim();
        let header = line.starts_with('>') && (open.is_none() || line.contains('<'));
        if line == END || line.is_empty() || header {
            let next = header.then(|| Item::new(line));
            let ended = line == END;
            if let Some(item) = open.take() {
                molecule = item.close(source, molecule);
            }
            if ended {
                return Ok(molecule);
            }
            open = next;
        } else if let Some(item) = &mut open {
            item.add(line);
        } else {
            let fault = Fault::unexpected("`$$$$` or a data item", line, "end the record with $$$$");
            return Err(source.fault(fault));
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::formats::Source;

    #[test]
    fn an_item_of_several_lines_is_no_number() {
        let atom = "a\n\n\n  1  0  0  0  0  0  0  0  0  0999 V2000\n    0.0000    0.0000    0.0000 O   0  0\nM  END\n";
        let items =
            ">  <TYPES>\n2\n5\n255\n\n>  <energy>\n-76.4\n\n> 3 <text>\n> 5\n1.5\n\n>  <nan>\nnan\n\n>  <next>\n1\n>  <last>\n2\n\n$$$$\n";
        let molecule = super::super::read(Source::from_bytes("m.sdf", format!("{atom}{items}")).unwrap()).next().unwrap().unwrap();
        let kept: Vec<_> = molecule.properties().iter().map(|(name, value)| (name.as_str(), *value)).collect();
        assert_eq!(kept, [("energy", -76.4), ("last", 2.0), ("next", 1.0)]);
    }
}
