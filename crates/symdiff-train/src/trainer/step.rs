//! One step: the gradient of each share alone, their sum in a balanced tree, the optimiser.

use super::Trainer;
use crate::ranks::in_tree;
use crate::{Error, Ranks, Result, Share, Task};
use candle_core::{DType, Tensor};
use symdiff_ops::gradients;

/// The mean loss of a share and its gradient, both over the number of shares.
type Term = (Tensor, Vec<Option<Tensor>>);

impl<T: Task, R: Ranks> Trainer<T, R> {
    /// One optimiser step. The part of the mean loss that this process knows and the gradient norm before clipping stay on the device until they are read.
    pub(super) fn advance(&mut self) -> Result<(), T::Error> {
        let count = self.settings.shares;
        let terms = Share::of(&self.ranks).range(count).map(|index| self.term(Share { index, count }));
        let (loss, gradients) = in_tree(terms, |a, b| Ok(sum(a, b).map_err(Error::from)?))?
            .ok_or_else(|| Error::Settings(format!("train.shares is {count}; each process needs one at least")))?;
        let gradients = if self.ranks.size() == 1 { gradients } else { self.across(gradients)? };
        let norm = self.optimiser.step(&gradients, self.settings.rate(self.step), self.step)?;
        self.unread.push([loss, norm]);
        self.step += 1;
        Ok(())
    }

    /// One share. Since the number of shares is a power of two, dividing by it rounds nothing.
    fn term(&self, share: Share) -> Result<Term, T::Error> {
        let batch = self.task.batch(self.step, share)?;
        let (loss, store) = gradients(|| {
            let losses = self.task.loss(&batch, self.draws.at(self.step)).map_err(Met)?;
            let mean = losses.mean_all().map_err(symdiff_ops::Error::from)?;
            if share.count == 1 {
                return Ok(mean);
            }
            Ok((mean * (1.0 / share.count as f64)).map_err(symdiff_ops::Error::from)?)
        })
        .map_err(|Met(error)| error)?;
        let gradients = self.optimiser.gradients(store);
        let gradients = if share.count == 1 { gradients } else { self.with_zeros(gradients)? };
        // In f64 before any addition: across processes losses are added in it too.
        let loss = loss.detach().to_dtype(DType::F64).map_err(Error::from)?;
        Ok((loss, gradients))
    }

    /// Zeros for the variables on which the loss of a share does not depend: another share's loss may, in another process.
    fn with_zeros(&self, gradients: Vec<Option<Tensor>>) -> Result<Vec<Option<Tensor>>> {
        let whole =
            |(gradient, (_, var)): (Option<Tensor>, (&str, &candle_core::Var))| Ok(Some(gradient.map_or_else(|| var.zeros_like(), Ok)?));
        gradients.into_iter().zip(self.variables.iter()).map(whole).collect()
    }

    /// The sums of gradients over all processes.
    fn across(&self, gradients: Vec<Option<Tensor>>) -> Result<Vec<Option<Tensor>>> {
        let summed = self.ranks.sum(gradients.into_iter().flatten().collect())?;
        Ok(summed.into_iter().map(Some).collect())
    }
}

fn sum((loss, gradients): Term, (other, others): Term) -> candle_core::Result<Term> {
    let both = |(a, b): (Option<Tensor>, Option<Tensor>)| match (a, b) {
        (Some(a), Some(b)) => Ok(Some((a + b)?)),
        (one, none) => Ok(one.or(none)),
    };
    let gradients = gradients.into_iter().zip(others).map(both).collect::<candle_core::Result<_>>()?;
    Ok(((loss + other)?, gradients))
}

/// A task's error, into which those of ops can be turned.
struct Met<E>(E);

impl<E: From<Error>> From<symdiff_ops::Error> for Met<E> {
    fn from(error: symdiff_ops::Error) -> Self {
        Self(Error::from(error).into())
    }
}
