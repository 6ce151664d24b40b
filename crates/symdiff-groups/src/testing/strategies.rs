//! Strategies for proptest.

use crate::{CompactGroup, Group};
use candle_core::{DType, Device, Tensor};
use proptest::prelude::{Strategy, any};
use std::ops::RangeInclusive;
use symdiff_ops::{Noise, Ragged};

/// Haar elements of `group` for a batch of `samples`, in f64 on the CPU. They shrink towards no simpler element.
pub fn elements<G>(group: G, samples: usize) -> impl Strategy<Value = G::Element>
where
    G: CompactGroup + std::fmt::Debug,
    G::Element: std::fmt::Debug,
{
    any::<u64>().prop_filter_map("no element of this seed", move |seed| draw(&group, samples, seed))
}

/// Layouts of one to four samples with sizes in the given range.
pub fn ragged(sizes: RangeInclusive<usize>) -> impl Strategy<Value = Ragged> {
    proptest::collection::vec(sizes, 1..=4).prop_filter_map("a layout needs nodes", |sizes| Ragged::from_sizes(&sizes).ok())
}

fn draw<G: CompactGroup>(group: &G, samples: usize, seed: u64) -> Option<<G as Group>::Element> {
    let like = Tensor::zeros(samples, DType::F64, &Device::Cpu).ok()?;
    group.haar(&like, Noise::seeded(seed)).ok()
}
