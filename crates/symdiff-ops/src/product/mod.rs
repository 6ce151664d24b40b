//! Matrix products whose right operand is packed beforehand.
//!
//! The usual blocking (Goto and van de Geijn, ACM TOMS 34, 2008). The right operand is packed into slivers a few registers wide. A tile of
//! six rows of the result stays in registers while it is summed along a sliver. A chunk of rows of the left operand stays in the L2 cache
//! while it is multiplied by all slivers; the next sliver is prefetched meanwhile. What this gains over a general library, for the few
//! hundred rows and columns of these networks: a weight is packed once for all panels of a batch, and sums start from the bias.
//!
//! Every entry is summed in the order of k, whatever the number of threads.
//!
//! A product in [bf16](Products::Bf16) has operands rounded to bf16 while they are packed. Its blocking is the same; what multiplies is an instruction
//! for bf16 (AMX, AVX512-BF16), or the loops of full precision on rounded numbers.

mod bf16;
mod packed;
mod rows;
mod slivers;
mod tile;

pub(crate) use bf16::rounding::{rounded, rounded_f64};
pub(crate) use packed::Packed;

use crate::host::Real;
use crate::simd::{Matrix, uninitialised};
use crate::threads;
#[cfg(kernels)]
use crate::{Error, Result};
use candle_core::{DType, Device};
use packed::{as_f32, same, same_mut, with_rounded};
use rayon::prelude::*;
use rows::Rows;
use std::mem::MaybeUninit;

/// What the operands of matrix products are rounded to before they are multiplied. Sums and results keep the dtype of the activations.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Products {
    /// Operands as they are.
    #[default]
    Full,
    /// Operands rounded to the nearest bf16, ties to even. CPUs with instructions for it (AMX, AVX512-BF16) multiply by these; elsewhere the numbers are
    /// the same but for the order of sums.
    Bf16,
}

impl Products {
    /// What a network that is to compute in `dtype` on `device` computes with: the dtype of its activations, and its products. On a CPU bf16 means
    /// activations in f32 and products in bf16; on other devices it is the dtype of the activations.
    pub fn of(dtype: DType, device: &Device) -> (DType, Self) {
        let on_cpu = device.is_cpu();
        #[cfg(kernels)]
        let on_cpu = on_cpu && !crate::gpu::serves(device);
        if dtype == DType::BF16 && on_cpu { (DType::F32, Self::Bf16) } else { (dtype, Self::Full) }
    }

    /// Refuses products that differ from the dtype of the activations, for ops on a GPU.
    #[cfg(kernels)]
    pub(crate) fn check_device(self, op: &'static str) -> Result<()> {
        if self == Self::Full {
            Ok(())
        } else {
            Err(Error::Device {
                op,
                device: "a GPU with products in bf16 of other activations".into(),
                remedy: "give the activations in bf16",
            })
        }
    }
}

/// The rows of a chunk, whose left operand stays in the L2 cache: whole tiles.
const CHUNK: usize = 32 * tile::HIGH;

/// Sums are taken over at most this many terms at a time, so that a chunk and a sliver fit the L2 cache.
const DEPTH: usize = 512;

/// Products of fewer operations run on the calling thread: waking the others would cost more.
const SERIAL: usize = 1 << 20;

/// Some of the terms of a product: `depth` columns of the left operand, or rows of the right one.
#[derive(Clone, Copy)]
pub(crate) struct Part<'a, T> {
    pub(crate) matrix: Matrix<'a, T>,
    pub(crate) depth: usize,
}

impl<'a, T> Part<'a, T> {
    pub(crate) fn new(matrix: Matrix<'a, T>, depth: usize) -> Self {
        Self { matrix, depth }
    }
}

/// What a product is added to.
#[derive(Clone, Copy)]
pub(crate) enum Start<'a, T> {
    Zero,
    /// The same row everywhere.
    Row(&'a [T]),
    /// What the target holds.
    Held,
}

/// Where a product is written: rows of `stride` entries.
pub(crate) struct Target<'a, T> {
    pub(crate) values: &'a mut [T],
    pub(crate) stride: usize,
    pub(crate) add: bool,
}

/// start + a·b, row-major `[m, n]`, where `start` is a row or nothing.
pub(crate) fn product<T: Real>(start: Option<&[T]>, a: &[Part<T>], b: &Packed<T>, m: usize) -> Vec<T> {
    let count = m * b.columns();
    let mut out = Vec::with_capacity(count);
    // SAFETY: the result does not start from what it held.
    unsafe { run(&mut out.spare_capacity_mut()[..count], b.columns(), start.map_or(Start::Zero, Start::Row), a, b, m) };
    // SAFETY: `run` has written all entries.
    unsafe { out.set_len(count) };
    out
}

