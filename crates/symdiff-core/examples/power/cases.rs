//! Correct kernels and planted bugs, all on a kernel k that commutes with nothing.

use candle_core::{DType, Device, Tensor};
use std::f64::consts::TAU;
use std::sync::Arc;
use symdiff_core::testing::LawTest;
use symdiff_core::{Charted, Haar, Identity, Map, MarkovKernel, MarkovKernelExt, On, OnGroup, Result};
use symdiff_groups::{
    Action, Cloud, CompactGroup, Cyclic, Dense, GramSchmidt, Group, LieGroup, Matrices, Observe, Orthogonal, Permutations, Product,
    SpecialOrthogonal, Symmetric, Turns,
};
use symdiff_ops::{Batched, Noise};

/// One row of the table.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) group: &'static str,
    pub(crate) correct: bool,
    /// Draws of each law at each h.
    pub(crate) draws: usize,
    /// The p-value of a seed's run.
    pub(crate) p_value: Box<dyn Fn(u64) -> Result<f64> + Sync>,
    /// The size of the effect.
    pub(crate) effect: Box<dyn Fn() -> Result<f64> + Sync>,
}

impl Case {
    /// What `--row` is looked for in.
    pub(crate) fn label(&self) -> String {
        format!("{}, {}", self.name, self.group)
    }
}

pub(crate) fn cases(draws: usize) -> Result<Vec<Case>> {
    let triangle = [[0.9, 0.1, -0.3], [-0.4, 1.2, 0.2], [0.1, -0.5, 0.8]];
    let (space, more) = (copies(draws, &triangle)?, copies(2 * draws, &triangle)?);
    let plane = copies(draws, &[[0.9, 0.1], [-0.4, 1.2], [0.1, -0.5]])?;
    let (o3, so3, s3, c4) = (Orthogonal::new(3), SpecialOrthogonal::new(3), Symmetric::new(3), Cyclic::new(4));
    let both = Product(o3, s3.clone());
    let learned = |chart| frame(chart).haar_symmetrised();
    let released = |chart| ReversedProduct(frame(chart));
    let (columns, rows) = (GramSchmidt::columns(), GramSchmidt::rows());
    Ok(vec![
        case("sym with Haar", "O(3)", true, o3, &space, k().symmetrised(Haar(o3))),
        case("sym with learned, f = GS of columns", "O(3)", true, o3, &space, k().symmetrised(learned(columns))),
        case("sym with learned, f = GS of rows", "O(3)", true, o3, &space, k().symmetrised(learned(rows))),
        case("sym with Haar, k = the pole", "SO(3)", true, so3, &more, pole().symmetrised(Haar(so3))),
        case("sym with Haar", "S_3", true, s3.clone(), &space, k().symmetrised(Haar(s3.clone()))),
        case("sym with Haar", "C_4", true, c4, &plane, k().symmetrised(Haar(c4))),
        case("sym with Haar, nested", "O(3)xS_3", true, both, &space, k().symmetrised(Haar(o3)).symmetrised(Haar(s3.clone()))),
        case("plain k", "O(3)", false, o3, &space, k().symmetrised(Identity(o3))),
        case("released product, f = GS of rows", "O(3)", false, o3, &space, k().symmetrised(released(rows))),
        case("released product, f = GS of columns", "O(3)", false, o3, &space, k().symmetrised(released(columns))),
        case("transposed on the way in", "O(3)", false, o3, &space, Transposed { way_in: true }),
        case("transposed on the way out", "O(3)", false, o3, &space, Transposed { way_in: false }),
        case("Euler angles for Haar", "SO(3)", false, so3, &more, pole().symmetrised(On::new(so3, EulerAngles))),
        case("two coin swaps for Haar", "S_3", false, s3.clone(), &space, k().symmetrised(On::new(s3.clone(), CoinSwaps))),
        case("half turns for Haar", "C_4", false, c4, &plane, k().symmetrised(On::new(c4, HalfTurns))),
    ])
}

fn case<G, K>(name: &'static str, label: &'static str, correct: bool, group: G, x: &Cloud, kernel: K) -> Case
where
    G: CompactGroup + Sync + Send + 'static,
    Cloud: Action<G>,
    K: MarkovKernel<Cloud, Out = Cloud> + Sync + Send + 'static,
{
    let (kernel, draws) = (Arc::new(kernel), x.samples().len());
    let (again, group_again, x, x_again) = (kernel.clone(), group.clone(), x.clone(), x.clone());
    let p_value = move |seed| Ok(LawTest::default().equivariance(&group, &*kernel, &x, Noise::seeded(seed))?.p_value);
    let effect = move || {
        let gap = LawTest::default().discrepancy(&group_again, &*again, &x_again, 20, Noise::seeded(1 << 40))?.value;
        Ok(gap / spread(&*again, &x_again)?)
    };
    Case { name, group: label, correct, draws, p_value: Box::new(p_value), effect: Box::new(effect) }
}

/// The mean distance of two draws, or of a draw from 0 for a kernel that draws nothing.
fn spread(kernel: &impl MarkovKernel<Cloud, Out = Cloud>, x: &Cloud) -> Result<f64> {
    let rows = kernel.sample(x, Noise::seeded(1 << 41))?.observe()?;
    let distance = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum::<f64>().sqrt();
    let apart = rows.windows(2).map(|pair| distance(&pair[0], &pair[1])).sum::<f64>() / (rows.len() - 1) as f64;
    let zero = vec![0.0; rows[0].len()];
    Ok(if apart > 1e-9 { apart } else { distance(&rows[0], &zero) })
}

