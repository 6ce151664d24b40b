//! `dit_block`: one transformer block and its parts.

use super::Results;
use super::golden::Golden;
use crate::Result;
use symdiff_nets::{Dit, DitConfig, Linear, MlpType, Start, TimeEmbedding};
use symdiff_ops::{Noise, ragged_attention, swiglu};

pub(super) fn results(golden: &Golden) -> Result<Results> {
    let (hidden, heads, ratio) = (golden.size("hidden")?, golden.size("heads")?, golden.size("ratio")?);
    let (depth, output) = (golden.size("depth")?, Some(golden.size("out")?));
    let config = DitConfig { input: None, hidden, depth, heads, ratio, mlp_type: MlpType::Swiglu, output };
    let (x, t, layout, vb) = (golden.rows("in.x")?, golden.tensor("in.t")?, golden.layout()?, golden.builder());
    let dit = Dit::new(&config, Noise::seeded(0), vb.clone())?;
    let block = vb.pp("blocks").pp(0);
    let linear = |name: [&str; 2], inputs, outputs| Linear::new(inputs, outputs, Start::Zero, block.pp(name[0]).pp(name[1]));
    let qkv = linear(["attn", "qkv"], hidden, 3 * hidden)?.forward(&x)?;
    let packed = linear(["mlp", "fc1"], hidden, ratio * hidden)?.forward(&x)?;
    Ok(Results::from([
        ("out.t_features".into(), TimeEmbedding::features(t)?),
        ("out.c".into(), TimeEmbedding::new(hidden, vb.pp("t_embedder"))?.forward(t)?),
        ("out.attn".into(), linear(["attn", "proj"], hidden, hidden)?.forward(&ragged_attention(&qkv, heads, &layout)?)?),
        ("out.mlp".into(), linear(["mlp", "fc2"], ratio * hidden / 2, hidden)?.forward(&swiglu(&packed)?)?),
        ("out.block".into(), dit.features(&x, t, &layout)?),
        ("out.final".into(), dit.forward(&x, t, &layout)?),
    ]))
}
