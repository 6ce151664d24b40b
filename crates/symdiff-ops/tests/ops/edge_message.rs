//! `edge_message` and `edge_displacement` against Candle ops on every pair of every sample.

use crate::common::{assert_close, check_op, flat, random, samples, with_gradients};
use candle_core::{DType, Tensor};
use symdiff_ops::{Divisor, EdgeMlp, Pairs, Products, Ragged, Reach, Result, edge_displacement, edge_message};

/// h, W₁, b₁, W₂, b₂, the head's parameters, the points now and at the start.
fn inputs(layout: &Ragged, d: usize, head: &[&[usize]], points: bool) -> Result<Vec<Tensor>> {
    let n = layout.nodes();
    let scaled = |seed, shape: &[usize], factor: f64| -> Result<Tensor> { Ok((random(seed, shape)? * factor)?) };
    let spread = 1.0 / (d as f64).sqrt();
    let mut inputs = vec![
        random(1, &[n, d])?,
        scaled(2, &[d, 2 * d + if points { 2 } else { 0 }], spread)?,
        random(3, &[d])?,
        scaled(4, &[d, d], spread)?,
        random(5, &[d])?,
    ];
    for (k, shape) in head.iter().enumerate() {
        inputs.push(scaled(6 + k as u64, shape, spread)?);
    }
    if points {
        inputs.extend([random(8, &[n, 3])?, random(9, &[n, 3])?]);
    }
    Ok(inputs)
}

fn mlp<'a>(i: &[&'a Tensor]) -> EdgeMlp<'a> {
    EdgeMlp { first: [i[1], i[2]], second: [i[3], i[4]], products: Products::Full }
}

