//! Preparation: who stays, what is added, and that an interruption anywhere changes nothing.

use super::super::{MoleculeSet, embedded, legacy_permutation, read_cache};
use super::*;
use crate::formats::write_all;
use std::path::PathBuf;

struct Desk {
    folder: tempfile::TempDir,
}

impl Desk {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn prepared(&self, source: &str, how: &Preparation) -> Result<MoleculeSet> {
        let cache = self.path("cache.safetensors");
        prepare(&self.path(source), &cache, how, || {})?;
        read_cache(&cache)
    }

    /// Names of files whose names hold `.part`.
    fn parts(&self) -> usize {
        std::fs::read_dir(self.folder.path()).unwrap().filter(|e| e.as_ref().unwrap().path().to_string_lossy().contains(".part")).count()
    }
}

fn indices(set: &MoleculeSet) -> Vec<i32> {
    (0..set.len()).map(|i| set.index(i)).collect()
}

#[test]
fn excluded_numbers_stay_out_and_the_others_keep_theirs() {
    let place = Desk::new();
    write_all(&place.path("s.npz"), embedded().select(&[10, 20, 30]).molecules()).unwrap();
    let list = place.path("list.txt");
    std::fs::write(&list, "heading\n".repeat(9) + "   21  C  C\n99 N N\nend\n").unwrap();
    let excluded = read_exclusions(&list).unwrap();
    assert_eq!(excluded, [21, 99].into());
    let how = Preparation { excluded, ..Preparation::default() };
    assert_eq!(indices(&place.prepared("s.npz", &how).unwrap()), [11, 31]);
    for (text, expected) in [
        ("1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\n", Ok((1..=11).collect())),
        ("\u{feff}5, six\n7; eight\n", Ok([5, 7].into())),
        ("12 C\n14 N\n2 compounds\n", Ok([12, 14].into())),
        ("12 C\n14 N\n2", Ok([12, 14].into())),
        ("12 C\n14 N\n1", Err("the file ends in the middle of a number")),
        ("12\n14\n2\n", Ok([2, 12, 14].into())),
        ("heading\n\n-----\n", Err("the list of molecules to leave out is empty")),
        ("1\n-3\n", Err("line 2: expected the number of a molecule, found `-3`")),
        ("0.5\n", Err("line 1")),
    ] {
        std::fs::write(&list, text).unwrap();
        let read = read_exclusions(&list).map_err(|error| error.to_string());
        match (read, expected) {
            (Ok(read), Ok(expected)) => assert_eq!(read, expected),
            (Err(message), Err(words)) => assert!(message.contains(words), "{message}"),
            (read, _) => panic!("{text:?}: {read:?}"),
        }
    }

    // GDB9's SDF tells its numbers in the titles; a file that tells none cannot be filtered by them.
    let named = |names: [&str; 2]| names.into_iter().zip([3, 4]).map(|(name, i)| embedded().molecule(i).renamed(name)).collect::<Vec<_>>();
    write_all(&place.path("gdb9.sdf"), named(["gdb_21", "gdb_22"])).unwrap();
    assert_eq!(indices(&place.prepared("gdb9.sdf", &how).unwrap()), [22]);
    write_all(&place.path("other.sdf"), named(["gdb_22", "water"])).unwrap();
    let message = place.prepared("other.sdf", &how).unwrap_err().to_string();
    assert!(message.contains("other.sdf, molecule 2: there is no number of the molecule `water`"), "{message}");
}

#[test]
fn three_published_files_bring_their_split() {
    let place = Desk::new();
    for (part, chosen) in [("train", &[5, 6, 7][..]), ("valid", &[8]), ("test", &[9, 10])] {
        write_all(&place.path(&format!("{part}.npz")), embedded().select(chosen).molecules()).unwrap();
    }
    let set = place.prepared("", &Preparation::default()).unwrap();
    assert_eq!(set.split(), Split { train: vec![0, 1, 2], valid: vec![3], test: vec![4, 5] });
    assert_eq!(indices(&set), [6, 7, 8, 9, 10, 11]);
    // Whatever is left out, the others stay in their part.
    let excluded = || BTreeSet::from([6, 9]);
    for atoms in [None, Some(1..=100)] {
        let how = Preparation { excluded: excluded(), atoms, ..Preparation::default() };
        let set = place.prepared("", &how).unwrap();
        assert_eq!(indices(&set), [7, 8, 10, 11]);
        assert_eq!(set.split(), Split { train: vec![0, 1], valid: vec![], test: vec![2, 3] });
    }
    let how = Preparation { permutation: Some((0..6).collect()), ..Preparation::default() };
    let message = place.prepared("", &how).unwrap_err().to_string();
    assert!(message.contains("leave the permutation out"), "{message}");
    std::fs::remove_file(place.path("valid.npz")).unwrap();
    assert!(place.prepared("", &Preparation::default()).unwrap_err().to_string().contains("valid.npz: cannot open it"));
}

