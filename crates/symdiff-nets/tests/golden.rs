//! The graph networks against vectors of the reference implementation.

use candle_core::{DType, Device, Tensor};
use candle_nn::VarBuilder;
use std::collections::HashMap;
use symdiff_nets::{Aggregation, Egnn, EgnnConfig, Gnn, GnnConfig, Padding};
use symdiff_ops::{Ragged, centre, spread};

symdiff_golden::tests![egnn_agrees_with_the_golden_vectors, gnn_agrees_with_the_golden_vectors_padding_included];

type TestResult<T = ()> = Result<T, Box<dyn std::error::Error>>;

/// A golden file: tensors packed (padding dropped), the layout, the sizes of the network, tolerances.
struct Golden {
    tensors: HashMap<String, Tensor>,
    layout: Ragged,
    rows: Tensor,
    header: serde_json::Value,
}

impl Golden {
    fn open(name: &str) -> TestResult<Self> {
        let path = symdiff_golden::shared().join("golden").join(name).with_extension("safetensors");
        let tensors = symdiff_golden::tensors(name)?;
        let bytes = std::fs::read(&path)?;
        let length = u64::from_le_bytes(bytes[..8].try_into()?) as usize;
        let header: serde_json::Value = serde_json::from_slice(&bytes[8..8 + length])?;
        let header = serde_json::from_str(header["__metadata__"]["golden"].as_str().ok_or("no header")?)?;
        let sizes: Vec<usize> = tensors["in.num_atoms"].to_vec1::<i64>()?.into_iter().map(|n| n as usize).collect();
        let pad = tensors["in.z"].dims()[1];
        let rows = sizes.iter().enumerate().flat_map(|(i, &n)| (0..n).map(move |j| (i * pad + j) as u32));
        let rows = Tensor::from_vec(rows.collect::<Vec<_>>(), sizes.iter().sum::<usize>(), &Device::Cpu)?;
        Ok(Self { tensors, layout: Ragged::from_sizes(&sizes)?, rows, header })
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
        let expected = self.packed(name)?;
        assert_eq!(got.dims(), expected.dims(), "{name}");
        let error = f64::from((got - expected)?.abs()?.max_all()?.to_scalar::<f32>()?);
        assert!(error <= tolerance, "{name}: off by {error:e}, tolerance {tolerance:e}");
        Ok(())
    }
}

fn egnn_agrees_with_the_golden_vectors() -> TestResult {
    for name in ["egnn_dynamics", "egnn_dynamics_variant"] {
        let golden = Golden::open(name)?;
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
                aggregation: if mean { Aggregation::Mean { padded: padded.map(Into::into) } } else { Aggregation::Sum { divisor: 1.0 } },
            };
            let [points, out] = Egnn::new(&config, golden.weights("egnn"))?.forward(&x, &h, &golden.layout)?;
            let velocity = centre(&(points - &x)?, &golden.layout)?;
            golden.check(result, &Tensor::cat(&[velocity, out.narrow(1, 0, features.dims()[1])?], 1)?)?;
        }
    }
    Ok(())
}

fn gnn_agrees_with_the_golden_vectors_padding_included() -> TestResult {
    let golden = Golden::open("gnn_dynamics")?;
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
