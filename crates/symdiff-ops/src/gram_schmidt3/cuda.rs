//! One launch each way.

use super::{By, OP};
use crate::Result;
use crate::gpu::{Grid, Launch};
use candle_core::Tensor;

pub(super) fn forward(a: &Tensor, by: By) -> Result<Tensor> {
    let count = a.dims()[0];
    let launch = Launch::new(OP, "gram_schmidt3_forward", a)?.read([a])?.write(a.dims()).ints([count, rows(by)])?;
    let [q] = launch.run(&Grid::over(count))?;
    Ok(q)
}

pub(super) fn backward(a: &Tensor, dq: &Tensor, by: By) -> Result<Tensor> {
    let count = a.dims()[0];
    let launch = Launch::new(OP, "gram_schmidt3_backward", a)?.read([a, dq])?.write(a.dims()).ints([count, rows(by)])?;
    let [da] = launch.run(&Grid::over(count))?;
    Ok(da)
}

fn rows(by: By) -> usize {
    usize::from(matches!(by, By::Rows))
}
