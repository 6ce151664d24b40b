//! Readers against damage: whatever the bytes, they answer with molecules or with a sentence, never with a panic.
//!
//! `SYMDIFF_FUZZ_SECONDS` sets how long each parser is fuzzed (a fraction of a second by default), `SYMDIFF_FUZZ_SEED` where the
//! mutations begin; `scripts/fuzz.sh` runs all of them for as long as one likes. A finding prints its seed and leaves its bytes in
//! the temporary folder.

use rand_mt::Mt;
use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::time::{Duration, Instant};
use symdiff_mol::formats::{self, Format, Source};
use symdiff_mol::{Error, Molecule, data};

fn molecules() -> Vec<Molecule> {
    [10, 700].map(|i| data::embedded().molecule(i).with_property("gap", 0.25)).into()
}

/// A file of this ending as our writers make it.
fn written(ending: &str) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(format!("sample{ending}"));
    formats::write_all(&path, molecules()).unwrap();
    std::fs::read(path).unwrap()
}

/// QM9's archive of one molecule.
fn qm9() -> Vec<u8> {
    let content = "2\ngdb 7\t1.\t2\t3\t4\t5\t6\t7\t8\t9\t10\t11\t12\t13\t14\t15\t\nH\t0.\t0.\t6.1*^-6\t0.1\nH\t0.74\t0.\t0.\t-0.1\n100.\nHH\tHH\nInChI=1S/H2/h1H\tInChI=1S/H2/h1H\n";
    let mut block = vec![0; 512];
    block[..5].copy_from_slice(b"a.xyz");
    block[124..135].copy_from_slice(format!("{:011o}", content.len()).as_bytes());
    block[148..156].fill(b' ');
    block[156] = b'0';
    let sum: usize = block.iter().map(|byte| usize::from(*byte)).sum();
    block[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
    block.extend(content.as_bytes());
    block.resize(2048, 0);
    block
}

/// GEOM's stream of one conformer.
fn geom() -> Vec<u8> {
    let text = |text: &str| [&[0xa0 | text.len() as u8], text.as_bytes()].concat();
    let real = |value: f64| [&[0xcb][..], &value.to_be_bytes()].concat();
    let row = |x| [vec![0x94], real(1.0), real(x), real(0.0), real(0.0)].concat();
    let rows = [text("xyz"), vec![0x92], row(0.0), row(0.74)].concat();
    let conformer = [vec![0x83], rows, text("set"), vec![0xc0], text("totalenergy"), real(-1.0)].concat();
    let molecule = [vec![0x82], text("charge"), vec![0x00], text("conformers"), vec![0x91], conformer].concat();
    [vec![0x81], text("[H][H]"), molecule].concat()
}

fn read(format: Format, name: &str, bytes: &[u8]) -> Result<Vec<Molecule>, Error> {
    formats::read(format, Source::from_bytes(name, bytes.to_vec())?, Path::new(name))?.collect()
}

/// One change of the kinds that break parsers.
fn mutate(bytes: &mut Vec<u8>, random: &mut Mt) {
    const WORDS: [&str; 12] =
        ["999999999999", "-1", "0", "nan", "inf", "1e999", "4294967295", "\n", "\0", "\u{fffd}", "18446744073709551615", "\t"];
    let at = |random: &mut Mt, length: usize| random.next_u32() as usize % length.max(1);
    let place = at(random, bytes.len());
    let span = 1 + at(random, 16);
    let end = (place + span).min(bytes.len());
    match random.next_u32() % 7 {
        0 if place < bytes.len() => bytes[place] ^= 1 << (random.next_u32() % 8),
        1 if place < bytes.len() => bytes[place] = [0, 1, 0x7f, 0x80, 0xff][at(random, 5)],
        2 => drop(bytes.drain(place.min(end)..end)),
        3 => {
            let copy = bytes[place.min(end)..end].to_vec();
            bytes.splice(place..place, copy);
        }
        4 => bytes.truncate(place),
        5 => {
            let word = WORDS[at(random, WORDS.len())].bytes();
            drop(bytes.splice(place..end, word));
        }
        _ => {
            let other = at(random, bytes.len());
            if place < bytes.len() {
                bytes.swap(place, other);
            }
        }
    }
}

fn number(variable: &str) -> Option<f64> {
    std::env::var(variable).ok()?.parse().ok()
}

/// Runs mutants of a sample through a parser until the time is up.
fn fuzz(name: &str, sample: &[u8], parse: impl Fn(&[u8])) {
    let patience = Duration::from_secs_f64(number("SYMDIFF_FUZZ_SECONDS").unwrap_or(0.3));
    let (start, first) = (Instant::now(), number("SYMDIFF_FUZZ_SEED").unwrap_or(0.0) as u32);
    let mut seed = first;
    while start.elapsed() < patience {
        let mut random = Mt::new(seed);
        let mut bytes = sample.to_vec();
        for _ in 0..=random.next_u32() % 8 {
            mutate(&mut bytes, &mut random);
        }
        if catch_unwind(AssertUnwindSafe(|| parse(&bytes))).is_err() {
            let kept = std::env::temp_dir().join(format!("finding-{seed}-{name}"));
            std::fs::write(&kept, &bytes).unwrap();
            panic!("{name}, seed {seed}: the parser panicked; its input is {}", kept.display());
        }
        seed = seed.wrapping_add(1);
    }
    eprintln!("{name}: {} mutants in {:.1} s, no finding", seed.wrapping_sub(first), start.elapsed().as_secs_f64());
}

fn fuzz_format(name: &str, format: Format, sample: &[u8]) {
    assert!(!read(format, name, sample).unwrap().is_empty(), "the sample itself is read");
    fuzz(name, sample, |bytes| {
        if let Err(error) = read(format, name, bytes) {
            assert!(error.to_string().contains(name), "{error}");
        }
    });
}

macro_rules! fuzzed {
    ($($test:ident: $name:literal, $format:ident, $sample:expr;)*) => { $(
        #[test]
        fn $test() {
            fuzz_format($name, Format::$format, &$sample);
        }
    )* };
}

fuzzed! {
    fuzz_xyz: "a.xyz", Xyz, written(".xyz");
    fuzz_extended_xyz: "a.extxyz", ExtendedXyz, written(".extxyz");
    fuzz_sdf: "a.sdf", Sdf, written(".sdf");
    fuzz_sdf_v3000: "v.sdf", Sdf, v3000();
    fuzz_jsonl: "a.jsonl", Jsonl, written(".jsonl");
    fuzz_npz: "a.npz", Npz, written(".npz");
    fuzz_gzip: "a.xyz.gz", Xyz, written(".xyz.gz");
    fuzz_bzip2: "a.xyz.bz2", Xyz, written(".xyz.bz2");
    fuzz_zstd: "a.xyz.zst", Xyz, written(".xyz.zst");
    fuzz_qm9: "a.tar", Qm9Tar, qm9();
    fuzz_geom: "a.msgpack", GeomMsgpack, geom();
}

fn v3000() -> Vec<u8> {
    let mut text = Vec::new();
    for molecule in molecules() {
        formats::sdf::write(&mut text, &molecule, formats::sdf::Version::V3000).unwrap();
    }
    text
}

#[test]
fn fuzz_cache() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.safetensors");
    data::write_cache(&path, &data::embedded().select(&[0, 1])).unwrap();
    let sample = std::fs::read(&path).unwrap();
    fuzz("a.safetensors", &sample, |bytes| {
        // A new file each time: changing one that is mapped would be the test's fault.
        std::fs::remove_file(&path).unwrap();
        std::fs::File::create(&path).unwrap().write_all(bytes).unwrap();
        if let Err(error) = data::read_cache(&path) {
            assert!(error.to_string().contains("a.safetensors"), "{error}");
        }
    });
}

