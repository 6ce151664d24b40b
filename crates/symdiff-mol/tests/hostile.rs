//! Readers against damage: whatever the bytes, they answer with molecules or with a sentence, never with a panic.
//!
//! The parsers and the files they begin with are shared with the fuzz targets (`fuzz/`). Here every build mutates them at random for a moment;
//! `SYMDIFF_FUZZ_SECONDS` sets how long for each parser, `SYMDIFF_FUZZ_SEED` where the mutations begin. A finding prints its seed and leaves
//! its bytes in the temporary folder.

mod parsers;

use parsers::{PARSERS, answers};
use rand_mt::Mt;
use rayon::prelude::*;
use std::panic::catch_unwind;
use std::path::Path;
use std::time::{Duration, Instant};

/// The files that a parser begins with, and their names.
fn corpus(parser: &str) -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus").join(parser);
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files.into_iter().map(|path| (path.file_name().unwrap().to_string_lossy().into_owned(), std::fs::read(&path).unwrap())).collect()
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

/// Runs mutants of the files of a parser through it until the time is up.
fn fuzz(parser: &str) {
    let files = corpus(parser);
    let patience = Duration::from_secs_f64(number("SYMDIFF_FUZZ_SECONDS").unwrap_or(0.3));
    let first = number("SYMDIFF_FUZZ_SEED").unwrap_or(0.0) as u32;
    let start = Instant::now();
    let mut seed = first;
    while start.elapsed() < patience {
        let mut random = Mt::new(seed);
        let mut bytes = files[random.next_u32() as usize % files.len()].1.clone();
        for _ in 0..=random.next_u32() % 8 {
            mutate(&mut bytes, &mut random);
        }
        if catch_unwind(|| answers(parser, &bytes)).is_err() {
            let kept = std::env::temp_dir().join(format!("finding-{seed}-{parser}"));
            std::fs::write(&kept, &bytes).unwrap();
            panic!("{parser}, seed {seed}: the parser panicked; its input is {}", kept.display());
        }
        seed = seed.wrapping_add(1);
    }
    eprintln!("{parser}: {} mutants in {:.1} s, no finding", seed.wrapping_sub(first), start.elapsed().as_secs_f64());
}

#[test]
fn fuzz_every_parser() {
    PARSERS.par_iter().for_each(|(parser, _)| fuzz(parser));
}

/// One row here, one target there, and something to begin with.
#[test]
fn every_parser_has_a_target_and_a_corpus_that_it_reads() {
    // The fuzz targets are a package of their own, which this one does not carry along when it is packed.
    if let Ok(manifest) = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/Cargo.toml")) {
        let targets: Vec<&str> = manifest.split("[[bin]]\nname = \"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
        assert_eq!(targets, PARSERS.map(|(parser, _)| parser));
    } else {
        eprintln!("skipped: there is no fuzz/Cargo.toml to compare the list of parsers with");
    }
    for (parser, parse) in PARSERS {
        let files = corpus(parser);
        assert!(!files.is_empty(), "{parser}");
        for (name, bytes) in files {
            assert!(!parse(&name, &bytes).unwrap().is_empty(), "{name}");
            assert!(bytes.len() < 4096, "{name} has {} bytes", bytes.len());
        }
    }
}

/// A file that was cut either says so or holds less, all of it right. The last number of a file that ends in one may be cut and still look like
/// a number; a list of lines may end anywhere.
#[test]
fn every_prefix_is_refused_or_is_a_shorter_file() {
    for (parser, parse) in PARSERS {
        for (name, whole) in corpus(parser) {
            let expected = parse(&name, &whole).unwrap();
            for cut in 1..whole.len() {
                match parse(&name, &whole[..cut]) {
                    Err(error) => assert!(error.to_string().contains(&name), "{error}"),
                    Ok(found) => {
                        let open_ended = ["xyz", "extxyz", "txt"].iter().any(|ending| name.ends_with(ending));
                        let sure = found.len() - usize::from(open_ended && !found.is_empty());
                        assert!(found.len() <= expected.len() && found[..sure] == expected[..sure], "{name} cut at byte {cut}");
                    }
                }
            }
        }
    }
}
