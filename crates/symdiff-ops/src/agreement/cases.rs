//! Every op, on shapes that find mistakes.

use crate::ada_layer_norm::Columns;
use crate::gram_schmidt3::By;
use crate::{Divisor, EdgeMlp, Noise, Pairs, Products, Ragged, Reach, Result, Samples};
use candle_core::{DType, Device, Tensor};

/// An op's value on its inputs.
pub(super) type Op = Box<dyn Fn(&[&Tensor]) -> Result<Tensor>>;

/// An op on particular inputs.
pub(super) struct Case {
    pub(super) op: &'static str,
    pub(super) shape: String,
    pub(super) inputs: Vec<Tensor>,
    pub(super) body: Op,
    /// The numbers that one entry of a gradient sums up, about: rounding grows with their root.
    pub(super) terms: usize,
}

/// Single nodes, tiles filled to the last row and one beyond, and one sample of 181.
const LAYOUTS: [&[usize]; 6] = [&[1], &[5, 1], &[3, 1, 18, 2], &[32, 33, 1], &[64, 31], &[181, 7]];

pub(super) fn all() -> Result<Vec<Case>> {
    let mut cases = Vec::new();
    for sizes in LAYOUTS {
        let layout = Ragged::from_sizes(sizes)?;
        of_positions(&mut cases, &layout)?;
        of_edges(&mut cases, &layout)?;
        for width in [1, 33, 64] {
            of_channels(&mut cases, &layout, width)?;
        }
        for (heads, width) in [(1, 1), (2, 27), (1, 64), (1, 80)] {
            let inputs = vec![random(1, &[layout.nodes(), 3 * heads * width])?];
            let own = layout.clone();
            push(&mut cases, "ragged_attention", &layout, heads * width, inputs, move |x| crate::ragged_attention(x[0], heads, &own));
        }
    }
    Ok(cases)
}

fn of_positions(cases: &mut Vec<Case>, layout: &Ragged) -> Result<()> {
    let (nodes, samples) = (layout.nodes(), layout.len());
    let turned = |inverse| {
        let own = layout.clone();
        move |x: &[&Tensor]| crate::rotate(x[0], x[1], &own, inverse)
    };
    let inputs = || Ok::<_, crate::Error>(vec![random(1, &[nodes, 3])?, random(2, &[samples, 3, 3])?]);
    push(cases, "rotate", layout, 3, inputs()?, turned(false));
    push(cases, "rotate", layout, 3, inputs()?, turned(true));
    for by in [By::Columns, By::Rows] {
        // Near the identity: well-conditioned, so that rounding of the input is all there is.
        let a = (random(3, &[samples, 3, 3])? * 0.2)?.broadcast_add(&Tensor::eye(3, DType::F64, &Device::Cpu)?)?;
        push(cases, "gram_schmidt3", layout, 3, vec![a], move |x| crate::gram_schmidt3(x[0], by));
    }
    for count in [1, 40] {
        let inputs = vec![random(4, &[nodes, 3])?, (random(5, &[count])?.abs()? + 0.5)?, (random(6, &[count])?.abs()? + 0.7)?];
        let own = layout.clone();
        push(cases, "pair_gaussian_mean", layout, count, inputs, move |x| crate::pair_gaussian_mean(x[0], x[1], x[2], &own));
    }
    Ok(())
}

fn of_channels(cases: &mut Vec<Case>, layout: &Ragged, width: usize) -> Result<()> {
    let (nodes, samples) = (layout.nodes(), layout.len());
    let x = || random(1, &[nodes, width]);
    let own = || layout.clone();
    let (a, b, c, d) = (own(), own(), own(), own());
    push(cases, "segment_sum", layout, width, vec![x()?], move |x| crate::segment_sum(x[0], &a));
    push(cases, "segment_mean", layout, width, vec![x()?], move |x| crate::segment_mean(x[0], &b));
    push(cases, "centre", layout, width, vec![x()?], move |x| crate::centre(x[0], &c));
    push(cases, "spread", layout, width, vec![random(2, &[samples, width])?], move |x| crate::spread(x[0], &d));
    push(cases, "silu", layout, width, vec![x()?], |x| crate::silu(x[0]));
    push(cases, "gelu", layout, width, vec![x()?], |x| crate::gelu(x[0]));
    push(cases, "swiglu", layout, width, vec![random(1, &[nodes, 2 * width])?], |x| crate::swiglu(x[0]));
    for outputs in [1, 40] {
        let (weight, bias) = (random(2, &[outputs, width])?, random(3, &[outputs])?);
        push(cases, "linear", layout, width, vec![x()?, weight.clone(), bias], |x| crate::linear(x[0], x[1], Some(x[2]), Products::Full));
        push(cases, "linear", layout, width, vec![x()?, weight], |x| crate::linear(x[0], x[1], None, Products::Full));
    }
    for rows in [1, samples] {
        let (a, b) = (own(), own());
        let modulation = random(2, &[rows, 4 * width])?;
        let gated = vec![x()?, random(3, &[nodes, width])?, modulation.clone()];
        push(cases, "gated_residual", layout, width, gated, move |x| crate::gated_residual(x[0], x[1], x[2], width, &a));
        let columns = Columns { shift: 0, scale: 2 * width };
        // A row of one channel is all mean: its normalised value is rounding.
        if width > 1 {
            push(cases, "ada_layer_norm", layout, width, vec![x()?, modulation], move |x| crate::ada_layer_norm(x[0], x[1], columns, &b));
        }
    }
    Ok(())
}

