//! A group and states of the user's own, and elements that are given to the wrong group.

use crate::common::{B, ROUNDING, axioms, normal};
use candle_core::{DType, Device, Tensor};
use symdiff_groups::testing::{check_action, gap};
use symdiff_groups::{
    Action, Chart, Cloud, CompactGroup, Cyclic, Dense, Dihedral, EuclideanGroup, Group, Image, LieGroup, Matrices, MatrixGroup, Orthogonal,
    Result, SpecialOrthogonal, Subgroup, Vectors, act_as, dense,
};
use symdiff_ops::{Batched, Euclidean, Noise};

/// SU(2) on pairs of complex numbers (a + ib, c + id), written as vectors (a, b, c, d): a group of orthogonal 4 × 4 matrices.
#[derive(Clone, Copy, Debug)]
struct Su2;

impl Group for Su2 {
    type Element = Matrices;

    fn inverse(&self, g: &Matrices) -> Result<Matrices> {
        g.inverse()
    }

    fn identity(&self, like: &impl Batched) -> Result<Matrices> {
        Matrices::identity(4, like)
    }
}

impl MatrixGroup for Su2 {
    fn n(&self) -> usize {
        4
    }
}

/// A uniform point of the unit sphere in four dimensions is a Haar draw.
impl CompactGroup for Su2 {
    fn haar(&self, like: &impl Batched, noise: Noise) -> Result<Matrices> {
        self.project(self, &noise.normal(&like.samples(), &[4], like.dtype(), &like.device())?)
    }
}

/// Four numbers (p, q, r, s), scaled to length 1, stand for the matrix of columns (p + iq, r + is) and (−r + is, p − iq).
impl Chart<Su2> for Su2 {
    fn project(&self, _: &Su2, raw: &Tensor) -> Result<Matrices> {
        const ENTRIES: [[(usize, f64); 4]; 4] = [
            [(0, 1.0), (1, -1.0), (2, -1.0), (3, -1.0)],
            [(1, 1.0), (0, 1.0), (3, 1.0), (2, -1.0)],
            [(2, 1.0), (3, -1.0), (0, 1.0), (1, 1.0)],
            [(3, 1.0), (2, 1.0), (1, -1.0), (0, 1.0)],
        ];
        let unit = raw.broadcast_div(&raw.sqr()?.sum_keepdim(1)?.sqrt()?)?;
        let entry = |(at, sign): (usize, f64)| -> Result<Tensor> { Ok((unit.narrow(1, at, 1)? * sign)?) };
        let entries = ENTRIES.iter().flatten().map(|&at| entry(at)).collect::<Result<Vec<_>>>()?;
        Orthogonal::new(4).element(&Tensor::cat(&entries, 1)?.reshape((raw.dims()[0], 4, 4))?)
    }
}

#[test]
fn a_group_of_matrices_of_ones_own_acts_on_the_states() -> Result<()> {
    let like = normal(&[B], 0)?;
    assert!(axioms(&Su2, |seed| Su2.haar(&like, Noise::seeded(seed)), 1)? < ROUNDING);
    let [g, h] = [Su2.haar(&like, Noise::seeded(2))?, Su2.haar(&like, Noise::seeded(3))?];
    assert!(check_action(&Su2, &Vectors::new(normal(&[B, 4], 4)?)?, [&g, &h])? < ROUNDING);
    assert!(check_action(&Su2, &Cloud::new(normal(&[B, 5, 4], 5)?)?, [&g, &h])? < ROUNDING);
    // Its products stay in it: their first columns determine them.
    let product = Su2.compose(&g, &h)?;
    let again = Su2.project(&Su2, &product.as_tensor().narrow(2, 0, 1)?.squeeze(2)?)?;
    assert!(gap(&again, &product)? < ROUNDING);
    // Motions of space whose turns lie in it.
    let motions = EuclideanGroup::over(Su2);
    assert_eq!(motions.linear().n(), 4);
    Ok(())
}

