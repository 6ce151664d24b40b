//! The module passes the public law test once it is symmetrised, and fails it before.

use candle_core::{DType, Device, Tensor};
use downstream::Mlp;
use symdiff_core::testing::LawTest;
use symdiff_core::{AllElements, Haar, MarkovKernelExt, Network, Noise, Raw, Result, Samples};
use symdiff_groups::{Cloud, Cyclic, Dense, GramSchmidt, Image, Orthogonal, Set, Symmetric};

const COPIES: usize = 200;

/// 200 copies of one state of the given shape.
fn copies(shape: &[usize]) -> Result<Tensor> {
    let one = Noise::seeded(1).normal(&Samples::numbered(1), shape, DType::F64, &Device::Cpu)?;
    Ok(one.repeat([&[COPIES], vec![1; shape.len()].as_slice()].concat())?)
}

#[test]
fn under_rotations_and_reflections() -> Result<()> {
    let (test, o3, x) = (LawTest::default(), Orthogonal::new(3), Cloud::new(copies(&[3, 3])?)?);
    let plain = Network::<_, Cloud>::new(Mlp::new(9, 16)?);
    assert!(test.equivariance(&o3, &plain, &x, Noise::seeded(2))?.p_value < 0.01);

    let gamma = Raw::<_, Cloud>::new(Mlp::new(9, 16)?).charted(o3, GramSchmidt::columns()).haar_symmetrised();
    let model = plain.symmetrised(gamma);
    assert!(test.equivariance(&o3, &model, &x, Noise::seeded(2))?.p_value > 0.01);
    Ok(())
}

#[test]
fn under_permutations() -> Result<()> {
    let (test, s5, x) = (LawTest::default(), Symmetric::new(5), Set::new(copies(&[5, 2])?)?);
    let plain = Network::<_, Set>::new(Mlp::new(10, 16)?);
    assert!(test.equivariance(&s5, &plain, &x, Noise::seeded(3))?.p_value < 0.01);

    let model = plain.symmetrised(Haar(s5.clone()));
    assert!(test.equivariance(&s5, &model, &x, Noise::seeded(3))?.p_value > 0.01);
    Ok(())
}

#[test]
fn under_quarter_turns() -> Result<()> {
    let (test, c4, x) = (LawTest::default(), Cyclic::new(4), Image::new(copies(&[1, 4, 4])?)?);
    let plain = Network::<_, Image>::new(Mlp::new(16, 16)?);
    let turn = c4.element(vec![1; COPIES])?;
    assert!(test.equivariance_at(&c4, &turn, &plain, &x, Noise::seeded(4))?.p_value < 0.01);

    let model = plain.symmetrised(Haar(c4));
    assert!(test.equivariance_at(&c4, &turn, &model, &x, Noise::seeded(4))?.p_value > 0.01);

    let exact = Network::<_, Image>::new(Mlp::new(16, 16)?).averaged_over(AllElements(c4));
    assert!(symdiff_core::testing::equivariance_error(&c4, &exact, &x, 4, Noise::seeded(5))?.value < 1e-20);
    Ok(())
}
