//! The optimiser: bound by memory.

use crate::{moves, tensor};
use candle_core::Var;
use criterion::Criterion;
use symdiff_ops::Result;
use symdiff_ops::adamw::{Moments, Rule, global_norm};

pub(crate) fn bench(criterion: &mut Criterion) {
    run(criterion).expect("shapes of the bench belong together");
}

fn run(criterion: &mut Criterion) -> Result<()> {
    for (name, shape) in [("384 × 1536", [384, 1536]), ("4096 × 2048", [4096, 2048])] {
        let (var, gradient) = (Var::from_tensor(&tensor(&shape)?)?, tensor(&shape)?);
        let mut moments = Moments::new(&var, true)?;
        let bytes = 4 * gradient.elem_count();
        moves(criterion, "adamw", &format!("step, {name}"), 11 * bytes, || moments.step(&var, &gradient, &Rule::default()));
        moves(criterion, "adamw", &format!("norm, {name}"), bytes, || global_norm(&[&gradient]).map(drop));
    }
    Ok(())
}