/// A file that was cut either says so or holds fewer molecules, each of them whole. The last number of an XYZ file is the one
/// exception: cut, it may still look like a number.
#[test]
fn every_prefix_is_refused_or_is_a_shorter_file() {
    let mut samples: Vec<_> = [".xyz", ".extxyz", ".sdf", ".jsonl", ".npz", ".xyz.gz", ".xyz.bz2", ".xyz.zst"]
        .map(|ending| (format!("a{ending}"), written(ending)))
        .into();
    samples.push(("v.sdf".to_owned(), v3000()));
    samples.push(("a.tar".to_owned(), qm9()));
    samples.push(("a.msgpack".to_owned(), geom()));
    for (name, whole) in samples {
        let format = Format::of(Path::new(&name)).unwrap();
        let expected = read(format, &name, &whole).unwrap();
        for cut in 1..whole.len() {
            match read(format, &name, &whole[..cut]) {
                Err(error) => assert!(error.to_string().starts_with(&name), "{error}"),
                Ok(found) => {
                    let numbers = |molecules: &[Molecule]| -> Vec<f64> {
                        molecules.iter().flat_map(Molecule::positions).flatten().copied().collect()
                    };
                    let (found, expected) = (numbers(&found), numbers(&expected[..found.len()]));
                    let open_ended = matches!(format, Format::Xyz | Format::ExtendedXyz) && !name.contains(".xyz.");
                    let sure = found.len() - usize::from(open_ended && !found.is_empty());
                    assert_eq!(found[..sure], expected[..sure], "{name} cut at byte {cut}");
                }
            }
        }
    }
}
