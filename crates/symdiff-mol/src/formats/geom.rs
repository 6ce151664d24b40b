//! GEOM-Drugs as its authors publish it: a stream of msgpack maps `{smiles: molecule}`, one after the other.
//!
//! The file is 50 GB: it is read as a stream that holds one molecule's conformers at a time. A molecule is a map with a
//! list `conformers`, each a map with `xyz` (rows `[Z, x, y, z]`) and `totalenergy` (hartree), in no order; everything else
//! is skipped unread. Each conformer becomes a molecule named by the SMILES, lowest energy first.
//!
//! # Source
//! Axelrod and Gómez-Bombarelli, Scientific Data 9, 185 (2022).

mod msgpack;

use super::source::Source;
use super::stream::{Next, Stream};
use crate::error::{Fault, Result};
use crate::molecule::Molecule;
use msgpack::Decoder;
use std::collections::VecDeque;

/// Conformers that the published preparation takes of each molecule.
pub const PUBLISHED_CONFORMERS: usize = 30;

/// Reads conformers one by one: of each molecule the `most` with the lowest energies.
pub fn read(source: Source, most: usize) -> Result<impl Iterator<Item = Result<Molecule>> + Send + use<>> {
    Ok(Stream::new(Conformers { decoder: Decoder::new(source)?, most, left_in_map: 0, ready: VecDeque::new() }, None))
}

struct Conformers {
    decoder: Decoder,
    most: usize,
    left_in_map: u32,
    ready: VecDeque<Molecule>,
}

impl Next for Conformers {
    fn next_molecule(&mut self) -> Result<Option<Molecule>> {
        loop {
            if let Some(conformer) = self.ready.pop_front() {
                return Ok(Some(conformer));
            }
            if self.left_in_map > 0 {
                self.left_in_map -= 1;
                self.molecule()?;
            } else if self.decoder.at_end()? {
                return Ok(None);
            } else {
                self.left_in_map = self.decoder.map("a map of molecules")?;
            }
        }
    }
}

impl Conformers {
    fn molecule(&mut self) -> Result<()> {
        let smiles = self.decoder.text("a SMILES")?;
        let mut conformers = Vec::new();
        for _ in 0..self.decoder.map("a molecule")? {
            if self.decoder.text("a key")? == "conformers" {
                for _ in 0..self.decoder.array("a list of conformers")? {
                    conformers.push(self.conformer(&smiles)?);
                }
            } else {
                self.decoder.skip()?;
            }
        }
        conformers.sort_by(|(a, _), (b, _)| a.total_cmp(b));
        self.ready.extend(conformers.into_iter().take(self.most).map(|(_, conformer)| conformer));
        Ok(())
    }

    /// Energy and atoms of one conformer.
    fn conformer(&mut self, smiles: &str) -> Result<(f64, Molecule)> {
        let start = self.decoder.offset();
        let (mut energy, mut atoms) = (None, None);
        for _ in 0..self.decoder.map("a conformer")? {
            match self.decoder.text("a key")?.as_str() {
                "xyz" => atoms = Some(self.atoms()?),
                "totalenergy" => energy = Some(self.decoder.real("a total energy")?),
                _ => self.decoder.skip()?,
            }
        }
        let (Some(energy), Some((atomic_numbers, positions))) = (energy, atoms) else {
            let fault = Fault::Missing {
                what: "`xyz` or `totalenergy` in a conformer".to_owned(),
                remedy: "give GEOM's drugs_crude.msgpack or a file of its form",
            };
            return Err(self.decoder.fault_at(start, fault));
        };
        let molecule = Molecule::new(smiles, atomic_numbers, positions).map_err(|fault| self.decoder.fault_at(start, fault))?;
        Ok((energy, molecule.with_property("totalenergy", energy)))
    }

    fn atoms(&mut self) -> Result<(Vec<u8>, Vec<[f64; 3]>)> {
        let (mut atomic_numbers, mut positions) = (Vec::new(), Vec::new());
        for atom in 1..=self.decoder.array("a list of atoms")? {
            let start = self.decoder.offset();
            let columns = self.decoder.array("a row `[Z, x, y, z]`")?;
            if columns != 4 {
                let found = format!("{columns} numbers");
                let fault = Fault::unexpected("a row `[Z, x, y, z]`", &found, "write four numbers");
                return Err(self.decoder.fault_at(start, fault));
            }
            let z = self.decoder.real("an atomic number")?;
            if !(1.0..=118.0).contains(&z) || z.fract() != 0.0 {
                let (atom, text) = (atom as usize, z.to_string());
                return Err(self.decoder.fault_at(start, Fault::UnknownElement { atom, text }));
            }
            atomic_numbers.push(z as u8);
            let mut position = [0.0; 3];
            for value in &mut position {
                *value = self.decoder.real("a coordinate")?;
            }
            positions.push(position);
        }
        Ok((atomic_numbers, positions))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two molecules, the first with two conformers in descending order of energy.
    fn sample() -> Vec<u8> {
        let text = |text: &str| [&[0xa0 | text.len() as u8], text.as_bytes()].concat();
        let real = |value: f64| [&[0xcb][..], &value.to_be_bytes()].concat();
        let conformer = |energy: f64, x: f64| {
            let row = [vec![0x94], real(1.0), real(x), real(0.0), real(0.0)].concat();
            let rows = [text("xyz"), vec![0x91], row].concat();
            let rest = [text("set"), vec![0xc0], text("totalenergy"), real(energy)].concat();
            [vec![0x83], rows, rest].concat()
        };
        let molecule = |conformers: &[Vec<u8>]| {
            let list = [text("conformers"), vec![0x90 | conformers.len() as u8], conformers.concat()];
            [vec![0x82], text("charge"), vec![0x00], list.concat()].concat()
        };
        let two = molecule(&[conformer(-1.0, 5.0), conformer(-2.0, 6.0)]);
        let first = [vec![0x81], text("[H]"), two].concat();
        let second = [vec![0x81], text("[2H]"), molecule(&[conformer(0.0, 7.0)])].concat();
        [first, second].concat()
    }

    fn conformers(bytes: &[u8], most: usize) -> Vec<Result<Molecule>> {
        read(Source::from_bytes("g.msgpack", bytes.to_vec()).unwrap(), most).unwrap().collect()
    }

    #[test]
    fn conformers_come_lowest_energy_first_and_no_more_than_asked() {
        let first_coordinates = |most| -> Vec<f64> {
            let read = conformers(&sample(), most).into_iter().map(Result::unwrap);
            read.map(|molecule| molecule.positions()[0][0]).collect()
        };
        assert_eq!(first_coordinates(30), [6.0, 5.0, 7.0]);
        assert_eq!(first_coordinates(1), [6.0, 7.0]);
    }

    #[test]
    fn the_archive_that_is_published_reads_like_the_stream_in_it() {
        let archive = crate::formats::testing::entry("drugs_crude.msgpack", &sample());
        let names = |bytes: &[u8]| -> Vec<_> { conformers(bytes, 30).into_iter().map(|m| m.unwrap().name().to_owned()).collect() };
        assert_eq!(names(&archive), names(&sample()));
    }

    #[test]
    fn every_cut_but_that_between_maps_is_refused() {
        let whole = sample();
        for cut in 1..whole.len() {
            let read = conformers(&whole[..cut], 30);
            match read.last() {
                Some(Ok(_)) => assert_eq!(read.len(), 2, "the cut between the maps"),
                other => {
                    let message = other.unwrap().as_ref().unwrap_err().to_string();
                    assert!(message.starts_with("g.msgpack, byte "), "{message}");
                }
            }
        }
    }
}
