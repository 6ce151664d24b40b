//! E(3) × S₅ on molecules: a diffusion model of the fluoromethanes, its backbone a plain perceptron.
//!
//! ```text
//! cargo run --release -p symdiff-core --example molecules -- --out pictures
//! ```
//!
//! The data are CH₄, CH₃F, CH₂F₂, CHF₃ and CF₄ (idealised: tetrahedra with bonds of 1.09 and 1.36 Å), each in one pose and with its atoms in one
//! order. Given the elements, the model places the atoms. The perceptron reads a list of coordinates: asked for another order of atoms it fails, and
//! it knows one pose. Symmetrised, it answers in every order and draws every pose: S₅ by sorting the elements, with ties broken by a Haar draw,
//! O(3) by a learned γ, translations by centring.

mod support;

use candle_core::{DType, Device, Tensor};
use candle_nn::Module;
use support::{Perceptron, normal, parameters, save, seed_parameters, train};
use symdiff_core::testing::LawTest;
use symdiff_core::{Batched, Map, MarkovKernel, MarkovKernelExt, Noise, Result, Samples, jensen_bound};
use symdiff_figures::{Figure, Frame, Layer, Style, panels};
use symdiff_groups::{
    Action, Argsort, Centred, Cloud, CompactGroup, Dense, Fixed, GramSchmidt, Orthogonal, Product, Set, Shifts, Symmetric, Translations,
    act_in_turn, act_on_fields,
};

const STEPS: usize = 40;
/// Of a bond from carbon to each element, in Å: C (none), H, F.
const LENGTHS: [f64; 3] = [0.0, 1.09, 1.36];

/// Molecules of five atoms.
#[derive(Clone)]
struct Molecules {
    /// Å, `[B, 5, 3]`.
    positions: Cloud,
    /// One-hot over C, H, F, `[B, 5, 3]`.
    elements: Set,
    /// In [0, 1], `[B, 1]`.
    time: Fixed<Tensor>,
}

act_on_fields!(Molecules for Orthogonal, Translations: moving { positions } fixed { elements, time });
act_on_fields!(Molecules for Symmetric: moving { positions, elements } fixed { time });
act_in_turn!(Molecules);

impl Batched for Molecules {
    fn samples(&self) -> Samples {
        self.positions.samples()
    }

    fn device(&self) -> Device {
        self.positions.device()
    }

    fn dtype(&self) -> DType {
        self.positions.dtype()
    }
}

impl Centred for Molecules {
    fn centre(&self) -> symdiff_groups::Result<Shifts> {
        self.positions.centre()
    }
}

fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
    let (o3, s5) = (Orthogonal::new(3), Symmetric::new(5));
    let mut lines = Vec::new();
    for symmetric in [false, true] {
        let (map, vb) = parameters();
        let (net, frame) = (Perceptron::new(32, 256, 15, &vb.pp("k"))?, Perceptron::new(32, 128, 9, &vb.pp("f"))?);
        seed_parameters(&map, 1)?;
        let k = Map::new(|x: &Molecules| Ok(Cloud::new(net.forward(&numbers(x)?)?.reshape(x.positions.tensor().shape())?)?));
        let model: Box<dyn MarkovKernel<Molecules, Out = Cloud>> = if symmetric {
            let pose = Map::new(|x: &Molecules| Ok(frame.forward(&numbers(x)?)?)).charted(o3, GramSchmidt::columns());
            let order = Map::new(element_numbers).charted(s5.clone(), Argsort);
            k.symmetrised(pose.haar_symmetrised()).symmetrised(order.haar_symmetrised()).centred(3).boxed()
        } else {
            k.centred(3).boxed()
        };
        let losses = train(&map, 3500, 1e-3, |step| loss(&model, Noise::seeded(2).steps().at(step)))?;
        let sampler = Sampler(model);

        // The same molecules, their atoms listed in any order.
        let asked = molecules((0..100).map(|b| b % 5))?;
        let asked = asked.act(&s5, &s5.haar(&asked, Noise::seeded(3))?)?;
        let (answered, stored) = (sampler.sample(&asked, Noise::seeded(4))?, molecules((0..100).map(|b| b % 5))?);
        let in_order = well_formed(&stored, &sampler.sample(&stored, Noise::seeded(5))?)?;
        let shuffled = well_formed(&asked, &answered)?;
        let found = LawTest::default().equivariance(&Product(o3, s5.clone()), &sampler, &molecules([2; 100])?, Noise::seeded(6))?;
        let name = if symmetric { "symmetrised over E(3) x S5" } else { "plain" };
        let last = losses.iter().rev().take(100).sum::<f64>() / 100.0;
        println!(
            "{name}: loss {last:.4}, well formed {in_order} of 100 in stored order, {shuffled} in any, law test p = {:.3}",
            found.p_value
        );
        lines.push((format!("{name}: {shuffled} of 100 well formed"), vec![picture(&asked, &answered)?]));
    }
    save("molecules", &panels("Fluoromethanes, five of each, seen along z", &lines))?;
    Ok(())
}

