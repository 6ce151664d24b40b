//! The registry of networks that predict the noise, and the trait that each of them implements.

use super::{DeepSetSizes, DitSizes, EgnnSizes, GnnSizes, Observed};
use crate::Result;
use candle_core::Device;
use candle_nn::VarBuilder;
use serde::{Deserialize, Serialize};
use symdiff_core::MarkovKernel;
use symdiff_diffusion::Eps;
use symdiff_mol::state::Molecules;
use symdiff_nets::{PaddedTo, PairConfig};
use symdiff_ops::Noise;
use symdiff_train::Precision;

/// A network that predicts the noise of the molecules that it observes, whatever it is made of.
pub type NoiseNet = Box<dyn MarkovKernel<Observed, Out = Eps<Molecules>> + Send + Sync>;

/// The settings of a backbone: what `[model.backbone]` holds under its `kind`.
///
/// To add a backbone, write a file that implements this trait, a line in the registry below, and a preset in `presets/`.
pub trait BackboneSpec {
    /// Refuses sizes that no network can have.
    ///
    /// # Errors
    /// [`Config`](crate::Error::Config) or [`Settings`](symdiff_train::Error::Settings) with the size that does not fit.
    fn check(&self) -> Result<()>;

    /// The pair features that it reads beside the molecules; `None` where it reads none.
    fn pairs(&self) -> Option<PairConfig> {
        None
    }

    /// The precisions in which it can compute on this device.
    fn precisions(&self, _: &Device) -> &'static [Precision] {
        &[Precision::F32]
    }

    /// Whether it commutes with rotations and reflections as it is, without a γ; what it says of an atom's features is then invariant.
    fn is_equivariant(&self) -> bool {
        false
    }

    /// Whether it can be given fixed atoms.
    fn takes_fixed(&self) -> bool {
        false
    }

    /// Whether results of its published implementation depend on padding.
    fn counts_padding(&self) -> bool {
        false
    }

    /// Roughly how many numbers a training step keeps for its backward pass, over so many atoms and ordered pairs of atoms.
    fn activations(&self, atoms: f64, pairs: f64) -> f64;

    /// The network, from the parameters under `vb`.
    ///
    /// # Errors
    /// When sizes do not fit, or a parameter is missing or has another shape.
    fn build(&self, place: Place, vb: VarBuilder) -> Result<NoiseNet>;
}

/// What a backbone is told of the model around it when it is built.
#[derive(Debug)]
pub struct Place {
    /// Features of an atom.
    pub features: usize,
    /// Properties that molecules may be asked to have, which come as [`Asked`](crate::Asked); 0 for a model without conditions.
    pub conditions: usize,
    /// Whether atoms may be fixed, which come as [`Asked`](crate::Asked) too. Of a backbone that does not [take](BackboneSpec::takes_fixed) them it is false.
    pub fixed: bool,
    /// True when it is symmetrised: the published names of parameters differ.
    pub symmetrised: bool,
    /// See [`ModelConfig::padding_compat`](super::ModelConfig::padding_compat).
    pub padding: Option<PaddedTo>,
    /// For fresh parameters that have no initialisation in Candle.
    pub noise: Noise,
}

/// One line per backbone: its name in experiment files, and its settings.
macro_rules! registry {
    ($($(#[$doc:meta])* $kind:literal => $name:ident($settings:ty);)*) => {
        /// The network that predicts the noise.
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        #[serde(tag = "kind", deny_unknown_fields)]
        pub enum Backbone {
            $($(#[$doc])* #[serde(rename = $kind)] $name($settings),)*
        }

        impl Backbone {
            /// Its name in experiment files.
            pub fn kind(&self) -> &'static str {
                match self {
                    $(Self::$name(_) => $kind,)*
                }
            }

            /// Its settings, through the trait.
            pub fn spec(&self) -> &dyn BackboneSpec {
                match self {
                    $(Self::$name(settings) => settings,)*
                }
            }
        }
    };
}

registry! {
    /// Deep Sets: each atom sees itself and the mean of its molecule.
    "deep_set" => DeepSet(DeepSetSizes);
    /// A Diffusion Transformer on embedded atoms.
    "dit" => Dit(DitSizes);
    /// EDM's equivariant graph network.
    "egnn" => Egnn(EgnnSizes);
    /// Its variant without geometry: positions are features like any other.
    "gnn" => Gnn(GnnSizes);
}