#[test]
fn a_permutation_splits_as_geom_is_split() {
    let place = Desk::new();
    write_all(&place.path("s.xyz"), embedded().molecules().take(20)).unwrap();
    let permutation = legacy_permutation(20, 7);
    let how = Preparation { permutation: Some(permutation.clone()), ..Preparation::default() };
    let split = place.prepared("s.xyz", &how).unwrap().split();
    assert_eq!([split.valid, split.test, split.train], [&permutation[..2], &permutation[2..4], &permutation[4..]]);
    assert_eq!(place.prepared("s.xyz", &Preparation::default()).unwrap().split(), Split::published(20));
    let short = Preparation { permutation: Some(legacy_permutation(19, 7)), ..Preparation::default() };
    let message = place.prepared("s.xyz", &short).unwrap_err().to_string();
    assert!(
        message.contains("cache.safetensors, whole file: expected a permutation of all molecules, found `19 places for 20"),
        "{message}"
    );
}

/// A writer that is dropped stands for a run that was killed: what was noted stays, what came later does not count.
#[test]
fn an_interrupted_preparation_is_continued_to_the_same_bytes() {
    let place = Desk::new();
    let source = place.path("s.xyz");
    write_all(&source, (0..2 * NOTED as usize + 500).map(|i| embedded().molecule(i % 1000))).unwrap();
    let molecules = || formats::open(&source).unwrap().map(Result::unwrap);
    let whole = place.prepared("s.xyz", &Preparation::default()).unwrap();
    let expected = std::fs::read(place.path("cache.safetensors")).unwrap();
    assert_eq!((whole.len(), place.parts()), (2 * NOTED as usize + 500, 0));
    std::fs::remove_file(place.path("cache.safetensors")).unwrap();

    let key = key(&stamp(&source).unwrap(), &Preparation::default());
    let interrupted = |noted: usize, more: usize| {
        let mut writer = CacheWriter::create(&place.path("cache.safetensors")).unwrap();
        for (number, molecule) in (1..).zip(molecules().take(noted + more)) {
            writer.push(&molecule).unwrap();
            if number == noted {
                writer.note(&key, number as u64).unwrap();
            }
        }
    };
    for (noted, more) in [(1, 0), (1000, 77), (2 * NOTED as usize + 500, 0)] {
        interrupted(noted, more);
        assert_eq!(place.parts(), 5);
        let (writer, done) = CacheWriter::resume(&place.path("cache.safetensors"), &key).unwrap();
        assert_eq!((done as usize, writer.so_far().0), (noted, noted));
        drop(writer);
        place.prepared("s.xyz", &Preparation::default()).unwrap();
        assert!(std::fs::read(place.path("cache.safetensors")).unwrap() == expected, "{noted} {more}");
        assert_eq!(place.parts(), 0);
    }
    // A part that changed, and a preparation of another kind: both begin anew.
    interrupted(1000, 77);
    let part = place.path("cache.safetensors.positions.part");
    let mut bytes = std::fs::read(&part).unwrap();
    bytes[500] ^= 1;
    std::fs::write(&part, bytes).unwrap();
    assert_eq!(CacheWriter::resume(&place.path("cache.safetensors"), &key).unwrap().1, 0);
    interrupted(1000, 77);
    assert_eq!(CacheWriter::resume(&place.path("cache.safetensors"), "another").unwrap().1, 0);
}

