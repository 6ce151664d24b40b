//! Results do not depend on the order of atoms, on the other samples of a batch, or (in law) on the frame of the molecule.

mod common;

use candle_core::{DType, Device, Tensor};
use common::{TestResult, batch, experiment, shaken, shaken_frozen};
use symdiff_core::testing::LawTest;
use symdiff_core::{Draw, Error, Haar, Map, MarkovKernel, MarkovKernelExt};
use symdiff_diffusion::{At, Eps, Framing, Method, Times};
use symdiff_groups::{Action, Cloud, CompactGroup, Dense, GramSchmidt, Group, Matrices, Orthogonal};
use symdiff_models::models::Released;
use symdiff_models::{Asked, Model};
use symdiff_mol::state::Molecules;
use symdiff_ops::{Noise, Ragged, Recording, Samples};

fn predict(model: &Model, state: &Molecules, noise: Noise) -> Result<Molecules, Box<dyn std::error::Error>> {
    let Eps(prediction) = model.denoiser.sample(&At { state: state.clone(), time: Times::Shared(0.3), given: Asked::default() }, noise)?;
    Ok(prediction)
}

/// Largest difference over the largest value.
fn relative(a: &Tensor, b: &Tensor) -> Result<f32, Box<dyn std::error::Error>> {
    let largest = |x: &Tensor| x.abs()?.max_all()?.to_scalar::<f32>();
    Ok(largest(&(a - b)?)? / largest(b)?)
}

/// Rounding of f32 through a few layers: 2⁻²⁴ times a few hundred summed terms.
const ROUNDING: f32 = 2e-5;

#[test]
fn other_molecules_in_the_batch_change_nothing() -> TestResult {
    let model = shaken(&experiment("preset = 'symdiff-tiny'")?)?;
    let together = predict(&model, &batch(&[10, 6000, 77])?, Noise::seeded(4))?.joined()?;
    let alone = predict(&model, &batch(&[6000])?, Noise::seeded(4))?.joined()?;
    let layout = batch(&[10, 6000, 77])?.layout().clone();
    let rows = layout.rows(1);
    assert!(relative(&together.narrow(0, rows.start, rows.len())?, &alone)? < ROUNDING);
    Ok(())
}

/// With the noise of γ tied to the atoms, permuting atoms permutes the prediction.
#[test]
fn permuting_atoms_permutes_the_prediction() -> TestResult {
    let model = shaken(&experiment("preset = 'symdiff-tiny'")?)?;
    let state = batch(&[6000])?;
    let n = state.layout().nodes() as u32;
    let order = Tensor::from_vec((0..n).map(|i| (i * 7 + 3) % n).collect::<Vec<_>>(), n as usize, &Device::Cpu)?;
    assert!(!n.is_multiple_of(7), "the map above must be a permutation");
    let (noise, tape) = Noise::taped(4);
    let plain = predict(&model, &state, noise)?.joined()?;
    let [haar, eta] = <[Tensor; 2]>::try_from(tape.draws()).map_err(|draws| format!("{} draws", draws.len()))?;
    let permuted = Molecules::from_joined(&state.joined()?.index_select(&order, 0)?, state.layout().clone())?;
    let recording = Recording::new([haar, eta.index_select(&order, 0)?]);
    let other = predict(&model, &permuted, Noise::recorded(recording))?.joined()?;
    assert!(relative(&other, &plain.index_select(&order, 0)?)? < ROUNDING);
    Ok(())
}

/// How far the prediction for h·x, where one of the draws is multiplied by h, is from h times that for x.
fn carried(model: &Model, state: &Molecules, h: &Matrices, place: usize) -> Result<f32, Box<dyn std::error::Error>> {
    let o3 = Orthogonal::new(3);
    let (noise, tape) = Noise::taped(4);
    let expected = predict(model, state, noise)?.act(&o3, h)?;
    let draws = tape.draws().into_iter().enumerate();
    let draws = draws.map(|(i, draw)| if i == place { h.as_tensor().to_dtype(draw.dtype())?.matmul(&draw) } else { Ok(draw) });
    let recording = Recording::new(draws.collect::<candle_core::Result<Vec<_>>>()?);
    relative(&predict(model, &state.act(&o3, h)?, Noise::recorded(recording))?.joined()?, &expected.joined()?)
}

