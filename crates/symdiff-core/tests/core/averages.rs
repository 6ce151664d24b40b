//! Averages over frames are equivariant in value; centring, cosets and wrappers do what they say.

use crate::common::{ROUNDING, cloud_map, copies, first_three, normal, set_map};
use candle_core::{DType, Device, Tensor};
use symdiff_core::testing::{LawTest, Recorded, coupled_gap, equivariance_error};
use symdiff_core::{AllElements, CosetHaar, GroupKernel, Haar, Map, MarkovKernel, MarkovKernelExt, PointFrames, PrincipalAxes, Result};
use symdiff_groups::testing::gap;
use symdiff_groups::{
    Action, Cloud, CompactGroup, Cyclic, Dense, Dihedral, EuclideanGroup, GramSchmidt, Image, MatrixGroup, Orthogonal, Points, Product,
    Set, SpecialOrthogonal, Symmetric, Translations,
};
use symdiff_ops::{Noise, Ragged};

#[test]
fn the_mean_over_a_finite_group_is_equivariant() -> Result<()> {
    let s4 = Symmetric::new(4);
    let model = set_map().averaged_over(AllElements(s4.clone()));
    let x = Set::new(normal(&[3, 4, 2], 1)?)?;
    assert!(equivariance_error(&s4, &model, &x, 8, Noise::seeded(2))?.value < ROUNDING);
    assert!(equivariance_error(&s4, &set_map(), &x, 8, Noise::seeded(2))?.value > 0.1);

    let d4 = Dihedral::new(4);
    let blur = Map::new(|x: &Image| Ok(Image::new((x.tensor() + x.tensor().roll(1, 3)?.sin()?)?)?));
    let x = Image::new(normal(&[2, 1, 4, 4], 3)?)?;
    let model = blur.averaged_over(AllElements(d4));
    assert!(equivariance_error(&d4, &model, &x, 8, Noise::seeded(4))?.value < ROUNDING);
    Ok(())
}

#[test]
fn the_mean_over_principal_axes_is_equivariant() -> Result<()> {
    fn check<G>(group: G) -> Result<()>
    where
        G: MatrixGroup + CompactGroup + Copy,
        PrincipalAxes<G>: symdiff_core::Frames<Cloud, Group = G> + GroupKernel<Cloud, Group = G>,
    {
        let x = Cloud::new(normal(&[3, 6, group.n()], 5)?)?;
        let model = cloud_map().averaged_over(PrincipalAxes(group));
        assert!(equivariance_error(&group, &model, &x, 6, Noise::seeded(6))?.value < ROUNDING);
        assert!(equivariance_error(&group, &cloud_map(), &x, 6, Noise::seeded(6))?.value > 0.1);
        let random = cloud_map().symmetrised(PrincipalAxes(group));
        let found = LawTest::default().equivariance(&group, &random, &copies(100, 5, group.n(), 7)?, Noise::seeded(8))?;
        assert!(found.p_value > 0.001, "one frame at random: {found:?}");
        Ok(())
    }
    check(Orthogonal::new(2))?;
    check(Orthogonal::new(3))?;
    check(SpecialOrthogonal::new(2))?;
    check(SpecialOrthogonal::new(3))?;
    check(SpecialOrthogonal::new(4))
}

#[test]
fn principal_axes_of_ragged_points_and_no_lost_gradient() -> Result<()> {
    let layout = Ragged::from_sizes(&[5, 4])?;
    let x = Points::new(normal(&[9, 3], 9)?, layout.clone())?;
    let o3 = Orthogonal::new(3);
    let squash = Map::new(|x: &Points| Ok(Points::new(x.positions().sin()?, x.layout().clone())?));
    let model = squash.averaged_over(PrincipalAxes(o3));
    assert!(equivariance_error(&o3, &model, &x, 5, Noise::seeded(10))?.value < ROUNDING);
    let tracked = candle_core::Var::from_tensor(x.positions())?;
    let refused = model.sample(&Points::new(tracked.as_tensor().clone(), layout)?, Noise::seeded(0)).map(drop);
    let sentence = "principal axes: has no derivative, but its input is tracked; detach it";
    assert_eq!(refused.map_err(|e| e.to_string()), Err(sentence.into()));
    Ok(())
}

