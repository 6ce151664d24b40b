//! The blocks one after the other, as one node of the graph.

use super::block::{Block, LAYERS, Returned, Saved};
use crate::Result;
use candle_core::Tensor;
use symdiff_ops::linear::Weight;
use symdiff_ops::{Panel, Pullback, Ragged, fused, linear, panel};

/// Runs the blocks: x `[N, D]`, conditioning `[B|1, D]` after its SiLU → `[N, D]`.
///
/// A batch passes through in panels of whole samples, each through a block on one thread, so that activations stay near the core that made
/// them; nothing in a block mixes samples. What panels share is made meanwhile: the next block's matrices in the order in which products
/// read them, and, on the way back, the gradients of the parameters of the block just left.
pub(super) fn forward(blocks: &[Block], x: &Tensor, conditioning: &Tensor, layout: &Ragged) -> Result<Tensor> {
    let weights = blocks.iter().flat_map(Block::weights);
    let inputs: Vec<&Tensor> = [x, conditioning].into_iter().chain(weights).collect();
    let keep = inputs.iter().any(|input| input.track_op());
    let output = fused("dit_trunk", &inputs, |inputs| {
        // Rounded, where blocks compute in less than f32, once for both passes.
        let weights = linear::rounded(&inputs[2..], x.dtype())?;
        let blocks = blocks.iter().zip(weights.chunks_exact(2 * (LAYERS + 1))).map(|(block, weights)| block.detached(weights));
        let trunk = Trunk { blocks: blocks.collect(), conditioning: inputs[1].clone() };
        let panels = Panel::divide(layout, x.device())?.into_iter();
        let strands = panels.map(|panel| Ok(Strand { x: panel.nodes_of(&inputs[0])?, panel, saved: Vec::new() }));
        let strands = trunk.run(strands.collect::<symdiff_ops::Result<_>>()?, keep)?;
        let outputs: Vec<&Tensor> = strands.iter().map(|strand| &strand.x).collect();
        let output = Tensor::cat(&outputs, 0)?;
        let pullback: Pullback = Box::new(move |gradient| trunk.pull_back(strands, gradient));
        Ok((output, pullback))
    })?;
    Ok(output)
}

/// The blocks on tensors outside the graph, and what modulates them.
struct Trunk {
    blocks: Vec<Block>,
    conditioning: Tensor,
}

/// A panel on its way.
struct Strand {
    panel: Panel,
    /// Its nodes behind the block just left; on the way back, their gradient.
    x: Tensor,
    /// What the blocks behind it saved.
    saved: Vec<Saved>,
}

/// A piece of work between two blocks, for one thread; the longer kinds first.
enum Work<'a> {
    /// Make a layer's gradients of its inputs and the gradients of its outputs, panel by panel.
    Gradients(Vec<[Tensor; 2]>),
    /// Lead a panel through the block.
    Lead(Strand),
    /// Lay out a matrix of the block to come.
    LayOut(&'a Tensor),
}

/// What came of it all, kind by kind, in order.
struct Done<R> {
    gradients: Vec<Tensor>,
    led: Vec<R>,
    weights: Vec<Weight>,
}

impl Trunk {
    fn run(&self, mut strands: Vec<Strand>, keep: bool) -> symdiff_ops::Result<Vec<Strand>> {
        let device = self.conditioning.device();
        let modulations = panel::each(device, self.blocks.iter().collect(), |block: &Block| block.modulation(&self.conditioning))?;
        let mut weights = panel::each(device, self.matrices(0), Weight::forward)?;
        for (place, (block, modulation)) in self.blocks.iter().zip(&modulations).enumerate() {
            let work = strands.into_iter().map(Work::Lead).chain(self.matrices(place + 1).into_iter().map(Work::LayOut));
            let lead = |mut strand: Strand| {
                let modulation = strand.panel.samples_of(modulation)?;
                let (x, saved) = block.forward(&weights, &strand.x, &modulation, strand.panel.layout())?;
                strand.saved.extend(keep.then_some(saved));
                Ok(Strand { x, ..strand })
            };
            let done = self.share(work.collect(), lead, Weight::forward)?;
            (strands, weights) = (done.led, done.weights);
        }
        Ok(strands)
    }

