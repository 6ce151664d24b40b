//! Samplers by name.

use super::{Ancestral, Ddim, DpmSolver, Walk};
use crate::{Error, Result};
use std::fmt::{self, Display, Formatter};
use std::str::FromStr;
use symdiff_ops::Euclidean;

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

    /// The sampler of this name.
    pub fn sampler<S: Euclidean>(self) -> Box<dyn Walk<S>> {
        match self {
            Self::Ancestral => Box::new(Ancestral),
            Self::Ddim => Box::new(Ddim),
            Self::DpmSolver => Box::new(DpmSolver),
        }
    }

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