#[test]
fn centring_hands_the_kernel_centred_points_and_moves_back() -> Result<()> {
    let spy = Recorded::new(|x: &Cloud| Ok(x.clone()));
    let (x, t3) = (Cloud::new(normal(&[2, 5, 3], 11)?)?, Translations::new(3));
    let y = (&spy).centred(3).sample(&x, Noise::seeded(0))?;
    assert!(gap(&y, &x)? < ROUNDING);
    assert!(spy.seen()[0].tensor().mean(1)?.abs()?.max_all()?.to_scalar::<f64>()? < ROUNDING);
    let shift = t3.element(&normal(&[2, 3], 12)?)?;
    let model = cloud_map().centred(3);
    let moved = model.sample(&x.act(&t3, &shift)?, Noise::seeded(0))?;
    assert!(gap(&moved, &model.sample(&x, Noise::seeded(0))?.act(&t3, &shift)?)? < ROUNDING);
    Ok(())
}

/// From T(3) to E(3), and from SO(3) to O(3): cosets upgrade a kernel that is already equivariant under the subgroup, and no other.
#[test]
fn cosets_upgrade_equivariance() -> Result<()> {
    let (test, e3, t3) = (LawTest::default(), EuclideanGroup::new(3), Translations::new(3));
    let (o3, so3) = (Orthogonal::new(3), SpecialOrthogonal::new(3));
    let x = copies(200, 3, 3, 13)?;
    let one_turn = o3.haar(&normal(&[1], 0)?, Noise::seeded(14))?;
    let turn = o3.element(&one_turn.as_tensor().repeat((200, 1, 1))?)?;
    let h = e3.element(turn, t3.element(&Tensor::ones((200, 3), DType::F64, &Device::Cpu)?)?)?;
    let upgraded = cloud_map().centred(3).symmetrised(CosetHaar::new(e3, t3));
    assert!(test.equivariance_at(&e3, &h, &upgraded, &x, Noise::seeded(15))?.p_value > 0.01);
    let not_centred = cloud_map().symmetrised(CosetHaar::new(e3, t3));
    assert!(test.equivariance_at(&e3, &h, &not_centred, &x, Noise::seeded(15))?.p_value < 0.01);

    let mirrored = cloud_map().symmetrised(Haar(so3)).symmetrised(CosetHaar::new(o3, so3));
    assert!(test.equivariance(&o3, &mirrored, &x, Noise::seeded(16))?.p_value > 0.01);
    Ok(())
}

/// Nested wrappers and the product group are the same kernel, and equivariant under the product.
#[test]
fn nested_wrappers_symmetrise_under_the_product() -> Result<()> {
    let (o3, s4) = (Orthogonal::new(3), Symmetric::new(4));
    let both = Product(o3, s4.clone());
    let x = copies(200, 4, 3, 17)?;
    let nested = cloud_map().symmetrised(Haar(o3)).symmetrised(Haar(s4));
    let at_once = cloud_map().symmetrised(Haar(both.clone()));
    for seed in 18..20 {
        assert!(LawTest::default().equivariance(&both, &nested, &x, Noise::seeded(seed))?.p_value > 0.005);
        assert!(LawTest::default().equivariance(&both, &at_once, &x, Noise::seeded(seed))?.p_value > 0.005);
    }
    Ok(())
}

