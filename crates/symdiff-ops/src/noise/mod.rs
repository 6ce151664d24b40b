//! Noise as a function of (seed, path, sample id, row): independent streams by name, each used at most once.
//!
//! A [`Noise`] is a place in a tree. [`Noise::split`], [`Noise::steps`] and [`Noise::repeats`] walk down; a draw ends the walk. All of
//! them consume the value, so using a stream twice does not compile, and an extra draw in one branch shifts nothing in another.
//! Sample 17 of seed 3 therefore draws the same numbers whatever the batch, the thread count or the device.
//!
//! Behind it: `ChaCha` with eight rounds, key = (seed, path, sample id), stream = row within the sample; normals by
//! `rand_distr`, drawn in f64 and rounded, so f32 and f64 models see the same noise. Draws happen on the host.

mod recording;

pub use recording::Recording;

use crate::{Ragged, Result, Samples};
use candle_core::{DType, Device, Tensor};
use rand::distr::{Distribution, Open01, Uniform};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::StandardNormal;
use rayon::prelude::*;
use std::ops::Range;

/// One unused stream of random numbers.
///
/// ```
/// use symdiff_ops::{Noise, Ragged};
/// # fn main() -> symdiff_ops::Result<()> {
/// let layout = Ragged::from_sizes(&[3, 2])?;
/// let [frame, positions] = Noise::seeded(7).split();
/// let x = positions.normal_nodes(&layout, 3, candle_core::DType::F32, &candle_core::Device::Cpu)?;
/// assert_eq!(x.dims(), [5, 3]);
/// # drop(frame);
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct Noise {
    source: Source,
    path: u64,
}

/// Streams indexed by a step number: the noise of diffusion step t is the same whoever asks, and when.
#[derive(Debug)]
pub struct Steps(Noise);

#[derive(Clone, Debug)]
enum Source {
    Counter { seed: u64 },
    Recorded(Recording),
    Taped { seed: u64, tape: Recording },
}

impl Noise {
    /// The root of a seed's streams.
    pub fn seeded(seed: u64) -> Self {
        Self { source: Source::Counter { seed }, path: 0 }
    }

    /// Streams that replay `recording`: every draw, in the order it happens, takes the next recorded tensor.
    pub fn recorded(recording: Recording) -> Self {
        Self { source: Source::Recorded(recording), path: 0 }
    }

    /// The root of a seed's streams, and a recording that fills with every draw made from it. For tests that couple two runs.
    pub fn taped(seed: u64) -> (Self, Recording) {
        let tape = Recording::default();
        (Self { source: Source::Taped { seed, tape: tape.clone() }, path: 0 }, tape)
    }

    /// K independent streams.
    pub fn split<const K: usize>(self) -> [Self; K] {
        std::array::from_fn(|k| self.child(k as u64))
    }

    /// `count` independent streams, as for Monte Carlo averages.
    pub fn repeats(self, count: usize) -> impl Iterator<Item = Self> {
        (0..count as u64).map(move |k| self.child(k))
    }

    /// Streams indexed by step number.
    pub fn steps(self) -> Steps {
        Steps(self)
    }

    /// Standard normals per sample, `[B, shape…]`.
    ///
    /// # Errors
    /// When a recording does not fit or the device refuses.
    pub fn normal(self, samples: &Samples, shape: &[usize], dtype: DType, device: &Device) -> Result<Tensor> {
        let width = shape.iter().product();
        let full = [&[samples.len()], shape].concat();
        self.draw(&full, dtype, device, |stream| {
            let rows: Vec<_> = samples.ids().iter().map(|&id| (id, 0)).collect();
            stream.fill_rows(&rows, width, |rng| StandardNormal.sample(rng))
        })
    }

    /// Standard normals per node, `[N, channels]`. Row j of sample i depends on (seed, path, id of i, j) alone.
    ///
    /// # Errors
    /// When a recording does not fit or the device refuses.
    pub fn normal_nodes(self, layout: &Ragged, channels: usize, dtype: DType, device: &Device) -> Result<Tensor> {
        self.draw(&[layout.nodes(), channels], dtype, device, |stream| {
            let ids = layout.samples().ids();
            let rows: Vec<_> = ids.iter().zip(layout.sizes()).flat_map(|(&id, size)| (0..size as u64).map(move |row| (id, row))).collect();
            stream.fill_rows(&rows, channels, |rng| StandardNormal.sample(rng))
        })
    }

