//! The public tests: known distances, exact level, and the kernels they must tell apart.

use crate::common::{cloud_map, copies, first_three, normal, reversed_product};
use symdiff_core::testing::{LawTest, energy_distance, equivariance_error, two_sample};
use symdiff_core::{Haar, Identity, MarkovKernelExt, Result};
use symdiff_groups::{Cloud, CompactGroup, Dense, GramSchmidt, Observe, Orthogonal, Symmetric, Vectors};
use symdiff_ops::{Batched, Noise};

/// N(0, 1) against N(μ, 1): zero at μ = 0, and in closed form elsewhere.
#[test]
fn the_energy_distance_of_normals_is_known() -> Result<()> {
    let draws = |shift: f64, seed| -> Result<Vec<Vec<f64>>> { Ok(Vectors::new((normal(&[2000, 1], seed)? + shift)?)?.observe()?) };
    let same = energy_distance(&draws(0.0, 1)?, &draws(0.0, 2)?)?;
    assert!(same.abs() < 0.01, "{same}");
    // |N(μ, 2)| has mean 2/√π·exp(−μ²/4) + μ·erf(μ/2), and erf(1) = 0.8427007929497149.
    let mu = 2.0_f64;
    let exact = 2.0 * (2.0 / std::f64::consts::PI.sqrt() * (-mu * mu / 4.0).exp() + mu * 0.842_700_792_949_714_9)
        - 4.0 / std::f64::consts::PI.sqrt();
    let apart = energy_distance(&draws(0.0, 3)?, &draws(mu, 4)?)?;
    assert!((apart - exact).abs() < 0.12, "{apart}, exactly {exact}");
    Ok(())
}

/// Under equal laws the p-value is uniform on {1/(P + 1), …, 1}: of 1,000 tests at 10 %, 100 ± 5 standard errors reject.
#[test]
fn the_level_is_what_it_says() -> Result<()> {
    let mut rejected = 0;
    for seed in 0..1000 {
        let rows = Vectors::new(normal(&[40, 2], seed)?)?.observe()?;
        let found = two_sample(&rows[..20], &rows[20..], 99, Noise::seeded(seed).generator())?;
        rejected += u32::from(found.p_value <= 0.1);
    }
    assert!((f64::from(rejected) - 100.0).abs() < 5.0 * 90_f64.sqrt(), "{rejected}");
    Ok(())
}

#[test]
fn plain_and_reversed_are_rejected_and_symmetrised_is_not() -> Result<()> {
    let (o3, test) = (Orthogonal::new(3), LawTest::default());
    let x = copies(200, 3, 3, 5)?;
    let frame = || first_three().charted(o3, GramSchmidt::rows());
    for seed in 0..3 {
        let noise = || Noise::seeded(seed);
        let plain = cloud_map().symmetrised(Identity(o3));
        assert!(test.equivariance(&o3, &plain, &x, noise())?.p_value < 0.01);
        let reversed = cloud_map().symmetrised(reversed_product(frame()));
        assert!(test.equivariance(&o3, &reversed, &x, noise())?.p_value < 0.01);
        let right = cloud_map().symmetrised(frame().haar_symmetrised());
        assert!(test.equivariance(&o3, &right, &x, noise())?.p_value > 0.002);
    }
    Ok(())
}

#[test]
fn a_samplers_law_is_judged() -> Result<()> {
    let (s3, test) = (Symmetric::new(3), LawTest::default());
    let like = Cloud::new(normal(&[200, 3, 1], 0)?)?;
    let round = |noise: Noise| Ok(Cloud::new(noise.normal(&like.samples(), &[3, 1], like.dtype(), &like.device())?)?);
    let ordered = |noise: Noise| {
        let drawn = noise.normal(&like.samples(), &[3, 1], like.dtype(), &like.device())?;
        let places = candle_core::Tensor::arange(0.0, 3.0, &like.device())?.reshape((1, 3, 1))?;
        Ok(Cloud::new(drawn.broadcast_add(&places)?)?)
    };
    assert!(test.invariance(&s3, round, Noise::seeded(1))?.p_value > 0.002);
    assert!(test.invariance(&s3, ordered, Noise::seeded(3))?.p_value < 0.01);
    Ok(())
}

#[test]
fn errors_have_intervals_that_cover() -> Result<()> {
    let o3 = Orthogonal::new(3);
    let x = copies(100, 3, 3, 6)?;
    let symmetric = cloud_map().symmetrised(Haar(o3));
    let null = LawTest::default().discrepancy(&o3, &symmetric, &x, 12, Noise::seeded(7))?;
    assert!(null.value.abs() < 4.0 * null.standard_error, "{null:?}");
    let off = LawTest::default().discrepancy(&o3, &cloud_map(), &x, 12, Noise::seeded(7))?;
    assert!(off.interval().0 > 0.1, "{off:?}");
    let (few, many) = (
        equivariance_error(&o3, &cloud_map(), &x, 20, Noise::seeded(8))?,
        equivariance_error(&o3, &cloud_map(), &x, 200, Noise::seeded(9))?,
    );
    assert!((few.value - many.value).abs() < 4.0 * few.standard_error.hypot(many.standard_error));
    assert!(many.standard_error < 0.5 * few.standard_error);
    Ok(())
}

#[test]
fn draws_that_cannot_be_compared_are_refused() -> Result<()> {
    let generator = || Noise::seeded(0).generator();
    let message = |result: Result<_>| result.map(drop).map_err(|e: symdiff_core::Error| e.to_string());
    let few = message(two_sample(&[vec![0.0]], &[vec![0.0]], 9, generator()));
    assert_eq!(few, Err("energy distance: 1 draws, but 2 are needed; ask for more, or give a batch of more copies".into()));
    let rows = [vec![0.0], vec![0.0, 1.0]];
    let ragged = message(two_sample(&rows, &rows, 9, generator()));
    assert_eq!(ragged, Err("two-sample test: one draw has 1 numbers, another 2; compare copies of one state".into()));
    assert!(Symmetric::new(3).haar(&normal(&[2], 0)?, Noise::seeded(0)).is_ok());
    Ok(())
}
