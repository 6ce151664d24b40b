//! The graph networks: golden vectors, symmetries, company in a batch, and that every parameter learns.

use candle_core::{DType, Device, Tensor, Var};
use candle_nn::{VarBuilder, VarMap};
use std::collections::HashMap;
use symdiff_nets::{Aggregation, Egnn, EgnnConfig, Gnn, GnnConfig, Padding};
use symdiff_ops::{Ragged, centre, spread};

type TestResult<T = ()> = Result<T, Box<dyn std::error::Error>>;

const EGNN: EgnnConfig = EgnnConfig {
    features: 5,
    width: 24,
    layers: 3,
    sublayers: 1,
    attention: true,
    tanh: true,
    constant: 1.0,
    aggregation: Aggregation::Sum { divisor: 1.0 },
};

const GNN: GnnConfig = GnnConfig { features: 5, width: 24, layers: 3, attention: true, aggregation: Aggregation::Sum { divisor: 4.0 } };

/// Numbers in ±2 that look random, the same for the same seed.
fn numbers(seed: u64, shape: &[usize]) -> TestResult<Tensor> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let values = (0..shape.iter().product()).map(|_| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as f64 / (1_u64 << 29) as f64 - 2.0
    });
    Ok(Tensor::from_vec(values.collect::<Vec<f64>>(), shape, &Device::Cpu)?)
}

/// Fresh parameters in f64, moved away from their start so that points move too.
fn parameters<T>(build: impl Fn(VarBuilder) -> symdiff_nets::Result<T>) -> TestResult<(T, Vec<(String, Var)>)> {
    let map = VarMap::new();
    let builder = || VarBuilder::from_varmap(&map, DType::F64, &Device::Cpu);
    build(builder())?;
    let mut named: Vec<(String, Var)> = map.data().lock().map_err(|e| e.to_string())?.iter().map(|(n, v)| (n.clone(), v.clone())).collect();
    named.sort_by(|a, b| a.0.cmp(&b.0));
    for (seed, (_, var)) in named.iter().enumerate() {
        var.set(&(numbers(seed as u64, var.dims())? * 0.06)?)?;
    }
    Ok((build(builder())?, named))
}

fn difference(a: &Tensor, b: &Tensor) -> TestResult<f64> {
    assert_eq!(a.dims(), b.dims());
    Ok((a - b)?.abs()?.max_all()?.to_dtype(DType::F64)?.to_scalar::<f64>()?)
}

fn rotation() -> TestResult<Tensor> {
    // A rotation about z after a reflection of x, angles without symmetry.
    let (s, c) = 0.7_f64.sin_cos();
    let (t, d) = 1.9_f64.sin_cos();
    let z = Tensor::new(&[[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]], &Device::Cpu)?;
    let x = Tensor::new(&[[-1.0, 0.0, 0.0], [0.0, d, -t], [0.0, t, d]], &Device::Cpu)?;
    Ok(z.matmul(&x)?)
}

#[test]
fn egnn_commutes_with_rotations_reflections_and_translations() -> TestResult {
    let (net, _) = parameters(|vb| Egnn::new(&EGNN, vb))?;
    let layout = Ragged::from_sizes(&[4, 1, 9])?;
    let (x, h) = (numbers(90, &[14, 3])?, numbers(91, &[14, 5])?);
    let g = rotation()?;
    let shift = Tensor::new(&[[1.5, -0.25, 3.0]], &Device::Cpu)?;
    let moved = x.matmul(&g.t()?)?.broadcast_add(&shift)?;
    let [points, features] = net.forward(&x, &h, &layout)?;
    let [moved_points, moved_features] = net.forward(&moved, &h, &layout)?;
    assert!(difference(&points, &x)? > 1e-3, "the points move");
    assert!(difference(&moved_points, &points.matmul(&g.t()?)?.broadcast_add(&shift)?)? < 1e-11);
    assert!(difference(&moved_features, &features)? < 1e-11);
    Ok(())
}

