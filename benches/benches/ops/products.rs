//! The products of a transformer block, forward, for the input and for the weight.

use crate::{CHANNELS, computes, layout, tensor};
use criterion::Criterion;
use symdiff_ops::{Products, Result, linear};

pub(crate) fn bench(criterion: &mut Criterion) {
    run(criterion).expect("shapes of the bench belong together");
}

fn run(criterion: &mut Criterion) -> Result<()> {
    let nodes = layout()?.nodes();
    let c = CHANNELS;
    for (group, products) in [("linear", Products::Full), ("linear in bf16", Products::Bf16)] {
        for (i, o) in [(c, 3 * c), (c, c), (c, 4 * c), (2 * c, c)] {
            let (x, g, w, b) = (tensor(&[nodes, i])?, tensor(&[nodes, o])?, tensor(&[o, i])?, tensor(&[o])?);
            let operations = 2 * nodes * i * o;
            let name = |pass: &str| format!("{i} → {o}, {pass}");
            computes(criterion, group, &name("forward"), operations, || linear::forward(&x, &w, Some(&b), products).map(drop));
            computes(criterion, group, &name("input"), operations, || linear::backward_input(&g, &w, products).map(drop));
            computes(criterion, group, &name("weight"), operations, || linear::backward_parameters(&[[&x, &g]], products).map(drop));
        }
    }
    Ok(())
}
