//! The last step of sampling, from z₀ to a molecule: p(x, h | z₀).

use candle_core::{DType, Tensor};
use std::f64::consts::{PI, SQRT_2};
use symdiff_diffusion::{Levels, Reconstruction, Result};
use symdiff_mol::Molecule;
use symdiff_mol::state::{Encoding, Molecules};
use symdiff_ops::{Batched, Euclidean, Noise, Ragged, centre, segment_sum, spread};

/// The result of a sampler: positions, and the column of each atom's element.
#[derive(Clone, Debug)]
pub struct Decoded {
    /// Positions `[N, 3]` in angstrom, f64.
    pub positions: Tensor,
    /// Element columns, `[N]`.
    pub columns: Vec<u32>,
    /// Atomic numbers as the charge feature says, `[N]`; `None` without one.
    pub charges: Option<Vec<i64>>,
    /// Which atoms belong to which molecule.
    pub layout: Ragged,
}

impl Decoded {
    /// The molecules, each named after its sample id.
    ///
    /// # Errors
    /// [`Error::SampleNotFinite`](crate::Error::SampleNotFinite) naming the first molecule with a coordinate that is not finite.
    pub fn molecules(&self, encoding: &Encoding) -> crate::Result<Vec<Molecule>> {
        let positions: Vec<[f64; 3]> = self.positions.to_vec2::<f64>()?.iter().map(|row| [row[0], row[1], row[2]]).collect();
        let finite = |sample: &usize| positions[self.layout.rows(*sample)].iter().flatten().all(|x| x.is_finite());
        if let Some(sample) = (0..self.layout.len()).find(|sample| !finite(sample)) {
            return Err(crate::Error::SampleNotFinite { id: self.layout.samples().ids()[sample] });
        }
        Ok(encoding.decode(&positions, &self.columns, &self.layout)?)
    }
}

/// Positions are normal around the denoised ones; an element has the normal mass of \[0.5, 1.5\] around its column of z₀, normalised over elements; the
/// atomic number that of the unit bin around it. Samples take the largest column and the nearest number, both of z₀ itself.
///
/// # Source
/// EDM, arXiv 2203.17003, appendix A; constants and the floor 1e-10 as in the published code.
#[derive(Clone, Debug)]
pub struct MoleculeReconstruction {
    encoding: Encoding,
}

impl MoleculeReconstruction {
    /// The reconstruction of molecules under an encoding.
    pub fn new(encoding: Encoding) -> Self {
        Self { encoding }
    }

    /// Log-mass of elements and atomic numbers given z₀, `[B]`.
    fn log_features(&self, clean: &Molecules, z0: &Molecules, sigma: &Tensor) -> Result<Tensor> {
        let (types, scale) = (self.encoding.types(), self.encoding.type_scale());
        let [clean_h, z_h] = [clean.features().to_dtype(DType::F64)?, z0.features().to_dtype(DType::F64)?];
        let sigma = spread(&sigma.unsqueeze(1)?, clean.layout())?;

        let one_hot = (clean_h.narrow(1, 0, types)? * scale)?;
        let off = ((z_h.narrow(1, 0, types)? * scale)? - 1.0)?;
        let score = log_bin(&off, &(&sigma * scale)?)?;
        let log_mass = score.broadcast_sub(&score.log_sum_exp(1)?.unsqueeze(1)?)?;
        let mut rows = (log_mass * one_hot)?.sum_keepdim(1)?;

        if self.encoding.has_charges() {
            let number = (clean_h.narrow(1, types, 1)? * Encoding::CHARGE_SCALE)?.round()?;
            let off = (number - (z_h.narrow(1, types, 1)? * Encoding::CHARGE_SCALE)?)?;
            rows = (rows + log_bin(&off, &(&sigma * Encoding::CHARGE_SCALE)?)?)?;
        }
        Ok(segment_sum(&rows, clean.layout())?.squeeze(1)?)
    }
}

impl Reconstruction<Molecules> for MoleculeReconstruction {
    type Decoded = Decoded;

    fn log_likelihood(
        &self,
        clean: &Molecules,
        z0: &Molecules,
        eps: &Molecules,
        prediction: &Molecules,
        zero: &Levels,
        normalisers: &[f64],
    ) -> Result<Tensor> {
        let rows = (eps.positions() - prediction.positions())?.sqr()?.sum_keepdim(1)?;
        let error = segment_sum(&rows, clean.layout())?.squeeze(1)?.to_dtype(DType::F64)?;
        let positions = (error / Tensor::new(normalisers, &clean.device())?)?;
        Ok((self.log_features(clean, z0, &zero.sigma)? - (positions * 0.5)?)?)
    }

    fn log_constants(&self, like: &Molecules, zero: &Levels) -> Result<Tensor> {
        let dimensions: Vec<f64> = like.layout().sizes().map(|n| 3.0 * (n - 1) as f64).collect();
        let per_dimension = zero.gamma.affine(-0.5, -0.5 * (2.0 * PI).ln() - Encoding::POSITION_SCALE.ln())?;
        Ok((per_dimension * Tensor::new(dimensions, &like.device())?)?)
    }

    fn entries(&self, like: &Molecules, longest: bool) -> Vec<f64> {
        let width = (3 + self.encoding.features()) as f64;
        let all = like.layout().longest();
        like.layout().sizes().map(|n| width * if longest { all } else { n } as f64).collect()
    }

    fn decode(&self, z0: &Molecules, prediction: &Molecules, zero: &Levels, noise: Noise) -> Result<Decoded> {
        let layout = z0.layout();
        let column = |values: &Tensor| spread(&values.unsqueeze(1)?, layout);
        let [alpha, sigma] = [column(&zero.alpha)?, column(&zero.sigma)?];
        let [z, predicted, drawn] = [z0, prediction, &z0.gaussian(noise)?].map(|state| state.positions().to_dtype(DType::F64));
        let noise = predicted?.broadcast_mul(&sigma)?;
        let mean = (z? - noise)?.broadcast_div(&alpha)?;
        let positions = (mean + drawn?.broadcast_mul(&(sigma / alpha)?)?)?;
        let types = self.encoding.types();
        let features = z0.features();
        let charges = if self.encoding.has_charges() {
            let numbers = (features.narrow(1, types, 1)?.to_dtype(DType::F64)? * Encoding::CHARGE_SCALE)?.round()?;
            Some(numbers.flatten_all()?.to_vec1::<f64>()?.into_iter().map(|value| value as i64).collect())
        } else {
            None
        };
        Ok(Decoded {
            positions: (centre(&positions, layout)? * Encoding::POSITION_SCALE)?,
            columns: features.narrow(1, 0, types)?.contiguous()?.argmax(1)?.to_vec1()?,
            charges,
            layout: layout.clone(),
        })
    }
}

/// log(Φ((δ + ½)/s) − Φ((δ − ½)/s) + 1e-10): the log-mass of the unit bin around δ under N(0, s²).
fn log_bin(off: &Tensor, scale: &Tensor) -> Result<Tensor> {
    let cdf = |shift: f64| -> Result<Tensor> { Ok(((off + shift)?.broadcast_div(&(scale * SQRT_2)?)?.erf()? * 0.5)?) };
    Ok(((cdf(0.5)? - cdf(-0.5)?)? + 1e-10)?.log()?)
}
