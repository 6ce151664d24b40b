//! `schedules`: γ at every step, and what follows from it.

use super::Results;
use super::golden::Golden;
use crate::Result;
use candle_core::Tensor;
use symdiff_diffusion::{Cosine, LearnedSchedule, Polynomial, Process, Schedule, Times, VariancePreserving};

/// The precision of the published polynomial schedule; not part of the file.
const PRECISION: f64 = 1e-5;

pub(super) fn results(golden: &Golden) -> Result<Results> {
    let times = golden.numbers("in.t")?;
    let steps = times.len() - 1;
    let process = Process::new(VariancePreserving(Polynomial { power: 2.0, precision: PRECISION }.tabulated(steps)?), steps)?;
    let at = |times: &[f64]| process.levels(&Times::PerSample(times.to_vec()), times.len(), golden.device());
    let gamma = |schedule: &dyn Schedule| -> Result<Tensor> { Ok(schedule.log_snrs(&times, golden.device())?.neg()?) };
    let (levels, earlier, later) = (at(&times)?, at(&times[..steps])?, at(&times[1..])?);
    Ok(Results::from([
        ("out.gamma_cosine".into(), gamma(&Cosine::default().tabulated(steps)?)?),
        ("out.gamma_learned".into(), gamma(&LearnedSchedule::new(golden.builder())?)?),
        ("out.snr_weight".into(), later.snr_ratio_less_one(&earlier)?),
        ("out.sigma2_t_given_s".into(), process.path().variance_given(&later, &earlier)?),
        ("out.gamma_polynomial_2".into(), levels.gamma),
        ("out.alpha".into(), levels.alpha),
        ("out.sigma".into(), levels.sigma),
    ]))
}