/// Every group's coupled check, through the same three lines.
#[test]
fn transported_draws_transport_the_output() -> Result<()> {
    let o3 = Orthogonal::new(3);
    let x = Cloud::new(normal(&[4, 5, 3], 21)?)?;
    let frame = || first_three().charted(o3, GramSchmidt::columns());
    assert!(coupled_gap(&o3, &x, Noise::seeded(22), |haar| cloud_map().symmetrised(frame().symmetrised(haar)))? < ROUNDING);
    assert!(coupled_gap(&o3, &x, Noise::seeded(22), |_| cloud_map())? > 0.1);
    let s5 = Symmetric::new(5);
    assert!(coupled_gap(&s5, &x, Noise::seeded(23), |haar| cloud_map().symmetrised(haar))? < ROUNDING);
    let both = Product(o3, s5.clone());
    assert!(coupled_gap(&both, &x, Noise::seeded(24), |haar| cloud_map().symmetrised(haar))? < ROUNDING);
    let plane = Cloud::new(normal(&[4, 5, 2], 25)?)?;
    let (c6, so2) = (Cyclic::new(6), SpecialOrthogonal::new(2));
    assert!(coupled_gap(&c6, &plane, Noise::seeded(26), |haar| cloud_map().symmetrised(haar))? < ROUNDING);
    assert!(coupled_gap(&so2, &plane, Noise::seeded(27), |haar| cloud_map().symmetrised(haar))? < ROUNDING);
    Ok(())
}

#[test]
fn means_of_draws_and_boxes() -> Result<()> {
    let o3 = Orthogonal::new(3);
    let x = Cloud::new(normal(&[2, 4, 3], 28)?)?;
    let learned = first_three().charted(o3, GramSchmidt::columns()).haar_symmetrised();
    let model = cloud_map().symmetrised(learned);
    let one = (&model).mean_of(1).boxed().sample(&x, Noise::seeded(29))?;
    let draw = Noise::seeded(29).repeats(1).next().map(|noise| model.sample(&x, noise)).transpose()?;
    assert_eq!(draw.map(|draw| gap(&one, &draw)).transpose()?, Some(0.0));
    let none = (&model).mean_of(0).sample(&x, Noise::seeded(0)).map(drop).map_err(|e| e.to_string());
    assert_eq!(none, Err("mean of draws: 0 draws, but 1 are needed; ask for more, or give a batch of more copies".into()));
    Ok(())
}

/// Frames of points are exactly equivariant, and continuous where principal axes are not: as a square (a cube's corner in space) is stretched
/// along one axis and then along another.
#[test]
fn frames_of_points_turn_with_the_cloud_and_do_not_jump() -> Result<()> {
    fn at<F: symdiff_core::Frames<Cloud>>(frames: F, x: &Cloud) -> Result<Cloud>
    where
        Cloud: Action<F::Group>,
    {
        cloud_map().averaged_over(frames).sample(x, Noise::seeded(0))
    }
    for n in [2, 3] {
        let so = SpecialOrthogonal::new(n);
        let x = Cloud::new(normal(&[3, 4, n], 30)?)?;
        let model = cloud_map().averaged_over(PointFrames(so));
        assert!(equivariance_error(&so, &model, &x, 6, Noise::seeded(31))?.value < ROUNDING, "n = {n}");
        let corners = Tensor::cat(&[Tensor::eye(n, DType::F64, &Device::Cpu)?, Tensor::eye(n, DType::F64, &Device::Cpu)?.neg()?], 0)?;
        let stretched = |by: f64| -> Result<Cloud> {
            let factors: Vec<f64> = (0..n).map(|axis| 1.0 + if axis == 0 { by } else { 0.0 }).collect();
            Ok(Cloud::new(corners.broadcast_mul(&Tensor::new(factors, &Device::Cpu)?)?.unsqueeze(0)?)?)
        };
        let (narrow, wide) = (stretched(-1e-9)?, stretched(1e-9)?);
        assert!(gap(&at(PointFrames(so), &narrow)?, &at(PointFrames(so), &wide)?)? < 1e-7, "n = {n}");
        assert!(gap(&at(PrincipalAxes(so), &narrow)?, &at(PrincipalAxes(so), &wide)?)? > 0.01, "n = {n}");
    }
    Ok(())
}

