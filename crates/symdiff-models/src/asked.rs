//! What is asked of the molecules of a batch: the condition of a denoiser of molecules.

use crate::{Error, Result};
use candle_core::{DType, Device, Tensor};
use symdiff_diffusion::Optional;
use symdiff_groups::{Action, Group, Result as GroupResult};
use symdiff_mol::state::Molecules;

/// Properties that molecules are asked to have, normalised, which no group changes; and atoms that are fixed in them, which move with the molecule. By default nothing.
///
/// # Shapes
/// With P properties of B molecules, rows `[B, 2·P]`: of each property its normalised value, or 0 where none is asked, then whether one is asked, 1 or 0.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    rows: Option<Tensor>,
    fixed: Option<Molecules>,
}

impl Asked {
    /// The normalised values of each molecule, `None` for a property that is not asked; as many properties for every molecule.
    ///
    /// # Errors
    /// When the device refuses.
    pub fn new(values: &[Vec<Option<f64>>], dtype: DType, device: &Device) -> Result<Self> {
        let width = values.first().map_or(0, |first| 2 * first.len());
        if width == 0 || values.iter().flatten().all(Option::is_none) {
            return Ok(Self::default());
        }
        let numbers = values.iter().flatten().flat_map(|value| [value.unwrap_or(0.0), f64::from(u8::from(value.is_some()))]);
        let rows = Tensor::from_vec(numbers.collect::<Vec<_>>(), (values.len(), width), &Device::Cpu)?;
        Ok(Self { rows: Some(rows.to_dtype(dtype)?.to_device(device)?), fixed: None })
    }

    /// The same with fixed atoms.
    ///
    /// # Shapes
    /// Molecules of the batch's sizes with F + 1 features, for models of F: the last one is 1 for fixed atoms, whose positions are about their own centre; rows of others are zero.
    #[must_use]
    pub fn fixing(self, fixed: Molecules) -> Self {
        Self { fixed: Some(fixed), ..self }
    }

    /// The fixed atoms: positions, features, and 1 where an atom is fixed, `[N, 3 + F + 1]`; `None` where none is.
    ///
    /// # Errors
    /// When the device refuses.
    pub fn fixed(&self) -> Result<Option<Tensor>> {
        Ok(self.fixed.as_ref().map(Molecules::joined).transpose()?)
    }

    /// The rows `[B, 2·P]` for a network that knows P properties, or `[1, 2·P]` where nothing is asked of any molecule.
    ///
    /// # Errors
    /// [`Error::Config`] when another number of properties is asked for.
    pub fn rows(&self, properties: usize, dtype: DType, device: &Device) -> Result<Tensor> {
        match &self.rows {
            None => Ok(Tensor::zeros((1, 2 * properties), dtype, device)?),
            Some(rows) if rows.dims()[1] == 2 * properties => Ok(rows.to_dtype(dtype)?),
            Some(rows) => {
                let asked = rows.dims()[1] / 2;
                Err(Error::Config(format!("{asked} properties are asked for, but the network was made for {properties}")))
            }
        }
    }
}

impl Optional for Asked {
    /// No properties: what is fixed stays.
    fn without(&self) -> Self {
        Self { rows: None, fixed: self.fixed.clone() }
    }

    fn is_empty(&self) -> bool {
        self.rows.is_none()
    }
}

impl<G: Group> Action<G> for Asked
where
    Molecules: Action<G>,
{
    fn act(&self, group: &G, g: &G::Element) -> GroupResult<Self> {
        Ok(Self { rows: self.rows.clone(), fixed: self.fixed.as_ref().map(|fixed| fixed.act(group, g)).transpose()? })
    }
}
