//! Samplers by name.

use super::{Ancestral, Ddim, DpmSolver, Reverse};
use crate::{Error, Reconstruction, Result, Schedule};
use std::fmt::{self, Display, Formatter};
use std::str::FromStr;
use symdiff_ops::{Euclidean, Noise};

/// Which sampler: what configurations and command lines choose from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Method {
    /// [`Ancestral`]: `ancestral`.
    #[default]
    Ancestral,
    /// [`Ddim`]: `ddim`.
    Ddim,
    /// [`DpmSolver`]: `dpm-solver`.
    DpmSolver,
}

impl Method {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Ancestral, Self::Ddim, Self::DpmSolver];

    fn name(self) -> &'static str {
        match self {
            Self::Ancestral => "ancestral",
            Self::Ddim => "ddim",
            Self::DpmSolver => "dpm-solver",
        }
    }
}

impl Display for Method {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Method {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        Self::ALL.into_iter().find(|method| method.name() == name).ok_or_else(|| {
            let known = Self::ALL.map(Self::name).join(", ");
            Error::Config(format!("sampler `{name}` is unknown; use one of {known}"))
        })
    }
}

impl<S: Euclidean, Q: Schedule, R: Reconstruction<S>> Reverse<'_, S, Q, R> {
    /// [`Reverse::sample`] with the sampler of a name.
    ///
    /// # Errors
    /// As [`Reverse::sample`].
    pub fn sample_by(&self, method: Method, like: &S, steps: usize, noise: Noise, progress: &mut dyn FnMut(usize)) -> Result<R::Decoded> {
        match method {
            Method::Ancestral => self.sample(&Ancestral, like, steps, noise, progress),
            Method::Ddim => self.sample(&Ddim, like, steps, noise, progress),
            Method::DpmSolver => self.sample(&DpmSolver, like, steps, noise, progress),
        }
    }
}