    /// Uniform numbers in the open interval (0, 1), per sample, `[B, shape…]`.
    ///
    /// # Errors
    /// When a recording does not fit or the device refuses.
    pub fn uniform(self, samples: &Samples, shape: &[usize], dtype: DType, device: &Device) -> Result<Tensor> {
        let width = shape.iter().product();
        let full = [&[samples.len()], shape].concat();
        self.draw(&full, dtype, device, |stream| {
            let rows: Vec<_> = samples.ids().iter().map(|&id| (id, 0)).collect();
            stream.fill_rows(&rows, width, |rng| Open01.sample(rng))
        })
    }

    /// One integer of `range` per sample, uniformly.
    ///
    /// # Errors
    /// When `range` is empty or a recording does not fit.
    pub fn integers(self, samples: &Samples, range: Range<u32>) -> Result<Vec<u32>> {
        let law = Uniform::try_from(range.clone())
            .map_err(|_| crate::Error::Layout(format!("no integer lies in {}..{}", range.start, range.end)))?;
        let drawn = self.draw(&[samples.len()], DType::F64, &Device::Cpu, |stream| {
            let rows: Vec<_> = samples.ids().iter().map(|&id| (id, 0)).collect();
            stream.fill_rows(&rows, 1, |rng| f64::from(law.sample(rng)))
        })?;
        Ok(drawn.to_vec1::<f64>()?.into_iter().map(|value| value as u32).collect())
    }

    /// A host generator for draws that belong to no sample: shuffles, sizes, bootstraps. It is not recorded.
    pub fn generator(self) -> impl Rng + Clone + Send {
        let seed = match self.source {
            Source::Counter { seed } | Source::Taped { seed, .. } => seed,
            Source::Recorded(_) => 0,
        };
        Stream { seed, path: self.path }.generator(u64::MAX, 0)
    }

    fn child(&self, k: u64) -> Self {
        Self { source: self.source.clone(), path: mix(self.path ^ mix(k.wrapping_add(1))) }
    }

    fn draw(self, shape: &[usize], dtype: DType, device: &Device, fill: impl FnOnce(Stream) -> Vec<f64>) -> Result<Tensor> {
        let (seed, tape) = match self.source {
            Source::Recorded(recording) => return recording.next(shape, dtype, device),
            Source::Counter { seed } => (seed, None),
            Source::Taped { seed, tape } => (seed, Some(tape)),
        };
        let values = fill(Stream { seed, path: self.path });
        let drawn = match dtype {
            DType::F64 => Tensor::from_vec(values, shape, device)?,
            _ => Tensor::from_vec(values.into_iter().map(|v| v as f32).collect::<Vec<_>>(), shape, device)?.to_dtype(dtype)?,
        };
        if let Some(tape) = tape {
            tape.push(drawn.clone());
        }
        Ok(drawn)
    }
}

impl Steps {
    /// The stream of step `t`; asking twice gives the same stream.
    pub fn at(&self, t: u64) -> Noise {
        self.0.child(t)
    }
}

/// A place in the tree, ready to be read.
#[derive(Clone, Copy)]
struct Stream {
    seed: u64,
    path: u64,
}

impl Stream {
    fn generator(self, id: u64, row: u64) -> ChaCha8Rng {
        let mut key = [0; 32];
        for (slot, word) in key.chunks_exact_mut(8).zip([self.seed, self.path, id, 0x5379_6d44_6966_6601]) {
            slot.copy_from_slice(&word.to_le_bytes());
        }
        let mut generator = ChaCha8Rng::from_seed(key);
        generator.set_stream(row);
        generator
    }

    fn fill_rows(self, rows: &[(u64, u64)], width: usize, law: impl Fn(&mut ChaCha8Rng) -> f64 + Sync) -> Vec<f64> {
        let mut values = vec![0.0; rows.len() * width];
        if width > 0 {
            values.par_chunks_mut(width).with_min_len(256).zip(rows).for_each(|(row, &(id, index))| {
                let mut generator = self.generator(id, index);
                row.fill_with(|| law(&mut generator));
            });
        }
        values
    }
}

/// The finaliser of SplitMix64 (Steele, Lea, Flood 2014): a bijection of u64 that looks random.
fn mix(mut z: u64) -> u64 {
    z = z.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests;
