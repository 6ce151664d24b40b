//! A diffusion model of images that is symmetric under quarter turns, its backbone a plain perceptron.
//!
//! ```text
//! cargo run --release -p symdiff-core --example c4_images -- --out pictures
//! ```
//!
//! The data are 8 × 8 pictures of the letter F, always upright. A plain model draws upright letters; symmetrised over C₄ with the same
//! backbone, trained with the Jensen bound on the same upright data, it draws all four orientations equally often.

mod support;

use candle_core::{DType, Device, Tensor};
use candle_nn::Module;
use support::{Perceptron, normal, parameters, save, seed_parameters, train};
use symdiff_core::testing::LawTest;
use symdiff_core::{Haar, Identity, Map, MarkovKernel, MarkovKernelExt, Noise, Result, jensen_bound};
use symdiff_figures::{Figure, Frame, Layer, Style, panels};
use symdiff_groups::{Action, Cyclic, Dense, Fixed, Image};

const SIDE: usize = 8;
const STEPS: usize = 40;
const TRAINING: usize = 2000;
const LETTER: [&str; SIDE] = ["........", ".#####..", ".#......", ".#......", ".####...", ".#......", ".#......", "........"];

/// A noised image and its time in [0, 1], `[B, 1]`, on which the group acts trivially.
type State = (Image, Fixed<Tensor>);

fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
    let c4 = Cyclic::new(4);
    let mut lines = Vec::new();
    for symmetric in [false, true] {
        let (map, vb) = parameters();
        let net = Perceptron::new(SIDE * SIDE + 2, 256, SIDE * SIDE, &vb)?;
        seed_parameters(&map, 1)?;
        let backbone = Map::new(|(image, Fixed(time)): &State| predict(&net, image, time));
        let denoiser: Box<dyn MarkovKernel<State, Out = Image>> =
            if symmetric { backbone.symmetrised(Haar(c4)).boxed() } else { backbone.symmetrised(Identity(c4)).boxed() };
        let losses = train(&map, TRAINING, 1e-3, |step| loss(&denoiser, Noise::seeded(2).steps().at(step)))?;
        let images = generate(&denoiser, 200, Noise::seeded(3))?;
        let found = LawTest::default().invariance(&c4, |noise| generate(&denoiser, 150, noise), Noise::seeded(6))?;
        let turns = orientations(&images)?;
        let name = if symmetric { "symmetrised over C4" } else { "plain" };
        println!("{name}: loss {:.4}, orientations {turns:?} of 200, law test p = {:.3}", losses[TRAINING - 1], found.p_value);
        lines.push((format!("{name}: {turns:?} by quarter turns"), vec![dark_pixels(&images)?]));
    }
    save("c4_images", &panels("Images without and with symmetry", &lines))?;
    Ok(())
}

/// Where the letter is black: 1, elsewhere −1.
fn letter(count: usize) -> Result<Image> {
    let pixels = LETTER.iter().flat_map(|row| row.bytes()).map(|pixel| if pixel == b'#' { 1.0_f32 } else { -1.0 });
    Ok(Image::new(Tensor::from_iter(pixels, &Device::Cpu)?.reshape((1, 1, SIDE, SIDE))?.repeat((count, 1, 1, 1))?)?)
}

/// α = cos(π·t/2), σ = sin(π·t/2), `[B, 1, 1, 1]` each.
fn coefficients(time: &Tensor) -> Result<(Tensor, Tensor)> {
    let angle = (time.reshape(((), 1, 1, 1))? * std::f64::consts::FRAC_PI_2)?;
    Ok((angle.cos()?, angle.sin()?))
}

/// The network's guess of the clean image.
fn predict(net: &Perceptron, image: &Image, time: &Tensor) -> Result<Image> {
    let features = Tensor::cat(&[&image.tensor().flatten_from(1)?, time, &time.sqr()?], 1)?;
    Ok(Image::new(net.forward(&features)?.reshape(image.tensor().shape())?)?)
}

