//! Preparation: who stays, what is added, and that an interruption anywhere changes nothing.

use super::super::{MoleculeSet, embedded, read_cache};
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
    std::fs::write(&list, "heading\n".repeat(10) + "end\n").unwrap();
    assert!(read_exclusions(&list).unwrap_err().to_string().contains("line 10"));

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

    let key = key(&fingerprint(&source).unwrap(), &Preparation::default());
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
        assert_eq!((done as usize, writer.so_far().molecules), (noted, noted));
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

#[test]
fn two_runs_do_not_write_one_cache() {
    let place = Desk::new();
    write_all(&place.path("s.xyz"), embedded().molecules().take(2)).unwrap();
    let _first = CacheWriter::create(&place.path("cache.safetensors")).unwrap();
    let message = place.prepared("s.xyz", &Preparation::default()).unwrap_err().to_string();
    assert!(message.contains("cache.safetensors") && message.contains("another run is writing it"), "{message}");
}
