//! `linear` against Candle's product and broadcast sum.

use crate::common::{assert_close, check_op, random, with_gradients};
use candle_core::{DType, Tensor, Var};
use symdiff_ops::{Products, Result, linear};

#[test]
fn equals_product_and_sum() -> Result<()> {
    for [n, i, o] in [[1, 1, 1], [5, 3, 7], [33, 64, 48], [70, 129, 200]] {
        let inputs = [random(1, &[n, i])?, random(2, &[o, i])?, random(3, &[o])?];
        let eps = 8.0 + n.max(i).max(o) as f64;
        let product = |t: &[&Tensor]| -> Result<Tensor> { Ok(t[0].matmul(&t[1].t()?)?) };
        check_op(&|t| linear(t[0], t[1], None, Products::Full), &product, &inputs[..2], eps)?;
        check_op(&|t| linear(t[0], t[1], Some(t[2]), Products::Full), &|t| Ok(product(t)?.broadcast_add(t[2])?), &inputs, eps)?;
    }
    Ok(())
}

#[test]
fn nothing_in_gives_the_bias_and_a_wrong_bias_is_refused() -> Result<()> {
    let (x, w, b) = (random(1, &[4, 0])?, random(2, &[3, 0])?, random(3, &[3])?);
    let y = linear(&x, &w, Some(&b), Products::Full)?.to_vec2::<f64>()?;
    assert_eq!(y, vec![b.to_vec1::<f64>()?; 4]);
    let [dw, db] = linear::backward_parameters(&[[&x, &random(4, &[4, 3])?]], Products::Full)?;
    assert_eq!((dw.dims(), db.dims()), (&[3, 0][..], &[3][..]));
    let refused = linear(&x, &w, Some(&random(3, &[4])?), Products::Full).map(|_| ()).map_err(|error| error.to_string());
    assert_eq!(refused, Err("linear: bias has shape [4], expected [3], one entry per row of the weight".into()));
    Ok(())
}

#[test]
fn a_weight_laid_out_once_serves_many_products() -> Result<()> {
    let (w, row) = (random(1, &[70, 33])?, random(2, &[33])?);
    let (forward, backward) = (linear::Weight::forward(&w, Products::Full)?, linear::Weight::backward(&w, Products::Full)?);
    for rows in [1, 5, 200] {
        let (x, g) = (random(3, &[rows, 33])?, random(4, &[rows, 70])?);
        let gap = |a: &Tensor, b: &Tensor| -> Result<f64> { Ok((a - b)?.abs()?.max_all()?.to_scalar::<f64>()?) };
        assert!(gap(&forward.times(&x, None)?, &x.matmul(&w.t()?)?)? < 1e-12, "{rows} rows");
        assert!(gap(&backward.times(&g, Some(&row))?, &g.matmul(&w)?.broadcast_add(&row)?)? < 1e-12, "{rows} rows back");
        assert!(forward.times(&g, None).is_err() && backward.times(&x, None).is_err(), "{rows} rows of another width");
    }
    Ok(())
}

#[test]
fn maps_of_one_input_have_the_gradients_of_their_sum() -> Result<()> {
    let var = |seed, shape: &[usize]| -> Result<Var> { Ok(Var::from_tensor(&random(seed, shape)?)?) };
    let (x, outputs) = (var(1, &[6, 11])?, [4, 1, 17]);
    let weights = outputs.map(|width| var(width as u64, &[width, 11])).into_iter().collect::<Result<Vec<_>>>()?;
    let biases = outputs.map(|width| var(20 + width as u64, &[width])).into_iter().collect::<Result<Vec<_>>>()?;
    let gradients = outputs.map(|width| random(40 + width as u64, &[6, width])).into_iter().collect::<Result<Vec<_>>>()?;
    let mut loss = x.sum_all()?.zeros_like()?;
    for ((weight, bias), gradient) in weights.iter().zip(&biases).zip(&gradients) {
        loss = (loss + (x.matmul(&weight.t()?)?.broadcast_add(bias)? * gradient)?.sum_all()?)?;
    }
    let store = loss.backward()?;
    let plain: Vec<Tensor> = weights.iter().map(|weight| weight.detach()).collect();
    let (of_x, of_maps) = linear::backward_fan(&x.detach(), &plain.iter().collect::<Vec<_>>(), &gradients, Products::Full)?;
    let vars = [&x].into_iter().chain(weights.iter().zip(&biases).flat_map(|(weight, bias)| [weight, bias]));
    for (got, var) in [of_x].into_iter().chain(of_maps.into_iter().flatten()).zip(vars) {
        let expected = store.get(var).ok_or_else(|| symdiff_ops::Error::Layout("no gradient".into()))?;
        assert_close("gradient", &got, expected, 1e-13)?;
    }
    Ok(())
}

/// Values and gradients in bf16 against products in f64 of operands rounded by Candle: within the rounding of as many sums of absolute terms.
#[test]
fn products_in_bf16_round_their_operands_both_ways() -> Result<()> {
    let rounded = |t: &Tensor| -> Result<Tensor> { Ok(t.to_dtype(DType::BF16)?.to_dtype(DType::F64)?) };
    for [n, i, o] in [[1, 1, 1], [5, 3, 7], [33, 64, 48], [70, 129, 200]] {
        let [x, w, b] = [random(1, &[n, i])?, random(2, &[o, i])?, random(3, &[o])?].map(|t| t.to_dtype(DType::F32));
        let (x, w, b) = (x?, w?, b?);
        let inputs = [x.clone(), w.clone(), b.clone()];
        let (y, gradients) = with_gradients(&|t| linear(t[0], t[1], Some(t[2]), Products::Bf16), &inputs)?;
        let again = with_gradients(&|t| linear(t[0], t[1], Some(t[2]), Products::Bf16), &inputs)?;
        assert!(y.to_vec2::<f32>()? == again.0.to_vec2::<f32>()?, "the same bits");
        // What `with_gradients` multiplies the result by.
        let g = rounded(&random(77, &[n, o])?.to_dtype(DType::F32)?)?;
        let (x, w) = (rounded(&x)?, rounded(&w)?);
        let within = |what: &str, got: &Tensor, [a, b]: [&Tensor; 2], plus: Option<&Tensor>| -> Result<()> {
            let sum = |value: Tensor| plus.map_or(Ok(value.clone()), |row| value.broadcast_add(row));
            let (expected, size) = (sum(a.matmul(b)?)?, a.abs()?.matmul(&b.abs()?)?);
            let error = (got.to_dtype(DType::F64)? - expected)?.abs()?;
            let bound = ((size + 4.0)? * ((a.dims()[1] + 1) as f64 * f64::from(f32::EPSILON)))?;
            let worst = (error / bound)?.max_all()?.to_scalar::<f64>()?;
            assert!(worst <= 1.0, "{what} of [{n}, {i}, {o}] is {worst} times its bound away");
            Ok(())
        };
        within("the value", &y, [&x, &w.t()?], Some(&b.to_dtype(DType::F64)?))?;
        within("the gradient of x", &gradients[0], [&g, &w], None)?;
        within("the gradient of W", &gradients[1], [&g.t()?.contiguous()?, &x], None)?;
    }
    Ok(())
}