/// Molecules with the given numbers of fluorine atoms: carbon first, then hydrogen, then fluorine, centred.
fn molecules(fluorines: impl IntoIterator<Item = u32>) -> Result<Molecules> {
    const CORNERS: [[f64; 3]; 4] = [[1.0, 1.0, 1.0], [-1.0, -1.0, 1.0], [-1.0, 1.0, -1.0], [1.0, -1.0, -1.0]];
    let (mut positions, mut elements) = (Vec::new(), Vec::new());
    for fluorines in fluorines {
        positions.extend([0.0; 3]);
        elements.push(0_u32);
        for (corner, direction) in CORNERS.iter().enumerate() {
            let element = 1 + usize::from(corner as u32 + fluorines >= 4);
            positions.extend(direction.map(|x| (x / 3.0_f64.sqrt() * LENGTHS[element]) as f32));
            elements.push(element as u32);
        }
    }
    let count = elements.len() / 5;
    let positions = Tensor::from_vec(positions, (count, 5, 3), &Device::Cpu)?;
    let one_hot = Tensor::eye(3, DType::F32, &Device::Cpu)?.index_select(&Tensor::new(elements, &Device::Cpu)?, 0)?;
    Ok(Molecules {
        positions: Cloud::new(positions.broadcast_sub(&positions.mean_keepdim(1)?)?)?,
        elements: Set::new(one_hot.reshape((count, 5, 3))?)?,
        time: Fixed(Tensor::zeros((count, 1), DType::F32, &Device::Cpu)?),
    })
}

/// What the perceptrons read, `[B, 32]`.
fn numbers(x: &Molecules) -> Result<Tensor> {
    let Fixed(time) = &x.time;
    Ok(Tensor::cat(&[&x.positions.tensor().flatten_from(1)?, &x.elements.tensor().flatten_from(1)?, time, &time.sqr()?], 1)?)
}

/// 0 for carbon, 1 for hydrogen, 2 for fluorine, `[B, 5]`.
fn element_numbers(x: &Molecules) -> Result<Tensor> {
    Ok(x.elements.tensor().broadcast_mul(&Tensor::new(&[0.0_f32, 1.0, 2.0], &Device::Cpu)?)?.sum(2)?)
}

/// α = cos(π·t/2), σ = sin(π·t/2), `[B, 1, 1]` each.
fn coefficients(time: &Tensor) -> Result<(Tensor, Tensor)> {
    let angle = (time.unsqueeze(2)? * std::f64::consts::FRAC_PI_2)?;
    Ok((angle.cos()?, angle.sin()?))
}

/// Normal positions with zero mean, `[B, 5, 3]`.
fn centred_normal(noise: Noise, count: usize) -> Result<Tensor> {
    let x = normal(noise, count, &[5, 3])?;
    Ok(x.broadcast_sub(&x.mean_keepdim(1)?)?)
}

fn loss(denoiser: &impl MarkovKernel<Molecules, Out = Cloud>, noise: Noise) -> Result<Tensor> {
    let [kinds, times, eps, draws] = noise.split();
    let batch = Samples::numbered(128);
    let clean = molecules(kinds.integers(&batch, 0..5)?)?;
    let time = times.uniform(&batch, &[1], DType::F32, &Device::Cpu)?;
    let (alpha, sigma) = coefficients(&time)?;
    let noised = (clean.positions.tensor().broadcast_mul(&alpha)? + centred_normal(eps, batch.len())?.broadcast_mul(&sigma)?)?;
    let x = Molecules { positions: Cloud::new(noised)?, time: Fixed(time), ..clean.clone() };
    let error = |y: &Cloud| Ok((y.tensor() - clean.positions.tensor())?.sqr()?.mean((1, 2))?);
    Ok(jensen_bound(denoiser, &x, 1, draws, error)?.mean_all()?)
}

/// The whole sampler as one kernel: elements in, positions out.
struct Sampler<D>(D);

impl<D: MarkovKernel<Molecules, Out = Cloud>> MarkovKernel<Molecules> for Sampler<D> {
    type Out = Cloud;

