//! The edge network with all edges at once: products over `[E, D]`, and between them kernels of one block, or one warp, a node.
//!
//! Between its inputs and its result all is f32, also where they are bf16: sums over a batch's edges cancel, and would show the rounding of
//! what they sum. Nothing is added up by atomic operations: a node gathers what its edges hold, so results are the same every time.

mod first;
mod head;

use super::Pairs;
use super::node::Call;
use crate::gpu::{Grid, Launch};
use crate::{Products, Pullback, Result, linear};
use candle_core::{DType, Tensor};
use first::First;
use head::{Head, Pulled};

/// The value and the pullback of a call on \[h, W₁, b₁, W₂, b₂, the head's parameters, the points\].
pub(super) fn run(inputs: &[Tensor], call: &Call) -> Result<(Tensor, Pullback)> {
    call.products.check_device(call.op)?;
    if call.pairs.is_empty() {
        return nothing(inputs, call);
    }
    let dtypes: Vec<DType> = inputs.iter().map(Tensor::dtype).collect();
    let inputs: Vec<Tensor> = inputs.iter().map(|input| input.to_dtype(DType::F32)?.contiguous()).collect::<candle_core::Result<_>>()?;
    let layer = First::new(&inputs, call)?;
    let z = linear::forward(&layer.forward()?, &inputs[3], Some(&inputs[4]), Products::Full)?;
    let head = Head::new(&inputs, call);
    let read = head.read(&z)?;
    let out = head.forward(&z, read.as_ref())?.to_dtype(dtypes[0])?;
    let pullback: Pullback = Box::new(move |gradient| {
        let Pulled { dz, parameters, pulls } = head.backward(&z, read.as_ref(), &gradient.to_dtype(DType::F32)?)?;
        let second = linear::backward_parameters(&[[&layer.forward()?, &dz]], Products::Full)?;
        let (first, points) = layer.backward(&linear::backward_input(&dz, &inputs[3], Products::Full)?, pulls.as_ref())?;
        let all = first.into_iter().chain(second).chain(parameters).chain(points);
        all.zip(dtypes).map(|(gradient, dtype)| Ok(Some(gradient.to_dtype(dtype)?))).collect()
    });
    Ok((out, pullback))
}

/// No edges: nothing is received, and no gradient flows.
fn nothing(inputs: &[Tensor], call: &Call) -> Result<(Tensor, Pullback)> {
    let out = Tensor::zeros((call.pairs.layout().nodes(), call.columns()), inputs[0].dtype(), inputs[0].device())?;
    let zeros = inputs.iter().map(Tensor::zeros_like).collect::<candle_core::Result<Vec<_>>>()?;
    Ok((out, Box::new(move |_| Ok(zeros.into_iter().map(Some).collect()))))
}

/// A kernel that is told where edges lie.
fn launch(op: &'static str, name: &str, like: &Tensor, pairs: &Pairs) -> Result<Launch> {
    let edges = pairs.on_device(like.device())?;
    Launch::new(op, name, like)?.offsets(pairs.layout())?.owners(pairs.layout())?.read_as(&edges)
}

/// One block a node.
fn nodes(pairs: &Pairs, threads: usize) -> Grid {
    Grid::of([pairs.layout().nodes(), 1, 1], threads)
}

/// One block a node, one thread a channel.
fn channels(pairs: &Pairs, width: usize) -> Grid {
    nodes(pairs, width.next_multiple_of(32).min(256))
}