dense! {
    /// Velocities of m particles.
    struct Velocities [B, m, n];
    /// L numbers on a ring.
    pub(crate) struct Ring [B, L];
}
act_as!(Velocities as Cloud for Orthogonal, SpecialOrthogonal);

#[test]
fn a_dense_state_of_ones_own_takes_a_line() -> Result<()> {
    let so3 = SpecialOrthogonal::new(3);
    let x = normal(&[B, 2, 3], 6)?;
    let (own, cloud) = (Velocities::new(x.clone())?, Cloud::new(x)?);
    let g = so3.haar(&own, Noise::seeded(7))?;
    assert_eq!(gap(&own.act(&so3, &g)?, &cloud.act(&so3, &g)?)?, 0.0);
    let (ring, half) = (Ring::new(normal(&[B, 5], 8)?)?, Tensor::full(0.5, B, &Device::Cpu)?);
    assert_eq!(gap(&ring.combine(&half, &ring, &half)?, &ring)?, 0.0);
    assert_eq!(ring.dimensions(), [5; B]);
    let refused = Ring::new(Tensor::zeros((2, 3, 4), DType::F32, &Device::Cpu)?).map(drop).map_err(|e| e.to_string());
    assert_eq!(refused, Err("Ring: shape [2, 3, 4], expected [B, L]".into()));
    Ok(())
}

/// Elements of finite groups know which group they are from: `C_2`'s half turn is not `C_4`'s quarter turn.
#[test]
fn elements_of_another_group_are_refused() -> Result<()> {
    let (c2, c4, d2, d4) = (Cyclic::new(2), Cyclic::new(4), Dihedral::new(2), Dihedral::new(4));
    let image = Image::new(normal(&[1, 1, 4, 4], 9)?)?;
    let plane = Cloud::new(normal(&[1, 3, 2], 9)?)?;
    let (half, flip) = (c2.element(vec![1])?, d2.element(vec![(1, true)])?);
    let said = |result: Result<()>| result.map_err(|e| e.to_string());
    let sentence = "turn of an image: an element of C_2 was given to C_4; draw it from C_4, or embed it there";
    assert_eq!(said(image.act(&c4, &half).map(drop)), Err(sentence.into()));
    assert!(plane.act(&c4, &half).is_err() && c4.inverse(&half).is_err() && c4.compose(&c4.element(vec![1])?, &half).is_err());
    assert!(image.act(&d4, &flip).is_err() && plane.act(&d4, &flip).is_err() && d4.inverse(&flip).is_err());
    // Embedded, it is what it should be.
    let embedded = c2.embed(&c4, &half, &image)?;
    assert_eq!(embedded.steps(), [2]);
    assert_eq!(gap(&image.act(&c4, &embedded)?, &image.act(&c2, &half)?)?, 0.0);
    Ok(())
}

#[test]
fn errors_pass_through_the_crates_and_carry_ones_own() {
    #[derive(Debug, thiserror::Error)]
    #[error("the lattice is empty")]
    struct Empty;
    assert_eq!(symdiff_groups::Error::other(Empty).to_string(), "the lattice is empty");
    let inner: symdiff_ops::Error = symdiff_groups::Error::other(Empty).into();
    assert!(inner.to_string().contains("the lattice is empty"));
    let shape = || symdiff_groups::Error::Shape { what: "ring", got: vec![2], expected: "[B, L]".into() };
    assert!(candle_core::Error::from(shape()).to_string().contains("ring: shape [2], expected [B, L]"));
    // The logarithm of a group that has none in closed form says so.
    let so4 = SpecialOrthogonal::new(4);
    let like = Tensor::zeros(1, DType::F64, &Device::Cpu);
    let refused = like.map_err(Into::into).and_then(|like| so4.log(&so4.identity(&like)?));
    assert!(refused.is_err());
}
