//! State dicts of the published implementation, under this project's names.
//!
//! Modules carry the published names already; what differs is the frame around them. The published model keeps its denoiser under `dynamics.`,
//! a buffer that holds nothing, the table of a fixed schedule as a parameter, and in γ's encoder a read-out that no output depends on.

use candle_core::Tensor;
use std::collections::BTreeMap;

/// The name a published parameter has here; `None` for what no model here needs.
pub(crate) fn local_name(published: &str) -> Option<&str> {
    let name = published.strip_prefix("module.").unwrap_or(published);
    let name = name.strip_prefix("dynamics.").unwrap_or(name);
    let unused = name == "buffer" || name == "gamma.gamma" || name.starts_with("gamma_enc.final_layer.");
    (!unused).then_some(name)
}

/// A state dict under local names.
pub(crate) fn localised(published: BTreeMap<String, Tensor>) -> BTreeMap<String, Tensor> {
    published.into_iter().filter_map(|(name, tensor)| Some((local_name(&name)?.to_owned(), tensor))).collect()
}

#[cfg(test)]
mod tests {
    use super::local_name;

    #[test]
    fn the_frame_is_taken_off_and_unused_tensors_are_dropped() {
        assert_eq!(local_name("module.dynamics.k.blocks.0.attn.qkv.weight"), Some("k.blocks.0.attn.qkv.weight"));
        assert_eq!(local_name("gamma.gamma_0"), Some("gamma.gamma_0"));
        for unused in ["buffer", "gamma.gamma", "dynamics.gamma_enc.final_layer.linear.weight"] {
            assert_eq!(local_name(unused), None, "{unused}");
        }
    }
}