/// Draw by draw: with the Haar draw carried along, a rotated molecule has the rotated prediction. The backbone alone has not.
#[test]
fn the_symmetrised_denoiser_is_equivariant_draw_by_draw_and_the_plain_one_is_not() -> TestResult {
    let o3 = Orthogonal::new(3);
    let (state, generic) = (batch(&[10, 6000, 77])?, batch(&[6000, 77])?);
    let tiny = "preset = 'symdiff-tiny'\n";
    let gnn =
        "backbone = { kind = 'gnn', width = 16, layers = 2 }\ngamma = { kind = 'learned', hidden = 16, depth = 1, heads = 2, decoder = 8 }";
    let models = [
        (tiny.to_owned(), &state, true),
        (format!("{tiny}gamma = {{ kind = 'haar' }}"), &state, true),
        // The first molecule is a symmetric top: which of its axes are found is up to rounding.
        (format!("{tiny}gamma = {{ kind = 'principal' }}"), &generic, true),
        (format!("{tiny}gamma = {{ kind = 'none' }}"), &state, false),
        // γ brings the pair features that the backbone does not have.
        (gnn.to_owned(), &state, true),
    ];
    for (gamma, state, equivariant) in models {
        // The first draw is the normals behind g₀. Gram–Schmidt on columns commutes with multiplication from the left.
        let error = carried(&shaken(&experiment(&gamma)?)?, state, &o3.haar(state, Noise::seeded(8))?, 0)?;
        assert_eq!(error < 10.0 * ROUNDING, equivariant, "{gamma}: relative difference {error}");
    }
    let h = o3.haar(&state, Noise::seeded(8))?;
    let back = state.act(&o3, &h)?.act(&o3, &o3.inverse(&h)?)?;
    assert!(relative(back.positions(), state.positions())? < ROUNDING);
    Ok(())
}

#[test]
fn layouts_of_one_atom_are_served() -> TestResult {
    let model = shaken(&experiment("preset = 'symdiff-tiny'")?)?;
    let single = Molecules::blank(Ragged::from_sizes(&[1, 2])?, 6, DType::F32, &Device::Cpu)?;
    let prediction = predict(&model, &single, Noise::seeded(1))?.joined()?.flatten_all()?.to_vec1::<f32>()?;
    assert!(prediction.iter().all(|value| value.is_finite()));
    Ok(())
}

