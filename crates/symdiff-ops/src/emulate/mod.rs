//! The kernels of the CUDA backend, run by an emulator on the CPU: what tests use on a machine without a GPU.
//!
//! Inside [`emulated`], ops on CPU tensors take the path of CUDA tensors, launch code included. Each launch runs in several orders of its
//! threads, which must agree bit for bit, on copies of its arguments that lie between guards: a write beyond an argument is an error, and
//! a read beyond one gives NaN.

mod blas;

pub(crate) use blas::product;

use crate::gpu::{Arg, Grid, Launch};
use crate::replaced::Replaced;
use crate::{Error, Result};
use candle_core::{CpuStorage, DType, InplaceOp1, Layout, Storage, Tensor};
use std::cell::Cell;
use std::ffi::{CString, c_char, c_int, c_uint, c_void};
use std::sync::{Mutex, PoisonError};

/// Bytes before and after each argument: NaN in every number type.
const GUARD: usize = 256;
/// Orders of threads: forwards, backwards, and one shuffled.
const ORDERS: u32 = 3;

thread_local! {
    static ACTIVE: Cell<bool> = const { Cell::new(false) };
    static LAUNCHES: Cell<usize> = const { Cell::new(0) };
}

/// Runs `body` with ops on CPU tensors sent to the emulator.
pub fn emulated<R>(body: impl FnOnce() -> R) -> R {
    let _outer = Replaced::by(&ACTIVE, true);
    body()
}

/// Runs `body` with ops on CPU tensors on the CPU's own code.
pub(crate) fn suspended<R>(body: impl FnOnce() -> R) -> R {
    let _outer = Replaced::by(&ACTIVE, false);
    body()
}

/// How many kernels and products this thread has sent to the emulator so far. What Candle runs itself is not among them.
pub fn launches() -> usize {
    LAUNCHES.get()
}

fn count() {
    LAUNCHES.set(LAUNCHES.get() + 1);
}

pub(crate) fn active() -> bool {
    ACTIVE.get()
}

unsafe extern "C" {
    fn emulator_launch(
        name: *const c_char,
        grid: *const c_uint,
        threads: c_uint,
        shared: c_uint,
        arguments: *mut *mut c_void,
        sizes: *const usize,
        count: usize,
        order: c_uint,
    ) -> c_int;
}

/// Runs the launch; its results, in order.
pub(crate) fn run(launch: &Launch, grid: &Grid) -> Result<Vec<Tensor>> {
    count();
    let mut agreed: Option<Vec<Memory>> = None;
    for order in 0..ORDERS {
        let memory = run_in_order(launch, grid, order)?;
        if agreed.as_ref().is_some_and(|earlier| *earlier != memory) {
            return Err(launch.refused("results depend on the order of threads: a barrier is missing"));
        }
        agreed = Some(memory);
    }
    let mut results = Vec::new();
    for (arg, memory) in flattened(&launch.args).zip(agreed.unwrap_or_default()) {
        match arg {
            Arg::Write(dims, dtype) => results.push(Tensor::from_raw_buffer(memory.inside(), *dtype, dims, &candle_core::Device::Cpu)?),
            Arg::Change(tensor) => tensor.inplace_op1(&Overwrite(memory))?,
            _ => {}
        }
    }
    Ok(results)
}

fn run_in_order(launch: &Launch, grid: &Grid, order: u32) -> Result<Vec<Memory>> {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let mut memory = flattened(&launch.args).map(Memory::of).collect::<Result<Vec<_>>>()?;
    let before = memory.clone();
    let mut rest = memory.iter_mut();
    let mut values: Vec<Vec<u64>> = launch.args.iter().map(|arg| words(arg, &mut rest)).collect();
    let sizes: Vec<usize> = launch.args.iter().map(Arg::bytes).collect();
    let mut arguments: Vec<*mut c_void> = values.iter_mut().map(|value| value.as_mut_ptr().cast()).collect();
    let name = CString::new(launch.kernel.as_str()).map_err(|_| launch.refused("a name with a zero"))?;
    let code = {
        let _guard = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
        // SAFETY: every argument points at as many bytes as `sizes` says, which the emulator compares with the kernel's own; the
        // emulator's state is global, hence the lock.
        unsafe {
            emulator_launch(
                name.as_ptr(),
                grid.blocks.as_ptr(),
                grid.threads,
                grid.shared,
                arguments.as_mut_ptr(),
                sizes.as_ptr(),
                sizes.len(),
                order,
            )
        }
    };
    match code {
        0 => {}
        1 => return Err(Error::DType { op: launch.op, got: launch.dtype }),
        _ => return Err(launch.refused("the kernel takes other arguments")),
    }
    for ((arg, before), after) in flattened(&launch.args).zip(&before).zip(&memory) {
        if before.guards() != after.guards() || (matches!(arg, Arg::Read(_)) && before != after) {
            return Err(launch.refused("a write outside of the results"));
        }
    }
    Ok(memory)
}

/// The arguments with each table replaced by its entries.
fn flattened(args: &[Arg]) -> impl Iterator<Item = &Arg> {
    args.iter().flat_map(|arg| if let Arg::Table(entries) = arg { entries.as_slice() } else { std::slice::from_ref(arg) })
}

