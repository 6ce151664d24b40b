//! The transformer, whose trunk has a backward pass written by hand, against the same network in Candle's own ops, and against finite differences.

use candle_core::{DType, Device, Tensor, Var};
use candle_nn::{VarBuilder, VarMap};
use std::collections::BTreeMap;
use std::sync::mpsc::channel;
use symdiff_nets::{Dit, DitConfig, MlpType, TimeEmbedding};
use symdiff_ops::{Noise, Panel, Ragged, Samples, gradients, gradients_as_found};

type TestResult<T = ()> = Result<T, Box<dyn std::error::Error>>;

const CONFIG: DitConfig = DitConfig { input: Some(5), hidden: 8, depth: 2, heads: 2, ratio: 4, mlp_type: MlpType::Swiglu, output: Some(3) };
/// The same sizes with both units between the feed-forward layers.
const BOTH: [DitConfig; 2] = [CONFIG, DitConfig { mlp_type: MlpType::Mlp, ..CONFIG }];

fn normal(seed: u64, shape: &[usize]) -> TestResult<Tensor> {
    Ok(Noise::seeded(seed).normal(&Samples::numbered(1), shape, DType::F64, &Device::Cpu)?.squeeze(0)?)
}

/// The network, and its parameters by name, random everywhere: at their start most gradients are zero.
fn network(config: &DitConfig) -> TestResult<(Dit, BTreeMap<String, Var>)> {
    let map = VarMap::new();
    let dit = Dit::new(config, Noise::seeded(0), VarBuilder::from_varmap(&map, DType::F64, &Device::Cpu))?;
    let named: BTreeMap<String, Var> = map.data().lock().map_err(|e| e.to_string())?.iter().map(|(n, v)| (n.clone(), v.clone())).collect();
    for (seed, var) in named.values().enumerate() {
        let scale = if var.rank() == 2 { 0.9 / (var.dims()[1] as f64).sqrt() } else { 0.3 };
        var.set(&(normal(seed as u64, var.dims())? * scale)?)?;
    }
    Ok((dit, named))
}

/// The network of one of the configurations by the papers' formulas, sample by sample, in ops that Candle differentiates.
struct Twin<'a>(&'a BTreeMap<String, Var>, MlpType);

impl Twin<'_> {
    fn linear(&self, x: &Tensor, name: &str) -> TestResult<Tensor> {
        let [weight, bias] = ["weight", "bias"].map(|part| &self.0[&format!("{name}.{part}")]);
        Ok(x.matmul(&weight.t()?)?.broadcast_add(bias)?)
    }

    /// norm(x)·(1 + scale) + shift, with the `part`-th columns of the modulation for shift and those after for scale.
    fn norm(x: &Tensor, modulation: &Tensor, part: usize) -> TestResult<Tensor> {
        let width = x.dims()[1];
        let rest = x.broadcast_sub(&x.mean_keepdim(1)?)?;
        let normed = rest.broadcast_div(&(rest.sqr()?.mean_keepdim(1)? + 1e-6)?.sqrt()?)?;
        let [shift, scale] = [part, part + 1].map(|part| modulation.narrow(1, part * width, width));
        Ok(normed.broadcast_mul(&(scale? + 1.0)?)?.broadcast_add(&shift?)?)
    }

    fn attention(&self, x: &Tensor, block: &str) -> TestResult<Tensor> {
        let (qkv, width) = (self.linear(x, &format!("{block}.attn.qkv"))?, CONFIG.hidden / CONFIG.heads);
        let heads = (0..CONFIG.heads).map(|head| {
            let part = |k: usize| qkv.narrow(1, k * CONFIG.hidden + head * width, width)?.contiguous();
            let scores = (part(0)?.matmul(&part(1)?.t()?)? / (width as f64).sqrt())?.exp()?;
            scores.broadcast_div(&scores.sum_keepdim(1)?)?.matmul(&part(2)?)
        });
        self.linear(&Tensor::cat(&heads.collect::<Result<Vec<_>, _>>()?, 1)?, &format!("{block}.attn.proj"))
    }

    fn feedforward(&self, x: &Tensor, block: &str) -> TestResult<Tensor> {
        let inner = self.linear(x, &format!("{block}.mlp.fc1"))?;
        let half = inner.dims()[1] / 2;
        let units = match self.1 {
            MlpType::Swiglu => (silu(&inner.narrow(1, 0, half)?)? * inner.narrow(1, half, half)?)?,
            MlpType::Mlp => {
                let u = ((&inner + (inner.powf(3.0)? * 0.044715)?)? * (2.0 / std::f64::consts::PI).sqrt())?;
                (&inner * ((u.tanh()? + 1.0)? * 0.5)?)?
            }
        };
        self.linear(&units, &format!("{block}.mlp.fc2"))
    }

    fn forward(&self, x: &Tensor, times: &Tensor, layout: &Ragged) -> TestResult<Tensor> {
        let embedded = self.linear(&silu(&self.linear(&TimeEmbedding::features(times)?, "t_embedder.mlp.0")?)?, "t_embedder.mlp.2")?;
        let conditioning = silu(&embedded)?;
        let samples = (0..layout.len()).map(|sample| {
            let own = conditioning.narrow(0, if conditioning.dims()[0] == 1 { 0 } else { sample }, 1)?;
            let rows = layout.rows(sample);
            let mut x = self.linear(&x.narrow(0, rows.start, rows.len())?, "x_embedder")?;
            for block in (0..CONFIG.depth).map(|k| format!("blocks.{k}")) {
                let modulation = self.linear(&own, &format!("{block}.adaLN_modulation.1"))?;
                let gate = |part: usize| modulation.narrow(1, part * CONFIG.hidden, CONFIG.hidden);
                x = (&x + self.attention(&Self::norm(&x, &modulation, 0)?, &block)?.broadcast_mul(&gate(2)?)?)?;
                x = (&x + self.feedforward(&Self::norm(&x, &modulation, 3)?, &block)?.broadcast_mul(&gate(5)?)?)?;
            }
            let modulation = self.linear(&own, "final_layer.adaLN_modulation.1")?;
            self.linear(&Self::norm(&x, &modulation, 0)?, "final_layer.linear")
        });
        Ok(Tensor::cat(&samples.collect::<TestResult<Vec<_>>>()?, 0)?)
    }
}

