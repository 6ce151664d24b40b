//! Parts of training molecules whose atoms a model is given, so that it learns to complete them.

use crate::Result;
use candle_core::{DType, Device, Tensor};
use symdiff_mol::state::Molecules;
use symdiff_ops::{Batched, Noise};

/// Fixed atoms as a condition: rows of other atoms are zero, those of fixed ones hold their positions about their own centre, their features, and 1 in a last column.
///
/// What is known of positions is where the fixed atoms lie relative to each other; where their centre lies in the molecule is drawn with the rest.
///
/// # Shapes
/// `clean` with F features and `flags` `[N, 1]`, 1 or 0, give molecules with F + 1 features.
pub(crate) fn flagged(clean: &Molecules, flags: &Tensor) -> Result<Molecules> {
    let features = Tensor::cat(&[clean.features(), &flags.to_dtype(clean.dtype())?], 1)?;
    Ok(Molecules::new(clean.positions().clone(), features, clean.layout().clone())?)
}

/// A part of each molecule, in `share` of the molecules: the atoms nearest to one of them, or all others. So there are parts to grow from, and parts in pieces to be linked.
/// The atom, the number of nearest atoms (at least one, at most all but one) and which of both is fixed are uniform draws.
pub(crate) fn part(clean: &Molecules, share: f64, noise: Noise) -> Result<Molecules> {
    let layout = clean.layout();
    let rows = clean.positions().to_dtype(DType::F64)?.to_vec2::<f64>()?;
    let draws = noise.uniform(&clean.samples(), &[4], DType::F64, &Device::Cpu)?.to_vec2::<f64>()?;
    let (mut flags, mut centres) = (vec![0.0; rows.len()], vec![0.0; 3 * rows.len()]);
    for (sample, draws) in draws.iter().enumerate() {
        let own = layout.rows(sample);
        let fixed = if draws[0] < share { chosen(&rows[own.clone()], &draws[1..]) } else { Vec::new() };
        let mean = |axis: usize| fixed.iter().map(|&atom| rows[own.start + atom][axis]).sum::<f64>() / fixed.len() as f64;
        let centre: [f64; 3] = std::array::from_fn(mean);
        for row in fixed.iter().map(|atom| own.start + atom) {
            flags[row] = 1.0;
            centres[3 * row..3 * row + 3].copy_from_slice(&centre);
        }
    }
    let tensor = |values: Vec<f64>, width: usize| {
        Tensor::from_vec(values, (rows.len(), width), &Device::Cpu)?.to_dtype(clean.dtype())?.to_device(&clean.device())
    };
    let (flags, centres) = (tensor(flags, 1)?, tensor(centres, 3)?);
    let positions = (clean.positions().broadcast_mul(&flags)? - centres)?;
    let features = clean.features().broadcast_mul(&flags)?;
    flagged(&Molecules::new(positions, features, layout.clone())?, &flags)
}

/// The fixed atoms of a molecule with these positions, by three uniform draws.
fn chosen(atoms: &[Vec<f64>], draws: &[f64]) -> Vec<usize> {
    if atoms.len() < 2 {
        return Vec::new();
    }
    let below = |draw: f64, count: usize| ((draw * count as f64) as usize).min(count - 1);
    let first = &atoms[below(draws[0], atoms.len())];
    let distance = |atom: usize| atoms[atom].iter().zip(first).map(|(a, b)| (a - b).powi(2)).sum::<f64>();
    let mut order: Vec<usize> = (0..atoms.len()).collect();
    order.sort_by(|&a, &b| distance(a).total_cmp(&distance(b)));
    let others = order.split_off(1 + below(draws[1], atoms.len() - 1));
    if draws[2] < 0.5 { order } else { others }
}

#[cfg(test)]
mod tests {
    use super::*;
    use symdiff_mol::data::embedded;
    use symdiff_mol::state::Encoding;
    use symdiff_ops::Samples;

    /// Of 400 molecules about half have a part, of every size; the part is about its own centre, as the molecule has it, and other rows are zero.
    #[test]
    fn parts_are_what_they_say() -> Result<()> {
        let places: Vec<usize> = (0..400).collect();
        let clean = Encoding::qm9().encode(embedded(), &places, Samples::numbered(400), DType::F64, &Device::Cpu)?;
        let part = part(&clean, 0.5, Noise::seeded(2))?;
        let width = clean.features().dims()[1];
        let flags: Vec<f64> = part.features().narrow(1, width, 1)?.flatten_all()?.to_vec1()?;
        let [known, given] = [&clean, &part].map(|molecules| molecules.joined().and_then(|rows| Ok(rows.to_vec2::<f64>()?)));
        let (known, given) = (known?, given?);
        let (mut parts, mut small, mut large) = (0, 0, 0);
        for sample in 0..400 {
            let rows = clean.layout().rows(sample);
            let fixed: Vec<usize> = rows.clone().filter(|&row| flags[row] > 0.0).collect();
            assert!(fixed.len() < rows.len());
            parts += usize::from(!fixed.is_empty());
            small += usize::from(!fixed.is_empty() && 2 * fixed.len() <= rows.len());
            large += usize::from(2 * fixed.len() > rows.len());
            for axis in 0..3 {
                let mean = fixed.iter().map(|&row| known[row][axis]).sum::<f64>() / fixed.len().max(1) as f64;
                assert!(fixed.iter().all(|&row| (given[row][axis] - known[row][axis] + mean).abs() < 1e-12));
            }
            assert!(fixed.iter().all(|&row| given[row][3..3 + width] == known[row][3..]));
            assert!(rows.filter(|row| !fixed.contains(row)).all(|row| given[row].iter().all(|value| *value == 0.0)));
        }
        assert!((160..240).contains(&parts) && small > 50 && large > 50, "{parts} parts, {small} small and {large} large");
        Ok(())
    }
}
