//! Sums over processes while the backward pass goes on.

use super::Ranks;
use crate::{Error, Result};
use candle_core::{Tensor, TensorId};
use std::collections::HashMap;
use std::sync::mpsc::Receiver;

/// Numbers of a bucket, at least, in a large model: few messages are short, and the first bucket is full soon.
const NUMBERS: usize = 1 << 20;

/// A small model has about as many buckets.
const BUCKETS: usize = 8;

/// Which gradients are summed together, and in which order: the same for all processes, whatever the backward pass of each does.
#[derive(Debug)]
pub(crate) struct Buckets {
    /// Places of variables. Each is in one bucket.
    places: Vec<Vec<usize>>,
    /// The variables whose gradients may be summed as soon as they are found.
    early: HashMap<TensorId, usize>,
}

/// Sums in the making.
struct Sums<'a> {
    ranks: &'a dyn Ranks,
    /// Those to come.
    buckets: &'a [Vec<usize>],
    /// What this process has found.
    found: Vec<Option<Tensor>>,
    made: Vec<Option<Tensor>>,
}

/// The gradients that a backward pass has sent on its way.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// Those that were whole, in order.
    pub(crate) whole: Vec<TensorId>,
    /// Those that had another part at the end.
    pub(crate) partial: Vec<TensorId>,
}

impl Buckets {
    /// The gradients that rank 0 found whole, in its order, unless another rank found a part of one; then all others. `variables` are ids and numbers of elements.
    ///
    /// # Errors
    /// When a process is lost.
    pub(crate) fn agreed(ranks: &impl Ranks, found: &Found, variables: &[(TensorId, usize)]) -> Result<Self> {
        let gathered = |ids: &[TensorId]| -> Result<Vec<Vec<usize>>> {
            let places = ids.iter().filter_map(|id| variables.iter().position(|(variable, _)| variable == id));
            let all = ranks.gather(&places.flat_map(|place| (place as u64).to_le_bytes()).collect::<Vec<u8>>())?;
            let numbers = |bytes: Vec<u8>| bytes.as_chunks().0.iter().map(|place| u64::from_le_bytes(*place) as usize).collect();
            Ok(all.into_iter().map(numbers).collect())
        };
        let partial = gathered(&found.partial)?.concat();
        let mut order = gathered(&found.whole)?.into_iter().next().unwrap_or_default();
        order.retain(|place| !partial.contains(place));
        let early = order.iter().map(|&place| (variables[place].0, place)).collect();
        order.extend((0..variables.len()).filter(|place| !order.contains(place)).collect::<Vec<_>>());
        let least = NUMBERS.min(variables.iter().map(|(_, numbers)| numbers).sum::<usize>() / BUCKETS).max(1);
        let (mut places, mut numbers) = (vec![Vec::new()], 0);
        for place in order {
            if numbers >= least {
                places.push(Vec::new());
                numbers = 0;
            }
            numbers += variables[place].1;
            places.last_mut().into_iter().for_each(|bucket: &mut Vec<usize>| bucket.push(place));
        }
        Ok(Self { places, early })
    }

    /// The sum of every variable's gradient over all processes, in the order of variables. Gradients come as they are `found`, in any order; when the backward pass is over, `whole` gives all
    /// of them, in the order of variables. A bucket is summed as soon as it is full and those before it are summed.
    ///
    /// # Errors
    /// [`Error::Ranks`] when a gradient that was summed has another part at the end, when the backward pass fails, or when a process is lost.
    pub(crate) fn sum(&self, ranks: &dyn Ranks, found: Receiver<(TensorId, Tensor)>, whole: &Receiver<Vec<Tensor>>) -> Result<Vec<Tensor>> {
        let nothing: Vec<Option<Tensor>> = vec![None; self.places.iter().map(Vec::len).sum()];
        let mut sums = Sums { ranks, buckets: &self.places, found: nothing.clone(), made: nothing };
        for (id, gradient) in found {
            if let Some(&place) = self.early.get(&id) {
                sums.found[place] = Some(gradient);
                sums.make()?;
            }
        }
        let failed = || Error::Ranks("the backward pass ended before all gradients were known".into());
        for (place, gradient) in whole.recv().map_err(|_| failed())?.into_iter().enumerate() {
            let earlier = sums.found[place].replace(gradient).map(|earlier| earlier.id());
            if sums.made[place].is_some() && earlier != sums.found[place].as_ref().map(Tensor::id) {
                return Err(Error::Ranks(CHANGED.into()));
            }
        }
        sums.make()?;
        sums.made.into_iter().collect::<Option<_>>().ok_or_else(failed)
    }
}

impl Sums<'_> {
    /// Sums the buckets that are full.
    fn make(&mut self) -> Result<()> {
        while let Some((bucket, rest)) =
            self.buckets.split_first().filter(|(bucket, _)| bucket.iter().all(|&place| self.found[place].is_some()))
        {
            let summed = self.ranks.sum(bucket.iter().filter_map(|&place| self.found[place].clone()).collect())?;
            bucket.iter().zip(summed).for_each(|(&place, sum)| self.made[place] = Some(sum));
            self.buckets = rest;
        }
        Ok(())
    }
}

