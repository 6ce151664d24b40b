//! The blocks one after the other, as one node of the graph.

use super::block::{Block, Pulled, Saved};
use crate::Result;
use candle_core::Tensor;
use symdiff_ops::{Panel, Pullback, Ragged, fused, linear, panel};

/// Runs the blocks: x `[N, D]`, conditioning `[B|1, D]` after its SiLU → `[N, D]`.
///
/// A batch passes through in panels of whole samples, each through all blocks on one thread, so that activations stay near the core that
/// made them; nothing in a block mixes samples. On the way back, panels meet after each block, where the gradients of its parameters are
/// made from all of them.
pub(super) fn forward(blocks: &[Block], x: &Tensor, conditioning: &Tensor, layout: &Ragged) -> Result<Tensor> {
    let modulations = blocks.iter().map(|block| block.modulation(conditioning)).collect::<Result<Vec<_>>>()?;
    let weights = blocks.iter().flat_map(Block::weights);
    let inputs: Vec<&Tensor> = [x].into_iter().chain(&modulations).chain(weights).collect();
    let keep = inputs.iter().any(|input| input.track_op());
    let output = fused("dit_trunk", &inputs, |inputs| {
        let (modulations, weights) = inputs[1..].split_at(blocks.len());
        // Rounded, where blocks compute in less than f32, once for both passes.
        let weights = weights.chunks_exact(8).map(|weights| linear::rounded(weights, x.dtype()));
        let blocks = blocks.iter().zip(weights).map(|(block, weights)| Ok(block.detached(&weights?)));
        let blocks = blocks.collect::<symdiff_ops::Result<Vec<Block>>>()?;
        let strands = panel::each(Panel::divide(layout, x.device())?, |panel| {
            let (mut x, mut saved) = (panel.nodes_of(&inputs[0])?, Vec::new());
            for (block, modulation) in blocks.iter().zip(modulations) {
                let (output, kept) = block.forward(&x, &panel.samples_of(modulation)?, panel.layout())?;
                x = output;
                saved.extend(keep.then_some(kept));
            }
            Ok((x, (panel, saved)))
        })?;
        let (outputs, kept): (Vec<Tensor>, Vec<_>) = strands.into_iter().unzip();
        let shared = conditioning.dims()[0] == 1;
        let pullback: Pullback = Box::new(move |gradient| pull_back(&blocks, kept, gradient, shared));
        Ok((Tensor::cat(&outputs, 0)?, pullback))
    })?;
    Ok(output)
}

/// The gradients of x, of the modulations and of the weights, in the order of the node's inputs.
fn pull_back(
    blocks: &[Block],
    kept: Vec<(Panel, Vec<Saved>)>,
    gradient: &Tensor,
    shared: bool,
) -> symdiff_ops::Result<Vec<Option<Tensor>>> {
    let strands = kept.into_iter().map(|(panel, saved)| Ok((saved, panel.nodes_of(gradient)?)));
    let mut strands = strands.collect::<symdiff_ops::Result<Vec<_>>>()?;
    let (mut modulations, mut weights) = (Vec::new(), Vec::new());
    for block in blocks.iter().rev() {
        let pulled = panel::each(strands, |(mut saved, gradient): (Vec<Saved>, Tensor)| {
            let Some(own) = saved.pop() else { unreachable!("every block saves once for each panel") };
            let Pulled { x, modulation, layers } = block.pull_back(own, &gradient)?;
            Ok(((saved, x), modulation, layers))
        })?;
        let mut of_block = Vec::with_capacity(8);
        for layer in 0..4 {
            let parts: Vec<[&Tensor; 2]> = pulled.iter().map(|(_, _, layers)| layers[layer].each_ref()).collect();
            of_block.extend(linear::backward_parameters(&parts)?);
        }
        weights.push(of_block);
        let parts: Vec<&Tensor> = pulled.iter().map(|(_, modulation, _)| modulation).collect();
        modulations.push(if shared { Tensor::stack(&parts, 0)?.sum(0)? } else { Tensor::cat(&parts, 0)? });
        strands = pulled.into_iter().map(|(strand, ..)| strand).collect();
    }
    let x: Vec<Tensor> = strands.into_iter().map(|(_, gradient)| gradient).collect();
    let weights = weights.into_iter().rev().flatten();
    Ok([Tensor::cat(&x, 0)?].into_iter().chain(modulations.into_iter().rev()).chain(weights).map(Some).collect())
}
