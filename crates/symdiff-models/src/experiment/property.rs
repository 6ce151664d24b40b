//! Settings of a property network.

use super::data::check_name;
use super::{Diffusion, Experiment};
use crate::models::Gamma;
use crate::{Error, Result};
use serde::{Deserialize, Serialize};
use symdiff_train::within;

/// Makes of an experiment a [property network](crate::property): the model learns to predict a property of a clean molecule, and draws none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Property {
    /// The property of the set's molecules, such as `gap`.
    pub name: String,
    /// How many numbers each atom adds to the sum from which the property is read.
    #[serde(default = "usual_channels")]
    pub channels: usize,
}

/// EDM's width.
fn usual_channels() -> usize {
    128
}

impl Property {
    /// Refuses sizes out of their range, settings that mean nothing to a network that draws no molecules, and a model whose values would depend on the molecule's frame.
    ///
    /// # Errors
    /// [`Error::Config`] with the setting and the remedy.
    pub(super) fn check(&self, experiment: &Experiment) -> Result<()> {
        check_name("property.name", &self.name)?;
        let Experiment { data, model, diffusion, .. } = experiment;
        within("property.channels", self.channels as f64, data.encoding().features() as f64, 1e5)?;
        let refused = if !data.condition.is_empty() {
            "data.condition tells a model properties, which a property network has to find itself; take data.condition or [property] out"
        } else if data.fixed > 0.0 {
            "data.fixed gives a model that draws molecules a part of them; take data.fixed or [property] out"
        } else if *diffusion != Diffusion::default() {
            "[diffusion] says how molecules are drawn, and a property network draws none; take [diffusion] or [property] out"
        } else if model.gamma == Gamma::None && !model.backbone.spec().is_equivariant() {
            "a property does not depend on a molecule's frame, but what this backbone says of it would; set model.gamma, say to { kind = \"haar\" }, or take the backbone egnn"
        } else {
            return Ok(());
        };
        Err(Error::Config(refused.into()))
    }
}
