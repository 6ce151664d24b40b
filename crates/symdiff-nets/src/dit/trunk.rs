//! The blocks one after the other, as one node of the graph.

use super::block::{Block, WEIGHTS};
use crate::Result;
use candle_core::Tensor;
use symdiff_ops::stack::Stack;
use symdiff_ops::{Products, Pullback, Ragged, fused, linear, panel};

/// x ← block_k(x, modulation_k(c)) for every block k: x `[N, D]`, conditioning c `[B|1, D]` after its SiLU → `[N, D]`.
///
/// No block mixes samples, so the batch is computed in panels (sub-batches), see [`Stack`]; the modulations of all blocks are computed before the first.
pub(super) fn forward(blocks: &[Block], x: &Tensor, conditioning: &Tensor, layout: &Ragged, products: Products) -> Result<Tensor> {
    let weights = blocks.iter().flat_map(Block::weights);
    let inputs: Vec<&Tensor> = [x, conditioning].into_iter().chain(weights).collect();
    let keep = inputs.iter().any(|input| input.track_op());
    let output = fused("dit_trunk", &inputs, |inputs| {
        let [x, conditioning] = [inputs[0].clone(), inputs[1].clone()];
        // Rounded, where blocks compute in less than f32, once for both passes.
        let weights = linear::rounded(&inputs[2..], x.dtype())?;
        let blocks: Vec<Block> = blocks.iter().zip(weights.chunks_exact(WEIGHTS)).map(|(block, weights)| block.with(weights)).collect();
        let modulations = panel::each(x.device(), blocks.iter().collect(), |block: &Block| block.modulation(&conditioning, products))?;
        let stack = Stack::new(blocks, modulations)?.with_products(products);
        let (output, kept) = stack.forward(&x, layout, keep)?;
        let pullback: Pullback = Box::new(move |gradient| {
            let gradients = stack.backward(kept, gradient)?;
            let modulators: Vec<&Tensor> = stack.layers().iter().map(Block::modulator).collect();
            let (conditioning, of_modulators) = linear::backward_fan(&conditioning, &modulators, &gradients.conditions, products)?;
            let of_weights =
                gradients.maps.into_iter().zip(of_modulators).flat_map(|(of_maps, of_modulator)| of_maps.into_iter().chain([of_modulator]));
            Ok([gradients.x, conditioning].into_iter().chain(of_weights.flatten()).map(Some).collect())
        });
        Ok((output, pullback))
    })?;
    Ok(output)
}
