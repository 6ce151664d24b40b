//! The time of each op on a device, beside a lower bound; for machines on which Criterion and a compiler are not available.

use super::timing::median;
use candle_core::{DType, Device, Tensor};
use clap::Args;
use serde_json::{Value, json};
use std::time::Instant;
use symdiff_cli::{Context, Failure, Outcome};
use symdiff_ops::ada_layer_norm::Columns;
use symdiff_ops::linear::Weight;
use symdiff_ops::{Products, Ragged, ada_layer_norm, gated_residual, linear, pair_gaussian_mean, ragged_attention, swiglu};

/// Sizes of sixteen molecules, spread as in QM9.
const SIZES: [usize; 16] = [9, 14, 15, 16, 17, 18, 18, 19, 19, 20, 21, 22, 23, 20, 19, 20];
/// Channels of the backbone of `symdiff-qm9`, its heads, and the Gaussians of its pair features.
const CHANNELS: usize = 384;
const HEADS: usize = 6;
const GAUSSIANS: usize = 184;

/// Batch size, precision and repetitions.
#[derive(Args)]
pub(crate) struct Ops {
    /// Molecules per batch, rounded up to a multiple of 16.
    #[arg(long, default_value_t = 256)]
    batch: usize,
    /// `f32` or `bf16`: the precision of the operands of products, and on CUDA also of activations and weights.
    #[arg(long, default_value = "f32")]
    precision: String,
    /// Timed rounds of twenty calls.
    #[arg(long, default_value_t = 11)]
    rounds: usize,
}

/// The calls of a round: enough for a GPU's queue to fill.
const CALLS: usize = 20;

/// An op, the bytes that it must move (inputs read once, results written once), and its floating-point operations.
struct Case<'a> {
    op: String,
    bytes: usize,
    flops: usize,
    call: Box<dyn Fn() -> symdiff_ops::Result<()> + 'a>,
}

fn case<'a>(op: impl Into<String>, bytes: usize, flops: usize, call: impl Fn() -> symdiff_ops::Result<()> + 'a) -> Case<'a> {
    Case { op: op.into(), bytes, flops, call: Box::new(call) }
}

impl Ops {
    pub(super) fn run(&self, context: &Context) -> Outcome<Value> {
        let device = context.device()?;
        let dtype = match self.precision.as_str() {
            "f32" => DType::F32,
            "bf16" => DType::BF16,
            other => return Err(Failure::input(format!("--precision {other} is unknown; use f32 or bf16"))),
        };
        if self.batch == 0 || self.rounds == 0 {
            return Err(Failure::input("--batch and --rounds must be at least 1"));
        }
        let layout = Ragged::from_sizes(&SIZES.repeat(self.batch.div_ceil(SIZES.len()))).map_err(Failure::run)?;
        let inputs = Inputs::new(layout, dtype, &device).map_err(Failure::run)?;
        let [copying, computing] = inputs.limits().map_err(Failure::run)?;
        let copied = copying.bytes as f64 / self.seconds(&copying, &device)?;
        let computed = computing.flops as f64 / self.seconds(&computing, &device)?;
        let mut rows = Vec::new();
        for case in inputs.cases().map_err(Failure::run)? {
            let seconds = self.seconds(&case, &device)?;
            let bound = (case.bytes as f64 / copied).max(case.flops as f64 / computed);
            rows.push(json!({ "op": case.op, "seconds": seconds, "bytes": case.bytes, "flops": case.flops, "bound_s": bound }));
        }
        if !context.json {
            println!("{}", table(&rows));
        }
        Ok(json!({
            "device": context.device,
            "precision": self.precision,
            "batch": inputs.layout.len(),
            "atoms": inputs.layout.nodes(),
            "threads": symdiff_ops::threads::count(),
            "bytes_per_s": copied,
            "flops_per_s": computed,
            "ops": rows,
        }))
    }

    /// The median over rounds of the seconds per call.
    fn seconds(&self, case: &Case, device: &Device) -> Outcome<f64> {
        let round = || -> symdiff_ops::Result<f64> {
            let start = Instant::now();
            (0..CALLS).try_for_each(|_| (case.call)())?;
            device.synchronize()?;
            Ok(start.elapsed().as_secs_f64() / CALLS as f64)
        };
        round().map_err(Failure::run)?;
        Ok(median(&(0..self.rounds).map(|_| round()).collect::<symdiff_ops::Result<Vec<_>>>().map_err(Failure::run)?))
    }
}

/// What the ops are called on.
struct Inputs {
    layout: Ragged,
    dtype: DType,
    products: Products,
    device: Device,
    /// `[N, C]`, twice.
    nodes: [Tensor; 2],
    modulation: Tensor,
    qkv: Tensor,
    /// What SwiGLU takes, `[N, 4C]`, and the gradient of what it gives.
    packed: [Tensor; 2],
    /// Places, means and widths.
    pairs: [Tensor; 3],
}

impl Inputs {
    fn new(layout: Ragged, dtype: DType, device: &Device) -> symdiff_ops::Result<Self> {
        let nodes = layout.nodes();
        let (dtype, products) = Products::of(dtype, device);
        let tensor = |shape: &[usize]| waves(shape, dtype, device);
        Ok(Self {
            nodes: [tensor(&[nodes, CHANNELS])?, tensor(&[nodes, CHANNELS])?],
            modulation: tensor(&[layout.len(), 6 * CHANNELS])?,
            qkv: tensor(&[nodes, 3 * CHANNELS])?,
            packed: [tensor(&[nodes, 4 * CHANNELS])?, tensor(&[nodes, 2 * CHANNELS])?],
            pairs: [
                waves(&[nodes, 3], DType::F32, device)?,
                waves(&[GAUSSIANS], DType::F32, device)?,
                waves(&[GAUSSIANS], DType::F32, device)?,
            ],
            layout,
            dtype,
            products,
            device: device.clone(),
        })
    }

