//! O(3) and SO(3) in half precision, which the ops do not serve on a CPU: draws, charts, actions and gradients, against the same in f64.

use crate::common::{B, layout, normal};
use candle_core::{DType, Tensor, Var};
use symdiff_groups::testing::{check_action, check_group, gap};
use symdiff_groups::{Chart, Cloud, CompactGroup, Dense, GramSchmidt, MatrixGroup, Orthogonal, Points, Result, SpecialOrthogonal};
use symdiff_ops::Noise;

/// The spacing of numbers near 1 in each half precision.
const HALVES: [(DType, f64); 2] = [(DType::BF16, 1.0 / 128.0), (DType::F16, 1.0 / 1024.0)];

/// Three products of matrices of three terms each, all rounded.
const PRODUCTS: f64 = 12.0;

fn holds<G: MatrixGroup + CompactGroup>(group: &G, dtype: DType, rounding: f64) -> Result<()> {
    let like = normal(&[B], 1)?.to_dtype(dtype)?;
    let [g, h, k] = [2, 3, 4].map(|seed| group.haar(&like, Noise::seeded(seed)));
    let (g, h, k) = (g?, h?, k?);
    let exact = group.haar(&normal(&[B], 1)?, Noise::seeded(2))?;
    assert!(gap(&g, &exact)? < 4.0 * rounding, "a draw is the draw of f64, its normals and entries rounded");
    assert!(check_group(group, &like, [&g, &h, &k])? < PRODUCTS * rounding);
    let cloud = Cloud::new(normal(&[B, 4, 3], 5)?.to_dtype(dtype)?)?;
    let points = Points::new(normal(&[8, 3], 6)?.to_dtype(dtype)?, layout()?)?;
    assert!(check_action(group, &cloud, [&g, &h])? < 4.0 * PRODUCTS * rounding);
    assert!(check_action(group, &points, [&g, &h])? < 4.0 * PRODUCTS * rounding);
    Ok(())
}

#[test]
fn groups_of_matrices_hold_to_rounding() -> Result<()> {
    for (dtype, rounding) in HALVES {
        holds(&Orthogonal::new(3), dtype, rounding)?;
        holds(&SpecialOrthogonal::new(3), dtype, rounding)?;
    }
    Ok(())
}

/// The chart of O(3) gives what the op gives in f64, by columns and by rows, and its element is accepted as one of the group.
#[test]
fn the_chart_agrees_with_that_of_f64() -> Result<()> {
    let o3 = Orthogonal::new(3);
    for (dtype, rounding) in HALVES {
        let raw = normal(&[B, 3, 3], 7)?.to_dtype(dtype)?;
        for chart in [GramSchmidt::columns(), GramSchmidt::rows()] {
            let half = chart.project(&o3, &raw)?;
            assert_eq!(half.as_tensor().dtype(), dtype);
            assert!(gap(&half, &chart.project(&o3, &raw.to_dtype(DType::F64)?)?)? < rounding);
            o3.element(half.as_tensor())?;
        }
    }
    Ok(())
}

/// The composed route has the gradient of the op.
#[test]
fn the_gradient_of_the_chart_agrees_with_that_of_f64() -> Result<()> {
    let o3 = Orthogonal::new(3);
    let (raw, weights) = (normal(&[B, 3, 3], 8)?.to_dtype(DType::BF16)?, normal(&[B, 3, 3], 9)?);
    let gradient = |dtype: DType| -> Result<Tensor> {
        let raw = Var::from_tensor(&raw.to_dtype(dtype)?)?;
        let element = GramSchmidt::columns().project(&o3, raw.as_tensor())?;
        let loss = (element.as_tensor().to_dtype(DType::F64)? * &weights)?.sum_all()?;
        let gradients = loss.backward()?;
        Ok(gradients.get(&raw).map_or_else(|| raw.zeros_like(), |g| Ok(g.clone()))?.to_dtype(DType::F64)?)
    };
    let (half, exact) = (gradient(DType::BF16)?, gradient(DType::F64)?);
    let size = exact.abs()?.max_all()?.to_scalar::<f64>()?;
    let off = (half - exact)?.abs()?.max_all()?.to_scalar::<f64>()?;
    assert!(size > 0.1 && off < 2.0 / 128.0 * size, "off by {off} of {size}");
    Ok(())
}
