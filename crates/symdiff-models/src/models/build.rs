//! Builds the denoiser that a configuration describes.

use super::{FrameNet, Gamma, GammaSizes, GroupChoice, Inputs, ModelConfig, Observed, Observing, Place, Released};
use crate::{Asked, Result};
use candle_nn::VarBuilder;
use symdiff_core::{GroupKernel, Haar, Learned, MarkovKernel, MarkovKernelExt, On, PointFrames, PrincipalAxes};
use symdiff_diffusion::{Denoiser, Guidance, Guided};
use symdiff_groups::{Chart, CompactGroup, GramSchmidt, Matrices, MatrixGroup, Orthogonal, SpecialOrthogonal};
use symdiff_mol::state::Molecules;
use symdiff_nets::PairFeatures;
use symdiff_ops::Noise;

/// A denoiser of molecules, whatever it is made of, given what is asked of them.
pub type MoleculeDenoiser = Box<dyn Denoiser<Molecules, Asked> + Send + Sync>;

/// A group of matrices of space under which models can be symmetrised.
pub trait SpaceGroup: MatrixGroup + CompactGroup + Send + Sync + 'static {}

impl<G: MatrixGroup + CompactGroup + Send + Sync + 'static> SpaceGroup for G {}

/// A kernel from which all models can draw elements of their group: [`Haar`], or the replacement for it in a test of equivariance.
pub trait Measure: GroupKernel<Observed, Group: SpaceGroup> + Clone + Send + Sync + 'static {}

impl<M: GroupKernel<Observed, Group: SpaceGroup> + Clone + Send + Sync + 'static> Measure for M {}

impl ModelConfig {
    /// Builds the denoiser from the parameters under `vb`; for a model without conditions the number of an atom's features is all that it need be told.
    ///
    /// `noise` is for fresh parameters, see [`Dit::new`](symdiff_nets::Dit::new).
    ///
    /// # Errors
    /// When sizes do not fit, or a parameter is missing or has another shape.
    pub fn build(&self, inputs: impl Into<Inputs>, noise: Noise, vb: VarBuilder) -> Result<MoleculeDenoiser> {
        let inputs = inputs.into();
        match self.group {
            GroupChoice::O3 | GroupChoice::None => self.build_over(Haar(Orthogonal::new(3)), inputs, noise, vb),
            GroupChoice::So3 => self.build_over(Haar(SpecialOrthogonal::new(3)), inputs, noise, vb),
        }
    }

    /// The same with the group elements of its symmetrisation drawn from `measure`; models that are not symmetrised, or by frames of the
    /// molecule, do not use it.
    ///
    /// # Errors
    /// As [`build`](Self::build).
    pub fn build_over<M: Measure>(&self, measure: M, inputs: impl Into<Inputs>, noise: Noise, vb: VarBuilder) -> Result<MoleculeDenoiser>
    where
        GramSchmidt: Chart<M::Group>,
    {
        self.check()?;
        let [trunk, frame] = noise.split();
        let symmetrised = self.gamma != Gamma::None;
        let Inputs { features, conditions, fixed, guidance } = inputs.into();
        let place = Place { features, conditions, fixed, symmetrised, padding: self.padding_compat, noise: trunk };
        let backbone = self.backbone.spec().build(place, vb.clone())?;
        // Inside the symmetrisation: both predictions of guidance are made in one frame.
        let backbone = if guidance == Guidance::NONE { backbone } else { Guided::new(backbone, guidance).boxed() };
        let pairs = self.pairs();
        let kernel = match &self.gamma {
            Gamma::None => backbone,
            Gamma::Haar => backbone.symmetrised(measure).boxed(),
            // The axes' signs depend on the pose, and where moments of inertia are equal the axes do: a Haar draw makes them a γ.
            Gamma::Principal if self.group == GroupChoice::So3 => {
                backbone.symmetrised(Learned::of(PrincipalAxes(SpecialOrthogonal::new(3)))).boxed()
            }
            Gamma::Principal => backbone.symmetrised(Learned::of(PrincipalAxes(Orthogonal::new(3)))).boxed(),
            Gamma::Frames if self.group == GroupChoice::So3 => backbone.symmetrised(PointFrames(SpecialOrthogonal::new(3))).boxed(),
            Gamma::Frames => backbone.symmetrised(PointFrames(Orthogonal::new(3))).boxed(),
            Gamma::Learned(gamma) => {
                let width = pairs.as_ref().map_or(0, |pairs| pairs.width);
                let net = FrameNet::new(gamma, width, frame, vb.clone())?;
                backbone.symmetrised(learned(gamma, net, measure)).boxed()
            }
        };
        let pairs = pairs.map(|config| PairFeatures::new(config, vb)).transpose()?;
        let pairs = match self.padding_compat {
            Some(pad) => pairs.map(|pairs| pairs.padded_to(pad)),
            None => pairs,
        };
        Ok(Box::new(Observing { pairs, kernel }))
    }
}

/// A γ of molecules as they are observed.
type Frame = Box<dyn MarkovKernel<Observed, Out = Matrices> + Send + Sync>;

/// γ = `sym_Haar(f)` with its Haar draws from `measure`, or the published product of the same draws.
pub(crate) fn learned<M: Measure>(sizes: &GammaSizes, net: FrameNet, measure: M) -> On<M::Group, Frame>
where
    GramSchmidt: Chart<M::Group>,
{
    let group = measure.group().clone();
    let chart = if sizes.rows { GramSchmidt::rows() } else { GramSchmidt::columns() };
    let f = net.charted(group.clone(), chart);
    let gamma = if sizes.released { Released::new(measure, f).boxed() } else { f.symmetrised(measure).boxed() };
    On::new(group, gamma)
}
