//! MDL molfiles and SDF, V2000 and V3000: atoms, isotopes, bonds, formal charges, numeric data items.
//!
//! Written: V2000, as most tools expect, where the molecule fits its columns (999 atoms and bonds, four decimals);
//! V3000 with full decimals on demand or where it does not. Bonds are the molecule's own, or perceived from distances.

mod items;
mod v2000;
mod v3000;

use super::number;
use super::source::Source;
use super::stream::{Next, Report, Stream};
use super::xyz::one_line;
use crate::chemistry::perceive_bonds;
use crate::error::{Fault, Result};
use crate::molecule::{Bond, BondOrder, Molecule};
use std::borrow::Cow;
use std::io::Write;

/// The line that ends a record.
const END: &str = "$$$$";

/// Reads records one by one. A molfile is one record without `$$$$`.
pub fn read(source: Source) -> impl Iterator<Item = Result<Molecule>> + Send {
    stream(source, None)
}

pub(crate) fn stream(source: Source, skipping: Option<Report>) -> impl Iterator<Item = Result<Molecule>> + Send {
    Stream::new(Records { source, records: 0 }, skipping)
}

struct Records {
    source: Source,
    records: u64,
}

/// What a connection table holds.
#[derive(Default)]
struct Table {
    atomic_numbers: Vec<u8>,
    /// 0 where none is named.
    mass_numbers: Vec<u16>,
    positions: Vec<[f64; 3]>,
    charges: Vec<i8>,
    bonds: Vec<Bond>,
}

impl Next for Records {
    fn next_molecule(&mut self) -> Result<Option<Molecule>> {
        let start = self.source.line() + 1;
        self.source.begin_record(self.records + 1);
        let Some((title, counts)) = self.header()? else {
            return Ok(None);
        };
        self.records += 1;
        let table = match counts.get(33..39).map(str::trim) {
            Some("V3000") => v3000::table(&mut self.source),
            Some("V2000" | "") | None => v2000::table(&mut self.source, &counts),
            Some(other) => Err(self.source.fault(Fault::Unsupported {
                what: format!("the molfile version `{}`", other.escape_debug()),
                remedy: "write it as V2000 or V3000",
            })),
        }?;
        let name = if title.is_empty() { self.records.to_string() } else { title };
        let molecule = Molecule::new(name, table.atomic_numbers, table.positions)
            .and_then(|molecule| molecule.with_bonds(table.bonds))
            .and_then(|molecule| molecule.with_formal_charges(table.charges))
            .and_then(|molecule| molecule.with_isotopes(table.mass_numbers))
            .map_err(|fault| self.source.fault_at(start, fault))?;
        items::read(&mut self.source, molecule).map(Some)
    }

    fn recover(&mut self) -> Result<bool> {
        self.source.pass_to(END)?;
        Ok(true)
    }
}

impl Records {
    /// Title and counts line of the next record; `None` where nothing but blank lines is left.
    fn header(&mut self) -> Result<Option<(String, String)>> {
        let (mut title, mut blank) = (String::new(), true);
        for place in 0.. {
            if blank && self.source.at_end()? {
                return Ok(None);
            }
            let what = if place < 3 { "a record, in its header" } else { "a record, at its counts line" };
            let line = self.source.required_line(what)?;
            blank &= line.trim().is_empty();
            if place == 0 {
                line.trim().clone_into(&mut title);
            }
            // Blank lines alone are no header: they may end the file.
            if place >= 3 && !blank {
                let counts = line.to_owned();
                return Ok(Some((title, counts)));
            }
        }
        Ok(None)
    }
}

/// Bond types of both versions.
fn order(code: &str) -> Result<BondOrder, Fault> {
    match code {
        "1" => Ok(BondOrder::Single),
        "2" => Ok(BondOrder::Double),
        "3" => Ok(BondOrder::Triple),
        "4" => Ok(BondOrder::Aromatic),
        _ => Err(Fault::Unsupported {
            what: format!("the bond type `{}`", code.escape_debug()),
            remedy: "write single (1), double (2), triple (3) or aromatic (4) bonds",
        }),
    }
}

fn code(order: BondOrder) -> u8 {
    match order {
        BondOrder::Single => 1,
        BondOrder::Double => 2,
        BondOrder::Triple => 3,
        BondOrder::Aromatic => 4,
    }
}

/// A whole number of a fixed set of columns or of a word.
fn whole<T: std::str::FromStr>(what: &'static str, text: &str) -> Result<T, Fault> {
    let parsed = text.trim().parse();
    parsed.map_err(|_| Fault::unexpected(what, text, "write a whole number in range"))
}

fn coordinate(text: &str, atom: usize, axis: usize) -> Result<f64, Fault> {
    let value = number::parse("a coordinate", text.trim())?;
    if value.is_finite() {
        return Ok(value);
    }
    Err(Fault::NotFinite { atom, axis: ['x', 'y', 'z'][axis], value })
}

