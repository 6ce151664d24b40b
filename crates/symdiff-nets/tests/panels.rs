//! A batch that passes through a transformer in several panels, against parts of it that make one panel each.

use candle_core::{DType, Device, Tensor, Var};
use candle_nn::{VarBuilder, VarMap};
use symdiff_nets::{Dit, DitConfig, MlpType};
use symdiff_ops::{Noise, Panel, Ragged, Samples, gradients};

type TestResult<T = ()> = Result<T, Box<dyn std::error::Error>>;

const CONFIG: DitConfig =
    DitConfig { input: Some(5), hidden: 16, depth: 3, heads: 2, ratio: 4, mlp_type: MlpType::Swiglu, output: Some(4) };

fn normal(seed: u64, shape: &[usize]) -> TestResult<Tensor> {
    Ok(Noise::seeded(seed).normal(&Samples::numbered(1), shape, DType::F64, &Device::Cpu)?.squeeze(0)?)
}

/// Σ w·y for the samples of `layout`, whose nodes begin at row `first`, and its gradients: of the inputs' rows, then of the parameters.
fn pulled(dit: &Dit, vars: &[Var], [x, times, w]: [&Tensor; 3], layout: &Ragged, first: usize) -> TestResult<Vec<Tensor>> {
    let x = Var::from_tensor(&x.narrow(0, first, layout.nodes())?)?;
    let loss = || TestResult::Ok((dit.forward(&x, times, layout)? * w.narrow(0, first, layout.nodes())?)?.sum_all()?);
    let (_, store) = gradients(loss)?;
    let of = |var: &Var| store.get(var).cloned().ok_or("a parameter without a gradient");
    Ok([&x].into_iter().chain(vars).map(of).collect::<Result<_, _>>()?)
}

#[test]
fn gradients_of_a_batch_are_the_sums_over_its_parts() -> TestResult {
    let map = VarMap::new();
    let build = || Dit::new(&CONFIG, Noise::seeded(0), VarBuilder::from_varmap(&map, DType::F64, &Device::Cpu));
    build()?;
    let mut named: Vec<(String, Var)> = map.data().lock().map_err(|e| e.to_string())?.iter().map(|(n, v)| (n.clone(), v.clone())).collect();
    named.sort_by(|a, b| a.0.cmp(&b.0));
    let vars: Vec<Var> = named.into_iter().map(|(_, var)| var).collect();
    for (seed, var) in vars.iter().enumerate() {
        var.set(&(normal(seed as u64, var.dims())? * 0.2)?)?;
    }
    let dit = build()?;

    // Parts of under 256 nodes are never divided; the batch of 1,080 is.
    let (sizes, parts) = ([3, 29, 18, 22, 9, 14, 24, 16_usize], 8);
    let part = Ragged::from_sizes(&sizes)?;
    let whole = Ragged::from_sizes(&sizes.repeat(parts))?;
    assert_eq!(Panel::divide(&part, &Device::Cpu)?.len(), 1);
    assert!(Panel::divide(&whole, &Device::Cpu)?.len() > 1);
    let (x, w) = (normal(100, &[whole.nodes(), 5])?, normal(101, &[whole.nodes(), 4])?);
    let each = normal(102, &[whole.len()])?;
    for shared in [false, true] {
        let times = if shared { each.narrow(0, 0, 1)? } else { each.clone() };
        let together = pulled(&dit, &vars, [&x, &times, &w], &whole, 0)?;
        let mut sums: Vec<Tensor> = Vec::new();
        let mut rows = Vec::new();
        for k in 0..parts {
            let times = if shared { times.clone() } else { each.narrow(0, k * part.len(), part.len())? };
            let mut own = pulled(&dit, &vars, [&x, &times, &w], &part, k * part.nodes())?.into_iter();
            rows.extend(own.next());
            let own: Vec<Tensor> = own.collect();
            sums = if k == 0 { own } else { sums.iter().zip(&own).map(|(a, b)| a + b).collect::<Result<_, _>>()? };
        }
        let expected = [Tensor::cat(&rows, 0)?].into_iter().chain(sums);
        for (k, (a, b)) in together.iter().zip(expected).enumerate() {
            let largest = b.abs()?.max_all()?.to_scalar::<f64>()?;
            let gap = (a - &b)?.abs()?.max_all()?.to_scalar::<f64>()?;
            assert!(largest > 1e-6 && gap < 1e-11 * largest, "gradient {k}, shared times {shared}: {gap} of {largest}");
        }
    }
    Ok(())
}
