//! Blocks of a few thousand entries, in place.

use super::{OP, Rule};
use crate::fill::{Blocks, even_bounds, fill_one};
use crate::host::{Real, bind_slices};
use crate::simd::{sum, vectorised};
use crate::{Error, Result, threads};
use candle_core::backend::BackendStorage;
use candle_core::{CpuStorage, InplaceOp1, Layout, Tensor, Var};
use rayon::prelude::*;
use std::marker::PhantomData;
use std::sync::{Mutex, PoisonError};

/// One task's share.
const BLOCK: usize = 16_384;

pub(super) fn step<T: Real>(packed: &Tensor, parameter: &Var, gradient: &Tensor, rule: &Rule) -> Result<()> {
    bind_slices!(OP, T, gradient);
    let on_moments = InPlace::new(|moments: &mut [T]| {
        let on_parameter = InPlace::new(|parameter: &mut [T]| {
            update(parameter, gradient, moments, &Factors::of(rule));
            Ok(())
        });
        parameter.inplace_op1(&on_parameter)
    });
    Ok(packed.inplace_op1(&on_moments)?)
}

pub(super) fn squares<T: Real>(tensor: &Tensor) -> Result<f64> {
    bind_slices!(OP, T, tensor);
    let bounds = even_bounds(tensor.len(), 1, BLOCK);
    let blocks: Vec<usize> = (0..bounds.len()).collect();
    let sums = fill_one(tensor.len(), Blocks { bounds: &blocks, width: 1 }, |block, out: &mut [T]| {
        out[0] = sum_of_squares(&tensor[bounds[block]..bounds[block + 1]]);
    });
    Ok(sums.iter().map(|sum| sum.to_f64()).sum())
}

/// All blocks of one parameter, in parallel when there are several.
fn update<T: Real>(parameter: &mut [T], gradient: &[T], moments: &mut [T], factors: &Factors<T>) {
    let count = parameter.len();
    let (m, rest) = moments.split_at_mut(count);
    let (v, rest) = rest.split_at_mut(count);
    // Empty without AMSGrad.
    let (top, average) = rest.split_at_mut(rest.len() - count);
    let kept = !top.is_empty();
    if count <= BLOCK || threads::count() == 1 {
        if kept {
            amsgrad(parameter, gradient, m, v, top, average, factors);
        } else {
            plain(parameter, gradient, m, v, average, factors);
        }
        return;
    }
    let written = (parameter.par_chunks_mut(BLOCK), m.par_chunks_mut(BLOCK), v.par_chunks_mut(BLOCK), average.par_chunks_mut(BLOCK));
    if kept {
        let blocks = (written, top.par_chunks_mut(BLOCK), gradient.par_chunks(BLOCK));
        blocks.into_par_iter().for_each(|((p, m, v, average), top, g)| amsgrad(p, g, m, v, top, average, factors));
    } else {
        (written, gradient.par_chunks(BLOCK)).into_par_iter().for_each(|((p, m, v, average), g)| plain(p, g, m, v, average, factors));
    }
}

/// The rule's numbers as the loop needs them.
#[derive(Clone, Copy)]
struct Factors<T> {
    scale: T,
    /// 1 − β₁, 1 − β₂.
    rates: [T; 2],
    /// 1 − lr·decay.
    kept: T,
    /// lr / (1 − β₁ᵏ).
    lr: T,
    /// 1 / √(1 − β₂ᵏ).
    correction: T,
    eps: T,
    /// 1 − ema.
    fresh: T,
}

impl<T: Real> Factors<T> {
    fn of(rule: &Rule) -> Self {
        let corrected = |beta: f64| 1.0 - beta.powf(rule.step as f64);
        Self {
            scale: T::from_f64(rule.scale),
            rates: [rule.beta1, rule.beta2].map(|beta| T::from_f64(1.0 - beta)),
            kept: T::from_f64(1.0 - rule.lr * rule.weight_decay),
            lr: T::from_f64(rule.lr / corrected(rule.beta1)),
            correction: T::from_f64(1.0 / corrected(rule.beta2).sqrt()),
            eps: T::from_f64(rule.eps),
            fresh: T::from_f64(1.0 - rule.ema),
        }
    }
}

/// The moments after one more gradient.
#[inline(always)]
fn moved<T: Real>(g: T, m: &mut T, v: &mut T, factors: &Factors<T>) {
    let g = g * factors.scale;
    *m = factors.rates[0].fma(g - *m, *m);
    *v = factors.rates[1].fma(g * g - *v, *v);
}

/// The parameter and its average after a step by the first moment over the root of the second.
#[inline(always)]
fn stepped<T: Real>(p: &mut T, m: T, second: T, average: &mut T, factors: &Factors<T>) {
    *p = factors.kept * *p - factors.lr * m / second.sqrt().fma(factors.correction, factors.eps);
    *average = factors.fresh.fma(*p - *average, *average);
}

vectorised! {
    fn amsgrad<T>(p: &mut [T], g: &[T], m: &mut [T], v: &mut [T], top: &mut [T], average: &mut [T], factors: &Factors<T>) {
        // By value: a reference might alias what the loop writes.
        let factors = &{ *factors };
        let moments = m.iter_mut().zip(v.iter_mut()).zip(top.iter_mut());
        for (((p, &g), ((m, v), top)), average) in p.iter_mut().zip(g).zip(moments).zip(average.iter_mut()) {
            moved(g, m, v, factors);
            // False for NaN, which then stays.
            *top = if *top > *v { *top } else { *v };
            stepped(p, *m, *top, average, factors);
        }
    }

    fn plain<T>(p: &mut [T], g: &[T], m: &mut [T], v: &mut [T], average: &mut [T], factors: &Factors<T>) {
        let factors = &{ *factors };
        let moments = m.iter_mut().zip(v.iter_mut());
        for (((p, &g), (m, v)), average) in p.iter_mut().zip(g).zip(moments).zip(average.iter_mut()) {
            moved(g, m, v, factors);
            stepped(p, *m, *v, average, factors);
        }
    }

    fn sum_of_squares<T>(values: &[T]) -> T {
        sum(values, |value| value * value)
    }
}

/// Lends a tensor's elements to a closure for writing: Candle holds the storage's lock meanwhile.
struct InPlace<T, F>(Mutex<Option<F>>, PhantomData<T>);

impl<T, F: FnOnce(&mut [T]) -> candle_core::Result<()>> InPlace<T, F> {
    fn new(body: F) -> Self {
        Self(Mutex::new(Some(body)), PhantomData)
    }
}

impl<T: Real, F: FnOnce(&mut [T]) -> candle_core::Result<()>> InplaceOp1 for InPlace<T, F> {
    fn name(&self) -> &'static str {
        OP
    }

    fn cpu_fwd(&self, storage: &mut CpuStorage, layout: &Layout) -> candle_core::Result<()> {
        let got = storage.dtype();
        let body = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        match (T::values_mut(storage), body) {
            (Some(values), Some(body)) => body(&mut values[layout.start_offset()..][..layout.shape().elem_count()]),
            _ => Err(Error::DType { op: OP, got }.into()),
        }
    }
}
