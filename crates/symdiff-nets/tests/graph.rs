//! The graph networks: symmetries, independence of the other samples, a gradient for every parameter.

use candle_core::{DType, Device, Tensor, Var};
use candle_nn::{VarBuilder, VarMap};
use symdiff_nets::{Aggregation, Egnn, EgnnConfig, Gnn, GnnConfig, Padding};
use symdiff_ops::Ragged;

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
fn nodes_have_no_order_and_samples_do_not_see_each_other() -> TestResult {
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
