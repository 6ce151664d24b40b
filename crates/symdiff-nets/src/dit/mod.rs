//! The Diffusion Transformer (Peebles and Xie, arXiv 2212.09748) on packed nodes, with SwiGLU (Shazeer, arXiv 2002.05202) or with a plain perceptron.
//!
//! Attention runs within each sample; nothing else mixes nodes, so the network is equivariant under permutations of a sample's nodes
//! and one sample never sees another.

mod attention;
mod block;
mod branch;
mod config;
mod feedforward;
mod head;
mod time;
mod trunk;

pub use config::{DitConfig, MlpType};
pub use time::TimeEmbedding;

use crate::{Linear, Result, Start};
use block::Block;
use candle_core::{DType, Tensor};
use candle_nn::VarBuilder;
use head::Head;
use symdiff_ops::{Noise, Products, Ragged};

/// A time-conditioned transformer over nodes.
///
/// The blocks compute in the dtype of the `VarBuilder` that the network was built from; embeddings and read-out, in that of x. So parameters in
/// f32 under a builder of bf16 make mixed precision: blocks multiply in bf16, and an optimiser sees f32. On a CPU that rounds the operands of the
/// blocks' products alone ([`Products::Bf16`]); their activations are f32.
///
/// # Shapes
/// x `[N, input or D]`, times `[B]` (or `[1]`, when all samples share one) in \[0, 1\] → `[N, output]`.
///
/// # Cost
/// With SwiGLU 2·N·D²·(4 + 3·ratio/2)·depth, with a plain perceptron 2·N·D²·(4 + 2·ratio)·depth operations forward in the products, and Σ n_i²·4·D·depth in attention.
#[derive(Clone, Debug)]
pub struct Dit {
    embedder: Option<Linear>,
    time: TimeEmbedding,
    blocks: Vec<Block>,
    head: Option<Head>,
    dtype: DType,
}

impl Dit {
    /// A transformer of the given sizes, with zeroed modulations and read-out (adaLN-Zero).
    ///
    /// Parameters that `vb` has to create start as published. `noise` is for the value half of every SwiGLU, which has no initialisation in Candle:
    /// weights of standard deviation 1e-6 and bias 1, so that each unit begins as a plain SiLU. It is not drawn from where the parameters exist.
    ///
    /// # Errors
    /// When sizes do not fit, or a parameter is missing or has another shape.
    pub fn new(config: &DitConfig, noise: Noise, vb: VarBuilder) -> Result<Self> {
        config.check()?;
        let width = config.hidden;
        let start = Start::Xavier { gain: 1.0 };
        let embedder = config.input.map(|input| Linear::new(input, width, start, vb.pp("x_embedder"))).transpose()?;
        let streams = noise.repeats(config.depth).enumerate();
        let blocks = streams.map(|(i, noise)| Block::new(config, noise, vb.pp("blocks").pp(i))).collect::<Result<_>>()?;
        let head = config.output.map(|output| Head::new(width, output, vb.pp("final_layer"))).transpose()?;
        let time = TimeEmbedding::new(width, vb.pp("t_embedder"))?;
        Ok(Self { embedder, time, blocks, head, dtype: vb.dtype() })
    }

    /// The hidden features `[N, D]` after the last block.
    ///
    /// # Errors
    /// When shapes do not fit the layout.
    pub fn features(&self, x: &Tensor, times: &Tensor, layout: &Ragged) -> Result<Tensor> {
        Ok(self.run(x, times, None, layout)?.0)
    }

    /// The read-out `[N, output]`; the features where the configuration asks for no output.
    ///
    /// # Errors
    /// When shapes do not fit the layout.
    pub fn forward(&self, x: &Tensor, times: &Tensor, layout: &Ragged) -> Result<Tensor> {
        self.forward_beside(x, times, None, layout)
    }

    /// The same with an embedding of a condition, `[B, D]` (or `[1, D]`), that is added to the embedding of the time.
    ///
    /// # Errors
    /// When shapes do not fit the layout.
    pub fn forward_beside(&self, x: &Tensor, times: &Tensor, condition: Option<&Tensor>, layout: &Ragged) -> Result<Tensor> {
        let (features, conditioning) = self.run(x, times, condition, layout)?;
        self.head.as_ref().map_or(Ok(features.clone()), |head| head.forward(&features, &conditioning, layout))
    }

    fn run(&self, x: &Tensor, times: &Tensor, condition: Option<&Tensor>, layout: &Ragged) -> Result<(Tensor, Tensor)> {
        layout.check_nodes("dit", "x", x)?;
        let time = self.time.forward(times)?;
        let conditioning = symdiff_ops::silu(&condition.map_or(Ok(time.clone()), |condition| time.broadcast_add(condition))?)?;
        let embedded = self.embedder.as_ref().map_or(Ok(x.clone()), |embedder| embedder.forward(x))?;
        let (dtype, products) = Products::of(self.dtype, x.device());
        let [inside, modulating] = [&embedded, &conditioning].map(|tensor| tensor.to_dtype(dtype));
        let features = trunk::forward(&self.blocks, &inside?, &modulating?, layout, products)?;
        Ok((features.to_dtype(embedded.dtype())?, conditioning))
    }
}