    fn sample(&self, x: &Molecules, noise: Noise) -> Result<Cloud> {
        let [start, rest] = noise.split();
        let (count, steps) = (x.samples().len(), rest.steps());
        let mut z = centred_normal(start, count)?;
        for step in (1..=STEPS).rev() {
            let [draws, fresh] = steps.at(step as u64).split();
            let at = |step: usize| Ok::<_, symdiff_core::Error>(Tensor::full(step as f32 / STEPS as f32, (count, 1), &Device::Cpu)?);
            let state = Molecules { positions: Cloud::new(z.clone())?, time: Fixed(at(step)?), ..x.clone() };
            let clean = self.0.sample(&state, draws)?;
            let ((alpha, sigma), (alpha_s, sigma_s)) = (coefficients(&at(step)?)?, coefficients(&at(step - 1)?)?);
            // z_s given z_t and the clean positions: half of the noise is kept, half is fresh.
            let eps = (z - clean.tensor().broadcast_mul(&alpha)?)?.broadcast_div(&sigma)?;
            let mixed = ((eps * 0.5_f64.sqrt())? + (centred_normal(fresh, count)? * 0.5_f64.sqrt())?)?;
            z = (clean.tensor().broadcast_mul(&alpha_s)? + mixed.broadcast_mul(&sigma_s)?)?;
        }
        Ok(Cloud::new(z)?)
    }
}

/// Number of the element, and position.
type Atom = (usize, [f64; 3]);

/// The atoms of each molecule.
fn atoms(asked: &Molecules, placed: &Cloud) -> Result<Vec<Vec<Atom>>> {
    let elements = element_numbers(asked)?.to_vec2::<f32>()?;
    let positions = placed.tensor().to_vec3::<f32>()?;
    let one = |(elements, positions): (Vec<f32>, Vec<Vec<f32>>)| {
        elements.into_iter().zip(positions).map(|(element, p)| (element as usize, [p[0], p[1], p[2]].map(f64::from))).collect()
    };
    Ok(elements.into_iter().zip(positions).map(one).collect())
}

/// How many molecules have all bonds within 0.1 Å and all angles at carbon within 15° of what they should be.
fn well_formed(asked: &Molecules, placed: &Cloud) -> Result<usize> {
    let tetrahedral = (-1.0_f64 / 3.0).acos();
    let good = |atoms: &Vec<Atom>| {
        let centre = atoms.iter().find(|atom| atom.0 == 0).map_or([0.0; 3], |atom| atom.1);
        let bonds: Vec<Atom> =
            atoms.iter().filter(|atom| atom.0 > 0).map(|&(element, p)| (element, [0, 1, 2].map(|i| p[i] - centre[i]))).collect();
        let dot = |a: &[f64; 3], b: &[f64; 3]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
        let length = |a: &[f64; 3]| dot(a, a).sqrt();
        let angle = |a: &[f64; 3], b: &[f64; 3]| (dot(a, b) / (length(a) * length(b))).clamp(-1.0, 1.0).acos();
        let lengths = bonds.iter().all(|(element, bond)| (length(bond) - LENGTHS[*element]).abs() < 0.1);
        let angles = (0..4).all(|i| (0..i).all(|j| (angle(&bonds[i].1, &bonds[j].1) - tetrahedral).abs() < 15_f64.to_radians()));
        lengths && angles
    };
    Ok(atoms(asked, placed)?.iter().filter(|atoms| good(atoms)).count())
}

/// Five samples of each molecule, a row of molecules with the same number of fluorine atoms, seen along z.
fn picture(asked: &Molecules, placed: &Cloud) -> Result<Figure> {
    let mut layers = Vec::new();
    let mut by_element = [const { Vec::new() }; 3];
    for (index, atoms) in atoms(asked, placed)?.into_iter().take(25).enumerate() {
        let at = |p: &[f64; 3]| (4.0 * (index / 5) as f64 + p[0], p[1] - 4.0 * (index % 5) as f64);
        let centre = atoms.iter().find(|atom| atom.0 == 0).map_or([0.0; 3], |atom| atom.1);
        let bonds = atoms.iter().flat_map(|(_, position)| [at(&centre), at(position)]).collect();
        layers.push(Layer { label: None, style: Style::Line(7), points: bonds });
        for (element, position) in &atoms {
            by_element[*element].push(at(position));
        }
    }
    for ((label, colour), points) in [("C", 6), ("H", 5), ("F", 2)].into_iter().zip(by_element) {
        layers.push(Layer { label: Some(label.to_owned()), style: Style::Points(colour), points });
    }
    Ok(Figure { name: "molecules".to_owned(), title: "Samples".to_owned(), frame: Frame::Plane, layers })
}
