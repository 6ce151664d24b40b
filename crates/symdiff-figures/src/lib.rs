#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod figure;
mod losses;
mod panels;
mod scale;

pub use figure::{Axis, Figure, Frame, Layer, STYLE, Style};
pub use losses::losses;
pub use panels::panels;
pub use scale::Kind;