const CHANGED: &str = "a gradient was summed before it was complete: a fused op and an operation of Candle's both use its variable, which was not so in the first step of \
    this process; set train.overlap = false";

#[cfg(test)]
mod tests {
    use super::super::Threads;
    use super::*;
    use candle_core::Device;
    use std::sync::mpsc::channel;
    use std::thread;

    /// Three variables, of which two fill buckets of their own.
    fn variables() -> Result<Vec<Tensor>> {
        [NUMBERS, 2, NUMBERS + 1].into_iter().map(|size| Ok(Tensor::ones(size, candle_core::DType::F32, &Device::Cpu)?)).collect()
    }

    fn agreed(ranks: &impl Ranks, variables: &[Tensor], [whole, partial]: [&[usize]; 2]) -> Result<Buckets> {
        let ids = |places: &[usize]| places.iter().map(|&place| variables[place].id()).collect();
        let found = Found { whole: ids(whole), partial: ids(partial) };
        Buckets::agreed(ranks, &found, &variables.iter().map(|variable| (variable.id(), variable.elem_count())).collect::<Vec<_>>())
    }

    #[test]
    fn ranks_that_find_gradients_in_other_orders_sum_the_same_buckets() -> Result<()> {
        let one = |ranks: Threads| -> Result<Vec<Tensor>> {
            let (variables, rank) = (variables()?, ranks.rank());
            // Rank 1 has found other gradients in the first step than rank 0, whose order counts.
            let buckets = agreed(&ranks, &variables, if rank == 0 { [&[2, 1], &[]] } else { [&[0], &[]] })?;
            assert_eq!(buckets.places, [vec![2], vec![1, 0]]);
            let gradient = |place: usize| &variables[place] * (10 * rank + place) as f64;
            let gradients = (0..3).map(gradient).collect::<candle_core::Result<Vec<_>>>()?;
            let ((sender, found), (give, whole)) = (channel(), channel());
            for place in if rank == 0 { [2, 1, 0] } else { [1, 0, 2] } {
                // What rank 0 found late in the first step may be a part here.
                let gradient = if place == 0 { gradients[1].clone() } else { gradients[place].clone() };
                drop(sender.send((variables[place].id(), gradient)));
            }
            drop(sender);
            drop(give.send(gradients));
            buckets.sum(&ranks, found, &whole)
        };
        let sums: Vec<Result<Vec<Tensor>>> = thread::scope(|scope| {
            let all: Vec<_> = Threads::new(2).into_iter().map(|ranks| scope.spawn(|| one(ranks))).collect();
            all.into_iter().filter_map(|thread| thread.join().ok()).collect()
        });
        assert_eq!(sums.len(), 2);
        for sums in sums {
            let firsts = sums?.iter().map(|sum| sum.get(0)?.to_scalar::<f32>()).collect::<candle_core::Result<Vec<_>>>()?;
            assert_eq!(firsts, [10.0, 12.0, 14.0]);
        }
        Ok(())
    }

    #[test]
    fn a_gradient_of_which_any_rank_finds_a_part_is_summed_last() -> Result<()> {
        let one = |ranks: Threads| -> Result<Buckets> {
            agreed(&ranks, &variables()?, if ranks.rank() == 0 { [&[2, 1], &[]] } else { [&[1], &[2]] })
        };
        let all: Vec<Result<Buckets>> = thread::scope(|scope| {
            let all: Vec<_> = Threads::new(2).into_iter().map(|ranks| scope.spawn(|| one(ranks))).collect();
            all.into_iter().filter_map(|thread| thread.join().ok()).collect()
        });
        assert_eq!(all.len(), 2);
        for buckets in all {
            let Buckets { places, early } = buckets?;
            assert_eq!((places, early.into_values().collect::<Vec<_>>()), (vec![vec![1, 0], vec![2]], vec![1]));
        }
        Ok(())
    }

    #[test]
    fn a_gradient_that_changes_or_never_comes_is_an_error() -> Result<()> {
        let told = |early: &[usize], whole: bool| -> Result<String> {
            let variables = variables()?;
            let buckets = agreed(&crate::Alone, &variables, [early, &[]])?;
            let ((sender, found), (give, all)) = (channel(), channel());
            for &place in early {
                drop(sender.send((variables[place].id(), if whole { variables[place].clone() } else { variables[place].ones_like()? })));
            }
            drop(sender);
            if early.len() < 3 {
                drop(give.send(variables));
            }
            drop(give);
            Ok(buckets.sum(&crate::Alone, found, &all).map(drop).map_err(|error| error.to_string()).err().unwrap_or_default())
        };
        assert_eq!(told(&[1, 2], true)?, "");
        assert!(told(&[1, 2], false)?.contains("summed before it was complete"));
        // One that has not been summed is replaced.
        assert_eq!(told(&[1], false)?, "");
        assert!(told(&[0, 1, 2], true)?.contains("ended before all gradients were known"));
        Ok(())
    }
}
