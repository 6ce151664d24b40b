//! The balanced binary tree across processes, by exchanges between pairs of them.
//!
//! # Source
//! Rabenseifner, "Optimization of collective reduction operations", ICCS 2004: halving, then doubling. The distance between partners doubles from 1, so
//! that each number is added in the order ((0 + 1) + (2 + 3)) + … of ranks.

use super::Ranks;
use crate::{Error, Result};
use candle_core::Tensor;
use std::ops::Range;

/// Processes that can exchange numbers two by two.
pub trait Pairs: Ranks {
    /// Sends numbers to `partner` and receives as many from it, while it does the same.
    ///
    /// # Errors
    /// When the partner is lost.
    fn exchange(&self, partner: usize, sent: &[f32], received: &mut [f32]) -> Result<()>;
}

/// Numbers per message: a message that was received is added while it is in the cache.
const MESSAGE: usize = 1 << 18;

/// Replaces `numbers` by their sums over all processes, added in a balanced binary tree.
///
/// # Cost
/// Each process sends and receives 2·(1 − 1/P) times the bytes of `numbers` in 2·log₂ P rounds, for P processes.
///
/// # Errors
/// [`Error::Ranks`] when the number of processes is no power of two or a process is lost.
pub fn sum_in_tree(pairs: &impl Pairs, numbers: &mut Vec<f32>) -> Result<()> {
    let (rank, size) = (pairs.rank(), pairs.size());
    if !size.is_power_of_two() {
        return Err(Error::Ranks(format!("there are {size} processes; a balanced tree needs a power of two")));
    }
    let length = numbers.len();
    numbers.resize(length.next_multiple_of(size), 0.0);
    let mut part = 0..numbers.len();
    let distances = (0..size.ilog2()).map(|level| 1 << level);
    for distance in distances.clone() {
        let [kept, given] = halves(&part, rank & distance == 0);
        add_received(pairs, rank ^ distance, numbers, &kept, given)?;
        part = kept;
    }
    for distance in distances.rev() {
        let below = rank & distance == 0;
        let whole = if below { part.start..part.end + part.len() } else { part.start - part.len()..part.end };
        let (low, high) = numbers[whole.clone()].split_at_mut(part.len());
        let (mine, other) = if below { (low, high) } else { (high, low) };
        for (sent, received) in mine.chunks(MESSAGE).zip(other.chunks_mut(MESSAGE)) {
            pairs.exchange(rank ^ distance, sent, received)?;
        }
        part = whole;
    }
    numbers.truncate(length);
    Ok(())
}

/// The halves of a part: the one that a process keeps, and the one that its partner keeps.
fn halves(part: &Range<usize>, keeps_first: bool) -> [Range<usize>; 2] {
    let middle = part.start + part.len() / 2;
    let halves = [part.start..middle, middle..part.end];
    if keeps_first {
        halves
    } else {
        let [first, second] = halves;
        [second, first]
    }
}

/// Sends the given half, and adds what the partner has of the kept half.
fn add_received(pairs: &impl Pairs, partner: usize, numbers: &mut [f32], kept: &Range<usize>, given: Range<usize>) -> Result<()> {
    let mut received = vec![0.0; MESSAGE.min(kept.len())];
    for start in (0..kept.len()).step_by(MESSAGE) {
        let within = |half: &Range<usize>| half.start + start..(half.start + start + MESSAGE).min(half.end);
        let (mine, sent) = (within(kept), within(&given));
        let received = &mut received[..mine.len()];
        pairs.exchange(partner, &numbers[sent], received)?;
        numbers[mine].iter_mut().zip(received).for_each(|(sum, term)| *sum += *term);
    }
    Ok(())
}

/// [`Ranks::sum`] by [`sum_in_tree`]: f32 tensors of any device, through the memory of the host.
///
/// # Errors
/// As [`sum_in_tree`]; when a tensor is not f32.
pub fn sum_tensors(pairs: &impl Pairs, tensors: Vec<Tensor>) -> Result<Vec<Tensor>> {
    let mut numbers = Vec::with_capacity(tensors.iter().map(Tensor::elem_count).sum::<usize>() + pairs.size());
    for tensor in &tensors {
        numbers.extend(tensor.flatten_all()?.to_vec1::<f32>()?);
    }
    sum_in_tree(pairs, &mut numbers)?;
    let mut rest = numbers.as_slice();
    let mut summed = Vec::with_capacity(tensors.len());
    for tensor in tensors {
        let (mine, others) = rest.split_at(tensor.elem_count());
        summed.push(Tensor::from_slice(mine, tensor.shape(), tensor.device())?);
        rest = others;
    }
    Ok(summed)
}

/// What each process gives, as numbers.
pub(crate) fn gather_numbers(ranks: &impl Ranks, mine: &[f64]) -> Result<Vec<Vec<f64>>> {
    let bytes: Vec<u8> = mine.iter().flat_map(|number| number.to_le_bytes()).collect();
    let numbers = |bytes: Vec<u8>| bytes.as_chunks().0.iter().map(|number| f64::from_le_bytes(*number)).collect();
    Ok(ranks.gather(&bytes)?.into_iter().map(numbers).collect())
}