fn copies<const N: usize>(count: usize, points: &[[f64; N]; 3]) -> Result<Cloud> {
    Ok(Cloud::new(Tensor::new(points, &Device::Cpu)?.unsqueeze(0)?.repeat((count, 1, 1))?)?)
}

/// k: tanh(2·x·W) with point 0 lifted by one along each axis. It commutes with no rotation and no permutation.
fn k() -> Map<Cloud, impl Fn(&Cloud) -> Result<Cloud> + Clone + Sync> {
    Map::new(|x: &Cloud| {
        let (_, m, n) = x.tensor().dims3()?;
        let weight = Tensor::from_iter((0..n * n).map(|i| 2.0 * (1.3 * i as f64 + 0.4).sin()), &Device::Cpu)?.reshape((n, n))?;
        let lift = Tensor::from_iter((0..m * n).map(|i| if i < n { 1.0 } else { 0.0 }), &Device::Cpu)?.reshape((1, m, n))?;
        Ok(Cloud::new(x.tensor().broadcast_matmul(&weight)?.tanh()?.broadcast_add(&lift)?)?)
    })
}

/// A k that shows the law of g itself: the unit vector along z for each point, whatever x.
fn pole() -> Map<Cloud, impl Fn(&Cloud) -> Result<Cloud> + Sync> {
    Map::new(|x: &Cloud| {
        let up = Tensor::new(&[[[0.0, 0.0, 1.0_f64]]], &Device::Cpu)?;
        Ok(Cloud::new(up.broadcast_as(x.tensor().shape())?.contiguous()?)?)
    })
}

/// f: Gram–Schmidt of the three points.
fn frame(chart: GramSchmidt) -> Charted<Orthogonal, Map<Cloud, impl Fn(&Cloud) -> Result<Tensor> + Sync>, GramSchmidt> {
    Map::new(|x: &Cloud| Ok(x.tensor().clone())).charted(Orthogonal::new(3), chart)
}

/// The bug of the published order of γ's product: r·g₀⁻¹ where g₀·r should stand.
struct ReversedProduct<F>(F);

impl<F: OnGroup> OnGroup for ReversedProduct<F> {
    type Group = F::Group;

    fn group(&self) -> &F::Group {
        self.0.group()
    }
}

impl<F: MarkovKernel<Cloud, Out = Matrices> + OnGroup<Group = Orthogonal>> MarkovKernel<Cloud> for ReversedProduct<F> {
    type Out = Matrices;

    fn sample(&self, x: &Cloud, noise: Noise) -> Result<Matrices> {
        let [haar, inner] = noise.split();
        let group = self.group();
        let back = group.inverse(&group.haar(x, haar)?)?;
        let r = self.0.sample(&x.act(group, &back)?, inner)?;
        Ok(group.compose(&r, &back)?)
    }
}

/// The bug of a stray transpose: g⁻¹ where g should stand, with γ a canonicalisation (the identity of its own frame, plus noise).
struct Transposed {
    way_in: bool,
}

impl MarkovKernel<Cloud> for Transposed {
    type Out = Cloud;

    fn sample(&self, x: &Cloud, noise: Noise) -> Result<Cloud> {
        let o3 = Orthogonal::new(3);
        let g = frame(GramSchmidt::columns()).haar_symmetrised().sample(x, noise)?;
        let back = o3.inverse(&g)?;
        let turned = x.act(&o3, if self.way_in { &g } else { &back })?;
        let y = k().sample(&turned, Noise::seeded(0))?;
        Ok(y.act(&o3, if self.way_in { &g } else { &back })?)
    }
}

/// The bug of uniform Euler angles: R = R_z(a)·R_x(b)·R_z(c), whose middle angle should have density sin b.
struct EulerAngles;

impl<X: Batched> MarkovKernel<X> for EulerAngles {
    type Out = Matrices;

    fn sample(&self, x: &X, noise: Noise) -> Result<Matrices> {
        let so3 = SpecialOrthogonal::new(3);
        let angles = (noise.uniform(&x.samples(), &[3], DType::F64, &Device::Cpu)? * TAU)?;
        let about = |axis: usize, which: usize| -> Result<Matrices> {
            let unit = Tensor::from_iter((0..3).map(|i| if i == axis { 1.0 } else { 0.0 }), &Device::Cpu)?;
            Ok(so3.exp(&angles.narrow(1, which, 1)?.broadcast_mul(&unit)?)?)
        };
        Ok(so3.compose(&about(2, 0)?, &so3.compose(&about(0, 1)?, &about(2, 2)?)?)?)
    }
}

/// The bug of swapping neighbours by coin tosses, 0 with 1 and then 1 with 2: four of the six permutations, equally often.
struct CoinSwaps;

impl<X: Batched> MarkovKernel<X> for CoinSwaps {
    type Out = Permutations;

    fn sample(&self, x: &X, noise: Noise) -> Result<Permutations> {
        let coins = noise.integers(&x.samples(), 0..4)?;
        let images = coins.into_iter().map(|coin| {
            let mut order = vec![0, 1, 2];
            order.swap(0, (coin / 2) as usize);
            order.swap(1, 1 + (coin % 2) as usize);
            order
        });
        Ok(Symmetric::new(3).element(images.collect())?)
    }
}

/// The bug of drawing from a subgroup.
struct HalfTurns;

impl<X: Batched> MarkovKernel<X> for HalfTurns {
    type Out = Turns;

    fn sample(&self, x: &X, noise: Noise) -> Result<Turns> {
        Ok(Cyclic::new(4).element(noise.integers(&x.samples(), 0..2)?.into_iter().map(|coin| 2 * coin).collect())?)
    }
}