fn loss(denoiser: &impl MarkovKernel<State, Out = Image>, noise: Noise) -> Result<Tensor> {
    let [times, eps, draws] = noise.split();
    let clean = letter(64)?;
    let time = times.uniform(&symdiff_core::Samples::numbered(64), &[1], DType::F32, &Device::Cpu)?;
    let (alpha, sigma) = coefficients(&time)?;
    let eps = normal(eps, 64, &[1, SIDE, SIDE])?;
    let noised = (clean.tensor().broadcast_mul(&alpha)? + eps.broadcast_mul(&sigma)?)?;
    let state = (Image::new(noised)?, Fixed(time));
    let error = |y: &Image| Ok((y.tensor() - clean.tensor())?.sqr()?.mean((1, 2, 3))?);
    Ok(jensen_bound(denoiser, &state, 1, draws, error)?.mean_all()?)
}

/// Ancestral sampling from t = 1 to 0.
fn generate(denoiser: &impl MarkovKernel<State, Out = Image>, count: usize, noise: Noise) -> Result<Image> {
    let [start, rest] = noise.split();
    let steps = rest.steps();
    let mut z = normal(start, count, &[1, SIDE, SIDE])?;
    for step in (1..=STEPS).rev() {
        let [draws, fresh] = steps.at(step as u64).split();
        let at = |step: usize| Ok::<_, symdiff_core::Error>(Tensor::full(step as f32 / STEPS as f32, (count, 1), &Device::Cpu)?);
        let clean = denoiser.sample(&(Image::new(z.clone())?, Fixed(at(step)?)), draws)?;
        let ((alpha, sigma), (alpha_s, sigma_s)) = (coefficients(&at(step)?)?, coefficients(&at(step - 1)?)?);
        // z_s given z_t and the clean image: half of the noise is kept, half is fresh.
        let eps = (z - clean.tensor().broadcast_mul(&alpha)?)?.broadcast_div(&sigma)?;
        let mixed = ((eps * 0.5_f64.sqrt())? + (normal(fresh, count, &[1, SIDE, SIDE])? * 0.5_f64.sqrt())?)?;
        z = (clean.tensor().broadcast_mul(&alpha_s)? + mixed.broadcast_mul(&sigma_s)?)?;
    }
    Ok(Image::new(z)?)
}

/// How many images resemble each quarter turn of the letter most.
fn orientations(images: &Image) -> Result<[usize; 4]> {
    let c4 = Cyclic::new(4);
    let count = images.tensor().dims()[0];
    let mut closeness = Vec::new();
    for turn in 0..4 {
        let turned = letter(count)?.act(&c4, &c4.element(vec![turn; count])?)?;
        closeness.push((turned.tensor() * images.tensor())?.sum((1, 2, 3))?.to_vec1::<f32>()?);
    }
    let mut counts = [0; 4];
    let best = |b: usize| (0..4).max_by(|&i, &j| closeness[i][b].total_cmp(&closeness[j][b])).unwrap_or_default();
    for turn in (0..count).map(best) {
        counts[turn] += 1;
    }
    Ok(counts)
}

/// Forty images in rows of ten, a dot for each pixel that is nearer to black than to white.
fn dark_pixels(images: &Image) -> Result<Figure> {
    let mut points = Vec::new();
    for (index, image) in images.tensor().flatten_from(1)?.to_vec2::<f32>()?.iter().take(40).enumerate() {
        let (left, top) = ((index % 10 * (SIDE + 2)) as f64, (index / 10 * (SIDE + 2)) as f64);
        let dark = image.iter().enumerate().filter(|(_, value)| **value > 0.0);
        points.extend(dark.map(|(at, _)| (left + (at % SIDE) as f64, -top - (at / SIDE) as f64)));
    }
    let layers = vec![Layer { label: None, style: Style::Points(0), points }];
    Ok(Figure { name: "images".to_owned(), title: "Dark pixels".to_owned(), frame: Frame::Plane, layers })
}