#[test]
fn nodes_have_no_order_and_samples_no_company() -> TestResult {
    let (egnn, _) = parameters(|vb| Egnn::new(&EGNN, vb))?;
    let (gnn, _) = parameters(|vb| Gnn::new(&GNN, vb))?;
    let (x, h) = (numbers(90, &[66, 3])?, numbers(91, &[66, 5])?);
    let run = |x: &Tensor, h: &Tensor, sizes: &[usize]| -> TestResult<Tensor> {
        let layout = Ragged::from_sizes(sizes)?;
        let [points, features] = egnn.forward(x, h, &layout)?;
        Ok(Tensor::cat(&[points, features, gnn.forward(h, None, &layout)?], 1)?)
    };
    let together = run(&x, &h, &[32, 33, 1])?.narrow(0, 32, 33)?;
    let (x, h) = (x.narrow(0, 32, 33)?, h.narrow(0, 32, 33)?);
    assert!(difference(&run(&x, &h, &[33])?, &together)? < 1e-10);
    let order = Tensor::from_vec((0..33).map(|i| (i * 5 + 2) % 33).collect::<Vec<u32>>(), 33, &Device::Cpu)?;
    let permuted = run(&x.index_select(&order, 0)?, &h.index_select(&order, 0)?, &[33])?;
    assert!(difference(&permuted, &together.index_select(&order, 0)?)? < 1e-10);
    Ok(())
}

#[test]
fn every_parameter_gets_a_gradient() -> TestResult {
    let layout = Ragged::from_sizes(&[5, 1, 7])?;
    let (x, h) = (numbers(90, &[13, 3])?, numbers(91, &[13, 5])?);
    let weights = numbers(92, &[13, 8])?;
    let (egnn, of_egnn) = parameters(|vb| Egnn::new(&EgnnConfig { sublayers: 2, ..EGNN }, vb))?;
    let [points, features] = egnn.forward(&x, &h, &layout)?;
    let (gnn, of_gnn) = parameters(|vb| Gnn::new(&GNN, vb))?;
    let padding = Padding { length: 9, features: numbers(93, &[3, 5])? };
    let losses = [
        (Tensor::cat(&[points, features], 1)?, of_egnn),
        (gnn.forward(&h, None, &layout)?, of_gnn.clone()),
        (gnn.forward(&h, Some(&padding), &layout)?, of_gnn),
    ];
    for (value, named) in losses {
        let store = (&value * weights.narrow(1, 0, value.dims()[1])?)?.sum_all()?.backward()?;
        for (name, var) in named {
            let size = store.get(&var).ok_or(format!("{name} has no gradient"))?.abs()?.max_all()?.to_scalar::<f64>()?;
            assert!(size.is_finite() && size > 0.0, "{name}: largest gradient {size}");
        }
    }
    Ok(())
}

#[test]
fn what_cannot_be_built_is_refused_with_the_size() -> TestResult {
    let vb = || VarBuilder::zeros(DType::F32, &Device::Cpu);
    let message = |config| Egnn::new(&config, vb()).map(|_| ()).map_err(|error| error.to_string());
    let empty = "egnn: features 5, width 24, layers 0 and sublayers 1 must be positive";
    assert_eq!(message(EgnnConfig { layers: 0, ..EGNN }), Err(empty.into()));
    let nothing = "egnn: messages are divided by 0, which must be positive";
    assert_eq!(message(EgnnConfig { aggregation: Aggregation::Sum { divisor: 0.0 }, ..EGNN }), Err(nothing.into()));
    let gnn = Gnn::new(&GNN, vb())?;
    let padding = Padding { length: 3, features: Tensor::zeros((1, 5), DType::F32, &Device::Cpu)? };
    let refused = gnn.forward(&Tensor::zeros((4, 5), DType::F32, &Device::Cpu)?, Some(&padding), &Ragged::from_sizes(&[4])?);
    let expected = "gnn: a sample of 4 nodes cannot be padded to 3; give the largest size";
    assert_eq!(refused.map(|_| ()).map_err(|error| error.to_string()), Err(expected.into()));
    Ok(())
}

/// A golden file: tensors packed (padding dropped), the layout, the sizes of the network, tolerances.
struct Golden {
    tensors: HashMap<String, Tensor>,
    layout: Ragged,
    rows: Tensor,
    header: serde_json::Value,
}

impl Golden {
    /// `None`, with a word on stderr, where the files are not installed.
    fn open(name: &str) -> TestResult<Option<Self>> {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/golden").join(name).with_extension("safetensors");
        if !path.exists() {
            eprintln!("skipped: no golden file {name}");
            return Ok(None);
        }
        let tensors = candle_core::safetensors::load(&path, &Device::Cpu)?;
        let bytes = std::fs::read(&path)?;
        let length = u64::from_le_bytes(bytes[..8].try_into()?) as usize;
        let header: serde_json::Value = serde_json::from_slice(&bytes[8..8 + length])?;
        let header = serde_json::from_str(header["__metadata__"]["golden"].as_str().ok_or("no header")?)?;
        let sizes: Vec<usize> = tensors["in.num_atoms"].to_vec1::<i64>()?.into_iter().map(|n| n as usize).collect();
        let pad = tensors["in.z"].dims()[1];
        let rows = sizes.iter().enumerate().flat_map(|(i, &n)| (0..n).map(move |j| (i * pad + j) as u32));
        let rows = Tensor::from_vec(rows.collect::<Vec<_>>(), sizes.iter().sum::<usize>(), &Device::Cpu)?;
        Ok(Some(Self { tensors, layout: Ragged::from_sizes(&sizes)?, rows, header }))
    }