fn message(i: &[&Tensor], gated: bool, pairs: &Pairs) -> Result<Tensor> {
    let (gate, points) = i[5..].split_at(if gated { 2 } else { 0 });
    let pair = |tensors: &[&'_ Tensor]| if let [a, b] = tensors { Some([(*a).clone(), (*b).clone()]) } else { None };
    let (gate, points) = (pair(gate), pair(points));
    edge_message(i[0], points.as_ref().map(<[_; 2]>::each_ref), mlp(i), gate.as_ref().map(<[_; 2]>::each_ref), pairs)
}

fn displacement(i: &[&Tensor], reach: Reach, pairs: &Pairs) -> Result<Tensor> {
    edge_displacement(i[0], [i[6], i[7]], mlp(i), i[5], reach, pairs)
}

fn silu(x: &Tensor) -> Result<Tensor> {
    Ok((x / (x.neg()?.exp()? + 1.0)?)?)
}

/// One sample's m, `[n, n, D]`, receiver first, and the differences of points, `[n, n, 3]`.
fn messages(h: &Tensor, points: &[Tensor], i: &[&Tensor]) -> Result<(Tensor, Option<Tensor>)> {
    let (n, d) = h.dims2()?;
    let differences = points.iter().map(|x| Ok(x.unsqueeze(1)?.broadcast_sub(&x.unsqueeze(0)?)?)).collect::<Result<Vec<Tensor>>>()?;
    let mut parts = vec![h.unsqueeze(1)?.broadcast_as((n, n, d))?.contiguous()?, h.unsqueeze(0)?.broadcast_as((n, n, d))?.contiguous()?];
    for difference in &differences {
        parts.push(difference.sqr()?.sum_keepdim(2)?);
    }
    let rows = Tensor::cat(&parts, 2)?.reshape((n * n, ()))?;
    let first = silu(&rows.matmul(&i[1].t()?)?.broadcast_add(i[2])?)?;
    let second = silu(&first.matmul(&i[3].t()?)?.broadcast_add(i[4])?)?;
    Ok((second.reshape((n, n, d))?, differences.into_iter().next()))
}

/// Σ over senders of rows `[n, n, C]`, self pairs left out unless `own`, divided.
fn summed(rows: &Tensor, own: bool, divisor: Divisor) -> Result<Tensor> {
    let n = rows.dims()[0];
    let mask: Vec<f64> = (0..n * n).map(|k| f64::from(u8::from(own || k / n != k % n))).collect();
    let mask = Tensor::from_vec(mask, (n, n, 1), rows.device())?.to_dtype(rows.dtype())?;
    let divisor = match divisor {
        Divisor::Constant(divisor) => divisor,
        Divisor::Nodes => n as f64,
    };
    Ok((rows.broadcast_mul(&mask)?.sum(1)? / divisor)?)
}

/// Each sample's rows of h and of the points.
fn split(i: &[&Tensor], points: &[&Tensor], layout: &Ragged) -> Result<Vec<(Tensor, Vec<Tensor>)>> {
    let points = points.iter().map(|x| samples(x, layout)).collect::<Result<Vec<_>>>()?;
    let h = samples(i[0], layout)?;
    Ok(h.into_iter().enumerate().map(|(k, h)| (h, points.iter().map(|x| x[k].clone()).collect())).collect())
}

fn message_twin(i: &[&Tensor], gated: bool, (own, divisor): (bool, Divisor), layout: &Ragged) -> Result<Tensor> {
    let (gate, points) = i[5..].split_at(if gated { 2 } else { 0 });
    let parts = split(i, points, layout)?.into_iter().map(|(h, points)| {
        let (mut m, _) = messages(&h, &points, i)?;
        if let [weight, bias] = gate {
            let logit = m.broadcast_mul(weight)?.sum_keepdim(2)?.broadcast_add(bias)?;
            m = m.broadcast_div(&(logit.neg()?.exp()? + 1.0)?)?;
        }
        summed(&m, own, divisor)
    });
    Ok(Tensor::cat(&parts.collect::<Result<Vec<_>>>()?, 0)?)
}

fn displacement_twin(i: &[&Tensor], reach: Reach, divisor: Divisor, layout: &Ragged) -> Result<Tensor> {
    let parts = split(i, &i[6..], layout)?.into_iter().map(|(h, points)| {
        let (m, difference) = messages(&h, &points, i)?;
        let Some(difference) = difference else { return Ok(h) };
        let read = m.broadcast_mul(i[5])?.sum_keepdim(2)?;
        let step = reach.range.map_or(Ok(read.clone()), |range| read.tanh()? * range)?;
        let length = (difference.sqr()?.sum_keepdim(2)? + 1e-8)?.sqrt()?;
        summed(&difference.broadcast_mul(&(step / (length + reach.constant)?)?)?, false, divisor)
    });
    Ok(Tensor::cat(&parts.collect::<Result<Vec<_>>>()?, 0)?)
}

/// Single nodes, small and middling samples, and 33 nodes after 32: more edges than pass at once.
const SIZES: [&[usize]; 5] = [&[1], &[5], &[1, 1, 1], &[3, 1, 18, 2], &[32, 33, 1]];

/// About as many rounded operations make an entry: sums over channels and senders, with the conditioning of distances.
fn eps(d: usize, layout: &Ragged) -> f64 {
    256.0 + (4 * d + 4 * layout.longest()) as f64
}

#[test]
fn messages_equal_the_composed_ones() -> Result<()> {
    for (k, sizes) in SIZES.iter().enumerate() {
        let layout = &Ragged::from_sizes(sizes)?;
        for (gated, points, own) in [(true, true, false), (false, true, false), (true, false, true)] {
            let d = [5, 16, 33, 9, 4][k];
            let divisor = if own { Divisor::Nodes } else { Divisor::Constant(2.5) };
            let head: &[&[usize]] = if gated { &[&[1, d], &[1]] } else { &[] };
            let inputs = inputs(layout, d, head, points)?;
            let pairs = Pairs::new(layout, own, divisor);
            let twin = |i: &[&Tensor]| message_twin(i, gated, (own, divisor), layout);
            check_op(&|i| message(i, gated, &pairs), &twin, &inputs, eps(d, layout))?;
        }
    }
    Ok(())
}

#[test]
fn displacements_equal_the_composed_ones() -> Result<()> {
    for (k, sizes) in SIZES.iter().enumerate() {
        let layout = &Ragged::from_sizes(sizes)?;
        let d = [5, 16, 33, 9, 4][k];
        for (reach, divisor) in
            [(Reach { constant: 1.0, range: Some(15.0) }, Divisor::Constant(1.0)), (Reach { constant: 0.5, range: None }, Divisor::Nodes)]
        {
            let inputs = inputs(layout, d, &[&[1, d]], true)?;
            let pairs = Pairs::new(layout, false, divisor);
            let twin = |i: &[&Tensor]| displacement_twin(i, reach, divisor, layout);
            check_op(&|i| displacement(i, reach, &pairs), &twin, &inputs, eps(d, layout))?;
        }
    }
    Ok(())
}

/// Two nodes at one place: no direction between them, and gradients that are finite and equal to the composed ones.
#[test]
fn coincident_points_have_finite_gradients() -> Result<()> {
    let layout = Ragged::from_sizes(&[3])?;
    let mut inputs = inputs(&layout, 8, &[&[1, 8]], true)?;
    inputs[6] = Tensor::new(&[[1.0_f64, 2.0, 3.0], [1.0, 2.0, 3.0], [0.0, 0.5, 0.0]], inputs[6].device())?;
    let reach = Reach { constant: 1.0, range: Some(15.0) };
    let pairs = Pairs::new(&layout, false, Divisor::Constant(1.0));
    let (value, gradients) = with_gradients(&|i| displacement(i, reach, &pairs), &inputs)?;
    let (expected, twins) = with_gradients(&|i| displacement_twin(i, reach, Divisor::Constant(1.0), &layout), &inputs)?;
    assert_close("value", &value, &expected, 1e-12)?;
    for (k, (gradient, twin)) in gradients.iter().zip(&twins).enumerate() {
        assert_close(&format!("gradient {k}"), gradient, twin, 1e-11)?;
    }
    Ok(())
}

#[test]
fn samples_do_not_see_each_other_and_nodes_have_no_order() -> Result<()> {
    let inputs: Vec<Tensor> = inputs(&Ragged::from_sizes(&[40, 19, 33])?, 32, &[&[1, 32], &[1]], true)?
        .iter()
        .map(|input| Ok(input.to_dtype(DType::F32)?))
        .collect::<Result<_>>()?;
    let run = |order: &[u32], sizes: &[usize]| -> Result<Tensor> {
        let order = Tensor::new(order, inputs[0].device())?;
        let of = |k: usize| -> Result<Tensor> { Ok(inputs[k].index_select(&order, 0)?) };
        let [h, x, y] = [of(0)?, of(7)?, of(8)?];
        let all: Vec<&Tensor> = [&h].into_iter().chain(&inputs[1..7]).chain([&x, &y]).collect();
        message(&all, true, &Pairs::new(&Ragged::from_sizes(sizes)?, false, Divisor::Constant(1.0)))
    };
    let together = run(&(0..92).collect::<Vec<_>>(), &[40, 19, 33])?.narrow(0, 40, 19)?;
    let alone = run(&(40..59).collect::<Vec<_>>(), &[19])?;
    assert_close("alone", &alone, &together, 16.0 * f64::from(f32::EPSILON))?;
    let reversed = run(&(40..59).rev().collect::<Vec<_>>(), &[19])?;
    let order: Vec<u32> = (0..19).rev().collect();
    assert_close("reversed", &reversed, &alone.index_select(&Tensor::new(order, alone.device())?, 0)?, 64.0 * f64::from(f32::EPSILON))
}

#[test]
fn a_node_without_senders_receives_nothing() -> Result<()> {
    let layout = Ragged::from_sizes(&[1, 1])?;
    let inputs = inputs(&layout, 4, &[&[1, 4], &[1]], true)?;
    let pairs = Pairs::new(&layout, false, Divisor::Constant(1.0));
    assert!(pairs.is_empty());
    assert_eq!(flat(&message(&inputs.iter().collect::<Vec<_>>(), true, &pairs)?)?, [0.0; 8]);
    Ok(())
}

#[test]
fn weights_of_another_geometry_are_refused() -> Result<()> {
    let layout = Ragged::from_sizes(&[2])?;
    let inputs = inputs(&layout, 4, &[], false)?;
    let i: Vec<&Tensor> = inputs.iter().collect();
    let x = random(1, &[2, 3])?;
    let refused = edge_message(i[0], Some([&x, &x]), mlp(&i), None, &Pairs::new(&layout, false, Divisor::Nodes));
    let expected =
        "edge_message: first weight has shape [4, 8], expected [4, 10], for a receiver's and a sender's channels and the distances";
    assert_eq!(refused.map(|_| ()).map_err(|error| error.to_string()), Err(expected.into()));
    Ok(())
}
