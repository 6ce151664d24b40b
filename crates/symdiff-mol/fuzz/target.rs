//! Every fuzz target: the binary's name is the parser's.

#![no_main]

#[path = "../tests/parsers/mod.rs"]
mod parsers;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| parsers::answers(env!("CARGO_BIN_NAME"), bytes));
