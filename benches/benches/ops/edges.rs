//! The network on edges, at the width of EDM's EGNN.

use crate::{computes, layout, tensor};
use candle_core::{Tensor, Var};
use criterion::Criterion;
use symdiff_ops::{Divisor, EdgeMlp, Pairs, Products, Reach, Result, edge_displacement, edge_message, gradients};

const WIDTH: usize = 256;

pub(crate) fn bench(criterion: &mut Criterion) {
    run(criterion).expect("shapes of the bench belong together");
}

fn run(criterion: &mut Criterion) -> Result<()> {
    let layout = layout()?;
    let pairs = Pairs::new(&layout, false, Divisor::Constant(1.0));
    let (h, x) = (tensor(&[layout.nodes(), WIDTH])?, tensor(&[layout.nodes(), 3])?);
    let small = |shape: &[usize]| -> Result<Tensor> { Ok((tensor(shape)? * 0.05)?) };
    let first = [small(&[WIDTH, 2 * WIDTH + 2])?, small(&[WIDTH])?];
    let second = [small(&[WIDTH, WIDTH])?, small(&[WIDTH])?];
    let (weight, bias) = (small(&[1, WIDTH])?, small(&[1])?);
    let mlp = || EdgeMlp { first: first.each_ref(), second: second.each_ref(), products: Products::Full };
    let message = |h: &Tensor| edge_message(h, Some([&x, &x]), mlp(), Some([&weight, &bias]), &pairs);
    let reach = Reach { constant: 1.0, range: Some(3.0) };

    let work = 2 * WIDTH * WIDTH * (layout.pairs() - layout.nodes());
    computes(criterion, "edge_message", "forward", work, || message(&h).map(drop));
    computes(criterion, "edge_displacement", "forward", work, || edge_displacement(&h, [&x, &x], mlp(), &weight, reach, &pairs).map(drop));
    let tracked = Var::from_tensor(&h)?;
    computes(criterion, "edge_message", "forward and backward", 3 * work, || gradients(|| Ok(message(&tracked)?.sum_all()?)).map(drop));
    Ok(())
}
