//! How atoms become numbers that diffuse.

use super::Molecules;
use crate::data::{MoleculeSet, Vocabulary};
use crate::molecule::Molecule;
use crate::{Error, Result};
use candle_core::{DType, Device, Tensor};
use symdiff_ops::{Ragged, Samples};

/// The map between molecules and states: one-hot elements ÷ 4 or another number, and where wanted the atomic number ÷ 10 (positions ÷ 1).
///
/// # Source
/// Hoogeboom et al., arXiv 2203.17003, section on scaling features; normalisation \[1, 4, 10\] of the published runs, \[1, 8, 1\] of conditional ones.
#[derive(Clone, Debug, PartialEq)]
pub struct Encoding {
    vocabulary: Vocabulary,
    charges: bool,
    type_scale: f64,
}

impl Encoding {
    /// What positions are divided by.
    pub const POSITION_SCALE: f64 = 1.0;
    /// What one-hot elements are usually divided by.
    pub const TYPE_SCALE: f64 = 4.0;
    /// What atomic numbers are divided by.
    pub const CHARGE_SCALE: f64 = 10.0;

    /// The encoding of a vocabulary, with or without the atomic number as a feature.
    pub fn new(vocabulary: Vocabulary, charges: bool) -> Self {
        Self { vocabulary, charges, type_scale: Self::TYPE_SCALE }
    }

    /// The same with one-hot elements divided by another number.
    #[must_use]
    pub fn with_type_scale(self, type_scale: f64) -> Self {
        Self { type_scale, ..self }
    }

    /// What one-hot elements are divided by.
    pub fn type_scale(&self) -> f64 {
        self.type_scale
    }

    /// QM9: five elements and the atomic number, F = 6.
    pub fn qm9() -> Self {
        Self::new(Vocabulary::qm9(), true)
    }

    /// GEOM-Drugs: sixteen elements, F = 16.
    pub fn geom() -> Self {
        Self::new(Vocabulary::geom(), false)
    }

    /// The elements, in the order of their columns.
    pub fn vocabulary(&self) -> &Vocabulary {
        &self.vocabulary
    }

    /// The number of element columns.
    pub fn types(&self) -> usize {
        self.vocabulary.len()
    }

    /// True when the atomic number is a feature.
    pub fn has_charges(&self) -> bool {
        self.charges
    }

    /// F, the number of features.
    pub fn features(&self) -> usize {
        self.types() + usize::from(self.charges)
    }

    /// The centred state of the molecules at the given places of a set; sample i gets id `ids[i]`.
    ///
    /// # Errors
    /// When an element has no column, naming the molecule, or no place is given.
    pub fn encode(&self, set: &MoleculeSet, places: &[usize], samples: Samples, dtype: DType, device: &Device) -> Result<Molecules> {
        let sizes: Vec<usize> = places.iter().map(|&place| set.num_atoms(place)).collect();
        let layout = Ragged::new(&sizes, samples)?;
        let width = self.features();
        let mut features = vec![0_f64; layout.nodes() * width];
        let mut positions = Vec::with_capacity(layout.nodes() * 3);
        let mut rows = features.chunks_exact_mut(width);
        for &place in places {
            positions.extend(set.positions(place).iter().flatten().map(|&x| f64::from(x) / Self::POSITION_SCALE));
            for (&number, row) in set.atomic_numbers(place).iter().zip(&mut rows) {
                let column = self.vocabulary.place(number).map_err(|fault| Error::Molecule { index: place, fault })?;
                row[column] = 1.0 / self.type_scale;
                if self.charges {
                    row[width - 1] = f64::from(number) / Self::CHARGE_SCALE;
                }
            }
        }
        let tensor = |values, width| -> Result<Tensor> {
            let rows = Tensor::from_vec(values, (layout.nodes(), width), &Device::Cpu).and_then(|t| t.to_dtype(dtype));
            Ok(rows.and_then(|t| t.to_device(device)).map_err(symdiff_ops::Error::from)?)
        };
        Ok(Molecules::new(tensor(positions, 3)?, tensor(features, width)?, layout.clone())?.centred()?)
    }

    /// Molecules from decoded positions `[N, 3]` (Å) and element columns `[N]`; molecule i is named after its sample id.
    ///
    /// # Errors
    /// When a column names no element or a coordinate is not finite, naming the molecule.
    pub fn decode(&self, positions: &[[f64; 3]], columns: &[u32], layout: &Ragged) -> Result<Vec<Molecule>> {
        let ids = layout.samples().ids();
        (0..layout.len())
            .map(|i| {
                let rows = layout.rows(i);
                let numbers = columns[rows.clone()].iter().map(|&c| self.vocabulary.atomic_number(c as usize).unwrap_or(0)).collect();
                Molecule::new(ids[i].to_string(), numbers, positions[rows].to_vec()).map_err(|fault| Error::Molecule { index: i, fault })
            })
            .collect()
    }
}
