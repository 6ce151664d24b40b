//! A network on the edges between the nodes of each sample, with what is summed up at the receivers.
//!
//! ```text
//! mᵢⱼ = silu(W₂·silu(W₁·[hᵢ | hⱼ | |xᵢ − xⱼ|² | |yᵢ − yⱼ|²] + b₁) + b₂)        all ordered pairs i ← j of one sample
//! edge_message:       Σⱼ gᵢⱼ·mᵢⱼ / divisor,   gᵢⱼ = sigmoid(v·mᵢⱼ + c), or 1
//! edge_displacement:  Σⱼ sᵢⱼ·(xᵢ − xⱼ) / (√(|xᵢ − xⱼ|² + 1e-8) + constant) / divisor,   sᵢⱼ = range·tanh(w·mᵢⱼ), or w·mᵢⱼ
//! ```
//! x are the points now, y those at the start of the network; without points the distances drop out.
//!
//! The first layer is linear in its parts, so each node's two halves are made once (`[N, D]` products, not `[E, 2D]`), and an
//! edge adds two rows.
//!
//! # Shapes
//! h `[N, D]`, x and y `[N, 3]`, W₁ `[D, 2D + 2]` (`[D, 2D]` without points), b₁ `[D]`, W₂ `[D, D]`, b₂ `[D]`, v and w `[1, D]`, c `[1]`
//! → `[N, D]` and `[N, 3]`.
//!
//! # Cost
//! 2·E·D² operations forward, twice that backward, and two exponentials per channel and edge in each pass. Edges pass through in chunks that
//! stay in the L2 cache; on CUDA all pass at once. Training keeps one `[E, D]` tensor, the second layer, until the backward pass; inference none.
//!
//! # Source
//! Satorras, Hoogeboom, Welling, arXiv 2102.09844; with the gate and the two distances as in Hoogeboom et al., arXiv 2203.17003.

#[cfg(kernels)]
mod cuda;
mod engine;
mod head;
mod node;
mod pairs;
mod rows;

pub use node::EdgeMlp;
pub use pairs::{Divisor, Pairs};

use crate::dispatch::on_device;
use crate::{Products, Result, fused, shape};
use candle_core::Tensor;
use node::{Call, Kind};

/// How far, and how bounded, points move along their edges.
#[derive(Clone, Copy, Debug)]
pub struct Reach {
    /// Added to the length that a difference of points is divided by; Å where the points are.
    pub constant: f64,
    /// The largest step along one edge, reached through a tanh; none for no bound.
    pub range: Option<f64>,
}

/// The sum of the messages of each node's senders, `[N, D]`, differentiable in all tensors.
///
/// `points` are those now and at the start; `gate` the weight and bias of the logit.
///
/// # Errors
/// [`Error::Shape`](crate::Error::Shape) when the shapes do not belong together.
pub fn edge_message(h: &Tensor, points: Option<[&Tensor; 2]>, mlp: EdgeMlp, gate: Option<[&Tensor; 2]>, pairs: &Pairs) -> Result<Tensor> {
    const OP: &str = "edge_message";
    let width = node::check(OP, h, points, &mlp, pairs)?;
    if let Some([weight, bias]) = gate {
        shape::exact(OP, "gate weight", weight, &[1, width], "one weight a channel of h")?;
        shape::exact(OP, "gate bias", bias, &[1], "one number")?;
    }
    let parameters = gate.into_iter().flatten();
    let kind = Kind::Message { gated: gate.is_some() };
    run(OP, width, mlp.products, pairs, kind, &[mlp_inputs(h, &mlp), parameters.collect(), points.into_iter().flatten().collect()].concat())
}

/// The sum of steps along the edges into each node, `[N, 3]`, differentiable in all tensors.
///
/// `points` are those now (which the steps are taken from) and at the start; `reader` reads the step from m.
///
/// # Errors
/// [`Error::Shape`](crate::Error::Shape) when the shapes do not belong together.
pub fn edge_displacement(h: &Tensor, points: [&Tensor; 2], mlp: EdgeMlp, reader: &Tensor, reach: Reach, pairs: &Pairs) -> Result<Tensor> {
    const OP: &str = "edge_displacement";
    let width = node::check(OP, h, Some(points), &mlp, pairs)?;
    shape::exact(OP, "reader", reader, &[1, width], "one weight a channel of h")?;
    let inputs = [mlp_inputs(h, &mlp), vec![reader], points.to_vec()].concat();
    run(OP, width, mlp.products, pairs, Kind::Displacement(reach), &inputs)
}

fn mlp_inputs<'a>(h: &'a Tensor, mlp: &EdgeMlp<'a>) -> Vec<&'a Tensor> {
    vec![h, mlp.first[0], mlp.first[1], mlp.second[0], mlp.second[1]]
}

fn run(op: &'static str, width: usize, products: Products, pairs: &Pairs, kind: Kind, inputs: &[&Tensor]) -> Result<Tensor> {
    let keep = inputs.iter().any(|input| input.track_op());
    let call = Call { op, pairs: pairs.clone(), width, products, kind, keep };
    fused(op, inputs, |inputs| on_device!(op, inputs[0], kernels => cuda::run(inputs, &call), cpu::<T> => node::run::<T>(inputs, call)))
}