/// One frame of points at random is equivariant in law, also on a line, and continuous in law where principal axes jump: the mean of many draws is that
/// of the weighted average.
#[test]
fn one_frame_of_points_at_random_is_equivariant_in_law() -> Result<()> {
    let on_a_line =
        Cloud::new(Tensor::new(&[[[0.0, 0.0, 0.0], [1.0, 1.0, 1.0], [2.0, 2.0, 2.0_f64]]], &Device::Cpu)?.repeat((100, 1, 1))?)?;
    let (so3, o3) = (SpecialOrthogonal::new(3), Orthogonal::new(3));
    for x in [copies(100, 5, 3, 40)?, on_a_line] {
        let found = LawTest::default().equivariance(&so3, &cloud_map().symmetrised(PointFrames(so3)), &x, Noise::seeded(41))?;
        assert!(found.p_value > 0.001, "SO(3): {found:?}");
        let found = LawTest::default().equivariance(&o3, &cloud_map().symmetrised(PointFrames(o3)), &x, Noise::seeded(42))?;
        assert!(found.p_value > 0.001, "O(3): {found:?}");
    }
    for n in [2, 3] {
        let so = SpecialOrthogonal::new(n);
        let x = copies(4000, 4, n, 43)?;
        let drawn = cloud_map().symmetrised(PointFrames(so)).sample(&x, Noise::seeded(44))?;
        let one = Cloud::new(x.tensor().narrow(0, 0, 1)?)?;
        let expected = cloud_map().averaged_over(PointFrames(so)).sample(&one, Noise::seeded(0))?;
        let error = (drawn.tensor().mean_keepdim(0)? - expected.tensor())?.abs()?.max_all()?.to_scalar::<f64>()?;
        let spread = drawn.tensor().broadcast_sub(&drawn.tensor().mean_keepdim(0)?)?.sqr()?.mean_all()?.to_scalar::<f64>()?.sqrt();
        // The largest of at most twelve means, each of 4,000 draws.
        assert!(error < 4.0 * spread * 2.0 / 4000_f64.sqrt(), "n = {n}: {error}, spread {spread}");
    }
    Ok(())
}

/// The average over frames of points has the gradient that differences give, also at a cloud with points that span nothing together.
#[test]
fn frames_of_points_carry_their_gradient() -> Result<()> {
    let so3 = SpecialOrthogonal::new(3);
    let model = cloud_map().averaged_over(PointFrames(so3));
    let points = [[[1.0, 0.0, 0.0], [-1.0, 0.0, 0.0], [0.2, 0.7, 0.0], [-0.2, -0.7, 0.0_f64]]];
    let x = candle_core::Var::from_tensor(&Tensor::new(&points, &Device::Cpu)?)?;
    let value =
        || -> Result<Tensor> { Ok(model.sample(&Cloud::new(x.as_tensor().clone())?, Noise::seeded(0))?.tensor().sqr()?.sum_all()?) };
    let gradients = value()?.backward()?;
    let gradient = gradients.get(&x).map(Tensor::to_vec3::<f64>).transpose()?.unwrap_or_default();
    for (i, j) in [(0, 0), (1, 1), (2, 0), (3, 1)] {
        let bumped = |step: f64| -> Result<f64> {
            let mut moved = points;
            moved[0][i][j] += step;
            x.set(&Tensor::new(&moved, &Device::Cpu)?)?;
            Ok(value()?.to_scalar::<f64>()?)
        };
        let slope = (bumped(1e-5)? - bumped(-1e-5)?) / 2e-5;
        assert!((slope - gradient[0][i][j]).abs() < 1e-6 * (1.0 + slope.abs()), "{i},{j}: {slope} against {}", gradient[0][i][j]);
    }
    Ok(())
}

#[test]
fn clouds_without_frames_are_refused() -> Result<()> {
    let so3 = SpecialOrthogonal::new(3);
    let on_a_line = Cloud::new(Tensor::new(&[[[0.0, 0.0, 0.0], [1.0, 1.0, 1.0], [2.0, 2.0, 2.0_f64]]], &Device::Cpu)?)?;
    let refused = cloud_map().averaged_over(PointFrames(so3)).sample(&on_a_line, Noise::seeded(0)).map(drop);
    let sentence = "frames of points: sample 0 has all its points on one line through their mean, so that no frame turns with it; draw one from Haar instead";
    assert_eq!(refused.map_err(|e| e.to_string()), Err(sentence.into()));
    let so4 = SpecialOrthogonal::new(4);
    assert!(cloud_map().averaged_over(PointFrames(so4)).sample(&Cloud::new(normal(&[1, 5, 4], 0)?)?, Noise::seeded(0)).is_err());
    Ok(())
}
