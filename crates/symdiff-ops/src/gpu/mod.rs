//! Launching CUDA kernels: the interface that every op's `cuda.rs` uses.
//!
//! A [`Launch`] lists a kernel's arguments in the kernel's order and returns the tensors it wrote. It runs on the CUDA device of its
//! inputs, on Candle's stream, without waiting; or, inside [`crate::emulate`], on the CPU.

pub(crate) mod blas;
pub(crate) mod column_sums;
#[cfg(feature = "cuda")]
mod cublaslt;
#[cfg(feature = "cuda")]
mod driver;
pub(crate) mod rounded;
pub(crate) mod uploads;

use crate::dispatch::{elsewhere, named};
use crate::{Error, Ragged, Result};
use candle_core::{DType, Device, Tensor};

/// Threads of a block where nothing else is said.
pub(crate) const THREADS: usize = 256;

/// True where ops on this device run kernels.
pub(crate) fn serves(device: &Device) -> bool {
    #[cfg(feature = "emulate")]
    if crate::emulate::active() && device.is_cpu() {
        return true;
    }
    cfg!(feature = "cuda") && device.is_cuda()
}

/// How many blocks of how many threads, and a block's shared memory in bytes.
pub(crate) struct Grid {
    pub(crate) blocks: [u32; 3],
    pub(crate) threads: u32,
    pub(crate) shared: u32,
}

impl Grid {
    /// One thread for each of `count` items.
    pub(crate) fn over(count: usize) -> Self {
        Self::of([count.div_ceil(THREADS), 1, 1], THREADS)
    }

    /// One thread for each of `width` channels, times `rows` down the second axis.
    pub(crate) fn columns(width: usize, rows: usize) -> Self {
        let threads = width.next_multiple_of(32).clamp(32, 128);
        Self::of([width.div_ceil(threads), rows, 1], threads)
    }

    /// One warp for each of `count` items.
    pub(crate) fn warps(count: usize) -> Self {
        Self::of([count.div_ceil(4), 1, 1], 128)
    }

    /// For each of `count` tensors of a table, of at most `largest` numbers, up to `most` blocks down the first axis.
    pub(crate) fn tabled(largest: usize, count: usize, most: usize) -> Self {
        Self::of([largest.div_ceil(4 * THREADS).min(most), count, 1], THREADS)
    }

    pub(crate) fn of(blocks: [usize; 3], threads: usize) -> Self {
        Self { blocks: blocks.map(|count| count.max(1) as u32), threads: threads as u32, shared: 0 }
    }

    /// With `floats` numbers of shared memory a block.
    pub(crate) fn sharing(mut self, floats: usize) -> Self {
        self.shared = 4 * floats as u32;
        self
    }
}

/// One argument of a kernel.
#[derive(Debug)]
pub(crate) enum Arg {
    Read(Tensor),
    Write(Vec<usize>, DType),
    /// Read and written in place.
    Change(Tensor),
    Int(i32),
    Floats(Vec<f32>),
    Long(i64),
    Null,
    /// A struct of [`Arg::TABLE`] pointers or longs, by value; missing ones are 0.
    Table(Vec<Arg>),
}

impl Arg {
    /// Entries of a table, as in the kernels.
    pub(crate) const TABLE: usize = 64;

    /// The size of the kernel's parameter.
    #[cfg(feature = "emulate")]
    pub(crate) fn bytes(&self) -> usize {
        match self {
            Self::Int(_) => 4,
            Self::Floats(values) => 4 * values.len(),
            Self::Table(_) => 8 * Self::TABLE,
            _ => 8,
        }
    }

    /// The value of an argument that is no memory, in little-endian words.
    pub(crate) fn words(&self) -> Vec<u64> {
        match self {
            Self::Int(value) => vec![u64::from(value.cast_unsigned())],
            Self::Long(value) => vec![value.cast_unsigned()],
            Self::Floats(values) => {
                let pair = |pair: &[f32]| pair.iter().rev().fold(0, |word, value| word << 32 | u64::from(value.to_bits()));
                values.chunks(2).map(pair).collect()
            }
            _ => vec![0],
        }
    }
}

/// A kernel and its arguments.
pub(crate) struct Launch {
    pub(crate) op: &'static str,
    pub(crate) kernel: String,
    device: Device,
    pub(crate) dtype: DType,
    pub(crate) args: Vec<Arg>,
}

impl Launch {
    /// The kernel `name` for the dtype and device of `like`.
    pub(crate) fn new(op: &'static str, name: &str, like: &Tensor) -> Result<Self> {
        Self::typed(op, name, like.dtype(), like.device())
    }

