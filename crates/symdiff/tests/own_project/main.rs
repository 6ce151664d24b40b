//! The programs of the chapter "In your own project", one file each; the test suite runs what the reader copies.

mod chapter;
mod group;
mod network;
mod norms;
mod state;
