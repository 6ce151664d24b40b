//! What every op refuses, and how it says so.

use crate::common::random;
use candle_core::{DType, Tensor, Var};
use symdiff_ops::ada_layer_norm::Columns;
use symdiff_ops::gram_schmidt3::By;
use symdiff_ops::linear::Weight;
use symdiff_ops::*;

fn refusal<T>(result: Result<T>) -> String {
    result.map(drop).map_err(|error| error.to_string()).err().unwrap_or_default()
}

/// A function's name, its arguments, and the call.
type Call<'a> = (&'static str, Vec<&'a Tensor>, Box<dyn Fn(&[&Tensor]) -> Result<()> + 'a>);

/// Every public function without a graph, with a tensor of one in each place.
#[test]
fn functions_without_a_graph_refuse_tensors_of_one() -> Result<()> {
    let layout = Ragged::from_sizes(&[2, 1])?;
    let tensor = |shape: &[usize]| random(1, shape);
    let (x, g) = (tensor(&[3, 4])?, tensor(&[3, 4])?);
    let (m, wide, points, turns) = (tensor(&[2, 8])?, tensor(&[3, 12])?, tensor(&[3, 3])?, tensor(&[2, 3, 3])?);
    let (row, w, half) = (tensor(&[4])?, tensor(&[4, 4])?, tensor(&[3, 2])?);
    let columns = Columns { shift: 0, scale: 4 };
    let l = &layout;
    let calls: Vec<Call> = vec![
        ("silu", vec![&x], Box::new(|t| silu::forward(t[0]).map(drop))),
        ("silu back", vec![&x, &g], Box::new(|t| silu::backward(t[0], t[1]).map(drop))),
        ("gelu", vec![&x], Box::new(|t| gelu::forward(t[0]).map(drop))),
        ("gelu replayed", vec![&x, &g], Box::new(|t| gelu::replayed(t[0], t[1]).map(drop))),
        ("swiglu", vec![&x], Box::new(|t| swiglu::forward(t[0]).map(drop))),
        ("swiglu back", vec![&x, &half], Box::new(|t| swiglu::backward(t[0], t[1]).map(drop))),
        ("swiglu replayed", vec![&x, &half], Box::new(|t| swiglu::replayed(t[0], t[1]).map(drop))),
        ("norm", vec![&x, &m], Box::new(move |t| ada_layer_norm::forward(t[0], t[1], columns, l).map(drop))),
        (
            "norm back",
            vec![&x, &m, &g, &x],
            Box::new(move |t| ada_layer_norm::backward(t[0], t[1], columns, t[2], Some(t[3]), l).map(drop)),
        ),
        ("gate", vec![&x, &g, &m], Box::new(move |t| gated_residual::forward(t[0], t[1], t[2], 4, l).map(drop))),
        ("gate back", vec![&x, &m, &g], Box::new(move |t| gated_residual::backward(t[0], t[1], 4, t[2], l).map(drop))),
        ("attention", vec![&wide], Box::new(move |t| ragged_attention::forward(t[0], 2, l).map(drop))),
        ("attention back", vec![&wide, &g], Box::new(move |t| ragged_attention::backward(t[0], 2, t[1], l).map(drop))),
        ("pairs", vec![&points, &row, &row], Box::new(move |t| pair_gaussian_mean::forward(t[0], t[1], t[2], l).map(drop))),
        ("pairs back", vec![&points, &row, &row, &g], Box::new(move |t| pair_gaussian_mean::backward(t[0], t[1], t[2], t[3], l).map(drop))),
        ("rotate", vec![&points, &turns], Box::new(move |t| rotate::forward(t[0], t[1], l, false).map(drop))),
        ("rotate back", vec![&points, &points], Box::new(move |t| rotate::backward_matrix(t[0], t[1], l, false).map(drop))),
        ("gram", vec![&turns], Box::new(|t| gram_schmidt3::forward(t[0], By::Rows).map(drop))),
        ("gram back", vec![&turns, &turns], Box::new(|t| gram_schmidt3::backward(t[0], t[1], By::Rows).map(drop))),
        ("sum", vec![&x], Box::new(move |t| segment::segment_sum_forward(t[0], l).map(drop))),
        ("mean", vec![&x], Box::new(move |t| segment::segment_mean_forward(t[0], l).map(drop))),
        ("spread", vec![&m], Box::new(move |t| segment::spread_forward(t[0], l).map(drop))),
        ("centre", vec![&x], Box::new(move |t| segment::centre_forward(t[0], l).map(drop))),
        ("columns", vec![&x, &g], Box::new(|t| columns::joined(t).map(drop))),
        ("linear", vec![&x, &w, &row], Box::new(|t| linear::forward(t[0], t[1], Some(t[2]), Products::Full).map(drop))),
        ("linear to x", vec![&g, &w], Box::new(|t| linear::backward_input(t[0], t[1], Products::Full).map(drop))),
        ("linear to w", vec![&x, &g], Box::new(|t| linear::backward_parameters(&[[t[0], t[1]]], Products::Full).map(drop))),
        ("linear fan", vec![&x, &w, &g], Box::new(|t| linear::backward_fan(t[0], &[t[1]], &[t[2].clone()], Products::Full).map(drop))),
        ("weight", vec![&w], Box::new(|t| Weight::forward(t[0], Products::Full).map(drop))),
        ("rounded", vec![&w], Box::new(|t| linear::rounded(&[t[0].clone()], DType::F32).map(drop))),
    ];
    for (name, inputs, call) in calls {
        assert_eq!(refusal(call(&inputs)), "", "{name} on plain tensors");
        for place in 0..inputs.len() {
            let tracked = Var::from_tensor(inputs[place])?;
            let given: Vec<&Tensor> =
                inputs.iter().enumerate().map(|(k, input)| if k == place { tracked.as_tensor() } else { input }).collect();
            assert!(refusal(call(&given)).contains("is part of a graph"), "{name}, argument {place}");
        }
    }
    Ok(())
}

#[test]
fn mixed_dtypes_are_refused_by_name() -> Result<()> {
    let layout = Ragged::from_sizes(&[2])?;
    let (x, m) = (random(1, &[2, 4])?.to_dtype(DType::F32)?, random(2, &[1, 8])?);
    let norm = ada_layer_norm(&x, &m, Columns { shift: 0, scale: 4 }, &layout);
    assert_eq!(refusal(norm), "ada_layer_norm: modulation is F64, but x is F32; convert one of them");
    assert_eq!(
        refusal(columns::joined(&[&x, &random(1, &[2, 1])?])),
        "columns: another part is F64, but the first part is F32; convert one of them"
    );
    let bias = linear(&x, &random(1, &[3, 4])?.to_dtype(DType::F32)?, Some(&random(2, &[3])?), Products::Full);
    assert!(refusal(bias).contains("bias is F64"));
    Ok(())
}
