//! `gaussian_basis`: Gaussians of the distances, and the features made of them.

use super::Results;
use super::golden::Golden;
use crate::Result;
use candle_core::Tensor;
use symdiff_nets::{PairConfig, PairFeatures};
use symdiff_ops::{Ragged, pair_gaussian_mean, spread};

pub(super) fn results(golden: &Golden) -> Result<Results> {
    let (x, layout, vb) = (golden.rows("in.x")?, golden.layout()?, golden.builder());
    let config = PairConfig { gaussians: golden.size("K")?, width: golden.size("hidden")? - golden.size("xh_hidden")? };
    let basis = Basis {
        means: vb.get((1, config.gaussians), "gaussian_embedder.means.weight")?.flatten_all()?,
        widths: vb.get((1, config.gaussians), "gaussian_embedder.stds.weight")?.flatten_all()?,
    };
    let sizes = spread(&layout.sizes_tensor(x.dtype(), x.device())?, &layout)?;
    let mut results = Results::from([
        ("out.basis_sum".into(), basis.mean(&x, &layout)?.broadcast_mul(&sizes)?),
        ("out.basis_mol0".into(), basis.pairs(&x.narrow(0, 0, layout.rows(0).len())?, layout.longest())?),
    ]);
    for name in golden.expected_under("out.").filter(|name| name.contains("pos")) {
        let features = PairFeatures::new(config, vb.clone())?;
        let features = match name.strip_prefix("pos") {
            Some("") => features.padded_to(layout.longest()),
            Some(pad) => features.padded_to(pad.trim_start_matches("_pad").parse().unwrap_or(0)),
            None => features,
        };
        results.insert(format!("out.{name}"), features.forward(&x, &layout)?);
    }
    Ok(results)
}

struct Basis {
    means: Tensor,
    widths: Tensor,
}

impl Basis {
    fn mean(&self, x: &Tensor, layout: &Ragged) -> Result<Tensor> {
        Ok(pair_gaussian_mean(x, &self.means, &self.widths, layout)?)
    }

    /// φ of every pair of one molecule's atoms, `[padded, padded, K]`. No op gives it: it is read off molecules of one and of two atoms, whose
    /// averages are φ(0) and (φ(0) + φ(d))/2.
    fn pairs(&self, x: &Tensor, padded: usize) -> Result<Tensor> {
        let (n, k) = (x.dims()[0], self.means.dims()[0]);
        let at_zero = self.mean(&x.narrow(0, 0, 1)?, &Ragged::from_sizes(&[1])?)?;
        let index: Vec<u32> = (0..n as u32).flat_map(|i| (0..n as u32).flat_map(move |j| [i, j])).collect();
        let index = Tensor::new(index, x.device())?;
        let means = self.mean(&x.index_select(&index, 0)?, &Ragged::from_sizes(&vec![2; n * n])?)?;
        let firsts = means.reshape((n * n, 2, k))?.narrow(1, 0, 1)?.squeeze(1)?;
        let phi = (firsts * 2.0)?.broadcast_sub(&at_zero)?.reshape((n, n, k))?;
        Ok(phi.pad_with_zeros(0, 0, padded - n)?.pad_with_zeros(1, 0, padded - n)?)
    }
}
