//! Sums over processes while the backward pass goes on.

use super::Ranks;
use crate::{Error, Result};
use candle_core::{Tensor, TensorId};
use std::collections::HashMap;
use std::sync::mpsc::Receiver;

/// Numbers of a bucket, at least: few messages are short, and the first bucket is full soon.
const NUMBERS: usize = 1 << 20;

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

impl Buckets {
    /// The gradients in the order in which the backward pass of rank 0 `found` them whole, and then all others. `variables` are ids and numbers of elements.
    ///
    /// # Errors
    /// When a process is lost.
    pub(crate) fn agreed(ranks: &impl Ranks, found: &[TensorId], variables: &[(TensorId, usize)]) -> Result<Self> {
        let place = |id: &TensorId| variables.iter().position(|(variable, _)| variable == id);
        let mine = found.iter().filter_map(place).flat_map(|place| (place as u64).to_le_bytes()).collect::<Vec<u8>>();
        let first = ranks.gather(&mine)?.into_iter().next().unwrap_or_default();
        let mut order: Vec<usize> = first.as_chunks().0.iter().map(|place| u64::from_le_bytes(*place) as usize).collect();
        let early = order.iter().map(|&place| (variables[place].0, place)).collect();
        order.extend((0..variables.len()).filter(|place| !order.contains(place)).collect::<Vec<_>>());
        let (mut places, mut numbers) = (vec![Vec::new()], 0);
        for place in order {
            if numbers >= NUMBERS {
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
    /// [`Error::Ranks`] when a gradient is another one at the end than the one that was found, when the backward pass fails, or when a process is lost.
    pub(crate) fn sum(&self, ranks: &dyn Ranks, found: Receiver<(TensorId, Tensor)>, whole: &Receiver<Vec<Tensor>>) -> Result<Vec<Tensor>> {
        let nothing: Vec<Option<Tensor>> = vec![None; self.places.iter().map(Vec::len).sum()];
        let mut sums = Sums { ranks, buckets: &self.places, found: nothing.clone(), made: nothing };
        for (id, gradient) in found {
            self.early.get(&id).map_or(Ok(()), |&place| sums.take(place, gradient))?;
        }
        let failed = || Error::Ranks("the backward pass ended before all gradients were known".into());
        for (place, gradient) in whole.recv().map_err(|_| failed())?.into_iter().enumerate() {
            sums.take(place, gradient)?;
        }
        sums.made.into_iter().collect::<Option<_>>().ok_or_else(failed)
    }
}

impl Sums<'_> {
    /// Takes a gradient, which may come twice, and sums the buckets that are full now.
    fn take(&mut self, place: usize, gradient: Tensor) -> Result<()> {
        match &self.found[place] {
            None => self.found[place] = Some(gradient),
            Some(earlier) if earlier.id() == gradient.id() => return Ok(()),
            Some(_) => return Err(Error::Ranks(CHANGED.into())),
        }
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

const CHANGED: &str = "a gradient changed after a first part of it was summed: its variable is an input of a fused op in one step, and of an operation of Candle's as \
    well in another; set train.overlap = false";

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

    fn agreed(ranks: &impl Ranks, variables: &[Tensor], found: &[usize]) -> Result<Buckets> {
        let found: Vec<TensorId> = found.iter().map(|&place| variables[place].id()).collect();
        Buckets::agreed(ranks, &found, &variables.iter().map(|variable| (variable.id(), variable.elem_count())).collect::<Vec<_>>())
    }

    #[test]
    fn ranks_that_find_gradients_in_other_orders_sum_the_same_buckets() -> Result<()> {
        let one = |ranks: Threads| -> Result<Vec<Tensor>> {
            let (variables, rank) = (variables()?, ranks.rank());
            // Rank 1 has found other gradients in the first step than rank 0, whose order counts.
            let buckets = agreed(&ranks, &variables, if rank == 0 { &[2, 1] } else { &[0] })?;
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
    fn a_gradient_that_changes_or_never_comes_is_an_error() -> Result<()> {
        let told = |early: &[usize], whole: bool| -> Result<String> {
            let variables = variables()?;
            let buckets = agreed(&crate::Alone, &variables, early)?;
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
        assert!(told(&[1, 2], false)?.contains("a gradient changed after"));
        assert!(told(&[0, 1, 2], true)?.contains("ended before all gradients were known"));
        Ok(())
    }
}
