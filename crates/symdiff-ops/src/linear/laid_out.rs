//! Weights that are laid out once, for models that no longer change.

use super::Weight;
use crate::replaced::Replaced;
use crate::{Products, Result};
use candle_core::Tensor;
use std::cell::Cell;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// The weights of a model that no longer changes, in the order in which products read them. Where a model is called again and again, as in sampling, this saves copying all
/// of them in each call, at the price of a second copy in memory: for small batches, most of the time of a call.
///
/// ```
/// # use candle_core::{DType, Device, Tensor};
/// use symdiff_ops::linear::LaidOut;
/// use symdiff_ops::{Products, linear};
///
/// # fn main() -> symdiff_ops::Result<()> {
/// # let (x, weight) = (Tensor::ones((2, 3), DType::F32, &Device::Cpu)?, Tensor::ones((4, 3), DType::F32, &Device::Cpu)?);
/// let weights = LaidOut::default();
/// for _ in 0..10 {
///     let y = weights.during(|| linear(&x, &weight, None, Products::Full))?;
///     assert_eq!(y.to_vec2::<f32>()?, [[3.0; 4]; 2]);
/// }
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, Default)]
pub struct LaidOut(Arc<Mutex<HashMap<Key, (Tensor, Weight)>>>);

/// Where a weight lies in memory, and what its products are.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Key {
    storage: usize,
    offset: usize,
    products: Products,
}

thread_local! {
    /// That of the body that runs on this thread.
    static CURRENT: Cell<Option<LaidOut>> = const { Cell::new(None) };
}

impl LaidOut {
    /// Runs `body`, in which products outside graphs, and [stacks](crate::stack::Stack) that keep nothing for a backward pass, lay out a weight when they first take it. These weights
    /// must not change until the last call with this `LaidOut`, unless it is told to [`forget`](Self::forget) them: later calls would not see it. Only the CPU lays out weights.
    pub fn during<R>(&self, body: impl FnOnce() -> R) -> R {
        within(Some(self.clone()), body)
    }

    /// Forgets all weights, since they have changed.
    pub fn forget(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// That of the body that runs on this thread, for tasks that other threads take over.
    pub(crate) fn current() -> Option<Self> {
        let current = CURRENT.take();
        CURRENT.set(current.clone());
        current
    }

    fn weight(&self, weight: &Tensor, products: Products) -> Result<Weight> {
        let key = {
            let (storage, layout) = weight.storage_and_layout();
            Key { storage: std::ptr::from_ref(&*storage).addr(), offset: layout.start_offset(), products }
        };
        let known = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, laid_out)) = known().get(&key) {
            return Ok(laid_out.clone());
        }
        let laid_out = Weight::forward(weight, products)?;
        // The tensor stays alive, so that no other one comes to lie at its place.
        known().insert(key, (weight.clone(), laid_out.clone()));
        Ok(laid_out)
    }
}

impl Weight {
    /// [`Weight::forward`] of a weight that no graph learns: inside [`LaidOut::during`] one that is laid out once.
    ///
    /// # Errors
    /// As [`Weight::forward`].
    pub fn constant(weight: &Tensor, products: Products) -> Result<Self> {
        match LaidOut::current().filter(|_| weight.device().is_cpu()) {
            Some(weights) => weights.weight(weight, products),
            None => Self::forward(weight, products),
        }
    }
}

/// Runs a task in the place of the body that `current` belongs to.
pub(crate) fn within<R>(current: Option<LaidOut>, task: impl FnOnce() -> R) -> R {
    let _outer = Replaced::by(&CURRENT, current);
    task()
}
