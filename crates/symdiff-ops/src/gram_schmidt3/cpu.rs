//! Gram–Schmidt and its gradient for single matrices, held as three vectors.

use super::{By, OP};
use crate::Result;
use crate::host::{Real, bind_slices, tensor};
use candle_core::Tensor;

type Vector = [f64; 3];

pub(super) fn forward<T: Real>(a: &Tensor, by: By) -> Result<Tensor> {
    let shape = a.dims().to_vec();
    bind_slices!(OP, T, a);
    let q = a.chunks_exact(9).flat_map(|a| write::<T>(orthonormalised(read(a, by)), by)).collect();
    tensor(q, &shape)
}

pub(super) fn backward<T: Real>(a: &Tensor, dq: &Tensor, by: By) -> Result<Tensor> {
    let shape = a.dims().to_vec();
    bind_slices!(OP, T, a, dq);
    let da = a.chunks_exact(9).zip(dq.chunks_exact(9)).flat_map(|(a, dq)| write::<T>(gradient(read(a, by), read(dq, by)), by)).collect();
    tensor(da, &shape)
}

/// The orthonormal vectors of the given ones.
fn orthonormalised([a, b, c]: [Vector; 3]) -> [Vector; 3] {
    let u = scaled(a, 1.0 / norm(a));
    let v = without(without(b, u), u);
    let v = scaled(v, 1.0 / norm(v));
    let w = cross(u, v);
    [u, v, if dot(w, c) < 0.0 { scaled(w, -1.0) } else { w }]
}

/// The gradient of the vectors, given that of the orthonormal ones; `r_ij` = `q_i·a_j`, and the system with R is solved backwards.
fn gradient(a: [Vector; 3], dq: [Vector; 3]) -> [Vector; 3] {
    let q = orthonormalised(a);
    let mut da = [[0.0; 3]; 3];
    for j in (0..3).rev() {
        let mut rest = dq[j];
        for k in 0..3 {
            let (low, high) = (j.min(k), j.max(k));
            rest = plus(rest, -dot(dq[high], q[low]), q[k]);
        }
        for k in j + 1..3 {
            rest = plus(rest, -dot(q[j], a[k]), da[k]);
        }
        da[j] = scaled(rest, 1.0 / dot(q[j], a[j]));
    }
    da
}

fn read<T: Real>(matrix: &[T], by: By) -> [Vector; 3] {
    std::array::from_fn(|vector| std::array::from_fn(|component| matrix[at(vector, component, by)].to_f64()))
}

fn write<T: Real>(vectors: [Vector; 3], by: By) -> [T; 9] {
    let mut matrix = [T::default(); 9];
    for (vector, values) in vectors.iter().enumerate() {
        for (component, &value) in values.iter().enumerate() {
            matrix[at(vector, component, by)] = T::from_f64(value);
        }
    }
    matrix
}

fn at(vector: usize, component: usize, by: By) -> usize {
    match by {
        By::Columns => 3 * component + vector,
        By::Rows => 3 * vector + component,
    }
}

fn dot(x: Vector, y: Vector) -> f64 {
    x[0] * y[0] + x[1] * y[1] + x[2] * y[2]
}

fn norm(x: Vector) -> f64 {
    dot(x, x).sqrt()
}

fn scaled(x: Vector, factor: f64) -> Vector {
    x.map(|value| value * factor)
}

fn plus(x: Vector, factor: f64, y: Vector) -> Vector {
    std::array::from_fn(|i| x[i] + factor * y[i])
}

/// x without its part along the unit vector u.
fn without(x: Vector, u: Vector) -> Vector {
    plus(x, -dot(x, u), u)
}

fn cross(x: Vector, y: Vector) -> Vector {
    [x[1] * y[2] - x[2] * y[1], x[2] * y[0] - x[0] * y[2], x[0] * y[1] - x[1] * y[0]]
}
