//! A stream is a function of its key, pinned number by number.

use super::*;

fn values(noise: Noise, sizes: &[usize], ids: &[u64]) -> Result<Vec<Vec<f64>>> {
    let layout = Ragged::new(sizes, Samples::new(ids))?;
    Ok(noise.normal_nodes(&layout, 2, DType::F64, &Device::Cpu)?.to_vec2()?)
}

#[test]
fn a_sample_draws_the_same_alone_and_in_a_batch() -> Result<()> {
    let alone = values(Noise::seeded(3), &[4], &[17])?;
    let together = values(Noise::seeded(3), &[2, 4, 1], &[5, 17, 2])?;
    assert_eq!(alone, together[2..6]);
    Ok(())
}

#[test]
fn row_j_does_not_depend_on_the_sample_size() -> Result<()> {
    assert_eq!(values(Noise::seeded(3), &[4], &[1])?[..2], values(Noise::seeded(3), &[2], &[1])?);
    Ok(())
}

#[test]
fn streams_differ_by_seed_path_step_and_sample() -> Result<()> {
    let [left, right] = Noise::seeded(0).split();
    let steps = Noise::seeded(0).steps();
    let mut firsts = Vec::new();
    for noise in [Noise::seeded(0), Noise::seeded(1), left, right, steps.at(2), steps.at(3)] {
        firsts.push(values(noise, &[1, 1], &[0, 1])?);
    }
    let mut numbers: Vec<f64> = firsts.concat().concat();
    numbers.sort_by(f64::total_cmp);
    assert!(numbers.windows(2).all(|pair| pair[0].total_cmp(&pair[1]).is_ne()));
    assert_eq!(values(steps.at(2), &[1, 1], &[0, 1])?, firsts[4]);
    Ok(())
}

#[test]
fn f32_is_the_rounded_f64() -> Result<()> {
    let samples = Samples::numbered(3);
    let wide = Noise::seeded(9).normal(&samples, &[5], DType::F64, &Device::Cpu)?;
    let narrow = Noise::seeded(9).normal(&samples, &[5], DType::F32, &Device::Cpu)?;
    assert_eq!(wide.to_dtype(DType::F32)?.to_vec2::<f32>()?, narrow.to_vec2::<f32>()?);
    Ok(())
}

/// 4·10⁵ normals: |mean| and |variance − 1| within 5 standard errors (false alarm below 2·10⁻⁶).
#[test]
fn normals_have_the_right_moments() -> Result<()> {
    let n = 400_000.0_f64;
    let x = Noise::seeded(1).normal(&Samples::numbered(4000), &[100], DType::F64, &Device::Cpu)?;
    let mean = x.mean_all()?.to_scalar::<f64>()?;
    let variance = x.sqr()?.mean_all()?.to_scalar::<f64>()? - mean * mean;
    assert!(mean.abs() < 5.0 / n.sqrt(), "mean {mean}");
    assert!((variance - 1.0).abs() < 5.0 * (2.0 / n).sqrt(), "variance {variance}");
    Ok(())
}

#[test]
fn integers_cover_their_range_evenly() -> Result<()> {
    let drawn = Noise::seeded(4).integers(&Samples::numbered(60_000), 2..8)?;
    for value in 2..8 {
        let count = drawn.iter().filter(|&&v| v == value).count() as f64;
        assert!((count - 1e4).abs() < 5.0 * (1e4_f64 * 5.0 / 6.0).sqrt(), "{value}: {count}");
    }
    assert!(Noise::seeded(4).integers(&Samples::numbered(1), 3..3).is_err());
    Ok(())
}

#[test]
fn recordings_replay_in_order_and_check_shapes() -> Result<()> {
    let samples = Samples::numbered(2);
    let (taped, tape) = Noise::taped(5);
    let [a, b] = taped.split();
    let first = a.normal(&samples, &[3], DType::F32, &Device::Cpu)?.to_vec2::<f32>()?;
    b.uniform(&samples, &[], DType::F32, &Device::Cpu)?;
    let [a, b, c] = Noise::recorded(Recording::new(tape.draws())).split();
    assert_eq!(a.normal(&samples, &[3], DType::F32, &Device::Cpu)?.to_vec2::<f32>()?, first);
    let wrong = b.normal(&samples, &[3], DType::F32, &Device::Cpu).map_err(|e| e.to_string());
    assert_eq!(wrong.err().as_deref(), Some("recorded noise: the next draw has shape [2], but [2, 3] is wanted"));
    assert!(c.normal(&samples, &[], DType::F32, &Device::Cpu).is_err());
    Ok(())
}

/// Literal values: a changed stream must be a visible decision.
#[test]
fn value_stability() -> Result<()> {
    let [_, noise] = Noise::seeded(42).split();
    let drawn = noise.normal(&Samples::numbered(1), &[3], DType::F64, &Device::Cpu)?.to_vec2::<f64>()?;
    assert_eq!(drawn, [[0.8744667534091397, 0.4312863406324617, -1.096578254771944]]);
    let drawn = Noise::seeded(42).uniform(&Samples::numbered(1), &[2], DType::F64, &Device::Cpu)?.to_vec2::<f64>()?;
    assert_eq!(drawn, [[0.9780091371691942, 0.7558889795951543]]);
    assert_eq!(Noise::seeded(42).integers(&Samples::numbered(5), 0..1001)?, [331, 433, 639, 563, 410]);
    Ok(())
}