fn silu(x: &Tensor) -> TestResult<Tensor> {
    Ok((x / (x.neg()?.exp()? + 1.0)?)?)
}

/// The value, and the gradients of its product with `weights`: of `vars`, in order.
fn with_gradients(vars: &[Var], weights: &Tensor, forward: impl FnOnce() -> TestResult<Tensor>) -> TestResult<(Tensor, Vec<Tensor>)> {
    let mut value = None;
    let (_, store) = gradients(|| {
        let y = forward()?;
        value = Some(y.detach());
        TestResult::Ok((y * weights)?.sum_all()?)
    })?;
    let of_vars = vars.iter().map(|var| store.get(var).cloned().ok_or("no gradient"));
    Ok((value.ok_or("no value")?, of_vars.collect::<Result<_, _>>()?))
}

fn assert_close(what: &str, got: &Tensor, expected: &Tensor) -> TestResult {
    let largest = |x: &Tensor| -> TestResult<f64> { Ok(x.abs()?.max_all()?.to_scalar::<f64>()?) };
    let (gap, scale) = (largest(&(got - expected)?)?, largest(expected)?);
    assert!(scale > 0.0 && gap <= 1e-11 * scale, "{what}: off by {gap} of {scale}");
    Ok(())
}

#[test]
fn values_and_gradients_equal_those_of_the_composed_network() -> TestResult {
    BOTH.iter().try_for_each(equals_the_composed_network)
}

fn equals_the_composed_network(config: &DitConfig) -> TestResult {
    let (dit, named) = network(config)?;
    let twin = Twin(&named, config.mlp_type);
    // One panel; several.
    for sizes in [vec![3, 1, 6], vec![13; 80]] {
        let layout = Ragged::from_sizes(&sizes)?;
        assert_eq!(Panel::divide(&layout, &Device::Cpu)?.len() > 1, layout.len() > 3);
        let weights = normal(101, &[layout.nodes(), 3])?;
        for shared in [false, true] {
            let x = Var::from_tensor(&normal(100, &[layout.nodes(), 5])?)?;
            let times = Var::from_tensor(&normal(102, &[if shared { 1 } else { layout.len() }])?)?;
            let vars: Vec<Var> = [x.clone(), times.clone()].into_iter().chain(named.values().cloned()).collect();
            let (value, got) = with_gradients(&vars, &weights, || Ok(dit.forward(&x, &times, &layout)?))?;
            let (expected, composed) = with_gradients(&vars, &weights, || twin.forward(&x, &times, &layout))?;
            assert_close("value", &value, &expected)?;
            let names = ["x", "times"].into_iter().chain(named.keys().map(String::as_str));
            for ((name, got), expected) in names.zip(&got).zip(&composed) {
                assert_close(&format!("{name}, {} samples, shared times: {shared}", layout.len()), got, expected)?;
            }
        }
    }
    Ok(())
}

/// The trunk is one node, and gives the gradients of a block away when it has passed it; those of the modulations come at its end.
#[test]
fn gradients_of_blocks_are_found_from_the_last_to_the_first() -> TestResult {
    let (dit, named) = network(&CONFIG)?;
    let layout = Ragged::from_sizes(&[3, 1, 6])?;
    let (x, times) = (normal(100, &[layout.nodes(), 5])?, normal(102, &[3])?);
    let (sender, found) = channel();
    let (_, store) = gradients_as_found(|| TestResult::Ok(dit.forward(&x, &times, &layout)?.sum_all()?), sender)?;
    let name = |id| named.iter().find(|(_, var)| var.id() == id).map_or("", |(name, _)| name.as_str());
    let order: Vec<&str> = found.iter().map(|(id, _)| name(id)).filter(|name| name.starts_with("blocks.")).collect();
    let part = |name: &&str| [name.starts_with("blocks.1."), name.contains("adaLN")];
    let parts: Vec<[bool; 2]> = order.iter().map(part).collect();
    let expected = [([true, false], 8), ([false, false], 8), ([false, true], 2), ([true, true], 2)];
    assert_eq!(parts, expected.into_iter().flat_map(|(part, count)| vec![part; count]).collect::<Vec<_>>(), "{order:?}");
    assert!(named.values().all(|var| store.get(var).is_some()));
    Ok(())
}

