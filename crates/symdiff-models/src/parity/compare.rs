//! Comparison of computed and expected results.

use super::Results;
use super::golden::{Golden, packed};
use crate::{Error, Result};
use candle_core::{DType, Tensor};
use serde::Serialize;
use std::fmt;

/// How well the results of a golden file were reproduced.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FileReport {
    /// The file's name.
    pub file: String,
    /// True when every result lies within its tolerance.
    pub pass: bool,
    /// The largest deviation of any number.
    pub max_abs: f64,
    /// The largest deviation of a tensor over the largest value of that tensor; over 10⁵ times its tolerance where that is more, since some
    /// gradients vanish but for rounding.
    pub max_rel: f64,
    /// The result that comes closest to its tolerance, or exceeds it most.
    pub worst: String,
    /// That result's deviation over its tolerance.
    pub share: f64,
    /// The number of results compared.
    pub results: usize,
    /// Why the file could not be judged, or which results fail.
    pub problem: Option<String>,
}

/// f32 on another device than the CPU sums in other orders.
const DEVICE_SLACK: f64 = 10.0;

impl FileReport {
    pub(super) fn failed(file: String, error: &Error) -> Self {
        Self::empty(file).with_problem(error.to_string())
    }

    pub(super) fn exact(file: String, difference: f64) -> Self {
        let report = Self { max_abs: difference, max_rel: difference, results: 1, ..Self::empty(file) };
        if difference == 0.0 { report } else { report.with_problem(format!("whole numbers differ, by {difference}")) }
    }

    fn empty(file: String) -> Self {
        Self { file, pass: true, max_abs: 0.0, max_rel: 0.0, worst: String::new(), share: 0.0, results: 0, problem: None }
    }

    fn with_problem(self, problem: String) -> Self {
        Self { pass: false, problem: Some(problem), ..self }
    }
}

/// One line for people.
impl fmt::Display for FileReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, pass, max_abs, max_rel, worst, share, results, problem } = self;
        let verdict = if *pass { "pass" } else { "FAIL" };
        write!(f, "{verdict}  {file:<42} abs {max_abs:.1e}  rel {max_rel:.1e}  results {results:>3}")?;
        if !worst.is_empty() {
            write!(f, "  {worst} at {:.0} % of its tolerance", 100.0 * share)?;
        }
        problem.as_ref().map_or(Ok(()), |problem| write!(f, ": {problem}"))
    }
}

/// Compares the results of a case with those of the file.
pub(super) fn compare(file: String, golden: &Golden, results: &Results) -> Result<FileReport> {
    let slack = if golden.device().is_cpu() { 1.0 } else { DEVICE_SLACK };
    let mut report = FileReport::empty(file);
    let mut problems = Vec::new();
    for (name, expected, tolerance) in golden.expected() {
        let (Some(found), Some(tolerance)) = (results.get(name), tolerance) else {
            problems.push(format!("{name} has no counterpart or no tolerance"));
            continue;
        };
        let (deviation, largest) = deviation(found, expected, golden)?;
        let share = deviation / (tolerance * slack);
        report.results += 1;
        report.max_abs = report.max_abs.max(deviation);
        report.max_rel = report.max_rel.max(deviation / largest.max(1e5 * tolerance));
        if share >= report.share {
            (report.share, report.worst) = (share, name.to_owned());
        }
        if share > 1.0 {
            problems.push(format!("{name} is off by {deviation:.1e}, allowed {:.1e}", tolerance * slack));
        }
    }
    Ok(if problems.is_empty() { report } else { report.with_problem(problems.join("; ")) })
}

/// The largest deviation (infinite where a number is none), and the largest expected value. Padding is taken off what is expected.
fn deviation(found: &Tensor, expected: &Tensor, golden: &Golden) -> Result<(f64, f64)> {
    let expected = if found.dims() == expected.dims() { expected.clone() } else { packed(expected, &golden.layout()?)? };
    if found.dims() != expected.dims() {
        return Err(Error::Config(format!("a result has shape {:?}, the golden file {:?}", found.dims(), expected.dims())));
    }
    let numbers = |tensor: &Tensor| -> Result<Vec<f64>> { Ok(tensor.to_dtype(DType::F64)?.flatten_all()?.to_vec1()?) };
    let (found, expected) = (numbers(found)?, numbers(&expected)?);
    let off = |(a, b): (&f64, &f64)| if a.is_finite() { (a - b).abs() } else { f64::INFINITY };
    let largest = expected.iter().fold(0.0_f64, |largest, value| largest.max(value.abs()));
    Ok((found.iter().zip(&expected).map(off).fold(0.0, f64::max), largest))
}
