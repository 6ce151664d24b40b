//! Time of every op, forward and backward, at the sizes of `symdiff-qm9` with a batch of 64 molecules, beside what the machine can do.
//!
//! `cargo bench --package benches --bench ops` prints, for each op, its time and its throughput: bytes that must move (inputs read once, outputs
//! written once) or floating-point operations. The first two groups, `limits`, are the ceilings: copying and a large product.

mod edges;
mod limits;
mod nodes;
mod pairs;
mod parameters;
mod products;
mod turns;

use candle_core::{DType, Device, Tensor};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use std::time::Duration;
use symdiff_ops::{Ragged, Result};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Channels of the backbone, its attention heads, and the Gaussians of its pair features.
const CHANNELS: usize = 384;
const HEADS: usize = 6;
const GAUSSIANS: usize = 184;

/// 64 molecules with the spread of sizes of QM9: 1,160 nodes.
fn layout() -> Result<Ragged> {
    let sizes: Vec<usize> = [9, 14, 15, 16, 17, 18, 18, 19, 19, 20, 21, 22, 23, 20, 19, 20].repeat(4);
    Ragged::from_sizes(&sizes)
}

/// Numbers between −1 and 1 without a pattern that matters.
fn tensor(shape: &[usize]) -> Result<Tensor> {
    let values = (0..shape.iter().product()).map(|k: usize| (k as f32 * 0.618_034).fract() * 2.0 - 1.0).collect();
    Ok(Tensor::from_vec::<_, f32>(values, shape, &Device::Cpu)?.to_dtype(DType::F32)?)
}

/// Times `body`, which moves `bytes` bytes.
fn moves(criterion: &mut Criterion, group: &str, name: &str, bytes: usize, mut body: impl FnMut() -> Result<()>) {
    let mut group = criterion.benchmark_group(group);
    group.throughput(Throughput::Bytes(bytes as u64));
    group.bench_function(name, |bencher| bencher.iter(|| body().expect("shapes of the bench belong together")));
}

/// Times `body`, which does `operations` floating-point operations.
fn computes(criterion: &mut Criterion, group: &str, name: &str, operations: usize, mut body: impl FnMut() -> Result<()>) {
    let mut group = criterion.benchmark_group(group);
    group.throughput(Throughput::Elements(operations as u64));
    group.bench_function(name, |bencher| bencher.iter(|| body().expect("shapes of the bench belong together")));
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(20).warm_up_time(Duration::from_millis(200)).measurement_time(Duration::from_millis(800)).without_plots();
    targets = limits::bench, nodes::bench, pairs::bench, products::bench, parameters::bench, edges::bench, turns::bench
}
criterion_main!(benches);
