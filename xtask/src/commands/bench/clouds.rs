//! Random clouds of a given number of atoms, which cost as much as molecules of that size.

use candle_core::{DType, Device};
use symdiff_cli::{Failure, Outcome};
use symdiff_mol::data::MoleculeSet;
use symdiff_ops::{Noise, Samples};

/// Atoms per cubic ångström. Liquid benzene has 0.081, hexane 0.092, ethanol 0.093.
const DENSITY: f64 = 0.1;

/// `count` clouds of `atoms` atoms each, of the given elements and uniform in a cube of molecular [`DENSITY`].
pub(super) fn drawn(count: usize, atoms: usize, elements: &[u8], noise: Noise) -> Outcome<MoleculeSet> {
    let [types, positions] = noise.split();
    let places = types.integers(&Samples::numbered(count * atoms), 0..elements.len() as u32).map_err(Failure::run)?;
    let elements = places.into_iter().map(|place| elements[place as usize]).collect();
    let side = (atoms as f64 / DENSITY).cbrt();
    let positions = positions.uniform(&Samples::numbered(count), &[atoms, 3], DType::F64, &Device::Cpu).map_err(Failure::run)?;
    let positions = positions.flatten_to(1).and_then(|rows| rows.to_vec2::<f64>()).map_err(Failure::run)?;
    let positions = positions.iter().map(|x| [0, 1, 2].map(|axis| (side * x[axis]) as f32)).collect();
    Ok(MoleculeSet::from_packed(std::iter::repeat_n(atoms, count), elements, positions, None)?)
}
