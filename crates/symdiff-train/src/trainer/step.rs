//! One step: the gradient of each share alone, their sum in a balanced tree, the optimiser.

use super::Trainer;
use crate::ranks::{Buckets, Found, in_tree};
use crate::{Error, Ranks, Result, Share, Task};
use candle_core::{DType, Tensor, TensorId, Var};
use std::panic::resume_unwind;
use std::sync::mpsc::{Sender, channel};
use std::thread;
use symdiff_ops::{gradients, gradients_as_found};

/// The mean loss of a share and its gradient, both over the number of shares.
type Term = (Tensor, Vec<Option<Tensor>>);

impl<T: Task, R: Ranks> Trainer<T, R> {
    /// One optimiser step. The part of the mean loss that this process knows and the gradient norm before clipping stay on the device until they are read.
    pub(super) fn advance(&mut self) -> Result<(), T::Error> {
        let (loss, gradients) = if self.overlaps { self.overlapped()? } else { self.summed()? };
        let norm = self.optimiser.step(&gradients, self.settings.rate(self.step), self.step)?;
        self.unread.push([loss, norm]);
        self.step += 1;
        Ok(())
    }

    /// Why this process cannot sum gradients over processes beside its backward pass, if it cannot.
    pub(super) fn why_not_overlapped(&self) -> Option<&'static str> {
        let reasons = [
            (self.ranks.size() == 1, "there is one process"),
            (
                self.ranks.size() != self.settings.shares,
                "a process has several shares, whose gradients it adds first; it needs as many processes as train.shares",
            ),
            (!self.variables.device().is_cpu(), "the gradients are on a GPU"),
            (
                self.ranks.for_another_thread().is_none(),
                "one thread alone may use what joins the processes (MPI has to offer MPI_THREAD_SERIALIZED)",
            ),
        ];
        reasons.into_iter().find_map(|(holds, why)| holds.then_some(why))
    }

    /// The sums over all shares: first over those of this process, then over processes.
    fn summed(&self) -> Result<Term, T::Error> {
        let count = self.settings.shares;
        let terms = Share::of(&self.ranks).range(count).map(|index| self.term(Share { index, count }, None));
        let (loss, gradients) = in_tree(terms, |a, b| Ok(sum(a, b).map_err(Error::from)?))?
            .ok_or_else(|| Error::Settings(format!("train.shares is {count}; each process needs one at least")))?;
        Ok((loss, if self.ranks.size() == 1 { gradients } else { self.across(gradients)? }))
    }

    /// The same where this process has one share: another thread sums gradients over processes as soon as they are known. The first step finds out in which order that is.
    fn overlapped(&mut self) -> Result<Term, T::Error> {
        let share = Share::of(&self.ranks);
        let (sender, found) = channel();
        let Some((buckets, ranks)) = self.buckets.as_ref().zip(self.ranks.for_another_thread()) else {
            let (loss, gradients) = self.term(share, Some(sender))?;
            let last: Vec<TensorId> = gradients.iter().flatten().map(Tensor::id).collect();
            let (whole, partial): (Vec<_>, Vec<_>) = found.iter().partition(|(_, gradient)| last.contains(&gradient.id()));
            let [whole, partial] = [whole, partial].map(|found| found.into_iter().map(|(id, _)| id).collect());
            let variables: Vec<(TensorId, usize)> = self.variables.iter().map(|(_, var)| (var.id(), var.elem_count())).collect();
            self.buckets = Some(Buckets::agreed(&self.ranks, &Found { whole, partial }, &variables)?);
            return Ok((loss, self.across(gradients)?));
        };
        thread::scope(|scope| {
            let (give, whole) = channel();
            let sums = thread::Builder::new()
                .spawn_scoped(scope, move || buckets.sum(ranks, found, &whole))
                .map_err(|error| Error::Ranks(format!("a thread that sums gradients cannot be started: {error}")))?;
            let passed = self.term(share, Some(sender)).map(|(loss, gradients)| {
                // Nobody receives after a failure, which the thread returns.
                give.send(gradients.into_iter().flatten().collect()).ok();
                loss
            });
            // Without them the thread ends.
            drop(give);
            let sums = sums.join();
            // The task's own error comes first.
            let loss = passed?;
            Ok((loss, sums.unwrap_or_else(|panic| resume_unwind(panic))?.into_iter().map(Some).collect()))
        })
    }

    /// One share. Since the number of shares is a power of two, dividing by it rounds nothing.
    fn term(&self, share: Share, found: Option<Sender<(TensorId, Tensor)>>) -> Result<Term, T::Error> {
        let batch = self.task.batch(self.step, share)?;
        let mean = || {
            let losses = self.task.loss(&batch, self.draws.at(self.step)).map_err(Met)?;
            let mean = losses.mean_all().map_err(symdiff_ops::Error::from)?;
            if share.count == 1 {
                return Ok(mean);
            }
            Ok((mean * (1.0 / share.count as f64)).map_err(symdiff_ops::Error::from)?)
        };
        let passed = match found {
            Some(found) => gradients_as_found(mean, found),
            None => gradients(mean),
        };
        let (loss, store) = passed.map_err(|Met(error)| error)?;
        let gradients = self.optimiser.gradients(store);
        let gradients = if share.count == 1 { gradients } else { self.with_zeros(gradients)? };
        // In f64 before any addition: across processes losses are added in it too.
        let loss = loss.detach().to_dtype(DType::F64).map_err(Error::from)?;
        Ok((loss, gradients))
    }

    /// Zeros for the variables on which the loss of a share does not depend: another share's loss may, in another process.
    fn with_zeros(&self, gradients: Vec<Option<Tensor>>) -> Result<Vec<Option<Tensor>>> {
        let whole = |(gradient, (_, var)): (Option<Tensor>, (&str, &Var))| Ok(Some(gradient.map_or_else(|| var.zeros_like(), Ok)?));
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
