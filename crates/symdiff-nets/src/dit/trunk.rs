//! The blocks one after the other, as one node of the graph.

use super::block::{Block, LAYERS, Returned, Saved};
use crate::Result;
use candle_core::Tensor;
use symdiff_ops::{Panel, Pullback, Ragged, fused, linear, panel};

/// Runs the blocks: x `[N, D]`, conditioning `[B|1, D]` after its SiLU → `[N, D]`.
///
/// A batch passes through in panels of whole samples, each through all blocks on one thread, so that activations stay near the core that
/// made them; nothing in a block mixes samples. On the way back, panels meet after each block: the gradients of its parameters are made
/// from all of them, while the panels pass through the block before it.
pub(super) fn forward(blocks: &[Block], x: &Tensor, conditioning: &Tensor, layout: &Ragged) -> Result<Tensor> {
    let weights = blocks.iter().flat_map(Block::weights);
    let inputs: Vec<&Tensor> = [x, conditioning].into_iter().chain(weights).collect();
    let keep = inputs.iter().any(|input| input.track_op());
    let output = fused("dit_trunk", &inputs, |inputs| {
        // Rounded, where blocks compute in less than f32, once for both passes.
        let weights = inputs[2..].chunks_exact(2 * LAYERS).map(|weights| linear::rounded(weights, x.dtype()));
        let blocks = blocks.iter().zip(weights).map(|(block, weights)| Ok(block.detached(&weights?)));
        let blocks = blocks.collect::<symdiff_ops::Result<Vec<Block>>>()?;
        let strands = panel::each(x.device(), Panel::divide(layout, x.device())?, |panel| {
            let (mut x, mut saved) = (panel.nodes_of(&inputs[0])?, Vec::new());
            let conditioning = panel.samples_of(&inputs[1])?;
            for block in &blocks {
                let (output, kept) = block.forward(&x, &conditioning, panel.layout())?;
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

/// A panel on its way back: what its blocks saved, and the gradients of its nodes and of its conditioning so far.
struct Strand {
    saved: Vec<Saved>,
    x: Tensor,
    conditioning: Option<Tensor>,
}

/// The gradients of x, of the conditioning and of the weights, in the order of the node's inputs.
fn pull_back(
    blocks: &[Block],
    kept: Vec<(Panel, Vec<Saved>)>,
    gradient: &Tensor,
    shared: bool,
) -> symdiff_ops::Result<Vec<Option<Tensor>>> {
    let device = gradient.device();
    let strands = kept.into_iter().map(|(panel, saved)| Ok(Strand { saved, x: panel.nodes_of(gradient)?, conditioning: None }));
    let mut strands = strands.collect::<symdiff_ops::Result<Vec<_>>>()?;
    let (mut layers, mut weights) = (Vec::new(), Vec::new());
    for block in blocks.iter().rev() {
        let (pulled, of_later) =
            panel::both(device, strands, |strand| through(block, strand), layers, |layer: Parts| of_parameters(&layer))?;
        weights.push(of_later);
        let mut parts: [Parts; LAYERS] = Default::default();
        strands = Vec::with_capacity(pulled.len());
        for (strand, of_panel) in pulled {
            strands.push(strand);
            parts.iter_mut().zip(of_panel).for_each(|(parts, part)| parts.push(part));
        }
        layers = parts.into();
    }
    weights.push(panel::each(device, layers, |layer| of_parameters(&layer))?);
    let (x, conditioning): (Vec<Tensor>, Vec<_>) = strands.into_iter().map(|strand| (strand.x, strand.conditioning)).unzip();
    let conditioning: Vec<Tensor> = conditioning.into_iter().flatten().collect();
    let conditioning = if shared { Tensor::stack(&conditioning, 0)?.sum(0)? } else { Tensor::cat(&conditioning, 0)? };
    let weights = weights.into_iter().rev().flatten().flatten();
    Ok([Tensor::cat(&x, 0)?, conditioning].into_iter().chain(weights).map(Some).collect())
}

/// A layer's input and the gradient of its output, panel by panel.
type Parts = Vec<[Tensor; 2]>;

/// One panel back through one block.
fn through(block: &Block, mut strand: Strand) -> symdiff_ops::Result<(Strand, [[Tensor; 2]; LAYERS])> {
    let Some(saved) = strand.saved.pop() else { unreachable!("every block saves once for each panel") };
    let Returned { x, conditioning, layers } = block.pull_back(saved, &strand.x)?;
    let conditioning = match strand.conditioning {
        Some(so_far) => (so_far + conditioning)?,
        None => conditioning,
    };
    Ok((Strand { x, conditioning: Some(conditioning), ..strand }, layers))
}

fn of_parameters(parts: &Parts) -> symdiff_ops::Result<[Tensor; 2]> {
    let parts: Vec<[&Tensor; 2]> = parts.iter().map(<[Tensor; 2]>::each_ref).collect();
    linear::backward_parameters(&parts)
}
