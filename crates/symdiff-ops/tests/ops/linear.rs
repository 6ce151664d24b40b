//! `linear` against Candle's product and broadcast sum.

use crate::common::{assert_close, check_op, random};
use candle_core::{Tensor, Var};
use symdiff_ops::{Result, linear};

#[test]
fn equals_product_and_sum() -> Result<()> {
    for [n, i, o] in [[1, 1, 1], [5, 3, 7], [33, 64, 48], [70, 129, 200]] {
        let inputs = [random(1, &[n, i])?, random(2, &[o, i])?, random(3, &[o])?];
        let eps = 8.0 + n.max(i).max(o) as f64;
        let product = |t: &[&Tensor]| -> Result<Tensor> { Ok(t[0].matmul(&t[1].t()?)?) };
        check_op(&|t| linear(t[0], t[1], None), &product, &inputs[..2], eps)?;
        check_op(&|t| linear(t[0], t[1], Some(t[2])), &|t| Ok(product(t)?.broadcast_add(t[2])?), &inputs, eps)?;
    }
    Ok(())
}

#[test]
fn nothing_in_gives_the_bias_and_a_wrong_bias_is_refused() -> Result<()> {
    let (x, w, b) = (random(1, &[4, 0])?, random(2, &[3, 0])?, random(3, &[3])?);
    let y = linear(&x, &w, Some(&b))?.to_vec2::<f64>()?;
    assert_eq!(y, vec![b.to_vec1::<f64>()?; 4]);
    let [dw, db] = linear::backward_parameters(&[[&x, &random(4, &[4, 3])?]])?;
    assert_eq!((dw.dims(), db.dims()), (&[3, 0][..], &[3][..]));
    let refused = linear(&x, &w, Some(&random(3, &[4])?)).map(|_| ()).map_err(|error| error.to_string());
    assert_eq!(refused, Err("linear: bias has shape [4], expected [3], one entry per row of the weight".into()));
    Ok(())
}

#[test]
fn a_weight_laid_out_once_serves_many_products() -> Result<()> {
    let (w, row) = (random(1, &[70, 33])?, random(2, &[33])?);
    let (forward, backward) = (linear::Weight::forward(&w)?, linear::Weight::backward(&w)?);
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
    let (of_x, of_maps) = linear::backward_fan(&x.detach(), &plain.iter().collect::<Vec<_>>(), &gradients)?;
    let vars = [&x].into_iter().chain(weights.iter().zip(&biases).flat_map(|(weight, bias)| [weight, bias]));
    for (got, var) in [of_x].into_iter().chain(of_maps.into_iter().flatten()).zip(vars) {
        let expected = store.get(var).ok_or_else(|| symdiff_ops::Error::Layout("no gradient".into()))?;
        assert_close("gradient", &got, expected, 1e-13)?;
    }
    Ok(())
}
