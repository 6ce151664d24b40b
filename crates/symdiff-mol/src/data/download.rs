//! Getting files over HTTP: published data sets from their authors' archives, and files of the Hugging Face Hub.
//!
//! A download grows in `NAME.part` and takes its name only when its length and checksum are right. A connection that breaks is
//! taken up again where it ended, in the same run or a later one.

mod archives;
mod checksum;
mod hub;
mod transfer;

pub use archives::{ARCHIVES, Archive, Remote};
pub use checksum::{md5_of, sha256_of};
pub use hub::{Hub, HubFile};
pub use transfer::download;