/// Along one random direction for each parameter and input, by central differences of fourth order.
#[test]
fn gradients_equal_finite_differences() -> TestResult {
    BOTH.iter().try_for_each(equals_finite_differences)
}

fn equals_finite_differences(config: &DitConfig) -> TestResult {
    let (dit, named) = network(config)?;
    let layout = Ragged::from_sizes(&[3, 1, 6])?;
    let weights = normal(101, &[layout.nodes(), 3])?;
    let (x, times) = (Var::from_tensor(&normal(100, &[layout.nodes(), 5])?)?, Var::from_tensor(&normal(102, &[3])?)?);
    let vars: Vec<Var> = [x.clone(), times.clone()].into_iter().chain(named.values().cloned()).collect();
    let (_, gradients) = with_gradients(&vars, &weights, || Ok(dit.forward(&x, &times, &layout)?))?;
    let loss = || -> TestResult<f64> { Ok((dit.forward(&x, &times, &layout)? * &weights)?.sum_all()?.to_scalar::<f64>()?) };
    for (k, (var, gradient)) in vars.iter().zip(&gradients).enumerate() {
        let (start, direction, h) = (var.copy()?, normal(1000 + k as u64, var.dims())?, 1e-4);
        let along = |step: f64| -> TestResult<f64> {
            var.set(&(&start + (&direction * step)?)?)?;
            loss()
        };
        let numeric = (8.0 * (along(h)? - along(-h)?) - (along(2.0 * h)? - along(-2.0 * h)?)) / (12.0 * h);
        var.set(&start)?;
        let products = (gradient * &direction)?;
        let (analytic, scale) = (products.sum_all()?.to_scalar::<f64>()?, products.abs()?.sum_all()?.to_scalar::<f64>()?);
        assert!((numeric - analytic).abs() <= 1e-8 * scale + 1e-10, "variable {k}: differences give {numeric}, the gradient {analytic}");
    }
    Ok(())
}

#[test]
fn fresh_parameters_are_complete_and_existing_ones_are_left_alone() -> TestResult {
    let map = VarMap::new();
    let build = |seed| Dit::new(&CONFIG, Noise::seeded(seed), VarBuilder::from_varmap(&map, DType::F64, &Device::Cpu));
    build(1)?;
    let get = |name: &str| -> TestResult<Tensor> { Ok(map.data().lock().map_err(|e| e.to_string())?[name].copy()?) };
    let half = CONFIG.hidden * CONFIG.ratio / 2;
    for block in 0..CONFIG.depth {
        let (weight, bias) = (get(&format!("blocks.{block}.mlp.fc1.weight"))?, get(&format!("blocks.{block}.mlp.fc1.bias"))?);
        let largest = |x: Tensor| -> TestResult<f64> { Ok(x.abs()?.max_all()?.to_scalar::<f64>()?) };
        assert!(largest(weight.narrow(0, half, half)?)? < 6e-6 && largest(weight.narrow(0, 0, half)?)? > 0.1);
        assert_eq!(bias.to_vec1::<f64>()?, [vec![0.0; half], vec![1.0; half]].concat());
    }
    let before = get("blocks.1.mlp.fc1.weight")?.to_vec2::<f64>()?;
    build(2)?;
    assert_eq!(get("blocks.1.mlp.fc1.weight")?.to_vec2::<f64>()?, before);
    Ok(())
}

/// A plain perceptron has no value half: its layers start as all others do, and the second one is as wide as the first.
#[test]
fn a_plain_perceptron_starts_without_a_value_half() -> TestResult {
    let map = VarMap::new();
    Dit::new(&BOTH[1], Noise::seeded(1), VarBuilder::from_varmap(&map, DType::F64, &Device::Cpu))?;
    let named = map.data().lock().map_err(|e| e.to_string())?;
    let hidden = CONFIG.hidden * CONFIG.ratio;
    assert_eq!(named["blocks.0.mlp.fc2.weight"].dims(), [CONFIG.hidden, hidden]);
    assert_eq!(named["blocks.0.mlp.fc1.bias"].to_vec1::<f64>()?, vec![0.0; hidden]);
    assert!(named["blocks.0.mlp.fc1.weight"].narrow(0, hidden / 2, hidden / 2)?.abs()?.max_all()?.to_scalar::<f64>()? > 0.1);
    // Seven units need no halves.
    let odd = DitConfig { hidden: 7, heads: 1, ratio: 1, ..BOTH[1] };
    assert!(odd.check().is_ok() && DitConfig { mlp_type: MlpType::Swiglu, ..odd }.check().is_err());
    Ok(())
}
