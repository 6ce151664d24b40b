//! A new experiment or file of weights is compiled in without a change of code: the crate is built again whenever the folders change.

fn main() {
    println!("cargo::rerun-if-changed=experiments");
    println!("cargo::rerun-if-changed=weights");
}
