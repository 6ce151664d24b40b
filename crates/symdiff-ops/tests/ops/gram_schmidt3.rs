//! `gram_schmidt3` against the textbook recipe in Candle ops, and against golden vectors up to condition number 1e6.

use crate::common::{assert_close, check_op, flat, golden, random};
use candle_core::{D, DType, Tensor, Var};
use symdiff_ops::gram_schmidt3::{By, gram_schmidt3};
use symdiff_ops::{Result, rotate};

/// Classical Gram–Schmidt on rows.
fn twin_rows(a: &Tensor) -> Result<Tensor> {
    let dot = |x: &Tensor, y: &Tensor| -> Result<Tensor> { Ok((x * y)?.sum_keepdim(D::Minus1)?) };
    let mut rows: Vec<Tensor> = Vec::new();
    for k in 0..3 {
        let vector = a.narrow(1, k, 1)?;
        let mut rest = vector.clone();
        for unit in &rows {
            rest = (rest - unit.broadcast_mul(&dot(unit, &vector)?)?)?;
        }
        rows.push(rest.broadcast_div(&dot(&rest, &rest)?.sqrt()?)?);
    }
    Ok(Tensor::cat(&rows, 1)?)
}

#[test]
fn equals_the_textbook_recipe() -> Result<()> {
    let a = random(3, &[7, 3, 3])?;
    check_op(&|inputs| gram_schmidt3(inputs[0], By::Rows), &|inputs| twin_rows(inputs[0]), std::slice::from_ref(&a), 2000.0)?;
    let twin_columns = |inputs: &[&Tensor]| Ok(twin_rows(&inputs[0].transpose(1, 2)?)?.transpose(1, 2)?);
    check_op(&|inputs| gram_schmidt3(inputs[0], By::Columns), &twin_columns, &[a], 2000.0)
}

#[test]
fn columns_commute_with_rotations_from_the_left() -> Result<()> {
    let g = gram_schmidt3(&random(4, &[5, 3, 3])?, By::Columns)?;
    let a = random(5, &[5, 3, 3])?;
    assert_close("GS(g·A)", &gram_schmidt3(&g.matmul(&a)?, By::Columns)?, &g.matmul(&gram_schmidt3(&a, By::Columns)?)?, 1e-12)?;
    let layout = symdiff_ops::Ragged::from_sizes(&[1; 5])?;
    let x = random(6, &[5, 3])?;
    assert_close("g⁻¹·(g·x)", &rotate(&rotate(&x, &g, &layout, false)?, &g, &layout, true)?, &x, 1e-14)
}

#[test]
fn matches_the_golden_vectors() -> Result<()> {
    let Some(golden) = golden("qr_gram_schmidt.safetensors")? else { return Ok(()) };
    let (a, weights) = (&golden["in.a"], &golden["in.grad_q"]);
    let conditions = flat(&golden["in.cond"])?;
    for (by, name) in [(By::Columns, "cols"), (By::Rows, "rows")] {
        let var = Var::from_tensor(a)?;
        let q = gram_schmidt3(&var, by)?;
        assert_close(name, &q, &golden[&format!("out.q_{name}")], 1e-5)?;
        let identity = Tensor::eye(3, DType::F32, q.device())?.broadcast_as((100, 3, 3))?;
        assert_close("Q·Qᵀ", &q.matmul(&q.transpose(1, 2)?)?, &identity, 1e-6)?;
        let store = (q * weights)?.sum_all()?.backward()?;
        let gradient = store.get(&var).map(flat).transpose()?.unwrap_or_default();
        let norms = flat(&a.sqr()?.sum((1, 2))?.sqrt()?)?;
        let scaled: Vec<f64> = (0..900).map(|k| if conditions[k / 9] < 100.0 { gradient[k] * norms[k / 9] } else { 0.0 }).collect();
        let expected = &golden[&format!("grad_a_{name}_scaled")];
        assert_close(&format!("gradient on {name}"), &Tensor::from_vec(scaled, (100, 3, 3), a.device())?, expected, 1e-5)?;
    }
    Ok(())
}