/// Messages with and without gate, points and self-edges, each divisor; steps with and without a bound.
fn of_edges(cases: &mut Vec<Case>, layout: &Ragged) -> Result<()> {
    let few = layout.longest() > 64;
    // Wider than a warp, but where there are many edges.
    let d = if few { 5 } else { 33 };
    let spread = 1.0 / (d as f64).sqrt();
    let inputs = |head: &[&[usize]], points: bool| -> Result<Vec<Tensor>> {
        let width = 2 * d + if points { 2 } else { 0 };
        let mut inputs = vec![random(1, &[layout.nodes(), d])?, (random(2, &[d, width])? * (0.5 * spread))?, random(3, &[d])?];
        inputs.extend([(random(4, &[d, d])? * spread)?, random(5, &[d])?]);
        for shape in head {
            inputs.push((random(6, shape)? * spread)?);
        }
        if points {
            inputs.extend([random(8, &[layout.nodes(), 3])?, random(9, &[layout.nodes(), 3])?]);
        }
        Ok(inputs)
    };
    let messages = [(true, true, false), (false, true, false), (true, false, true)];
    for (gated, points, own) in messages.into_iter().take(if few { 1 } else { 3 }) {
        let pairs = Pairs::new(layout, own, if own { Divisor::Nodes } else { Divisor::Constant(2.5) });
        let head: &[&[usize]] = if gated { &[&[1, d], &[1]] } else { &[] };
        push(cases, "edge_message", layout, d, inputs(head, points)?, move |x| {
            let (gate, points) = x[5..].split_at(if gated { 2 } else { 0 });
            let pair = |tensors: &[&'_ Tensor]| <[Tensor; 2]>::try_from(tensors.iter().copied().cloned().collect::<Vec<_>>()).ok();
            let (gate, points) = (pair(gate), pair(points));
            crate::edge_message(x[0], points.as_ref().map(<[_; 2]>::each_ref), mlp(x), gate.as_ref().map(<[_; 2]>::each_ref), &pairs)
        });
    }
    let steps = [(Some(15.0), Divisor::Constant(1.0)), (None, Divisor::Nodes)];
    for (range, divisor) in steps.into_iter().take(if few { 1 } else { 2 }) {
        let pairs = Pairs::new(layout, false, divisor);
        let body = move |x: &[&Tensor]| crate::edge_displacement(x[0], [x[6], x[7]], mlp(x), x[5], Reach { constant: 1.0, range }, &pairs);
        push(cases, "edge_displacement", layout, d, inputs(&[&[1, d]], true)?, body);
    }
    Ok(())
}

fn mlp<'a>(x: &[&'a Tensor]) -> EdgeMlp<'a> {
    EdgeMlp { first: [x[1], x[2]], second: [x[3], x[4]], products: Products::Full }
}

fn push(
    cases: &mut Vec<Case>,
    op: &'static str,
    layout: &Ragged,
    width: usize,
    inputs: Vec<Tensor>,
    body: impl Fn(&[&Tensor]) -> Result<Tensor> + 'static,
) {
    let shape = format!("{:?} x {width}", layout.sizes().collect::<Vec<_>>());
    cases.push(Case { op, shape, inputs, body: Box::new(body), terms: layout.nodes().max(width) });
}

/// Standard normal numbers, the same for the same seed.
pub(super) fn random(seed: u64, shape: &[usize]) -> Result<Tensor> {
    Ok(Noise::seeded(seed).normal(&Samples::numbered(1), shape, DType::F64, &Device::Cpu)?.squeeze(0)?)
}
