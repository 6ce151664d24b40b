//! What is written reads back, for any molecule: property tests of every writer with its reader.

use proptest::prelude::*;
use std::path::Path;
use symdiff_mol::data::{MoleculeSet, Split, legacy_permutation, read_cache, write_cache};
use symdiff_mol::formats::{self, Format, Source, sdf};
use symdiff_mol::{Bond, BondOrder, Molecule};

fn orders() -> impl Strategy<Value = BondOrder> {
    prop_oneof![Just(BondOrder::Single), Just(BondOrder::Double), Just(BondOrder::Triple), Just(BondOrder::Aromatic)]
}

/// Molecules of up to twelve atoms of any element, bonded in a chain, charged, anywhere within ten micrometres.
fn any_molecule() -> impl Strategy<Value = Molecule> {
    let atom = (1..=118_u8, prop::array::uniform3(-1e5..1e5_f64), -9..=9_i8, orders());
    let name = "[a-zA-Z0-9()\\[\\]#=@+-]{1,20}";
    (prop::collection::vec(atom, 1..12), name, prop::option::of(-1e3..1e3_f64)).prop_map(|(atoms, name, property)| {
        let bonds = (1..atoms.len()).map(|second| Bond { first: second - 1, second, order: atoms[second].3 });
        let molecule = Molecule::new(name, atoms.iter().map(|a| a.0).collect(), atoms.iter().map(|a| a.1).collect())
            .and_then(|molecule| molecule.with_bonds(bonds))
            .and_then(|molecule| molecule.with_formal_charges(atoms.iter().map(|a| a.2).collect()))
            .unwrap();
        property.into_iter().fold(molecule, |molecule, value| molecule.with_property("energy", value))
    })
}

fn read(format: Format, text: Vec<u8>) -> Vec<Molecule> {
    let source = Source::from_bytes("m", text).unwrap();
    formats::read(format, source, Path::new("m")).unwrap().map(Result::unwrap).collect()
}

/// Atoms and name, which every format keeps.
fn bare(molecule: &Molecule) -> Molecule {
    Molecule::new(molecule.name(), molecule.atomic_numbers().to_vec(), molecule.positions().to_vec()).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn xyz_and_json_lines_keep_atoms_to_the_last_bit(molecules in prop::collection::vec(any_molecule(), 1..4)) {
        let bare: Vec<_> = molecules.iter().map(bare).collect();
        let (mut xyz, mut jsonl) = (Vec::new(), Vec::new());
        for molecule in &bare {
            formats::xyz::write(&mut xyz, molecule).unwrap();
            formats::jsonl::write(&mut jsonl, molecule).unwrap();
        }
        prop_assert_eq!(&read(Format::Xyz, xyz), &bare);
        prop_assert_eq!(&read(Format::Jsonl, jsonl), &bare);
    }

    #[test]
    fn extended_xyz_keeps_charges_and_properties(molecule in any_molecule()) {
        let mut text = Vec::new();
        formats::xyz::write_extended(&mut text, &molecule).unwrap();
        let back = read(Format::ExtendedXyz, text).remove(0);
        prop_assert_eq!(back.formal_charges(), molecule.formal_charges());
        prop_assert_eq!(back.properties(), molecule.properties());
        prop_assert_eq!(bare(&back), bare(&molecule));
    }

    #[test]
    fn v3000_keeps_everything(molecules in prop::collection::vec(any_molecule(), 1..4)) {
        let mut text = Vec::new();
        for molecule in &molecules {
            sdf::write(&mut text, molecule, sdf::Version::V3000).unwrap();
        }
        prop_assert_eq!(read(Format::Sdf, text), molecules);
    }

    #[test]
    fn v2000_keeps_four_decimals_and_the_rest_exactly(molecule in any_molecule()) {
        let shrunk: Vec<_> = molecule.positions().iter().map(|row| row.map(|v| v * 1e-3)).collect();
        let small = Molecule::new(molecule.name(), molecule.atomic_numbers().to_vec(), shrunk)
            .and_then(|m| m.with_bonds(molecule.bonds().unwrap().to_vec()))
            .and_then(|m| m.with_formal_charges(molecule.formal_charges().unwrap().to_vec()))
            .unwrap();
        let mut text = Vec::new();
        sdf::write(&mut text, &small, sdf::Version::Auto).unwrap();
        prop_assert!(String::from_utf8_lossy(&text).contains("V2000"));
        let back = read(Format::Sdf, text).remove(0);
        prop_assert_eq!(back.bonds(), small.bonds());
        prop_assert_eq!(back.formal_charges(), small.formal_charges());
        for (a, b) in back.positions().iter().flatten().zip(small.positions().iter().flatten()) {
            prop_assert!((a - b).abs() <= 0.5e-4 * (1.0 + 1e-9), "{a} {b}");
        }
    }

    #[test]
    fn packed_archives_and_caches_keep_all_that_a_set_holds(molecules in prop::collection::vec(any_molecule(), 1..6), seed in 0..100_u32) {
        let set = MoleculeSet::from_molecules(molecules.into_iter().map(Ok)).unwrap();
        let mut archive = std::io::Cursor::new(Vec::new());
        formats::npz::write(&mut archive, &set).unwrap();
        prop_assert_eq!(&formats::npz::from_bytes(Path::new("m.npz"), archive.into_inner()).unwrap(), &set);
        let split = Split::of_geom(&legacy_permutation(set.len(), seed));
        let set = set.with_split(split).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("m.safetensors");
        write_cache(&path, &set).unwrap();
        prop_assert_eq!(read_cache(&path).unwrap(), set);
    }
}