fn words<'a>(arg: &Arg, memory: &mut impl Iterator<Item = &'a mut Memory>) -> Vec<u64> {
    if let Arg::Table(entries) = arg {
        return entries.iter().flat_map(|entry| words(entry, memory)).chain(std::iter::repeat(0)).take(Arg::TABLE).collect();
    }
    let memory = memory.next();
    match (arg, memory) {
        (Arg::Read(_) | Arg::Write(..) | Arg::Change(_), Some(memory)) => vec![memory.address()],
        _ => arg.words(),
    }
}

/// A copy of an argument between guards.
#[derive(Clone, PartialEq)]
struct Memory {
    bytes: Vec<u128>,
    skew: usize,
    len: usize,
}

impl Memory {
    fn of(arg: &Arg) -> Result<Self> {
        match arg {
            Arg::Read(tensor) | Arg::Change(tensor) => {
                let (storage, layout) = tensor.storage_and_layout();
                let Storage::Cpu(storage) = &*storage else {
                    return Err(crate::dispatch::elsewhere("emulate", tensor.device()));
                };
                let skew = layout.start_offset() * tensor.dtype().size_in_bytes() % 16;
                Ok(Self::new(raw(storage, layout)?, skew))
            }
            Arg::Write(dims, dtype) => Ok(Self::new(&vec![0xff; dims.iter().product::<usize>() * dtype.size_in_bytes()], 0)),
            _ => Ok(Self::new(&[], 0)),
        }
    }

    fn new(content: &[u8], skew: usize) -> Self {
        let mut memory = Self { bytes: vec![u128::MAX; (2 * GUARD + skew + content.len()).div_ceil(16)], skew, len: content.len() };
        memory.inside_mut().copy_from_slice(content);
        memory
    }

    /// Where the content starts: sixteen-byte aligned, but for the skew.
    fn start(&self) -> usize {
        GUARD + self.skew
    }

    fn address(&mut self) -> u64 {
        let start = self.start();
        self.raw_mut()[start..].as_mut_ptr() as u64
    }

    fn inside(&self) -> &[u8] {
        &self.raw()[self.start()..][..self.len]
    }

    fn inside_mut(&mut self) -> &mut [u8] {
        let (start, len) = (self.start(), self.len);
        &mut self.raw_mut()[start..][..len]
    }

    fn guards(&self) -> [&[u8]; 2] {
        let start = self.start();
        [&self.raw()[..start], &self.raw()[start + self.len..]]
    }

    fn raw(&self) -> &[u8] {
        // SAFETY: u128 has no padding, and every byte is valid.
        unsafe { std::slice::from_raw_parts(self.bytes.as_ptr().cast(), self.bytes.len() * 16) }
    }

    fn raw_mut(&mut self) -> &mut [u8] {
        // SAFETY: as above; any bytes make a valid u128.
        unsafe { std::slice::from_raw_parts_mut(self.bytes.as_mut_ptr().cast(), self.bytes.len() * 16) }
    }
}

/// The bytes of a contiguous tensor.
fn raw<'a>(storage: &'a CpuStorage, layout: &Layout) -> Result<&'a [u8]> {
    fn bytes<'a, T>(values: &'a [T], layout: &Layout) -> &'a [u8] {
        let values = &values[layout.start_offset()..][..layout.shape().elem_count()];
        // SAFETY: the number types below have no padding.
        unsafe { std::slice::from_raw_parts(values.as_ptr().cast(), size_of_val(values)) }
    }
    match storage {
        CpuStorage::F32(values) => Ok(bytes(values, layout)),
        CpuStorage::F64(values) => Ok(bytes(values, layout)),
        CpuStorage::BF16(values) => Ok(bytes(values, layout)),
        CpuStorage::U32(values) => Ok(bytes(values, layout)),
        _ => Err(Error::DType { op: "emulate", got: DType::U8 }),
    }
}

/// Writes what a kernel left into the tensor that was given to it.
struct Overwrite(Memory);

impl InplaceOp1 for Overwrite {
    fn name(&self) -> &'static str {
        "emulate"
    }

    fn cpu_fwd(&self, storage: &mut CpuStorage, layout: &Layout) -> candle_core::Result<()> {
        let (first, bytes) = (layout.start_offset(), self.0.inside());
        match storage {
            CpuStorage::F32(values) => {
                for (value, bytes) in values[first..].iter_mut().zip(bytes.as_chunks().0) {
                    *value = f32::from_ne_bytes(*bytes);
                }
                Ok(())
            }
            CpuStorage::BF16(values) => {
                for (value, bytes) in values[first..].iter_mut().zip(bytes.as_chunks().0) {
                    *value = half::bf16::from_ne_bytes(*bytes);
                }
                Ok(())
            }
            CpuStorage::U32(values) => {
                for (value, bytes) in values[first..].iter_mut().zip(bytes.as_chunks().0) {
                    *value = u32::from_ne_bytes(*bytes);
                }
                Ok(())
            }
            _ => Err(candle_core::Error::Msg("the emulator changes f32, bf16 and u32 only".into())),
        }
    }
}
