//! States of your own: one tensor with a meaning, and several parts of which some move and some do not.

use symdiff::groups::testing::check_action;

// ANCHOR: program
use symdiff::groups::act_in_turn;
use symdiff::prelude::*;

dense! {
    /// Momenta of m particles in kg·m/s.
    pub struct Momenta [B, m, n];
}
// They turn as points do, and are permuted as points are; but they do not translate, so no more is said.
act_as!(Momenta as Cloud for Orthogonal, SpecialOrthogonal, Symmetric);

/// A gas: positions and momenta turn together, masses and temperature are the same from every side.
#[derive(Clone)]
struct Gas {
    positions: Cloud,
    momenta: Momenta,
    masses: Set,
    temperature: Fixed<Tensor>,
}

act_on_fields!(Gas for Orthogonal, SpecialOrthogonal: moving { positions, momenta } fixed { masses, temperature });
act_on_fields!(Gas for Symmetric: moving { positions, momenta, masses } fixed { temperature });
act_in_turn!(Gas); // and under products of these groups

/// Who is in the batch, and where: so that group elements and noise can be drawn for it.
impl Batched for Gas {
    fn samples(&self) -> Samples {
        self.positions.samples()
    }

    fn device(&self) -> Device {
        self.positions.device()
    }

    fn dtype(&self) -> DType {
        self.positions.dtype()
    }
}
// ANCHOR_END: program

/// For the checks: the numbers of each sample.
impl Observe for Gas {
    fn observe(&self) -> symdiff::groups::Result<Vec<Vec<f64>>> {
        (self.positions.clone(), self.momenta.clone(), self.masses.clone()).observe()
    }
}

fn gas(count: usize) -> Result<Gas, Box<dyn std::error::Error>> {
    let [positions, momenta, masses] = Noise::seeded(1).split();
    let draw = |noise: Noise, width| noise.normal(&Samples::numbered(count), &[4, width], DType::F64, &Device::Cpu);
    Ok(Gas {
        positions: Cloud::new(draw(positions, 3)?)?,
        momenta: Momenta::new(draw(momenta, 3)?)?,
        masses: Set::new(draw(masses, 1)?)?,
        temperature: Fixed(Tensor::ones((count, 1), DType::F64, &Device::Cpu)?),
    })
}

#[test]
fn a_state_of_parts_is_moved_part_by_part() -> Result<(), Box<dyn std::error::Error>> {
    let (so3, both) = (SpecialOrthogonal::new(3), Product(SpecialOrthogonal::new(3), Symmetric::new(4)));
    let x = gas(3)?;
    let [g, h] = [2, 3].map(|seed| both.haar(&x, Noise::seeded(seed)));
    assert!(check_action(&both, &x, [&g?, &h?])? < 1e-13);

    // Angular momentum is a vector of the whole gas: a network of your own on your own state, made equivariant.
    // ANCHOR: kernel
    let plain = Map::new(|x: &Gas| {
        let (p, q) = (x.positions.tensor(), x.momenta.tensor());
        Ok(Vectors::new((p.broadcast_mul(x.masses.tensor())? + q.tanh()?)?.sum(1)?)?)
    });
    let model = (&plain).symmetrised(Haar(so3));
    // ANCHOR_END: kernel
    let mut one = gas(1)?;
    one.positions = Cloud::new(one.positions.tensor().repeat((200, 1, 1))?)?;
    one.momenta = Momenta::new(one.momenta.tensor().repeat((200, 1, 1))?)?;
    one.masses = Set::new(one.masses.tensor().repeat((200, 1, 1))?)?;
    let test = LawTest::default();
    assert!(test.equivariance(&so3, &plain, &one, Noise::seeded(4))?.p_value < 0.01);
    assert!(test.equivariance(&so3, &model, &one, Noise::seeded(4))?.p_value > 0.01);
    Ok(())
}
