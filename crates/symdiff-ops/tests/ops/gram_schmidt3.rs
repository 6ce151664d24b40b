//! `gram_schmidt3` against the textbook recipe in Candle ops.

use crate::common::{assert_close, check_op, random};
use candle_core::{D, Tensor};
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
