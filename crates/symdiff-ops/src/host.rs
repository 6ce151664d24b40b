//! Tensors as slices, for ops on the CPU.

use crate::dispatch::named;
use crate::simd::Lanes;
use crate::{Error, Result};
use candle_core::backend::BackendStorage;
use candle_core::{CpuStorage, Device, Layout, Storage, Tensor, WithDType};
use std::ops::{Add, AddAssign, Div, Mul, Neg, Range, Sub};

/// The number types that ops compute in on the CPU.
pub(crate) trait Real:
    WithDType
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
    + AddAssign
    + Default
    + Send
    + Sync
    + Lanes
{
    /// self·a + b, rounded once where the machine can.
    fn fma(self, a: Self, b: Self) -> Self;

    /// e^self; see [`crate::simd::exp`] for f32.
    fn exp(self) -> Self;

    /// e^self for numbers that are not positive.
    fn exp_nonpositive(self) -> Self;

    /// √self.
    fn sqrt(self) -> Self;

    /// Zero or one.
    fn one_if(condition: bool) -> Self {
        Self::from_f64(f64::from(u8::from(condition)))
    }

    /// The nearest bf16, ties to even; zero below the range of normal numbers.
    fn to_bf16(self) -> Self;

    /// The number itself, if it is an f32.
    fn as_f32(self) -> Option<f32>;

    /// The values of a storage of this type.
    fn values(storage: &CpuStorage) -> Option<&[Self]>;

    /// The values of a storage of this type, to be changed.
    fn values_mut(storage: &mut CpuStorage) -> Option<&mut [Self]>;
}

impl Real for f32 {
    #[inline(always)]
    fn fma(self, a: Self, b: Self) -> Self {
        self.mul_add(a, b)
    }

    #[inline(always)]
    fn exp(self) -> Self {
        crate::simd::exp(self)
    }

    #[inline(always)]
    fn exp_nonpositive(self) -> Self {
        crate::simd::exp_nonpositive(self)
    }

    #[inline(always)]
    fn sqrt(self) -> Self {
        f32::sqrt(self)
    }

    #[inline(always)]
    fn to_bf16(self) -> Self {
        crate::product::rounded(self)
    }

    fn as_f32(self) -> Option<f32> {
        Some(self)
    }

    fn values(storage: &CpuStorage) -> Option<&[Self]> {
        if let CpuStorage::F32(values) = storage { Some(values) } else { None }
    }

    fn values_mut(storage: &mut CpuStorage) -> Option<&mut [Self]> {
        if let CpuStorage::F32(values) = storage { Some(values) } else { None }
    }
}

impl Real for f64 {
    #[inline(always)]
    fn fma(self, a: Self, b: Self) -> Self {
        self.mul_add(a, b)
    }

    #[inline(always)]
    fn exp(self) -> Self {
        f64::exp(self)
    }

    #[inline(always)]
    fn exp_nonpositive(self) -> Self {
        f64::exp(self)
    }

    #[inline(always)]
    fn sqrt(self) -> Self {
        f64::sqrt(self)
    }

    #[inline(always)]
    fn to_bf16(self) -> Self {
        crate::product::rounded_f64(self)
    }

    fn as_f32(self) -> Option<f32> {
        None
    }

    fn values(storage: &CpuStorage) -> Option<&[Self]> {
        if let CpuStorage::F64(values) = storage { Some(values) } else { None }
    }

    fn values_mut(storage: &mut CpuStorage) -> Option<&mut [Self]> {
        if let CpuStorage::F64(values) = storage { Some(values) } else { None }
    }
}

/// Runs a generic body with `T` bound to the tensor's number type, inside a tracing span whose target is the op's module. `flops`, where
/// given, are the operations of the products that the body does itself; they are counted only while a subscriber listens.
macro_rules! with_real {
    ($op:expr, $tensor:expr, $T:ident => $body:expr) => {
        $crate::host::with_real!(tracing::trace_span!("op"), $op, $tensor, $T => $body)
    };
    ($op:expr, $tensor:expr, flops = $flops:expr, $T:ident => $body:expr) => {
        $crate::host::with_real!(tracing::trace_span!("op", flops = $flops), $op, $tensor, $T => $body)
    };
    ($span:expr, $op:expr, $tensor:expr, $T:ident => $body:expr) => {{
        let _span = $span.entered();
        match $tensor.dtype() {
            candle_core::DType::F32 => {
                type $T = f32;
                $body
            }
            candle_core::DType::F64 => {
                type $T = f64;
                $body
            }
            got => Err(crate::Error::DType { op: $op, got }),
        }
    }};
}
pub(crate) use with_real;

/// Binds each name, a tensor, to the slice of its elements in row-major order; copies only what is strided.
macro_rules! bind_slices {
    ($op:expr, $T:ty, $($name:ident),+ $(,)?) => {
        $(
            let tensor = $name.contiguous()?;
            let (storage, layout) = tensor.storage_and_layout();
            let $name: &[$T] = $crate::host::elements::<$T>($op, stringify!($name), &storage, layout)?;
        )+
    };
}
pub(crate) use bind_slices;

/// The elements of a contiguous tensor's storage, in the dtype that the call computes in.
pub(crate) fn elements<'a, T: Real>(op: &'static str, what: &'static str, storage: &'a Storage, layout: &Layout) -> Result<&'a [T]> {
    let values = match storage {
        Storage::Cpu(storage) => {
            T::values(storage).ok_or(Error::Mixed { op, what, got: storage.dtype(), first: "the call", expected: T::DTYPE })?
        }
        elsewhere => {
            let device = named(elsewhere.device().location());
            return Err(Error::Apart { op, what, device, first: "the call", expected: "the CPU".into() });
        }
    };
    let start = layout.start_offset();
    Ok(&values[start..start + layout.shape().elem_count()])
}

/// A tensor on the host that owns `values`.
pub(crate) fn tensor<T: Real>(values: Vec<T>, shape: &[usize]) -> Result<Tensor> {
    Ok(Tensor::from_vec(values, shape, &Device::Cpu)?)
}

/// Where the row of a sample lies in a tensor `[B, W]`, or `[1, W]` whose one row all samples share.
pub(crate) fn row_of(tensor: &Tensor) -> impl Fn(usize) -> Range<usize> + use<> {
    let (shared, width) = (tensor.dims()[0] == 1, tensor.dims()[1]);
    move |sample| if shared { 0..width } else { sample * width..(sample + 1) * width }
}

/// One row per sample as a tensor `[rows, width]`; rows that share one parameter row are added up, in order.
pub(crate) fn gathered<T: Real>(per_sample: Vec<T>, rows: usize, width: usize) -> Result<Tensor> {
    if per_sample.len() == rows * width {
        return tensor(per_sample, &[rows, width]);
    }
    tensor(added_up(&per_sample, width), &[1, width])
}

/// The sum of the rows, in order.
pub(crate) fn added_up<T: Real>(rows: &[T], width: usize) -> Vec<T> {
    let mut total = vec![T::default(); width];
    for row in rows.chunks_exact(width) {
        total.iter_mut().zip(row).for_each(|(total, &value)| *total += value);
    }
    total
}