    fn packed(&self, name: &str) -> TestResult<Tensor> {
        Ok(self.tensors[name].flatten(0, 1)?.index_select(&self.rows, 0)?)
    }

    fn weights(&self, prefix: &str) -> VarBuilder<'static> {
        let prefix = format!("w.{prefix}.");
        let weights = self.tensors.iter().filter_map(|(name, tensor)| Some((name.strip_prefix(&prefix)?.to_owned(), tensor.clone())));
        VarBuilder::from_tensors(weights.collect(), DType::F32, &Device::Cpu)
    }

    /// Positions, features and the time of every node, `[N, 3]`, `[N, F]`, `[N, 1]`.
    fn inputs(&self) -> TestResult<[Tensor; 3]> {
        let z = self.packed("in.z")?;
        let t = spread(&self.tensors["in.t"].unsqueeze(1)?, &self.layout)?;
        Ok([z.narrow(1, 0, 3)?, z.narrow(1, 3, z.dims()[1] - 3)?, t])
    }

    fn sizes(&self, key: &str) -> usize {
        self.header["config"][key].as_u64().unwrap_or(0) as usize
    }

    /// The padded length of each result.
    fn results(&self) -> [(&'static str, Option<usize>); 3] {
        [("out.eps", Some(self.layout.longest())), ("out.eps_pad29", Some(29)), ("out.eps_alone", None)]
    }

    fn check(&self, name: &str, got: &Tensor) -> TestResult {
        let tolerance = self.header["atol"][name].as_f64().ok_or("no tolerance")?;
        let error = difference(got, &self.packed(name)?)?;
        assert!(error <= tolerance, "{name}: off by {error:e}, tolerance {tolerance:e}");
        Ok(())
    }
}

#[test]
fn egnn_agrees_with_the_golden_vectors() -> TestResult {
    for name in ["egnn_dynamics", "egnn_dynamics_variant"] {
        let Some(golden) = Golden::open(name)? else { continue };
        let given = &golden.header["config"];
        let [x, features, t] = golden.inputs()?;
        let h = Tensor::cat(&[&features, &t], 1)?;
        for (result, padded) in golden.results() {
            let mean = given["aggregation"] == "mean";
            let config = EgnnConfig {
                features: h.dims()[1],
                width: golden.sizes("nf"),
                layers: golden.sizes("layers"),
                sublayers: golden.sizes("sublayers").max(1),
                attention: given["attention"] != false,
                tanh: given["tanh"] != false,
                constant: given["norm_constant"].as_f64().unwrap_or(1.0),
                aggregation: if mean { Aggregation::Mean { padded } } else { Aggregation::Sum { divisor: 1.0 } },
            };
            let [points, out] = Egnn::new(&config, golden.weights("egnn"))?.forward(&x, &h, &golden.layout)?;
            let velocity = centre(&(points - &x)?, &golden.layout)?;
            golden.check(result, &Tensor::cat(&[velocity, out.narrow(1, 0, features.dims()[1])?], 1)?)?;
        }
    }
    Ok(())
}

#[test]
fn gnn_agrees_with_the_golden_vectors_padding_included() -> TestResult {
    let Some(golden) = Golden::open("gnn_dynamics")? else { return Ok(()) };
    let [x, features, t] = golden.inputs()?;
    let h = Tensor::cat(&[&x, &features, &t], 1)?;
    let width = h.dims()[1];
    let aggregation = Aggregation::Sum { divisor: 1.0 };
    let config = GnnConfig { features: width, width: golden.sizes("nf"), layers: golden.sizes("layers"), attention: true, aggregation };
    let net = Gnn::new(&config, golden.weights("gnn"))?;
    let times = golden.tensors["in.t"].unsqueeze(1)?;
    let blank = Tensor::cat(&[&Tensor::zeros((times.dims()[0], width - 1), DType::F32, &Device::Cpu)?, &times], 1)?;
    for (result, padded) in golden.results() {
        let padding = padded.map(|length| Padding { length, features: blank.clone() });
        let out = net.forward(&h, padding.as_ref(), &golden.layout)?;
        let velocity = centre(&out.narrow(1, 0, 3)?, &golden.layout)?;
        golden.check(result, &Tensor::cat(&[velocity, out.narrow(1, 3, features.dims()[1])?], 1)?)?;
    }
    Ok(())
}
