//! The blocks one after the other, as one node of the graph.

use super::block::{Block, WEIGHTS};
use crate::Result;
use candle_core::Tensor;
use symdiff_ops::stack::Stack;
use symdiff_ops::{Gradual, Products, Ragged, gradual, linear, panel};

/// x ← block_k(x, modulation_k(c)) for every block k: x `[N, D]`, conditioning c `[B|1, D]` after its SiLU → `[N, D]`.
///
/// No block mixes samples, so the batch is computed in panels (sub-batches), see [`Stack`]; the modulations of all blocks are computed before the first.
pub(super) fn forward(blocks: &[Block], x: &Tensor, conditioning: &Tensor, layout: &Ragged, products: Products) -> Result<Tensor> {
    let weights = blocks.iter().flat_map(Block::weights);
    let inputs: Vec<&Tensor> = [x, conditioning].into_iter().chain(weights).collect();
    let keep = inputs.iter().any(|input| input.track_op());
    let output = gradual("dit_trunk", &inputs, |inputs| {
        let [x, conditioning] = [inputs[0].clone(), inputs[1].clone()];
        // Rounded, where blocks compute in less than f32, once for both passes.
        let weights = linear::rounded(&inputs[2..], x.dtype())?;
        let blocks: Vec<Block> = blocks.iter().zip(weights.chunks_exact(WEIGHTS)).map(|(block, weights)| block.with(weights)).collect();
        let modulations =
            panel::each(x.device(), blocks.iter().collect(), |block: &Block| block.modulation(&conditioning, products, keep))?;
        let stack = Stack::new(blocks, modulations)?.with_products(products);
        let (output, kept) = stack.forward(&x, layout, keep)?;
        let pullback: Gradual = Box::new(move |gradient, found| {
            let place = |block: usize, weight: usize| 2 + WEIGHTS * block + weight;
            let of_maps = |block, maps: Vec<[Tensor; 2]>| {
                maps.into_iter().flatten().enumerate().try_for_each(|(weight, gradient)| found(place(block, weight), gradient))
            };
            let gradients = stack.backward(kept, gradient, of_maps)?;
            let modulators: Vec<&Tensor> = stack.layers().iter().map(Block::modulator).collect();
            let (conditioning, of_modulators) = linear::backward_fan(&conditioning, &modulators, &gradients.conditions, products)?;
            for (block, [weight, bias]) in of_modulators.into_iter().enumerate() {
                found(place(block, WEIGHTS - 2), weight)?;
                found(place(block, WEIGHTS - 1), bias)?;
            }
            found(0, gradients.x)?;
            found(1, conditioning)
        });
        Ok((output, pullback))
    })?;
    Ok(output)
}
