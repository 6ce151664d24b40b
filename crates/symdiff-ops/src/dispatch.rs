//! Where an op runs: the one place that knows which devices there are, and what every tensor of a call must have in common.

use crate::{Error, Result};
use candle_core::{Device, DeviceLocation, Tensor};

/// Runs an op's code for the device of a tensor: `kernels`, the launches of CUDA kernels, or `cpu`, on slices, with `T` bound to the
/// number type of the tensor. With `at DEVICE` nothing is bound.
macro_rules! on_device {
    ($op:expr, $tensor:expr, $(flops = $flops:expr,)? kernels => $kernels:expr, cpu::<$T:ident> => $cpu:expr $(,)?) => {
        $crate::dispatch::on_device!(
            $op,
            at $tensor.device(),
            kernels => $kernels,
            cpu => $crate::host::with_real!($op, $tensor, $(flops = $flops,)? $T => $cpu)
        )
    };
    ($op:expr, at $device:expr, kernels => $kernels:expr, cpu => $cpu:expr $(,)?) => {
        match $device {
            #[cfg(kernels)]
            device if $crate::gpu::serves(device) => $kernels,
            candle_core::Device::Cpu => $cpu,
            device => Err($crate::dispatch::elsewhere($op, device)),
        }
    };
}
pub(crate) use on_device;

/// True where ops run on the threads of the CPU.
pub(crate) fn on_threads(device: &Device) -> bool {
    #[cfg(kernels)]
    if crate::gpu::serves(device) {
        return false;
    }
    device.is_cpu()
}

/// The refusal of an op that has no code for a device.
pub(crate) fn elsewhere(op: &'static str, device: &Device) -> Error {
    refused_at(op, device.location(), cfg!(feature = "cuda"))
}

fn refused_at(op: &'static str, place: DeviceLocation, cuda: bool) -> Error {
    let remedy = match place {
        DeviceLocation::Cuda { .. } if !cuda => {
            "this build of symdiff-ops has no feature `cuda`: turn it on, or move the tensors to the CPU"
        }
        DeviceLocation::Cuda { .. } | DeviceLocation::Cpu => "it has no code there; move the tensors to another device",
        DeviceLocation::Metal { .. } => "no op runs on Metal; move the tensors to the CPU or a CUDA device",
    };
    Error::Device { op, device: named(place), remedy }
}

/// A device in words.
pub(crate) fn named(place: DeviceLocation) -> String {
    match place {
        DeviceLocation::Cpu => "the CPU".into(),
        DeviceLocation::Cuda { gpu_id } => format!("CUDA device {gpu_id}"),
        DeviceLocation::Metal { gpu_id } => format!("Metal device {gpu_id}"),
    }
}

/// Fails unless all arguments of a call without a graph are plain tensors on one device and of one dtype.
///
/// A tracked tensor is refused since the call would lose its gradient.
pub(crate) fn alike(op: &'static str, arguments: &[(&'static str, &Tensor)]) -> Result<()> {
    for (what, tensor) in arguments {
        untracked(op, what, tensor)?;
    }
    let Some((first, rest)) = arguments.split_first() else { return Ok(()) };
    rest.iter().try_for_each(|other| like(op, *first, *other))
}

/// Fails unless the second argument has the dtype and the device of the first.
pub(crate) fn like(op: &'static str, (first, reference): (&'static str, &Tensor), (what, tensor): (&'static str, &Tensor)) -> Result<()> {
    if tensor.dtype() != reference.dtype() {
        return Err(Error::Mixed { op, what, got: tensor.dtype(), first, expected: reference.dtype() });
    }
    if !tensor.device().same_device(reference.device()) {
        let [device, expected] = [tensor, reference].map(|tensor| named(tensor.device().location()));
        return Err(Error::Apart { op, what, device, first, expected });
    }
    Ok(())
}

/// Fails when a tensor is part of a graph.
pub(crate) fn untracked(op: &'static str, what: &'static str, tensor: &Tensor) -> Result<()> {
    if tensor.track_op() { Err(Error::Tracked { op, what }) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gpu_without_the_feature_is_told_apart_from_one_without_code() {
        let message = |place, cuda| refused_at("silu", place, cuda).to_string();
        let gpu = DeviceLocation::Cuda { gpu_id: 1 };
        assert!(message(gpu, false).starts_with("silu cannot run on CUDA device 1: this build of symdiff-ops has no feature `cuda`"));
        assert!(message(gpu, true).contains("it has no code there"));
        assert!(message(DeviceLocation::Metal { gpu_id: 0 }, true).contains("no op runs on Metal"));
    }
}
