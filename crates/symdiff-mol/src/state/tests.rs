//! States: what they hold, and the space they live in.

use super::*;
use crate::data::embedded;
use symdiff_groups::{CompactGroup, Group, Orthogonal};

fn batch(places: &[usize]) -> crate::Result<Molecules> {
    Encoding::qm9().encode(embedded(), places, Samples::numbered(places.len()), DType::F64, &Device::Cpu)
}

fn distance(a: &Tensor, b: &Tensor) -> Result<f64> {
    Ok((a - b)?.abs()?.max_all()?.to_scalar::<f64>()?)
}

#[test]
fn encoding_is_scaled_centred_and_read_back() -> crate::Result<()> {
    let molecules = batch(&[5, 700])?;
    let rows = molecules.features().to_vec2::<f64>().map_err(Error::from)?;
    let numbers = [embedded().atomic_numbers(5), embedded().atomic_numbers(700)].concat();
    for (row, &number) in rows.iter().zip(&numbers) {
        assert!((row[5] - f64::from(number) / 10.0).abs() < 1e-15);
        assert_eq!(row[..5].iter().filter(|&&value| value == 0.25).count(), 1);
    }
    assert!(distance(molecules.positions(), molecules.centred()?.positions())? < 1e-14);

    let columns: Vec<u32> = rows.iter().map(|row| row[..5].iter().position(|&value| value > 0.0).unwrap_or(0) as u32).collect();
    let positions: Vec<[f64; 3]> =
        molecules.positions().to_vec2::<f64>().map_err(Error::from)?.iter().map(|p| [p[0], p[1], p[2]]).collect();
    let decoded = Encoding::qm9().decode(&positions, &columns, molecules.layout())?;
    assert_eq!(decoded[1].atomic_numbers(), embedded().atomic_numbers(700));
    Ok(())
}

#[test]
fn gaussian_draws_lie_in_the_centred_space_and_have_its_dimension() -> crate::Result<()> {
    let like = batch(&[100; 400])?;
    let drawn = like.gaussian(Noise::seeded(1))?;
    assert!(distance(drawn.positions(), drawn.centred()?.positions())? < 1e-12);
    // |ε|² is χ² with d degrees of freedom: mean d, variance 2d. Five standard errors of the mean of 400.
    let d = like.dimensions()[0] as f64;
    let mean = drawn.squared_norms()?.mean_all().and_then(|m| m.to_scalar::<f64>()).map_err(Error::from)?;
    assert!((mean - d).abs() < 5.0 * (2.0 * d / 400.0).sqrt(), "{mean} against {d}");
    Ok(())
}

#[test]
fn rotations_keep_distances_and_features() -> std::result::Result<(), Box<dyn std::error::Error>> {
    let group = Orthogonal::new(3);
    let molecules = batch(&[9, 4000])?;
    let g = group.haar(&molecules, Noise::seeded(2))?;
    let turned = molecules.act(&group, &g)?;
    let back = turned.act(&group, &group.inverse(&g)?)?;
    assert!(distance(molecules.positions(), turned.positions())? > 0.1);
    assert!(distance(molecules.positions(), back.positions())? < 1e-12);
    assert!(distance(&molecules.squared_norms()?, &turned.squared_norms()?)? < 1e-10);
    assert!(distance(molecules.features(), turned.features())? == 0.0);
    Ok(())
}

#[test]
fn atoms_change_places_with_all_they_have() -> std::result::Result<(), Box<dyn std::error::Error>> {
    let molecules = batch(&[9, 4000])?;
    let group = AtomPermutations::of(molecules.layout());
    let [g, h] = [2, 3].map(|seed| group.haar(&molecules, Noise::seeded(seed)));
    let (g, h) = (g?, h?);
    let moved = molecules.act(&group, &g)?;
    let rows =
        |molecules: &Molecules| -> std::result::Result<Vec<Vec<f64>>, Box<dyn std::error::Error>> { Ok(molecules.joined()?.to_vec2()?) };
    let (before, after) = (rows(&molecules)?, rows(&moved)?);
    for (sample, images) in g.each().enumerate() {
        let first = molecules.layout().offsets()[sample];
        assert!(images.iter().enumerate().all(|(atom, &place)| after[first + place as usize] == before[first + atom]));
    }
    assert_ne!(before, after);
    assert_eq!(rows(&moved.act(&group, &h)?)?, rows(&molecules.act(&group, &group.compose(&h, &g)?)?)?);
    assert_eq!(rows(&moved.act(&group, &group.inverse(&g)?)?)?, before);
    Ok(())
}

#[test]
fn parts_that_do_not_fit_are_refused() -> Result<()> {
    let layout = Ragged::from_sizes(&[2, 3])?;
    let zeros = |shape: (usize, usize)| Tensor::zeros(shape, DType::F32, &Device::Cpu);
    let refusal = Molecules::new(zeros((5, 2))?, zeros((5, 6))?, layout.clone()).map(|_| ()).map_err(|e| e.to_string());
    assert_eq!(refusal, Err("molecules: positions has shape [5, 2], expected [5, 3], one point an atom".into()));
    assert!(Molecules::new(zeros((5, 3))?, zeros((4, 6))?, layout).is_err());
    Ok(())
}
