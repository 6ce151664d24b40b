//! How parts of a report that have no form in JSON of their own are written there and read.

/// A route from noise to molecules, by the names of its parts.
pub(super) mod route {
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};
    use symdiff_diffusion::Route;

    #[derive(Serialize, Deserialize)]
    struct Named {
        sampler: String,
        steps: usize,
        grid: String,
        frames: String,
        churn: Option<f64>,
    }

    pub(in crate::report) fn serialize<S: Serializer>(route: &Route, serializer: S) -> Result<S::Ok, S::Error> {
        let Route { method, steps, spacing, framing, churn } = *route;
        let (sampler, grid, frames) = (method.to_string(), spacing.to_string(), framing.to_string());
        Named { sampler, steps, grid, frames, churn }.serialize(serializer)
    }

    pub(in crate::report) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Route, D::Error> {
        let Named { sampler, steps, grid, frames, churn } = Named::deserialize(deserializer)?;
        let route = || -> symdiff_diffusion::Result<Route> {
            Ok(Route { method: sampler.parse()?, steps, spacing: grid.parse()?, framing: frames.parse()?, churn })
        };
        route().map_err(D::Error::custom)
    }
}

/// Molecules.
pub(super) mod molecules {
    use crate::line::Line;
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};
    use symdiff_mol::Molecule;

    pub(in crate::report) fn serialize<S: Serializer>(molecules: &[Molecule], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(molecules.iter().map(Line::from))
    }

    pub(in crate::report) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Molecule>, D::Error> {
        let lines = Vec::<Line>::deserialize(deserializer)?;
        lines.into_iter().map(|line| Molecule::try_from(line).map_err(D::Error::custom)).collect()
    }
}
