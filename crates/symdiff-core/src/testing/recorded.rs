//! A scripted kernel that records its inputs.

use crate::{MarkovKernel, Result};
use std::sync::{Mutex, PoisonError};
use symdiff_ops::Noise;

/// A kernel that answers with `f` and keeps every input it saw.
#[derive(Debug)]
pub struct Recorded<X, F> {
    answer: F,
    seen: Mutex<Vec<X>>,
}

impl<X: Clone, Y, F: Fn(&X) -> Result<Y>> Recorded<X, F> {
    /// Answers with `answer`.
    pub fn new(answer: F) -> Self {
        Self { answer, seen: Mutex::default() }
    }

    /// The inputs so far, oldest first.
    pub fn seen(&self) -> Vec<X> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl<X: Clone, Y, F: Fn(&X) -> Result<Y>> MarkovKernel<X> for Recorded<X, F> {
    type Out = Y;

    fn sample(&self, x: &X, _: Noise) -> Result<Y> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).push(x.clone());
        (self.answer)(x)
    }
}
