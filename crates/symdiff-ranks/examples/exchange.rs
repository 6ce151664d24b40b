//! How long the processes of a job take to sum a gradient: `mpirun -n 2 exchange [NUMBERS]`, by default the 31.2 million of `symdiff-qm9`.

use candle_core::{DType, Device, Tensor};
use std::time::Instant;
use symdiff_ranks::{Launched, Processes};
use symdiff_train::Ranks;

/// That of `symdiff`: a step gets the memory of the step before, where the system's would ask for new pages each time.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let numbers = std::env::args().nth(1).map_or(Ok(31_200_000), |text| text.parse::<usize>())?;
    let processes = Processes::join(Launched::find()?.as_ref(), &Device::Cpu)?;
    let gradient = Tensor::ones(numbers, DType::F32, &Device::Cpu)?;
    let mut seconds = Vec::new();
    for _ in 0..9 {
        // All begin together.
        processes.any(false)?;
        let start = Instant::now();
        let summed = processes.sum(vec![gradient.clone()])?;
        seconds.push(start.elapsed().as_secs_f64());
        let first = summed[0].get(0)?.to_scalar::<f32>()?;
        assert!(first as usize == processes.size(), "the sum of {} ones is {first}", processes.size());
    }
    seconds.sort_by(f64::total_cmp);
    if processes.rank() == 0 {
        let [processes, median] = [processes.size() as f64, seconds[4]];
        let moved = 2.0 * (1.0 - 1.0 / processes) * 4.0 * numbers as f64;
        println!("{processes} processes, {numbers} numbers: {median:.3} s, {:.2} GB/s sent by each", moved / median / 1e9);
    }
    Ok(())
}
