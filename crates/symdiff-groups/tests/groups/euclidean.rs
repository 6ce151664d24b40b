//! States as vectors: their norms, dimensions, combinations and normal draws are those of the numbers they show, and orthogonal groups keep them.

use crate::common::{B, ROUNDING, layout, normal};
use candle_core::{DType, Device, Tensor};
use symdiff_groups::testing::gap;
use symdiff_groups::{Action, Cloud, CompactGroup, Dense, Field, Graph, Observe, Orthogonal, Points, Result, Symmetric};
use symdiff_ops::{Euclidean, Noise, Ragged};

fn numbers(t: &Tensor) -> Result<Vec<f64>> {
    Ok(t.to_vec1()?)
}

fn check<S: Euclidean + Observe>(name: &str, x: &S, y: &S) -> Result<()> {
    let (a, b) = (normal(&[B], 1)?, normal(&[B], 2)?);
    let (a_each, b_each) = (numbers(&a)?, numbers(&b)?);
    let rows = x.observe()?.into_iter().zip(y.observe()?).zip(a_each.iter().zip(&b_each));
    let expected: Vec<Vec<f64>> = rows.map(|((x, y), (a, b))| x.iter().zip(&y).map(|(x, y)| a * x + b * y).collect()).collect();
    let combined = x.combine(&a, y, &b)?.observe()?;
    let off = expected.iter().flatten().zip(combined.iter().flatten()).map(|(e, c)| (e - c).abs()).fold(0.0, f64::max);
    assert!(off < ROUNDING, "{name}: {off:e}");

    assert_eq!(x.dimensions(), x.observe()?.iter().map(Vec::len).collect::<Vec<_>>(), "{name}");
    for (norm, row) in numbers(&x.squared_norms()?)?.iter().zip(x.observe()?) {
        let exact = row.iter().map(|v| v * v).sum::<f64>();
        assert!((norm - exact).abs() < ROUNDING * exact.max(1.0), "{name}: {norm} {exact}");
    }
    Ok(())
}

fn fields(layout: &Ragged, seed: u64) -> Result<[Field; 4]> {
    let nodes = layout.nodes();
    Ok([
        Field::scalars(normal(&[nodes, 2], seed)?, layout.clone())?,
        Field::vectors(normal(&[nodes, 2, 3], seed)?, layout.clone())?,
        Field::pseudovectors(normal(&[nodes, 1, 3], seed)?, layout.clone())?,
        Field::tensors(normal(&[nodes, 2, 3, 3], seed)?, layout.clone())?,
    ])
}

fn graph(seed: u64) -> Result<Graph> {
    Graph::new(normal(&[B, 4, 2], seed)?, normal(&[B, 4, 4, 1], seed ^ 1)?)
}

fn points(layout: &Ragged, seed: u64) -> Result<Points> {
    Points::new(normal(&[layout.nodes(), 3], seed)?, layout.clone())
}

#[test]
fn states_are_vectors() -> Result<()> {
    let layout = layout()?;
    check("points", &points(&layout, 3)?, &points(&layout, 4)?)?;
    for (x, y) in fields(&layout, 5)?.iter().zip(&fields(&layout, 6)?) {
        check("field", x, y)?;
    }
    check("graph", &graph(7)?, &graph(8)?)?;
    let both = |seed| -> Result<_> { Ok((points(&layout, seed)?, fields(&layout, seed)?[1].clone())) };
    check("pair", &both(9)?, &both(10)?)?;
    let three = |seed| -> Result<_> { Ok((points(&layout, seed)?, graph(seed)?, Cloud::new(normal(&[B, 2, 2], seed)?)?)) };
    check("triple", &three(11)?, &three(12)?)
}

/// Of 3,000 draws: mean 0 and variance 1 of each number, and no two parts alike (4.5 standard errors).
#[test]
fn normal_draws_fill_every_number() -> Result<()> {
    const DRAWS: usize = 3000;
    let layout = Ragged::from_sizes(&vec![1; DRAWS])?;
    let graphs =
        Graph::new(Tensor::zeros((DRAWS, 1, 2), DType::F64, &Device::Cpu)?, Tensor::zeros((DRAWS, 1, 1, 1), DType::F64, &Device::Cpu)?)?;
    let state = (points(&layout, 0)?, fields(&layout, 0)?[3].clone(), graphs);
    let rows = state.gaussian(Noise::seeded(13))?.observe()?;
    assert_eq!(rows[0].len(), 3 + 18 + 3);
    let mean = |f: &dyn Fn(&[f64]) -> f64| rows.iter().map(|row| f(row)).sum::<f64>() / DRAWS as f64;
    let error = 4.5 / (DRAWS as f64).sqrt();
    for i in 0..rows[0].len() {
        assert!(mean(&|row| row[i]).abs() < error);
        assert!((mean(&|row| row[i] * row[i]) - 1.0).abs() < error * 2_f64.sqrt());
        for j in 0..i {
            assert!(mean(&|row| row[i] * row[j]).abs() < error, "numbers {i} and {j} go together");
        }
    }
    Ok(())
}

#[test]
fn orthogonal_groups_keep_norms() -> Result<()> {
    let layout = layout()?;
    let (o3, s4) = (Orthogonal::new(3), Symmetric::new(4));
    for x in fields(&layout, 14)? {
        let moved = x.act(&o3, &o3.haar(&x, Noise::seeded(15))?)?;
        let gap = (moved.squared_norms()? - x.squared_norms()?)?.abs()?.max_all()?.to_scalar::<f64>()?;
        assert!(gap < 100.0 * ROUNDING, "{gap:e}");
    }
    let x = graph(16)?;
    let moved = x.act(&s4, &s4.haar(&x, Noise::seeded(17))?)?;
    assert!((moved.squared_norms()? - x.squared_norms()?)?.abs()?.max_all()?.to_scalar::<f64>()? < ROUNDING * 100.0);
    assert!(gap(&moved, &x)? > 0.1, "a permutation that moves nothing shows nothing");
    Ok(())
}
