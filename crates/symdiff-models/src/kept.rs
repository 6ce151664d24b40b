//! Atoms that stay as they are while the rest of each molecule is drawn.

use crate::{Asked, Decoded, Error, Request, Result, fixed};
use candle_core::{DType, Device, Tensor};
use symdiff_diffusion::{Known, Levels};
use symdiff_mol::state::{Encoding, Molecules};
use symdiff_mol::{Fault, Molecule};
use symdiff_ops::{Batched, Ragged, segment_sum, spread};

/// The first atoms of every molecule of a run: their elements, and perhaps their positions.
///
/// Of positions the known part is where the atoms lie relative to their own centre; where that centre lies in the molecule is drawn with the rest. So nothing about the rest is assumed, and the
/// molecule's centre of gravity stays at the origin, where the state has it.
#[derive(Clone, Debug, PartialEq)]
pub struct Kept {
    numbers: Vec<u8>,
    /// In angstrom; `None` where elements alone are kept.
    positions: Option<Vec<[f64; 3]>>,
}

impl Kept {
    /// Atoms with these atomic numbers, wherever they lie.
    pub fn elements(numbers: Vec<u8>) -> Self {
        Self { numbers, positions: None }
    }

    /// All atoms of these molecules, where they lie: several molecules keep their positions relative to each other.
    pub fn atoms(molecules: &[Molecule]) -> Self {
        let numbers = molecules.iter().flat_map(Molecule::atomic_numbers).copied().collect();
        let positions = molecules.iter().flat_map(Molecule::positions).copied().collect();
        Self { numbers, positions: Some(positions) }
    }

    /// How many atoms are kept.
    pub fn len(&self) -> usize {
        self.numbers.len()
    }

    /// Whether no atom is kept.
    pub fn is_empty(&self) -> bool {
        self.numbers.is_empty()
    }

    /// Refuses elements that a model does not know.
    ///
    /// # Errors
    /// [`Error::Request`] with the element.
    pub fn check(&self, encoding: &Encoding) -> Result<()> {
        self.columns(encoding).map(drop)
    }

    /// The columns of the elements.
    fn columns(&self, encoding: &Encoding) -> Result<Vec<usize>> {
        let unknown = |fault: Fault| Error::Request(format!("atoms that are to be kept: {fault}"));
        self.numbers.iter().map(|&number| encoding.vocabulary().place(number).map_err(unknown)).collect()
    }

    /// The atoms in every molecule of a batch, each of which has at least as many.
    ///
    /// # Errors
    /// [`Error::Request`] for an element that the model does not know.
    pub(crate) fn within(&self, layout: &Ragged, encoding: &Encoding, dtype: DType, device: &Device) -> Result<KeptBatch> {
        let columns = self.columns(encoding)?;
        let width = encoding.features();
        let (mut features, mut positions) = (vec![0.0; layout.nodes() * width], vec![0.0; layout.nodes() * 3]);
        let mut kept = vec![0_u8; layout.nodes()];
        let centre = self.centre();
        for sample in 0..layout.len() {
            for (row, (place, (&number, column))) in layout.rows(sample).zip(self.numbers.iter().zip(&columns).enumerate()) {
                kept[row] = 1;
                features[row * width + column] = 1.0 / encoding.type_scale();
                if encoding.has_charges() {
                    features[(row + 1) * width - 1] = f64::from(number) / Encoding::CHARGE_SCALE;
                }
                for (axis, slot) in positions[3 * row..3 * row + 3].iter_mut().enumerate() {
                    *slot = self.positions.as_ref().map_or(0.0, |known| (known[place][axis] - centre[axis]) / Encoding::POSITION_SCALE);
                }
            }
        }
        let tensor =
            |values: Vec<f64>, width| Tensor::from_vec(values, (layout.nodes(), width), &Device::Cpu)?.to_dtype(dtype)?.to_device(device);
        let clean = Molecules::new(tensor(positions, 3)?, tensor(features, width)?, layout.clone())?;
        let kept = Tensor::from_vec(kept, (layout.nodes(), 1), device)?;
        Ok(KeptBatch { clean, kept, count: self.len(), moves: self.positions.is_none() })
    }

    /// The molecules with the atoms exactly as they were given: each molecule is moved as a whole to where they lie.
    pub(crate) fn settled(&self, mut decoded: Decoded, encoding: &Encoding) -> Result<Decoded> {
        let columns: Vec<u32> = self.columns(encoding)?.into_iter().map(|column| column as u32).collect();
        let mut rows = decoded.positions.to_vec2::<f64>()?;
        for sample in 0..decoded.layout.len() {
            let own = decoded.layout.rows(sample);
            decoded.columns[own.start..own.start + columns.len()].copy_from_slice(&columns);
            let Some(known) = &self.positions else { continue };
            let (wanted, count) = (self.centre(), known.len());
            for axis in 0..3 {
                let there = rows[own.start..own.start + count].iter().map(|row| row[axis]).sum::<f64>() / count as f64;
                rows[own.clone()].iter_mut().for_each(|row| row[axis] += wanted[axis] - there);
            }
            for (row, known) in rows[own.start..].iter_mut().zip(known) {
                row.copy_from_slice(known);
            }
        }
        let positions = Tensor::new(rows, &Device::Cpu)?;
        Ok(Decoded { positions, ..decoded })
    }

