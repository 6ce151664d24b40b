//! Writes a packed archive and its properties in the compact form that the crate embeds:
//! `cargo run -p symdiff-mol --example embed -- mini.npz properties.npz crates/symdiff-mol/src/data`

use std::path::Path;
use symdiff_mol::data::{encode_embedded, encode_properties, load};
use symdiff_mol::formats::npz::read_properties;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [molecules, properties, folder] = arguments.as_slice() else {
        return Err("usage: embed MOLECULES.npz PROPERTIES.npz FOLDER".into());
    };
    let set = load(Path::new(molecules))?;
    let stored = encode_embedded(&set).ok_or("positions are not multiples of 1e-5 angstrom")?;
    let folder = Path::new(folder);
    std::fs::write(folder.join("embedded.bin"), &stored)?;
    let properties = read_properties(Path::new(properties), set.len())?;
    let numbers = encode_properties(&properties).ok_or("a property has more than twelve decimals")?;
    std::fs::write(folder.join("embedded/properties.bin"), &numbers)?;
    println!("{} molecules in {} bytes, {} properties in {}", set.len(), stored.len(), properties.len(), numbers.len());
    Ok(())
}
