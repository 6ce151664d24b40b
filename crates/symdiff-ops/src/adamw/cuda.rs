//! Each launch takes as many parameters as a table of pointers holds.

use super::{OP, Rule};
use crate::Result;
use crate::dispatch::like;
use crate::gpu::{Arg, Grid, Launch, THREADS};
use candle_core::{DType, Tensor, Var};

/// Blocks that share one tensor, at most.
const BLOCKS: usize = 128;

/// Moments, parameter and gradient.
type Item<'a> = (&'a Tensor, &'a Var, &'a Tensor);

pub(super) fn step_all(items: &[Item], rule: &Rule, clip: Option<(&Tensor, f64)>) -> Result<()> {
    for items in items.chunks(Arg::TABLE) {
        let column = |pick: fn(&Item, &Tensor) -> Result<Arg>| -> Result<Arg> {
            Ok(Arg::Table(items.iter().map(|item| pick(item, items[0].0)).collect::<Result<_>>()?))
        };
        let launch = Launch::new(OP, "adamw_step", items[0].1)?
            .arg(column(|(_, parameter, _), first| Ok(Arg::Change(alike(parameter, first)?)))?)
            .arg(column(|(_, _, gradient), first| Ok(Arg::Read(alike(gradient, first)?.contiguous()?)))?)
            .arg(column(|(moments, ..), first| Ok(Arg::Change(alike(moments, first)?)))?)
            .arg(counts(items.iter().map(|(_, parameter, _)| parameter.as_tensor())))
            .read_if(clip.map(|(norm, _)| norm))?;
        let largest = items.iter().map(|(_, parameter, _)| parameter.elem_count()).max().unwrap_or(0);
        let launch = launch.arg(factors(rule, clip.map_or(1.0, |(_, limit)| limit), items[0].0.dims()[0] == 4));
        let [] = launch.run(&Grid::tabled(largest, items.len(), BLOCKS))?;
    }
    Ok(())
}

pub(super) fn norm(tensors: &[&Tensor]) -> Result<Tensor> {
    let blocks = 32;
    let mut shares = Vec::new();
    for tensors in tensors.chunks(Arg::TABLE) {
        let read = tensors.iter().map(|tensor| Ok(Arg::Read(alike(tensor, tensors[0])?.contiguous()?))).collect::<Result<_>>()?;
        let launch = Launch::new(OP, "adamw_squares", tensors[0])?.arg(Arg::Table(read)).arg(counts(tensors.iter().copied()));
        let launch = launch.write_as(&[tensors.len(), blocks], DType::F64);
        let [sums] = launch.run(&Grid::of([blocks, tensors.len(), 1], THREADS))?;
        shares.push(sums.flatten_all()?);
    }
    let sums = Tensor::cat(&shares, 0)?;
    let count = sums.elem_count();
    let launch = Launch::typed(OP, "adamw_norm", DType::F32, sums.device())?.read_as(&sums)?;
    let [norm] = launch.ints([count])?.write_as(&[], DType::F32).run(&Grid::of([1, 1, 1], 32))?;
    Ok(norm)
}

fn counts<'a>(tensors: impl Iterator<Item = &'a Tensor>) -> Arg {
    Arg::Table(tensors.map(|tensor| Arg::Long(tensor.elem_count() as i64)).collect())
}

/// The tensor, if it has the dtype and device of `first`: pointers say neither.
fn alike(tensor: &Tensor, first: &Tensor) -> Result<Tensor> {
    if tensor.dtype() != DType::F32 {
        return Err(crate::Error::DType { op: OP, got: tensor.dtype() });
    }
    like(OP, ("the first tensor", first), ("another tensor", tensor))?;
    Ok(tensor.clone())
}

/// The kernel's `Rule`.
fn factors(rule: &Rule, limit: f64, maximum: bool) -> Arg {
    let corrected = |beta: f64| 1.0 - beta.powf(rule.step as f64);
    let numbers = [
        rule.scale,
        1.0 - rule.beta1,
        1.0 - rule.beta2,
        1.0 - rule.lr * rule.weight_decay,
        rule.lr / corrected(rule.beta1),
        1.0 / corrected(rule.beta2).sqrt(),
        rule.eps,
        1.0 - rule.ema,
        limit,
        f64::from(u8::from(maximum)),
    ];
    Arg::Floats(numbers.iter().map(|&number| number as f32).collect())
}
