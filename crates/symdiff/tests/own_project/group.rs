//! A group of your own: the wallpaper group p4 of square pictures that continue periodically, its quarter turns and shifts.

// ANCHOR: program
use symdiff::groups::{Error, Result};
use symdiff::prelude::*;

/// Quarter turns about the first pixel and shifts of L × L pixels on a torus.
#[derive(Clone, Copy, Debug)]
struct P4 {
    side: u32,
}

/// The motion p ↦ iᵏ·p + t of one sample, where i·(row, column) = (−column, row).
#[derive(Clone, Copy, Debug)]
struct Motion {
    turns: u32,
    shift: [u32; 2],
}

/// One motion per sample: what `Group::Element` is.
#[derive(Clone, Debug)]
struct Motions(Vec<Motion>);

impl P4 {
    /// iᵏ·p on the torus.
    fn turned(self, turns: u32, [row, column]: [u32; 2]) -> [u32; 2] {
        let minus = |at: u32| (self.side - at) % self.side;
        [[row, column], [minus(column), row], [minus(row), minus(column)], [column, minus(row)]][turns as usize % 4]
    }

    fn moved(self, g: Motion, p: [u32; 2]) -> [u32; 2] {
        let [row, column] = self.turned(g.turns, p);
        [(row + g.shift[0]) % self.side, (column + g.shift[1]) % self.side]
    }

    fn inverted(self, g: Motion) -> Motion {
        let back = (4 - g.turns) % 4;
        let minus = g.shift.map(|at| (self.side - at) % self.side);
        Motion { turns: back, shift: self.turned(back, minus) }
    }
}

impl Group for P4 {
    type Element = Motions;

    fn inverse(&self, g: &Motions) -> Result<Motions> {
        Ok(Motions(g.0.iter().map(|&g| self.inverted(g)).collect()))
    }

    fn identity(&self, like: &impl Batched) -> Result<Motions> {
        Ok(Motions(vec![Motion { turns: 0, shift: [0, 0] }; like.samples().len()]))
    }
}

/// The group acts on itself from the left: g·h does h first.
impl Action<P4> for Motions {
    fn act(&self, group: &P4, g: &Motions) -> Result<Self> {
        let product = |(&g, &h): (&Motion, &Motion)| Motion { turns: (g.turns + h.turns) % 4, shift: group.moved(g, h.shift) };
        Ok(Self(g.0.iter().zip(&self.0).map(product).collect()))
    }
}

/// A uniform motion for each sample.
impl CompactGroup for P4 {
    fn haar(&self, like: &impl Batched, noise: Noise) -> Result<Motions> {
        let drawn = noise.integers(&like.samples(), 0..4 * self.side * self.side)?;
        let motion = |at: u32| Motion { turns: at % 4, shift: [at / 4 % self.side, at / 4 / self.side] };
        Ok(Motions(drawn.into_iter().map(motion).collect()))
    }
}

dense! {
    /// Brightness of L × L pixels on a torus.
    struct Tile [B, L, L];
}

/// The pixel at p goes to g·p; in other words, the pixel at q comes from g⁻¹·q.
impl Action<P4> for Tile {
    fn act(&self, group: &P4, g: &Motions) -> Result<Self> {
        let (b, side) = (self.tensor().dims()[0], group.side);
        if g.0.len() != b || self.tensor().dims()[1..] != [side as usize; 2] {
            let expected = format!("[{}, {side}, {side}]", g.0.len());
            return Err(Error::Shape { what: "motion of a tile", got: self.tensor().dims().to_vec(), expected });
        }
        let mut sources = Vec::with_capacity(b * (side * side) as usize);
        for (sample, &g) in g.0.iter().enumerate() {
            let back = group.inverted(g);
            sources.extend((0..side * side).map(|at| {
                let [row, column] = group.moved(back, [at / side, at % side]);
                (sample as u32 * side + row) * side + column
            }));
        }
        let pixels = self.tensor().flatten_all()?.index_select(&Tensor::new(sources, self.tensor().device())?, 0)?;
        Self::new(pixels.reshape(self.tensor().shape())?)
    }
}
// ANCHOR_END: program

// ANCHOR: checks
/// For the checks: what an element is, in numbers.
impl Observe for Motions {
    fn observe(&self) -> Result<Vec<Vec<f64>>> {
        Ok(self.0.iter().map(|g| vec![f64::from(g.turns), f64::from(g.shift[0]), f64::from(g.shift[1])]).collect())
    }
}

#[test]
fn the_axioms_hold_and_a_plain_map_becomes_equivariant() -> std::result::Result<(), Box<dyn std::error::Error>> {
    let p4 = P4 { side: 6 };
    let tile = |count| Noise::seeded(1).normal(&Samples::numbered(count), &[6, 6], DType::F64, &Device::Cpu);
    let x = Tile::new(tile(5)?)?;
    let [g, h, k] = [2, 3, 4].map(|seed| p4.haar(&x, Noise::seeded(seed)));
    let (g, h, k) = (g?, h?, k?);
    assert_eq!(symdiff::groups::testing::check_group(&p4, &x, [&g, &h, &k])?, 0.0);
    assert_eq!(symdiff::groups::testing::check_action(&p4, &x, [&g, &h])?, 0.0);

    // Pixels brighten from left to right: no motion commutes with that.
    let ramp = Tensor::arange(0.0, 6.0, &Device::Cpu)?.reshape((1, 1, 6))?;
    let plain = Map::new(move |x: &Tile| Ok(Tile::new(x.tensor().broadcast_add(&ramp)?)?));
    let copies = Tile::new(tile(1)?.repeat((200, 1, 1))?)?;
    let test = LawTest::default();
    assert!(test.equivariance(&p4, &plain, &copies, Noise::seeded(5))?.p_value < 0.01);
    let model = plain.symmetrised(Haar(p4));
    assert!(test.equivariance(&p4, &model, &copies, Noise::seeded(5))?.p_value > 0.01);
    Ok(())
}
// ANCHOR_END: checks
