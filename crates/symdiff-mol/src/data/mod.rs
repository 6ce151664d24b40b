//! Sets of molecules: packed storage, splits, sizes, elements, and the set that comes with the crate.

mod array;
mod cache;
#[cfg(feature = "download")]
pub mod download;
mod embedded;
mod load;
mod preparation;
mod references;
mod set;
mod sizes;
mod split;
mod vocabulary;

pub use cache::{CacheWriter, load_cached, read_cache, write_cache};
pub use embedded::{embedded, encode_embedded};
pub use load::load;
pub use preparation::{Preparation, Prepared, prepare, read_exclusions};
pub use references::{AtomReferences, REFERENCED};
pub use set::MoleculeSet;
pub(crate) use set::in_file;
pub use sizes::SizeHistogram;
pub use split::{Split, legacy_permutation, read_permutation};
pub use vocabulary::Vocabulary;