    /// The kernel `name` for that dtype and device.
    pub(crate) fn typed(op: &'static str, name: &str, dtype: DType, device: &Device) -> Result<Self> {
        let suffix = match dtype {
            DType::F32 => "f32",
            DType::BF16 => "bf16",
            DType::F64 => "f64",
            got => return Err(Error::DType { op, got }),
        };
        Ok(Self { op, kernel: format!("{name}_{suffix}"), device: device.clone(), dtype, args: Vec::new() })
    }

    /// Tensors of the launch's own dtype, row-major; strided ones are copied.
    pub(crate) fn read<const M: usize>(mut self, tensors: [&Tensor; M]) -> Result<Self> {
        for tensor in tensors {
            if tensor.dtype() != self.dtype {
                return Err(Error::Mixed {
                    op: self.op,
                    what: "an argument",
                    got: tensor.dtype(),
                    first: "the launch",
                    expected: self.dtype,
                });
            }
            let read = self.here(tensor)?;
            self.args.push(Arg::Read(read));
        }
        Ok(self)
    }

    /// A tensor whose dtype the kernel fixes.
    pub(crate) fn read_as(mut self, tensor: &Tensor) -> Result<Self> {
        let read = self.here(tensor)?;
        self.args.push(Arg::Read(read));
        Ok(self)
    }

    /// Where samples start.
    pub(crate) fn offsets(self, layout: &Ragged) -> Result<Self> {
        let [offsets, _] = layout.on_device(&self.device)?;
        self.read_as(&offsets)
    }

    /// The sample of each node.
    pub(crate) fn owners(self, layout: &Ragged) -> Result<Self> {
        let [_, owners] = layout.on_device(&self.device)?;
        self.read_as(&owners)
    }

    /// A tensor that may be absent, null in the kernel then.
    pub(crate) fn read_if(self, tensor: Option<&Tensor>) -> Result<Self> {
        match tensor {
            Some(tensor) => self.read_as(tensor),
            None => Ok(self.arg(Arg::Null)),
        }
    }

    /// A result of the launch's dtype.
    pub(crate) fn write(self, dims: &[usize]) -> Self {
        let dtype = self.dtype;
        self.write_as(dims, dtype)
    }

    /// A result of another dtype.
    pub(crate) fn write_as(self, dims: &[usize], dtype: DType) -> Self {
        self.arg(Arg::Write(dims.to_vec(), dtype))
    }

    /// Whole numbers, `int` in the kernel.
    pub(crate) fn ints<const M: usize>(mut self, values: [usize; M]) -> Result<Self> {
        for value in values {
            let value = i32::try_from(value).map_err(|_| self.refused(&format!("{value} is more than kernels count to")))?;
            self.args.push(Arg::Int(value));
        }
        Ok(self)
    }

    /// Anything else.
    pub(crate) fn arg(mut self, arg: Arg) -> Self {
        self.args.push(arg);
        self
    }

    /// Starts the kernel; its results, in order. Nothing runs when there is nothing to do.
    pub(crate) fn run<const M: usize>(self, grid: &Grid) -> Result<[Tensor; M]> {
        let results = match &self.device {
            #[cfg(feature = "cuda")]
            Device::Cuda(device) => driver::run(&self, device, grid)?,
            #[cfg(feature = "emulate")]
            Device::Cpu => crate::emulate::run(&self, grid)?,
            device => return Err(elsewhere(self.op, device)),
        };
        let count = results.len();
        results.try_into().map_err(|_| self.refused(&format!("{count} results, {M} expected")))
    }

    /// The refusal of this launch.
    pub(crate) fn refused(&self, reason: &str) -> Error {
        Error::Kernel { op: self.op, kernel: self.kernel.clone(), reason: reason.to_owned() }
    }

    /// The tensor, contiguous, if it lives where the kernel runs.
    fn here(&self, tensor: &Tensor) -> Result<Tensor> {
        if !tensor.device().same_device(&self.device) {
            let [device, expected] = [tensor.device(), &self.device].map(|device| named(device.location()));
            return Err(Error::Apart { op: self.op, what: "an argument", device, first: "the launch", expected });
        }
        Ok(tensor.contiguous()?)
    }
}

/// The distance between a per-sample tensor's rows in memory: 0 where all samples share one.
pub(crate) fn stride(tensor: &Tensor) -> usize {
    if tensor.dims()[0] == 1 { 0 } else { tensor.dims()[1] }
}