    /// A large copy and a large product, from which the lower bounds follow.
    fn limits(&self) -> symdiff_ops::Result<[Case<'_>; 2]> {
        let (count, side) = if self.device.is_cuda() { (1 << 28, 8192) } else { (1 << 24, 1024) };
        let long = Tensor::zeros(count, DType::F32, &self.device)?;
        let x = waves(&[side, side], self.dtype, &self.device)?;
        let weight = Weight::forward(&x, self.products)?;
        let copy = case("copy", 8 * count, 0, move || long.copy().map(drop).map_err(Into::into));
        Ok([copy, case("large product", 0, 2 * side.pow(3), move || weight.times(&x, None).map(drop))])
    }

    fn cases(&self) -> symdiff_ops::Result<Vec<Case<'_>>> {
        let mut cases = self.on_nodes();
        for (outputs, inputs) in [(3 * CHANNELS, CHANNELS), (CHANNELS, CHANNELS), (4 * CHANNELS, CHANNELS), (CHANNELS, 2 * CHANNELS)] {
            cases.extend(self.products(outputs, inputs)?);
        }
        Ok(cases)
    }

    fn on_nodes(&self) -> Vec<Case<'_>> {
        let Self { layout, modulation, qkv, nodes: [x, y], packed: [packed, gated], pairs: [places, means, widths], .. } = self;
        let (columns, gate) = (Columns { shift: 0, scale: CHANNELS }, 2 * CHANNELS);
        let of_pairs = layout.pairs() * CHANNELS;
        // The bytes of so many [N, C] matrices.
        let matrices = |count: usize| count * layout.nodes() * CHANNELS * self.dtype.size_in_bytes();
        vec![
            case("ada_layer_norm", matrices(2), 0, move || ada_layer_norm::forward(x, modulation, columns, layout).map(drop)),
            case("ada_layer_norm, back", matrices(4), 0, move || {
                ada_layer_norm::backward(x, modulation, columns, y, Some(y), layout).map(drop)
            }),
            case("gated_residual", matrices(3), 0, move || gated_residual::forward(x, y, modulation, gate, layout).map(drop)),
            case("gated_residual, back", matrices(3), 0, move || gated_residual::backward(x, modulation, gate, y, layout).map(drop)),
            case("swiglu", matrices(6), 0, move || swiglu::forward(packed).map(drop)),
            case("swiglu, back", matrices(12), 0, move || swiglu::replayed(packed, gated).map(drop)),
            case("ragged_attention", matrices(4), 4 * of_pairs, move || ragged_attention::forward(qkv, HEADS, layout).map(drop)),
            case("ragged_attention, back", matrices(7), 10 * of_pairs, move || ragged_attention::backward(qkv, HEADS, x, layout).map(drop)),
            // A difference, a product, a square, an exponential and a sum for each pair and Gaussian.
            case("pair_gaussian_mean", 4 * layout.nodes() * (3 + GAUSSIANS), 5 * layout.pairs() * GAUSSIANS, move || {
                pair_gaussian_mean(places, means, widths, layout).map(drop)
            }),
        ]
    }

    fn products(&self, outputs: usize, inputs: usize) -> symdiff_ops::Result<[Case<'_>; 3]> {
        let (nodes, products) = (self.layout.nodes(), self.products);
        let tensor = |shape: &[usize]| waves(shape, self.dtype, &self.device);
        let [x, gradient, weight] = [tensor(&[nodes, inputs])?, tensor(&[nodes, outputs])?, tensor(&[outputs, inputs])?];
        let [forward, backward] = [Weight::forward(&weight, self.products)?, Weight::backward(&weight, self.products)?];
        let bytes = (nodes * (inputs + outputs) + inputs * outputs) * self.dtype.size_in_bytes();
        let name = |way: &str| format!("product, {outputs} from {inputs}{way}");
        let (rows, up) = (x.clone(), gradient.clone());
        let flops = 2 * nodes * inputs * outputs;
        Ok([
            case(name(""), bytes, flops, move || forward.times(&rows, None).map(drop)),
            case(name(", to inputs"), bytes, flops, move || backward.times(&up, None).map(drop)),
            case(name(", to weights"), bytes, flops, move || linear::backward_parameters(&[[&x, &gradient]], products).map(drop)),
        ])
    }
}

/// Numbers between −1 and 1 without a pattern that matters.
fn waves(shape: &[usize], dtype: DType, device: &Device) -> symdiff_ops::Result<Tensor> {
    let values = (0..shape.iter().product()).map(|k: usize| (k as f32 * 0.618_034).fract() * 2.0 - 1.0).collect();
    Ok(Tensor::from_vec::<_, f32>(values, shape, device)?.to_dtype(dtype)?)
}

/// The table for people: microseconds, the lower bound, and their ratio.
fn table(rows: &[Value]) -> String {
    let lines = rows.iter().map(|row| {
        let number = |key: &str| row[key].as_f64().unwrap_or(f64::NAN);
        let [time, bound] = ["seconds", "bound_s"].map(number);
        format!("{:<34} {:>12.1} {:>12.1} {:>7.0}%", row["op"].as_str().unwrap_or_default(), 1e6 * time, 1e6 * bound, 100.0 * bound / time)
    });
    let head = format!("{:<34} {:>12} {:>12} {:>8}", "op", "time, us", "bound, us", "share");
    [head].into_iter().chain(lines).collect::<Vec<_>>().join("\n")
}