/// The published code's options, and its order: halves of the training part, hydrogens, units, sizes.
#[test]
fn options_select_and_convert_as_the_published_code_does() {
    let place = Desk::new();
    let source = embedded().select(&(0..40).map(|i| 200 * i).collect::<Vec<_>>());
    let properties = [("U0".to_owned(), vec![-2.0; 40]), ("zpve".to_owned(), vec![0.5; 40]), ("mu".to_owned(), vec![1.0; 40])];
    let source = source.with_properties(properties.into()).unwrap();
    write_all(&place.path("s.npz"), source.molecules()).unwrap();
    let prepared = |how: Preparation| place.prepared("s.npz", &how).unwrap();
    let plain = Preparation::default();

    let volts = prepared(Preparation { electron_volts: true, ..plain.clone() });
    assert_eq!(
        [volts.property("U0").unwrap()[0], volts.property("zpve").unwrap()[0], volts.property("mu").unwrap()[0]],
        [-54.4228, 13605.7, 1.0]
    );

    let split = Split::published(40);
    for half in [Half::First, Half::Second] {
        assert_eq!(prepared(Preparation { half: Some(half), ..plain.clone() }).split(), split.clone().half(half));
    }

    let heavy = prepared(Preparation { without_hydrogens: true, ..plain.clone() });
    assert!(heavy.all_atomic_numbers().iter().all(|z| *z > 1) && heavy.len() == 40);
    let count = source.all_atomic_numbers().iter().filter(|z| **z > 1).count();
    assert_eq!((heavy.total_atoms(), heavy.property("mu").unwrap()), (count, source.property("mu").unwrap()));

    // Of the published split of all forty, those of nine heavy atoms, under their new places.
    let nine = Preparation { without_hydrogens: true, atoms: Some(9..=9), half: Some(Half::Second), ..plain.clone() };
    let counted = prepare(&place.path("s.npz"), &place.path("cache.safetensors"), &nine, || {}).unwrap();
    let chosen: Vec<usize> = (0..40).filter(|i| heavy.num_atoms(*i) == 9).collect();
    assert_eq!((counted.molecules, counted.left_out, counted.atoms), (chosen.len(), 40 - chosen.len(), 9 * chosen.len()));
    let set = read_cache(&place.path("cache.safetensors")).unwrap();
    let now = |old: &usize| chosen.iter().position(|place| place == old);
    let expected: Vec<usize> = split.clone().half(Half::Second).train.iter().filter_map(now).collect();
    assert!(!expected.is_empty() && set.split().train == expected);
    assert_eq!(set.split().test, split.test.iter().filter_map(now).collect::<Vec<_>>());

    let older = std::fs::read(place.path("cache.safetensors")).unwrap();
    let none = place.prepared("s.npz", &Preparation { atoms: Some(200..=300), ..plain }).unwrap_err();
    assert!(none.is_input() && none.to_string().contains("s.npz, whole file: what is kept of the file is empty"), "{none}");
    assert!(std::fs::read(place.path("cache.safetensors")).unwrap() == older);
}

#[test]
fn charges_are_a_matter_of_the_encoding() {
    use crate::{data::Vocabulary, state::Encoding};
    use candle_core::{DType, Device};
    let rows = |encoding: Encoding| {
        let state = encoding.encode(embedded(), &[100], symdiff_ops::Samples::numbered(1), DType::F64, &Device::Cpu).unwrap();
        state.features().to_vec2::<f64>().unwrap()
    };
    let (with, without) = (rows(Encoding::qm9()), rows(Encoding::new(Vocabulary::qm9(), false)));
    assert!(with.iter().zip(&without).all(|(with, without)| with[..5] == without[..] && with.len() == 6));
}

#[test]
fn bad_molecules_are_skipped_on_request_and_counted() {
    let place = Desk::new();
    std::fs::write(place.path("s.jsonl"), "{\"z\":[1],\"xyz\":[[0,0,0]]}\n{\"z\":[1]}\n{\"z\":[8],\"xyz\":[[0,0,0]]}\n").unwrap();
    assert!(place.prepared("s.jsonl", &Preparation::default()).unwrap_err().to_string().contains("line 2"));
    let how = Preparation { skip_bad: true, ..Preparation::default() };
    let counted = prepare(&place.path("s.jsonl"), &place.path("c.safetensors"), &how, || {}).unwrap();
    assert_eq!(counted, Prepared { molecules: 2, atoms: 2, left_out: 0, skipped: 1 });
}

#[test]
fn two_runs_do_not_write_one_cache() {
    let place = Desk::new();
    write_all(&place.path("s.xyz"), embedded().molecules().take(2)).unwrap();
    let _first = CacheWriter::create(&place.path("cache.safetensors")).unwrap();
    let message = place.prepared("s.xyz", &Preparation::default()).unwrap_err().to_string();
    assert!(message.contains("cache.safetensors") && message.contains("another run is writing it"), "{message}");
}
