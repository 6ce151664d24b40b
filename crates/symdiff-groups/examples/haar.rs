//! What a Haar draw is, and what it is not: where random rotations take the north pole of the sphere.
//!
//! ```text
//! cargo run --release -p symdiff-groups --example haar -- --out pictures
//! ```
//!
//! `haar.svg` shows the northern half of the sphere in a projection that keeps areas. Under Haar draws every region of the same area gets as many points; rotations
//! by uniform angles about z, then x, then z crowd around the pole.

use candle_core::{DType, Device, Tensor};
use std::path::PathBuf;
use symdiff_figures::{Figure, Frame, Layer, Style, panels};
use symdiff_groups::{Action, CompactGroup, Dense, Group, LieGroup, Matrices, SpecialOrthogonal, Vectors};
use symdiff_ops::{Noise, Samples};

type Fallible<T = ()> = Result<T, Box<dyn std::error::Error>>;

const COUNT: usize = 1500;

/// Rotations by uniform angles about z, then x, then z.
fn by_angles(so3: SpecialOrthogonal, noise: Noise) -> Fallible<Matrices> {
    let angles = noise.uniform(&Samples::numbered(COUNT), &[3], DType::F64, &Device::Cpu)?;
    let about = |axis: [f64; 3], at: usize| -> Fallible<Matrices> {
        let turn = (angles.narrow(1, at, 1)? * std::f64::consts::TAU)?;
        Ok(so3.exp(&turn.broadcast_mul(&Tensor::new(&[axis], &Device::Cpu)?)?)?)
    };
    let [z, x, z_again] = [about([0.0, 0.0, 1.0], 0)?, about([1.0, 0.0, 0.0], 1)?, about([0.0, 0.0, 1.0], 2)?];
    Ok(so3.compose(&z_again, &so3.compose(&x, &z)?)?)
}

/// The places of the pole on the northern half, by Lambert's projection: (x, y)·√(2/(1 + z)).
fn picture(so3: SpecialOrthogonal, pole: &Vectors, rotations: &Matrices, colour: usize) -> Fallible<Figure> {
    let moved = pole.act(&so3, rotations)?.tensor().to_vec2::<f64>()?;
    let north = moved.iter().filter(|p| p[2] > 0.0);
    let points = north.map(|p| ((2.0 / (1.0 + p[2])).sqrt(), p)).map(|(scale, p)| (p[0] * scale, p[1] * scale)).collect();
    let layers = vec![Layer { label: None, style: Style::Points(colour), points }];
    Ok(Figure { name: "pole".into(), title: "The north pole after random rotations".into(), frame: Frame::Plane, layers })
}

fn main() -> Fallible {
    let out = std::env::args().skip_while(|word| word != "--out").nth(1).map_or_else(|| PathBuf::from("pictures"), PathBuf::from);
    let so3 = SpecialOrthogonal::new(3);
    let pole = Vectors::new(Tensor::new(&[[0.0, 0.0, 1.0]], &Device::Cpu)?.repeat((COUNT, 1))?)?;
    let [haar, angles] = Noise::seeded(0).split();
    let lines = [
        ("Haar draws".to_owned(), vec![picture(so3, &pole, &so3.haar(&pole, haar)?, 0)?]),
        ("three uniform angles".to_owned(), vec![picture(so3, &pole, &by_angles(so3, angles)?, 1)?]),
    ];
    std::fs::create_dir_all(&out)?;
    Ok(std::fs::write(out.join("haar.svg"), panels("Random rotations", &lines))?)
}
