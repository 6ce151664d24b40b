//! The embedded set against the file that it was made from.

use symdiff_mol::data::embedded;
use symdiff_mol::formats::npz::read_properties;

symdiff_golden::tests![embedded_properties_are_the_published_ones];

fn embedded_properties_are_the_published_ones() -> Result<(), Box<dyn std::error::Error>> {
    let set = embedded();
    let published = read_properties(&symdiff_golden::shared().join("data/mini/properties.npz"), set.len())?;
    assert_eq!(&published, set.properties());
    Ok(())
}