/// Under SO(3) a rotation carries along and a reflection does not; under O(3) both do.
#[test]
fn the_group_is_a_choice() -> TestResult {
    let o3 = Orthogonal::new(3);
    let state = batch(&[6000])?;
    let mirror = Tensor::new(&[[[-1_f32, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]], &Device::Cpu)?;
    let turn = Tensor::new(&[[[0_f32, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]], &Device::Cpu)?;
    for (group, moved, equivariant) in [("so3", &turn, true), ("so3", &mirror, false), ("o3", &mirror, true)] {
        let model = shaken(&experiment(&format!("preset = 'symdiff-tiny'\ngroup = '{group}'"))?)?;
        let error = carried(&model, &state, &o3.element(moved)?, 0)?;
        assert_eq!(error < 10.0 * ROUNDING, equivariant, "{group}: relative difference {error}");
    }
    Ok(())
}

/// Frames of two atoms carry along draw by draw: the choice of atoms is the same, and the last axis follows its normal draw. Atoms on a line get a
/// draw of Haar, which carries along as a whole.
#[test]
fn frames_of_atoms_carry_along() -> TestResult {
    let (o3, state, pair) = (Orthogonal::new(3), batch(&[10, 6000, 77])?, pair()?);
    let model = shaken(&experiment("preset = 'symdiff-tiny'\ngamma = { kind = 'frames' }")?)?;
    for state in [&state, &pair] {
        let error = carried(&model, state, &o3.haar(state, Noise::seeded(8))?, 1)?;
        assert!(error < 10.0 * ROUNDING, "relative difference {error}");
    }
    Ok(())
}

/// A hundred copies of a molecule.
fn copies(one: &Molecules) -> Result<Molecules, Box<dyn std::error::Error>> {
    let layout = Ragged::from_sizes(&vec![one.layout().nodes(); 100])?;
    Ok(Molecules::from_joined(&one.joined()?.repeat((100, 1))?, layout)?)
}

/// Two atoms, of which two moments of inertia are equal and one is zero.
fn pair() -> Result<Molecules, Box<dyn std::error::Error>> {
    let line = Tensor::new(&[[-1.0_f32, -0.5, 0.25], [1.0, 0.5, -0.25]], &Device::Cpu)?;
    Ok(Molecules::blank(Ragged::from_sizes(&[2])?, 6, DType::F32, &Device::Cpu)?.at(line)?)
}

/// Also of two atoms, where axes are found that depend on the pose. The backbone by itself is not equivariant.
#[test]
fn canonicalised_models_are_equivariant_in_law() -> TestResult {
    let (o3, whole, pair) = (Orthogonal::new(3), copies(&batch(&[6000])?)?, copies(&pair()?)?);
    let cases = [
        ("principal", &whole, true),
        ("principal", &pair, true),
        ("frames", &whole, true),
        ("frames", &pair, true),
        ("none", &whole, false),
    ];
    for (gamma, state, equivariant) in cases {
        let model = shaken(&experiment(&format!("preset = 'symdiff-tiny'\ngamma = {{ kind = '{gamma}' }}"))?)?;
        let kernel = Draw::new(|x: &Molecules, noise| {
            let Eps(prediction) =
                model.denoiser.sample(&At { state: x.clone(), time: Times::Shared(0.3), given: Asked::default() }, noise)?;
            Ok(prediction)
        });
        let found = LawTest::default().equivariance(&o3, &kernel, state, Noise::seeded(9))?;
        assert_eq!(found.p_value > 0.01, equivariant, "{gamma}: {found:?}");
    }
    Ok(())
}

/// Frames that are kept are one draw for all states of a trajectory: from a state to where some steps lead.
#[test]
fn canonicalised_models_are_equivariant_in_law_with_kept_frames() -> TestResult {
    let (o3, whole, pair) = (Orthogonal::new(3), copies(&batch(&[6000])?)?, copies(&pair()?)?);
    let cases = [
        ("principal", &whole, true),
        ("principal", &pair, true),
        ("frames", &whole, true),
        ("frames", &pair, true),
        ("none", &whole, false),
    ];
    for (gamma, state, equivariant) in cases {
        let model = shaken_frozen(&experiment(&format!("preset = 'symdiff-tiny'\ngamma = {{ kind = '{gamma}' }}"))?)?;
        let asked = Asked::default();
        let reverse = model.reverse(&asked);
        let kernel = Draw::new(|x: &Molecules, noise: Noise| {
            let [frames, walk] = noise.split();
            let field = reverse.field().framed(Framing::Kept, frames);
            Method::Ddim.sampler().walk(&field, &[0.9, 0.7, 0.5, 0.3], x.clone(), walk, &mut |_, _| ()).map_err(Error::kernel)
        });
        let found = LawTest::default().equivariance(&o3, &kernel, state, Noise::seeded(9))?;
        assert_eq!(found.p_value > 0.01, equivariant, "{gamma} of {} atoms: {found:?}", state.layout().rows(0).len());
    }
    Ok(())
}

/// A learned γ brings the pair features that an EGNN does not have; around a network that is equivariant already, it changes nothing.
#[test]
fn an_egnn_may_have_a_learned_gamma() -> TestResult {
    let egnn = "backbone = { kind = 'egnn', width = 16, layers = 2, divisor = 20 }\n";
    let gamma = "gamma = { kind = 'learned', hidden = 16, depth = 1, heads = 2, decoder = 8, pairs = { gaussians = 8, width = 4 } }";
    let fresh = |text: &str| Model::fresh(&experiment(text)?, 0, Noise::seeded(0), &Device::Cpu);
    let (plain, symmetrised) = (fresh(egnn)?, fresh(&format!("{egnn}{gamma}"))?);
    assert!(symmetrised.parameters.count() > plain.parameters.count());
    let state = batch(&[10, 6000, 77])?;
    let [plain, symmetrised] = [plain, symmetrised].map(|model| predict(&model, &state, Noise::seeded(4)));
    assert!(relative(&symmetrised?.joined()?, &plain?.joined()?)? < ROUNDING);
    Ok(())
}

/// With frames from the rows of three points the published product fails the law test that g₀·r, from the same draws, passes.
#[test]
fn the_published_order_is_not_equivariant_in_law() -> TestResult {
    let (o3, test) = (Orthogonal::new(3), LawTest::default());
    let points = Noise::seeded(1).normal(&Samples::numbered(1), &[3, 3], DType::F64, &Device::Cpu)?;
    let x = Cloud::new(points.repeat((200, 1, 1))?)?;
    let frame = || Map::new(|x: &Cloud| Ok(x.tensor().clone())).charted(o3, GramSchmidt::rows());
    let kernel = || Map::new(|x: &Cloud| Ok(Cloud::new((x.tensor() * 2.0)?.tanh()?)?));
    let released = kernel().symmetrised(Released::new(Haar(o3), frame()));
    assert!(test.equivariance(&o3, &released, &x, Noise::seeded(2))?.p_value < 0.01);
    let equivariant = kernel().symmetrised(frame().haar_symmetrised());
    assert!(test.equivariance(&o3, &equivariant, &x, Noise::seeded(2))?.p_value > 0.01);
    Ok(())
}
