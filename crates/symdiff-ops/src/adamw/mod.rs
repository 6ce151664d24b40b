//! One optimiser step in one pass over a parameter: AdamW with or without AMSGrad, gradient scaling, and the moving average of the weights.
//!
//! ```text
//! g ← scale·g                      m ← m + (1 − β₁)·(g − m)         v ← v + (1 − β₂)·(g² − v)        v̂ ← max(v̂, v)
//! p ← (1 − lr·decay)·p − lr/(1 − β₁ᵏ) · m / (√v̂/√(1 − β₂ᵏ) + ε)      e ← e + (1 − ema)·(p − e)
//! ```
//! The maximum is that of the raw second moment, before its bias correction. Without AMSGrad v̂ is v itself, and no maximum is kept.
//!
//! Everything is written in place: parameters must not be part of a graph that will still run backward, nor shared with a tensor
//! that someone else reads.
//!
//! # Cost
//! Six reads and five writes per number, without AMSGrad five and four; bound by memory.
//!
//! # Source
//! Loshchilov and Hutter, arXiv 1711.05101; Reddi, Kale and Kumar, `OpenReview` `ryQu7f-RZ`; the order of operations is PyTorch's.

mod cpu;
#[cfg(kernels)]
mod cuda;

use crate::dispatch::{like, on_device};
use crate::host::with_real;
use crate::{Result, shape};
use candle_core::{DType, Device, Tensor, Var};
use rayon::prelude::*;

const OP: &str = "adamw";

/// The numbers of one step, the same for all parameters.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rule {
    /// Learning rate.
    pub lr: f64,
    /// β₁.
    pub beta1: f64,
    /// β₂.
    pub beta2: f64,
    /// ε, added to the root of the second moment.
    pub eps: f64,
    /// Decoupled weight decay.
    pub weight_decay: f64,
    /// Which step this is, k, from 1.
    pub step: u64,
    /// What gradients are multiplied by first; clipping sets it.
    pub scale: f64,
    /// The share of its old value that the moving average keeps.
    pub ema: f64,
}

impl Default for Rule {
    fn default() -> Self {
        Self { lr: 1e-3, beta1: 0.9, beta2: 0.999, eps: 1e-8, weight_decay: 0.0, step: 1, scale: 1.0, ema: 0.0 }
    }
}

/// What the optimiser remembers of one parameter.
#[derive(Debug)]
pub struct Moments {
    /// `[4, n]`, for a parameter of n entries: first moment, second, its maximum, average; `[3, n]` without the maximum.
    packed: Tensor,
    shape: Vec<usize>,
}

/// The parts of [`Moments`], each of the parameter's shape.
#[derive(Clone, Debug)]
pub struct Parts<T> {
    /// The first moment, m.
    pub first: T,
    /// The second moment, v.
    pub second: T,
    /// The maximum of the second moment; `None` without AMSGrad.
    pub maximum: Option<T>,
    /// The moving average of the parameter.
    pub average: T,
}

impl<T> Parts<T> {
    /// Each part with its name.
    fn named(self) -> Vec<(&'static str, T)> {
        let moments = [("first moment", self.first), ("second moment", self.second)];
        moments.into_iter().chain(self.maximum.map(|maximum| ("maximum", maximum))).chain([("average", self.average)]).collect()
    }
}

impl Moments {
    /// Zero moments; the average starts as a copy of the parameter. The maximum of the second moment is kept with `amsgrad` alone.
    ///
    /// # Errors
    /// When the device refuses.
    pub fn new(parameter: &Tensor, amsgrad: bool) -> Result<Self> {
        let zero = parameter.zeros_like()?;
        Self::from_parts(Parts { first: &zero, second: &zero, maximum: amsgrad.then_some(&zero), average: parameter })
    }

    /// The moments that [`Moments::parts`] gave.
    ///
    /// # Errors
    /// [`Error::Shape`](crate::Error::Shape) when they differ in shape.
    pub fn from_parts(parts: Parts<&Tensor>) -> Result<Self> {
        let shape = parts.first.dims().to_vec();
        let mut rows = Vec::with_capacity(4);
        for (what, tensor) in parts.named() {
            shape::exact(OP, what, tensor, &shape, "the shape of the first moment")?;
            rows.push(tensor.detach().flatten_all()?);
        }
        Ok(Self { packed: Tensor::stack(&rows, 0)?, shape })
    }

    /// Copies of all parts.
    ///
    /// # Errors
    /// When the device refuses.
    pub fn parts(&self) -> Result<Parts<Tensor>> {
        let maximum = self.has_maximum().then(|| self.row(2)).transpose()?;
        Ok(Parts { first: self.row(0)?, second: self.row(1)?, maximum, average: self.average()? })
    }

