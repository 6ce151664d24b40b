//! Several ranks as threads of one process.

use super::{Pairs, Ranks, sum_tensors};
use crate::{Error, Result};
use candle_core::Tensor;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Mutex, PoisonError};

/// One of several ranks that are threads of one process, joined by channels: for testing a task on several ranks without several processes. A rank whose
/// thread has ended is lost to the others.
#[derive(Debug)]
pub struct Threads {
    rank: usize,
    /// To each rank.
    to: Vec<Sender<Message>>,
    /// From each rank.
    from: Vec<Mutex<Receiver<Message>>>,
}

/// What a rank sends to another.
#[derive(Debug)]
enum Message {
    Numbers(Vec<f32>),
    Bytes(Vec<u8>),
}

impl Threads {
    /// So many ranks, joined to each other.
    pub fn new(size: usize) -> Vec<Self> {
        let mut ranks: Vec<Self> = (0..size).map(|rank| Self { rank, to: Vec::new(), from: Vec::new() }).collect();
        for sender in 0..size {
            for receiver in 0..size {
                let (to, from) = channel();
                ranks[sender].to.push(to);
                // Senders come in the order of ranks.
                ranks[receiver].from.push(Mutex::new(from));
            }
        }
        ranks
    }

    fn send(&self, rank: usize, message: Message) -> Result<()> {
        self.to[rank].send(message).map_err(|_| lost(rank))
    }

    fn receive(&self, rank: usize) -> Result<Message> {
        self.from[rank].lock().unwrap_or_else(PoisonError::into_inner).recv().map_err(|_| lost(rank))
    }
}

impl Pairs for Threads {
    fn exchange(&self, partner: usize, sent: &[f32], received: &mut [f32]) -> Result<()> {
        self.send(partner, Message::Numbers(sent.to_vec()))?;
        match self.receive(partner)? {
            Message::Numbers(numbers) if numbers.len() == received.len() => received.copy_from_slice(&numbers),
            _ => return Err(out_of_step(partner)),
        }
        Ok(())
    }
}

impl Ranks for Threads {
    fn rank(&self) -> usize {
        self.rank
    }

    fn size(&self) -> usize {
        self.to.len()
    }

    fn sum(&self, tensors: Vec<Tensor>) -> Result<Vec<Tensor>> {
        sum_tensors(self, tensors)
    }

    fn gather(&self, mine: &[u8]) -> Result<Vec<Vec<u8>>> {
        (0..self.to.len()).try_for_each(|rank| self.send(rank, Message::Bytes(mine.to_vec())))?;
        let from = |rank| match self.receive(rank)? {
            Message::Bytes(bytes) => Ok(bytes),
            Message::Numbers(_) => Err(out_of_step(rank)),
        };
        (0..self.to.len()).map(from).collect()
    }

    fn for_another_thread(&self) -> Option<&(dyn Ranks + Sync)> {
        Some(self)
    }
}

fn lost(rank: usize) -> Error {
    Error::Ranks(format!("rank {rank} is lost"))
}

fn out_of_step(rank: usize) -> Error {
    Error::Ranks(format!("rank {rank} sent something else than was expected; all ranks must make the same calls"))
}

#[cfg(test)]
mod tests {
    use super::super::{in_tree, sum_in_tree};
    use super::*;
    use std::thread;

    /// Numbers whose sum depends on the order: 24 bits of mantissa over twenty binary orders of magnitude.
    fn numbers(rank: usize, length: usize) -> Vec<f32> {
        let hash = |place: usize| (place * 8 + rank).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 24;
        (0..length).map(|place| (hash(place) as u32 as f32 - 2e9) * 2_f32.powi((hash(place) >> 32) as i32 % 20)).collect()
    }

    #[test]
    fn ranks_add_in_the_order_of_the_tree_within_a_process() -> Result<()> {
        for (size, length) in [(1, 5), (2, 1), (2, 1001), (4, 3), (2, 600_001), (4, 70_000), (8, 4099)] {
            let add = |a: Vec<f32>, b: Vec<f32>| Ok::<_, Error>(a.iter().zip(&b).map(|(a, b)| a + b).collect());
            let expected = in_tree((0..size).map(|rank| Ok(numbers(rank, length))), add)?;
            let one_by_one = (1..size).fold(numbers(0, length), |sum, rank| add(sum, numbers(rank, length)).unwrap_or_default());
            assert!(size < 4 || length < 100 || Some(one_by_one) != expected, "the order does not show in these numbers");
            let summed = |ranks: Threads| {
                let mut mine = numbers(ranks.rank, length);
                sum_in_tree(&ranks, &mut mine).map(|()| mine)
            };
            let sums: Vec<_> = thread::scope(|scope| {
                let all: Vec<_> = Threads::new(size).into_iter().map(|ranks| scope.spawn(move || summed(ranks))).collect();
                all.into_iter().filter_map(|thread| thread.join().ok()).collect()
            });
            assert_eq!(sums.len(), size);
            for sum in sums {
                assert!(Some(sum?) == expected, "{size} ranks, {length} numbers");
            }
        }
        Ok(())
    }

    #[test]
    fn a_lost_rank_and_a_number_of_ranks_that_makes_no_tree_are_errors() {
        let mut ranks = Threads::new(2);
        drop(ranks.pop());
        let told = ranks[0].gather(b"x").map_err(|error| error.to_string()).err().unwrap_or_default();
        assert!(told.contains("rank 1 is lost"), "{told}");
        let told = sum_in_tree(&Threads::new(3)[0], &mut vec![1.0]).map_err(|error| error.to_string()).err().unwrap_or_default();
        assert!(told.contains("3 processes") && told.contains("power of two"), "{told}");
    }
}