    /// The mean of the positions, in angstrom; the origin where none are kept.
    fn centre(&self) -> [f64; 3] {
        let known = self.positions.as_deref().unwrap_or_default();
        let count = known.len().max(1) as f64;
        std::array::from_fn(|axis| known.iter().map(|row| row[axis]).sum::<f64>() / count)
    }
}

/// Kept atoms in a batch.
pub(crate) struct KeptBatch {
    /// Their features, and positions about their own centre; other rows are zero.
    clean: Molecules,
    /// 1 for their rows, `[N, 1]`.
    kept: Tensor,
    /// How many there are in each molecule.
    count: usize,
    /// Whether only their elements are known.
    moves: bool,
}

impl KeptBatch {
    /// How often each step is taken, of a model that is given fixed atoms or not: such a model knows of the part without more turns, unless elements alone are kept.
    pub(crate) fn usual_turns(&self, completes: bool) -> usize {
        if completes && !self.moves { 1 } else { Request::TURNS }
    }

    /// What is asked, with the kept atoms fixed; elements without positions are not.
    pub(crate) fn fixed_in(&self, asked: Asked) -> Result<Asked> {
        if self.moves { Ok(asked) } else { Ok(asked.fixing(fixed::flagged(&self.clean, &self.kept)?)) }
    }

    /// `inside` for kept atoms, `outside` for the others.
    fn choose(&self, inside: &Tensor, outside: &Tensor) -> candle_core::Result<Tensor> {
        self.kept.broadcast_as(outside.shape())?.where_cond(inside, outside)
    }

    /// The mean position of the kept atoms of each molecule, on all its rows.
    fn centre(&self, positions: &Tensor) -> symdiff_diffusion::Result<Tensor> {
        let inside = self.choose(positions, &positions.zeros_like()?)?;
        let layout = self.clean.layout();
        Ok(spread(&(segment_sum(&inside, layout)? / self.count as f64)?, layout)?)
    }
}

impl Known<Molecules> for KeptBatch {
    fn put(&self, z: &Molecules, levels: &Levels, eps: &Molecules) -> symdiff_diffusion::Result<Molecules> {
        let layout = z.layout();
        let column =
            |values: &Tensor| -> symdiff_diffusion::Result<Tensor> { Ok(spread(&values.to_dtype(z.dtype())?.unsqueeze(1)?, layout)?) };
        let (alpha, sigma) = (column(&levels.alpha)?, column(&levels.sigma)?);
        let noised =
            |clean: &Tensor, eps: &Tensor| -> candle_core::Result<Tensor> { clean.broadcast_mul(&alpha)? + eps.broadcast_mul(&sigma)? };
        let features = self.choose(&noised(self.clean.features(), eps.features())?, z.features())?;
        if self.moves {
            return Ok(Molecules::new(z.positions().clone(), features, layout.clone())?);
        }
        let eps = (eps.positions() - self.centre(eps.positions())?)?;
        let inside = (noised(self.clean.positions(), &eps)? + self.centre(z.positions())?)?;
        Ok(Molecules::new(self.choose(&inside, z.positions())?, features, layout.clone())?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use symdiff_mol::data::embedded;
    use symdiff_ops::Samples;

    /// What a network is given of kept atoms in sampling is what it was given of the same atoms in training.
    #[test]
    fn kept_atoms_are_given_as_in_training() -> Result<()> {
        let (encoding, count, wrong) = (Encoding::qm9(), 5, |error: Fault| Error::Config(error.to_string()));
        let whole = embedded().molecule(40);
        let (numbers, positions) = (whole.atomic_numbers()[..count].to_vec(), whole.positions()[..count].to_vec());
        // A file has its origin anywhere.
        let moved = positions.iter().map(|row| row.map(|x| x + 7.0)).collect();
        let kept = Kept::atoms(&[Molecule::new("part", numbers, moved).map_err(wrong)?]);
        let clean = encoding.encode(embedded(), &[40], Samples::numbered(1), DType::F64, &Device::Cpu)?;
        let batch = kept.within(clean.layout(), &encoding, DType::F64, &Device::Cpu)?;
        let given = batch.fixed_in(Asked::default())?.fixed()?.map(|rows| rows.to_vec2::<f64>()).transpose()?.unwrap_or_default();
        let rows = clean.joined()?.to_vec2::<f64>()?;
        let centre: [f64; 3] = std::array::from_fn(|axis| rows[..count].iter().map(|row| row[axis]).sum::<f64>() / count as f64);
        for (place, (given, row)) in given.iter().zip(&rows).enumerate() {
            let inside = f64::from(u8::from(place < count));
            let centred = row.iter().enumerate().map(|(column, x)| inside * (x - centre.get(column).copied().unwrap_or(0.0)));
            assert!(given.iter().zip(centred.chain([inside])).all(|(a, b)| (a - b).abs() < 1e-6), "{place}: {given:?}, {row:?}");
        }
        let elements = Kept::elements(vec![6, 1]).within(clean.layout(), &encoding, DType::F64, &Device::Cpu)?;
        assert!(elements.fixed_in(Asked::default())?.fixed()?.is_none());
        assert_eq!([batch.usual_turns(true), batch.usual_turns(false), elements.usual_turns(true)], [1, Request::TURNS, Request::TURNS]);
        Ok(())
    }
}
