//! Writes a packed archive in the compact form that the crate embeds:
//! `cargo run -p symdiff-mol --example embed -- mini.npz crates/symdiff-mol/src/data/embedded.bin`

use std::path::Path;
use symdiff_mol::data::{encode_embedded, load};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [input, output] = arguments.as_slice() else {
        return Err("usage: embed INPUT.npz OUTPUT.bin".into());
    };
    let set = load(Path::new(input))?;
    let stored = encode_embedded(&set).ok_or("positions are not multiples of 1e-5 angstrom")?;
    std::fs::write(output, &stored)?;
    println!("{} molecules in {} bytes", set.len(), stored.len());
    Ok(())
}
