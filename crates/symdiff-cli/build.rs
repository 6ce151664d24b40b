//! A new experiment is compiled in without a change of code: the crate is built again whenever the folder changes.

fn main() {
    println!("cargo::rerun-if-changed=experiments");
}
