//! Small files that were once read or judged wrongly without a word, each with its right value.
//!
//! Right values are those of RDKit (sanitisation of the graph), PoseBusters, ASE, or the format's specification.

use std::path::{Path, PathBuf};
use symdiff_mol::chemistry::{Protocol, Verdict};
use symdiff_mol::data::{self, MoleculeSet, Part, Preparation};
use symdiff_mol::metrics::CheckTally;
use symdiff_mol::{Error, Molecule, formats};

fn case(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases").join(name)
}

fn molecules(name: &str) -> Vec<Molecule> {
    formats::open(&case(name)).unwrap().map(Result::unwrap).collect()
}

fn verdict(molecule: &Molecule) -> Verdict {
    Protocol::GeomRevisited.judge(molecule).unwrap()
}

fn prepared(name: &str, preparation: &Preparation) -> Result<MoleculeSet, Error> {
    let folder = tempfile::tempdir().unwrap();
    let cache = folder.path().join("packed.safetensors");
    data::prepare(&case(name), &cache, preparation, || {})?;
    data::read_cache(&cache)
}

#[test]
fn a_record_without_m_end_takes_nothing_from_the_next() {
    let read = molecules("sdf-no-m-end.sdf");
    let told: Vec<_> = read.iter().map(|m| (m.name(), m.formal_charges().unwrap()[0], m.properties()["energy"])).collect();
    assert_eq!(told, [("methane", 0, -40.5), ("ammonium", 1, -56.9)]);
}

#[test]
fn every_number_of_a_plain_list_is_left_out() {
    let excluded = data::read_exclusions(&case("exclude-plain-list.txt")).unwrap();
    assert_eq!(excluded, (1..=11).collect());
    let set = prepared("exclude-list.sdf", &Preparation { excluded, ..Preparation::default() }).unwrap();
    assert_eq!((set.len(), set.index(0)), (1, 12));
}

#[test]
fn pairs_of_extended_xyz_may_have_blanks_d_exponents_and_no_layout() {
    for name in ["extxyz-spaced-properties.extxyz", "extxyz-no-properties.extxyz", "extxyz-d-exponent.extxyz"] {
        let molecule = molecules(name).remove(0);
        assert_eq!(molecule.positions(), [[0.0; 3], [0.74, 0.0, 0.0]], "{name}");
        assert_eq!(Protocol::EdmQm9.judge(&molecule).unwrap().n_fragments, 1, "{name}");
        assert_eq!(prepared(name, &Preparation::default()).unwrap().property("energy").unwrap(), [-1.5], "{name}");
    }
}

#[test]
fn geometry_judges_the_bonds_of_the_file() {
    let mut tally = CheckTally::default();
    tally.observe(&molecules("geometry-stretched-ring.sdf"), Protocol::GeomRevisited).unwrap();
    let rates = tally.rates().unwrap();
    assert_eq!((rates.bond_lengths, rates.one_piece), (0.0, 1.0));
}

#[test]
fn a_property_is_a_data_item_of_one_number() {
    let set = prepared("sdf-multiline-item.sdf", &Preparation::default()).unwrap();
    assert_eq!(set.properties().iter().collect::<Vec<_>>(), [(&"energy".to_owned(), &vec![-76.4])]);
}

#[test]
fn blank_lines_end_a_file() {
    assert_eq!(molecules("sdf-trailing-blank-lines.sdf").len(), 1);
}

#[test]
fn a_file_of_qm9_is_read_as_it_is() {
    let [water] = &molecules("qm9-unpacked.xyz")[..] else { panic!("one molecule") };
    assert_eq!((water.name(), water.index(), water.len(), water.properties().len()), ("gdb 3", Some(3), 3, 16));
    assert_eq!((water.properties()["mu"], water.properties()["gap"], water.positions()[1][2]), (1.8, 0.35, 1e-6));
}

#[test]
fn radicals_cancel_the_charges_of_atom_lines() {
    let molecule = molecules("sdf-m-rad-charges.sdf").remove(0);
    let verdict = verdict(&molecule);
    assert_eq!(molecule.formal_charges().unwrap(), [0; 5]);
    assert_eq!((verdict.stable_atoms, verdict.atoms, verdict.valid), (4, 5, false));
}

#[test]
fn bonds_from_donors_to_metals_are_dative() {
    let smiles: Vec<_> = molecules("sdf-metal-donor.sdf").iter().map(|molecule| verdict(molecule).smiles.unwrap_or_default()).collect();
    assert_eq!(smiles, ["C[N](C)(C)->[Hg]([Cl])[Cl]", "C[N](C)(C)->[BiH]([Cl])([Cl])[Cl]", "C[N](C)(C)->[Zn]([Cl])[Cl]"]);
}

#[test]
fn a_part_without_molecules_is_an_error() {
    let one = MoleculeSet::from_molecules(molecules("sdf-trailing-blank-lines.sdf").into_iter().map(Ok)).unwrap();
    assert!(one.part(Part::Train).unwrap_err().to_string().contains("the training part of the set is empty"));
}

#[test]
fn names_of_over_a_hundred_bytes_are_names() {
    assert_eq!(molecules("tar-long-name.tar.gz").len(), 2);
}

#[test]
fn a_bond_names_the_atom_that_the_file_names() {
    let error = formats::open(&case("v3000-bad-index.sdf")).unwrap().next().unwrap().unwrap_err();
    assert!(error.is_input() && error.to_string().contains("record 1") && error.to_string().contains("bond 1 joins atom 5"), "{error}");
}

/// Neither a stream without an end nor a folder in the place of a file is waited for.
#[cfg(unix)]
#[test]
fn devices_and_folders_are_no_molecules() {
    let folder = tempfile::tempdir().unwrap();
    for ending in ["xyz", "sdf", "jsonl", "npz", "tar", "msgpack", "safetensors"] {
        let link = folder.path().join(format!("zero.{ending}"));
        std::os::unix::fs::symlink("/dev/zero", &link).unwrap();
        let error = data::load(&link).unwrap_err();
        assert!(error.is_input() && error.to_string().lines().count() == 1, "{ending}: {error}");
        let named = folder.path().join(format!("folder.{ending}"));
        std::fs::create_dir(&named).unwrap();
        for error in [data::load(&named).unwrap_err(), formats::open(&named).err().unwrap_or_else(|| data::load(&named).unwrap_err())] {
            assert!(error.is_input() && error.to_string().lines().count() == 1, "{ending}: {error}");
        }
    }
    let zero = Path::new("/dev/zero");
    for error in
        [data::read_exclusions(zero).unwrap_err(), data::AtomReferences::read(zero).unwrap_err(), data::read_permutation(zero).unwrap_err()]
    {
        assert!(error.is_input() && error.to_string().starts_with("/dev/zero, "), "{error}");
    }
}