    /// A copy of the average alone.
    ///
    /// # Errors
    /// When the device refuses.
    pub fn average(&self) -> Result<Tensor> {
        self.row(self.packed.dims()[0] - 1)
    }

    /// Whether the maximum of the second moment is kept: AMSGrad.
    pub fn has_maximum(&self) -> bool {
        self.packed.dims()[0] == 4
    }

    /// Moves the parameter and its moments by one step, in place.
    ///
    /// # Errors
    /// [`Error::Shape`](crate::Error::Shape) when parameter or gradient have another shape than the moments, or the parameter is strided;
    /// [`Error::Mixed`](crate::Error::Mixed) when dtypes differ.
    pub fn step(&mut self, parameter: &Var, gradient: &Tensor, rule: &Rule) -> Result<()> {
        self.check(parameter, gradient)?;
        on_device!(
            OP,
            gradient,
            kernels => cuda::step_all(&[(&self.packed, parameter, gradient)], rule, None),
            cpu::<T> => cpu::step::<T>(&self.packed, parameter, gradient, rule),
        )
    }

    fn check(&self, parameter: &Var, gradient: &Tensor) -> Result<()> {
        like(OP, ("moments", &self.packed), ("parameter", parameter))?;
        like(OP, ("parameter", parameter), ("gradient", gradient))?;
        shape::exact(OP, "parameter", parameter, &self.shape, "the shape of its moments")?;
        shape::exact(OP, "gradient", gradient, &self.shape, "the shape of the parameter")?;
        if !parameter.is_contiguous() {
            return Err(shape::refused(OP, "parameter", parameter, "a contiguous tensor, as it is written in place"));
        }
        Ok(())
    }

    fn row(&self, row: usize) -> Result<Tensor> {
        Ok(self.packed.get(row)?.reshape(self.shape.as_slice())?.copy()?)
    }
}

/// Moves all parameters by one step, in place: on CUDA in one launch for every 64 of them. With `(norm, limit)`, gradients are also
/// multiplied by min(1, limit / (norm + 10⁻⁶)); a norm on a GPU is read there, without synchronisation.
///
/// # Errors
/// As [`Moments::step`]; [`Error::Shape`](crate::Error::Shape) when some of the moments have a maximum and some have none.
pub fn step_all<'a>(
    items: impl IntoIterator<Item = (&'a mut Moments, &'a Var, &'a Tensor)>,
    rule: &Rule,
    clip: Option<(&Tensor, f64)>,
) -> Result<()> {
    let items: Vec<(&mut Moments, &Var, &Tensor)> = items.into_iter().collect();
    for (moments, parameter, gradient) in &items {
        moments.check(parameter, gradient)?;
        if moments.has_maximum() != items[0].0.has_maximum() {
            return Err(shape::refused(OP, "moments", &moments.packed, "as many rows as the first ones, with or without a maximum"));
        }
    }
    let Some(device) = items.first().map(|(_, parameter, _)| parameter.device()) else { return Ok(()) };
    on_device!(
        OP,
        at device,
        kernels => {
            let items: Vec<_> = items.iter().map(|(moments, parameter, gradient)| (&moments.packed, *parameter, *gradient)).collect();
            cuda::step_all(&items, rule, clip)
        },
        cpu => {
            let factor = match clip {
                Some((norm, limit)) => (limit / (norm.to_dtype(DType::F64)?.to_scalar::<f64>()? + 1e-6)).min(1.0),
                None => 1.0,
            };
            let rule = Rule { scale: rule.scale * factor, ..*rule };
            items.into_par_iter().try_for_each(|(moments, parameter, gradient)| moments.step(parameter, gradient, &rule))
        },
    )
}

/// The Euclidean norm of all entries of all tensors together, a scalar on their device; the device is synchronised only when it is
/// read. The order in which squares are added up depends on the shapes alone.
///
/// The norm belongs to no graph, even where the tensors do, as gradients of Candle's own ops can.
///
/// # Errors
/// [`Error::DType`](crate::Error::DType) unless they are f32 or f64.
pub fn global_norm(tensors: &[&Tensor]) -> Result<Tensor> {
    on_device!(
        OP,
        at tensors.first().map_or(&Device::Cpu, |tensor| tensor.device()),
        kernels => cuda::norm(tensors),
        cpu => {
            let squares = tensors.par_iter().map(|tensor| with_real!(OP, tensor, T => cpu::squares::<T>(tensor)));
            let total: f64 = squares.collect::<Result<Vec<f64>>>()?.into_iter().sum();
            Ok(Tensor::new(total.sqrt(), &Device::Cpu)?)
        },
    )
}