    /// The gradients of x, of the conditioning and of the weights, in the order of the node's inputs.
    fn pull_back(&self, mut strands: Vec<Strand>, gradient: &Tensor) -> symdiff_ops::Result<Vec<Option<Tensor>>> {
        let device = gradient.device();
        for strand in &mut strands {
            strand.x = strand.panel.nodes_of(gradient)?;
        }
        let last = self.blocks.len().saturating_sub(1);
        let mut weights = panel::each(device, self.matrices(last), Weight::backward)?;
        let (mut layers, mut of_layers, mut of_modulations) = (Vec::new(), Vec::new(), Vec::new());
        for (place, block) in self.blocks.iter().enumerate().rev() {
            let next = place.checked_sub(1).map(|next| self.matrices(next)).unwrap_or_default();
            let work = layers.into_iter().map(Work::Gradients).chain(strands.into_iter().map(Work::Lead));
            let lead = |mut strand: Strand| {
                let Some(saved) = strand.saved.pop() else { unreachable!("every block saves once for each panel") };
                let Returned { x, modulation, layers } = block.pull_back(&weights, saved, &strand.x)?;
                Ok((Strand { x, ..strand }, (modulation, layers)))
            };
            let done = self.share(work.chain(next.into_iter().map(Work::LayOut)).collect(), lead, Weight::backward)?;
            of_layers.push(done.gradients);
            weights = done.weights;
            let of_panels: Vec<_>;
            (strands, of_panels) = done.led.into_iter().unzip();
            let (modulations, of_panels): (Vec<Tensor>, Vec<[[Tensor; 2]; LAYERS]>) = of_panels.into_iter().unzip();
            of_modulations.push(self.joined(&modulations)?);
            layers = (0..LAYERS).map(|layer| of_panels.iter().map(|layers| layers[layer].clone()).collect()).collect();
        }
        let rest = layers.into_iter().map(Work::Gradients).collect();
        of_layers.push(self.share(rest, Ok, Weight::backward)?.gradients);
        of_modulations.reverse();
        let modulators: Vec<&Tensor> = self.blocks.iter().map(Block::modulator).collect();
        let (conditioning, of_modulators) = linear::backward_fan(&self.conditioning, &modulators, &of_modulations)?;

        let x: Vec<Tensor> = strands.into_iter().map(|strand| strand.x).collect();
        let of_blocks = of_layers.into_iter().skip(1).rev().zip(of_modulators);
        let of_weights = of_blocks.flat_map(|(of_layers, of_modulator)| of_layers.into_iter().chain(of_modulator));
        Ok([Tensor::cat(&x, 0)?, conditioning].into_iter().chain(of_weights).map(Some).collect())
    }

    /// The matrices of a block; none beyond the last one.
    fn matrices(&self, place: usize) -> Vec<&Tensor> {
        self.blocks.get(place).map(Block::matrices).into_iter().flatten().collect()
    }

    /// Does all the work on all threads.
    fn share<R: Send>(
        &self,
        work: Vec<Work>,
        lead: impl Fn(Strand) -> symdiff_ops::Result<R> + Send + Sync,
        lay_out: impl Fn(&Tensor) -> symdiff_ops::Result<Weight> + Send + Sync,
    ) -> symdiff_ops::Result<Done<R>> {
        enum Piece<R> {
            Gradients([Tensor; 2]),
            Led(R),
            Weight(Weight),
        }
        let pieces = panel::each(self.conditioning.device(), work, |work| {
            Ok(match work {
                Work::Gradients(parts) => {
                    let parts: Vec<[&Tensor; 2]> = parts.iter().map(<[Tensor; 2]>::each_ref).collect();
                    Piece::Gradients(linear::backward_parameters(&parts)?)
                }
                Work::Lead(strand) => Piece::Led(lead(strand)?),
                Work::LayOut(matrix) => Piece::Weight(lay_out(matrix)?),
            })
        })?;
        let mut done = Done { gradients: Vec::new(), led: Vec::new(), weights: Vec::new() };
        for piece in pieces {
            match piece {
                Piece::Gradients(gradients) => done.gradients.extend(gradients),
                Piece::Led(strand) => done.led.push(strand),
                Piece::Weight(weight) => done.weights.push(weight),
            }
        }
        Ok(done)
    }

    /// Gradients for the samples of all panels as one, in the shape of the conditioning's rows.
    fn joined(&self, of_panels: &[Tensor]) -> symdiff_ops::Result<Tensor> {
        Ok(if self.conditioning.dims()[0] == 1 { Tensor::stack(of_panels, 0)?.sum(0)? } else { Tensor::cat(of_panels, 0)? })
    }
}