/// The place of atom `number`, counted from one.
fn place(number: usize, bond: usize, atoms: usize) -> Result<usize, Fault> {
    number.checked_sub(1).filter(|place| *place < atoms).ok_or(Fault::BondOutside { bond, atom: number, atoms })
}

/// Which version a molecule is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Version {
    /// V2000 where it fits, else V3000.
    #[default]
    Auto,
    /// V3000: every decimal, any size.
    V3000,
}

/// Writes one record.
pub fn write(out: &mut impl Write, molecule: &Molecule, version: Version) -> std::io::Result<()> {
    let bonds = match molecule.bonds() {
        Some(bonds) => Cow::Borrowed(bonds),
        None => Cow::Owned(perceive_bonds(molecule.atomic_numbers(), molecule.positions())),
    };
    writeln!(out, "{}\n  symdiff           3D\n", one_line(molecule.name()))?;
    if version == Version::Auto && v2000::fits(molecule, &bonds) {
        v2000::write(out, molecule, &bonds)?;
    } else {
        v3000::write(out, molecule, &bonds)?;
    }
    for (key, value) in molecule.properties() {
        let key = one_line(key).replace(['<', '>'], "_");
        writeln!(out, ">  <{key}>\n{value}\n")?;
    }
    writeln!(out, "$$$$")
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(super) fn records(text: &str) -> Vec<Result<Molecule>> {
        read(Source::from_bytes("m.sdf", text.to_owned()).unwrap()).collect()
    }

    fn ammonium() -> Molecule {
        let x = [[0.0; 3], [0.5889, 0.5889, 0.5889], [0.5889, -0.5889, -0.5889], [-0.5889, 0.5889, -0.5889], [-0.5889, -0.5889, 0.5889]];
        Molecule::new("ammonium", vec![7, 1, 1, 1, 1], x.to_vec())
            .and_then(|m| m.with_bonds((1..5).map(|h| Bond { first: 0, second: h, order: BondOrder::Single })))
            .and_then(|m| m.with_formal_charges(vec![1, 0, 0, 0, 0]))
            .unwrap()
            .with_property("energy", -0.125)
    }

    fn text(molecule: &Molecule, version: Version) -> String {
        let mut out = Vec::new();
        write(&mut out, molecule, version).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn both_versions_read_back() {
        for version in [Version::Auto, Version::V3000] {
            let twice = text(&ammonium(), version).repeat(2);
            let back: Vec<_> = records(&twice).into_iter().map(Result::unwrap).collect();
            assert_eq!(back, [ammonium(), ammonium()], "{version:?}");
        }
        assert!(text(&ammonium(), Version::Auto).contains("V2000"));
        let far = Molecule::new("far", vec![1], vec![[1e6, 1.0 / 3.0, 0.0]]).unwrap();
        assert_eq!(records(&text(&far, Version::Auto))[0].as_ref().unwrap().positions(), far.positions());
    }

    #[test]
    fn bonds_are_perceived_where_there_are_none() {
        let h2 = Molecule::new("h2", vec![1, 1], vec![[0.0; 3], [0.74, 0.0, 0.0]]).unwrap();
        let back = records(&text(&h2, Version::Auto)).pop().unwrap().unwrap();
        assert_eq!(back.bonds().unwrap().len(), 1);
    }

    #[test]
    fn every_cut_before_the_end_of_the_table_is_refused() {
        for version in [Version::Auto, Version::V3000] {
            let whole = text(&ammonium(), version);
            let end = whole.find("M  END").unwrap() + "M  END".len();
            for cut in 1..end {
                let outcome = records(&whole[..cut]).pop();
                // A lone title without an end of line cannot be told from a blank end of file.
                let Some(outcome) = outcome else { continue };
                let message = outcome.unwrap_err().to_string();
                assert!(message.starts_with("m.sdf, record 1, line "), "{message}");
            }
            for cut in end..whole.len() {
                if let Some(Ok(molecule)) = records(&whole[..cut]).pop() {
                    assert_eq!(molecule.bonds(), ammonium().bonds());
                }
            }
        }
    }

    #[test]
    fn a_table_may_end_without_its_last_line_and_blank_lines_may_end_a_file() {
        let good = text(&ammonium(), Version::Auto);
        let neutral = ammonium().with_formal_charges(vec![0; 5]).unwrap();
        let open = good.replace("M  END\n", "").replace("M  CHG  1   1   1\n", "");
        let read: Vec<_> = records(&format!("{open}{good}\n\n \n\n\n")).into_iter().map(Result::unwrap).collect();
        assert_eq!(read, [neutral, ammonium()]);
        let bare = open.replace(">  <energy>\n-0.125\n\n", "");
        assert_eq!(records(&format!("{bare}{good}")).len(), 2);
    }

    #[test]
    fn radicals_alone_cancel_the_charges_of_atom_lines() {
        let charged = text(&ammonium(), Version::Auto).replace(" N   0  0", " N   0  3");
        for (line, charge) in [("M  RAD  1   1   2\n", 0), ("M  CHG  1   2   1\n", 0), ("M  ISO  1   1  15\n", 1), ("", 1)] {
            let read = records(&charged.replace("M  CHG  1   1   1\n", line)).remove(0).unwrap();
            assert_eq!(read.formal_charges().unwrap()[0], charge, "{line}");
            assert_eq!(read.mass_number(0), if line.starts_with("M  ISO") { 15 } else { 0 });
        }
    }

    /// The two columns after the symbol; lines of isotopes take the place of all of them, and leave the symbol D what it is.
    #[test]
    fn mass_differences_of_atom_lines_count_until_isotopes_are_named() {
        let plain = text(&ammonium(), Version::Auto).replacen(" H   0", " D   0", 1);
        let masses = |table: &str| {
            let read = records(table).remove(0)?;
            Ok((0..5).map(|atom| read.mass_number(atom)).collect::<Vec<u16>>())
        };
        let outcome = |table: &str| masses(table).map_err(|error: crate::Error| error.to_string());
        let heavy = plain.replacen(" N   0", " N   1", 1);
        assert_eq!(outcome(&heavy), Ok(vec![15, 2, 0, 0, 0]));
        assert_eq!(outcome(&plain.replacen(" N   0", " N  -1", 1)), Ok(vec![13, 2, 0, 0, 0]));
        assert_eq!(outcome(&heavy.replacen("M  END", "M  ISO  1   3   3\nM  END", 1)), Ok(vec![0, 2, 3, 0, 0]));
        for (difference, words) in [("xx", "a mass difference"), ("-9", "a mass difference that leaves a nucleus")] {
            let sentence = outcome(&plain.replacen(" N   0", &format!(" N  {difference}"), 1)).unwrap_err();
            assert!(sentence.starts_with("m.sdf, record 1, line 5: expected ") && sentence.contains(words), "{sentence}");
        }
    }

    #[test]
    fn isotopes_are_read_and_written() {
        let heavy = ammonium().with_isotopes(vec![15, 0, 2, 3, 0]).unwrap();
        for version in [Version::Auto, Version::V3000] {
            assert_eq!(records(&text(&heavy, version)).remove(0).unwrap(), heavy);
        }
        let named = text(&ammonium(), Version::Auto).replacen(" H ", " D ", 1);
        assert_eq!(records(&named).remove(0).unwrap().mass_number(1), 2);
    }

    #[test]
    fn a_bad_record_is_named_and_can_be_skipped() {
        let good = text(&ammonium(), Version::Auto);
        for (from, to) in [(" N ", " Qq"), ("  1  2  1  0", "$$$$\n"), ("V2000", "V4000"), (">  <energy>", "odd"), ("M  END", "  1  2  1")]
        {
            let bad = good.replacen(from, to, 1);
            let (bad, end) = match to {
                "$$$$\n" => (bad[..bad.find("$$$$").unwrap() + 5].to_owned(), 1),
                _ => (bad, 1),
            };
            let whole = format!("{good}{bad}{good}");
            let message = records(&whole).pop().unwrap().unwrap_err().to_string();
            assert!(message.starts_with("m.sdf, record 2, line "), "{message}");
            let reports = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
            let count = std::sync::Arc::clone(&reports);
            let report: Report = Box::new(move |_| {
                count.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            });
            let kept = stream(Source::from_bytes("m.sdf", whole).unwrap(), Some(report)).map(Result::unwrap).count();
            assert_eq!((kept, reports.load(std::sync::atomic::Ordering::Relaxed)), (2, end), "{to}");
        }
    }

    #[test]
    fn lies_of_the_table_are_refused() {
        let good = text(&ammonium(), Version::Auto);
        for (from, to, words) in [
            ("  1  2  1  0", "  1  9  1  0", "bond 1 joins atom 9"),
            ("  1  2  1  0", "  1  1  1  0", "the same atom"),
            ("  1  2  1  0", "  1  3  1  0", "already bonded"),
            ("  1  2  1  0", "  1  2  8  0", "bond type `8`"),
            ("  5  4  0", "999999  0", "expected"),
            ("V2000", "V4000", "molfile version `V4000`"),
            (" N ", " Qq", "unknown element `Qq`"),
            ("    0.5889    0.5889", "       nan    0.5889", "coordinate x of atom 2 is NaN"),
        ] {
            let outcome = records(&good.replacen(from, to, 1)).into_iter().find(Result::is_err);
            let message = outcome.unwrap_or_else(|| panic!("{from} -> {to}")).unwrap_err().to_string();
            assert!(message.contains(words), "{message}");
        }
    }
}
