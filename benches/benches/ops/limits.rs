//! What the machine can do: copies by all threads, from memory and from cache, and the fastest product.

use crate::{computes, moves, tensor};
use criterion::Criterion;
use rayon::prelude::*;
use symdiff_ops::{Products, linear};

pub(crate) fn bench(criterion: &mut Criterion) {
    for (name, floats, block) in [("copy 64 MB", 16_000_000, 1_000_000), ("copy 1.8 MB", 445_440, 16_384)] {
        let (from, mut to) = (vec![1.0_f32; floats], vec![0.0_f32; floats]);
        moves(criterion, "limits", name, 8 * floats, || {
            to.par_chunks_mut(block).zip(from.par_chunks(block)).for_each(|(to, from)| to.copy_from_slice(from));
            Ok(())
        });
    }
    let (a, b) = (tensor(&[1536, 1536]).expect("a matrix"), tensor(&[1536, 1536]).expect("a matrix"));
    for (name, products) in [("product 1536³", Products::Full), ("product 1536³ in bf16", Products::Bf16)] {
        computes(criterion, "limits", name, 2 * 1536_usize.pow(3), || linear::forward(&a, &b, None, products).map(drop));
    }
}