/// target ← a·b, or target + a·b.
pub(crate) fn multiply<T: Real>(target: Target<T>, a: Matrix<T>, b: &Packed<T>, m: usize) {
    let Target { values, stride, add } = target;
    // SAFETY: `run` leaves no entry uninitialised.
    let out = unsafe { uninitialised(values) };
    let start = if add { Start::Held } else { Start::Zero };
    // SAFETY: the target is initialised.
    unsafe { run(out, stride, start, &[Part::new(a, b.depth())], b, m) };
}

/// Writes rows of `stride` entries, in chunks, and all of the first `b.columns()` entries of each.
///
/// # Safety
/// `out` is initialised where `start` is [`Start::Held`].
unsafe fn run<T: Real>(out: &mut [MaybeUninit<T>], stride: usize, start: Start<T>, a: &[Part<T>], b: &Packed<T>, m: usize) {
    let (n, k) = (b.columns(), b.depth());
    let flops = 2 * m * n * k;
    let _span = tracing::trace_span!("product", flops).entered();
    if m * n == 0 {
        return;
    }
    assert!(!a.is_empty(), "a product has at least one part, which may have no terms");
    assert!(n <= stride && (m - 1) * stride + n <= out.len(), "the product fits its target");
    assert!(a.iter().map(|part| part.depth).eq(b.parts().iter().copied()), "both operands have the same terms in the same parts");
    assert!(a.iter().all(|part| part.matrix.holds([m, part.depth])), "the left operand holds what its strides reach");
    assert!(a.iter().all(|part| part.matrix.is_regular()), "rows or columns of the left operand are contiguous");
    assert!(!matches!(start, Start::Row(row) if row.len() < n), "the row to start from is as wide as the result");
    let out = &mut out[..(m - 1) * stride + n];
    let in_full = |out: &mut [MaybeUninit<T>], a: &[Part<T>], b| {
        let work = |buffer: &mut Vec<T>, first, out: &mut [MaybeUninit<T>]| {
            pulp::Arch::new().dispatch(Rows { out, stride, start, a, first, b, buffer });
        };
        each_chunk(out, stride, flops, work);
    };
    match b {
        Packed::Full(b) => in_full(out, a, b),
        Packed::Rounded(b) => with_rounded(a, |a| in_full(out, a, b)),
        Packed::Pairs(b) => {
            let a = as_f32(a);
            let start = match start {
                Start::Zero => Start::Zero,
                Start::Row(row) => Start::Row(same(row)),
                Start::Held => Start::Held,
            };
            let work = |buffer: &mut Vec<u32>, first, out: &mut [MaybeUninit<f32>]| {
                // SAFETY: sizes were checked above; the rest is promised by the caller.
                unsafe { b.multiply(out, stride, start, &a, first, buffer) };
            };
            each_chunk(same_mut(out), stride, flops, work);
        }
    }
}

/// Does the work of each chunk of rows, given a buffer, its first row and its rows: on all threads where that pays.
fn each_chunk<T: Send, B: Default + Send>(
    out: &mut [T],
    stride: usize,
    flops: usize,
    work: impl Fn(&mut B, usize, &mut [T]) + Send + Sync,
) {
    let chunks = out.chunks_mut(CHUNK * stride).enumerate();
    if chunks.len() == 1 || flops < SERIAL || threads::count() == 1 {
        let mut buffer = B::default();
        chunks.for_each(|(chunk, out)| work(&mut buffer, chunk * CHUNK, out));
    } else {
        let chunks: Vec<_> = chunks.collect();
        let work = |buffer: &mut B, (chunk, out): (usize, &mut [T])| threads::task(|| work(buffer, chunk * CHUNK, out));
        chunks.into_par_iter().for_each_init(B::default, work);
    }
}

/// The numbers of terms that are summed at a time, about equal.
fn blocks(depth: usize) -> impl Iterator<Item = usize> {
    blocks_of(depth, 1, DEPTH)
}

/// `depth` terms in about equal blocks of at most `limit`, all but the last multiples of `unit`.
fn blocks_of(depth: usize, unit: usize, limit: usize) -> impl Iterator<Item = usize> {
    let units = depth.div_ceil(unit);
    let count = (units * unit).div_ceil(limit).max(1);
    let end = move |block: usize| (units * block / count * unit).min(depth);
    (0..count).map(move |block| end(block + 1) - end(block))
}

#[cfg(test)]
mod tests;
