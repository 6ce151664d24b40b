//! AdamW with AMSGrad, gradient clipping and the moving average of the weights: one step, one pass over the parameters.

use crate::experiment::Train;
use crate::parameters::Parameters;
use crate::{Error, Result};
use candle_core::backprop::GradStore;
use candle_core::{DType, Tensor, Var};
use std::collections::{BTreeMap, VecDeque};
use symdiff_ops::adamw::{self, Moments};

/// The rule that limits the gradient norm.
#[derive(Clone, Debug, PartialEq)]
pub enum Clip {
    /// To a fixed limit.
    Norm(f64),
    /// To 1.5·mean + 2·(population standard deviation) of the last 50 norms, newest first, starting from \[3000\]; a clipped step is remembered with
    /// its limit (EDM).
    Queue(VecDeque<f64>),
}

const QUEUE: usize = 50;

impl Clip {
    /// The rule of that name, at its start.
    ///
    /// # Errors
    /// [`Error::Config`] when there is no such rule.
    pub fn from_name(name: &str, limit: f64) -> Result<Self> {
        match name {
            "norm" => Ok(Self::Norm(limit)),
            "queue" => Ok(Self::Queue(VecDeque::from([3000.0]))),
            other => Err(Error::Config(format!("train.clipping `{other}` is unknown; use norm or queue"))),
        }
    }

    /// The limit in force.
    pub fn limit(&self) -> f64 {
        match self {
            Self::Norm(limit) => *limit,
            Self::Queue(norms) => {
                let n = norms.len() as f64;
                let mean = norms.iter().sum::<f64>() / n;
                let variance = norms.iter().map(|norm| (norm - mean).powi(2)).sum::<f64>() / n;
                1.5 * mean + 2.0 * variance.sqrt()
            }
        }
    }

    /// The limit in force for a gradient of that norm, which is read only where the rule remembers it.
    ///
    /// # Errors
    /// When the norm cannot be read.
    pub fn admit(&mut self, norm: &Tensor) -> Result<f64> {
        let limit = self.limit();
        if let Self::Queue(norms) = self {
            norms.push_front(norm.to_dtype(DType::F64)?.to_scalar::<f64>()?.min(limit));
            norms.truncate(QUEUE);
        }
        Ok(limit)
    }

    /// What a checkpoint keeps.
    pub fn history(&self) -> Vec<f64> {
        match self {
            Self::Norm(_) => Vec::new(),
            Self::Queue(norms) => norms.iter().copied().collect(),
        }
    }
}

/// The optimiser's state for every parameter, in the order of names.
#[derive(Debug)]
pub struct Optimiser {
    slots: Vec<Slot>,
    clip: Clip,
    weight_decay: f64,
    ema: f64,
    ema_warmup: bool,
}

#[derive(Debug)]
struct Slot {
    name: String,
    var: Var,
    moments: Moments,
}

impl Optimiser {
    /// Zero moments; the average starts as a copy.
    ///
    /// # Errors
    /// When the clipping rule is unknown.
    pub fn new(parameters: &Parameters, train: &Train) -> Result<Self> {
        let slots = parameters
            .named()
            .into_iter()
            .map(|(name, var)| Ok(Slot { moments: Moments::new(&var)?, name, var }))
            .collect::<Result<_>>()?;
        let clip = Clip::from_name(&train.clipping, train.clip)?;
        Ok(Self { slots, clip, weight_decay: train.weight_decay, ema: train.ema, ema_warmup: train.ema_warmup })
    }

    /// The clipping rule and its memory.
    pub fn clip(&self) -> &Clip {
        &self.clip
    }

    /// Clips, steps and averages; returns the gradient norm before clipping, where the parameters live: on a GPU, only reading it waits.
    /// `step` counts from 0. Parameters without a gradient stay.
    ///
    /// # Errors
    /// When the device refuses.
    pub fn step(&mut self, mut gradients: GradStore, lr: f64, step: u64) -> Result<Tensor> {
        let gradients: Vec<Option<Tensor>> = self.slots.iter().map(|slot| gradients.remove(&slot.var)).collect();
        let norm = adamw::global_norm(&gradients.iter().flatten().collect::<Vec<_>>())?;
        let rule = adamw::Rule {
            lr,
            weight_decay: self.weight_decay,
            step: step + 1,
            ema: if self.ema_warmup { self.ema.min((1 + step) as f64 / (10 + step) as f64) } else { self.ema },
            ..adamw::Rule::default()
        };
        let limit = self.clip.admit(&norm)?;
        let slots = self.slots.iter_mut().zip(&gradients);
        let items = slots.filter_map(|(slot, gradient)| Some((&mut slot.moments, &slot.var, gradient.as_ref()?)));
        adamw::step_all(items, &rule, Some((&norm, limit)))?;
        Ok(norm)
    }

    /// All that a checkpoint keeps, ordered by name.
    ///
    /// # Errors
    /// When the device refuses.
    pub fn tensors(&self) -> Result<Vec<(String, Tensor)>> {
        let mut tensors = Vec::with_capacity(5 * self.slots.len());
        for Slot { name, var, moments } in &self.slots {
            tensors.push((format!("param.{name}"), var.as_tensor().detach()));
            let [m, v, vmax, ema] = moments.tensors()?;
            tensors.extend([("m", m), ("v", v), ("vmax", vmax), ("ema", ema)].map(|(kind, tensor)| (format!("{kind}.{name}"), tensor)));
        }
        Ok(tensors)
    }

    /// Restores what [`Optimiser::tensors`] gave: m, v, vmax, ema by name, and the clipping history.
    ///
    /// # Errors
    /// [`Error::Weights`] naming the first tensor that is missing or of another shape.
    pub fn load(&mut self, kinds: [BTreeMap<String, Tensor>; 4], norms: &[f64]) -> Result<()> {
        for slot in &mut self.slots {
            let found = kinds.each_ref().map(|kind| kind.get(&slot.name).filter(|tensor| tensor.shape() == slot.var.shape()));
            let [Some(m), Some(v), Some(vmax), Some(ema)] = found else {
                return Err(Error::Weights(format!("the optimiser's state of `{}` is missing or of another shape", slot.name)));
            };
            slot.moments = Moments::from_tensors([m, v, vmax, ema])?;
        }
        if let Clip::Queue(queue) = &mut self.clip {
            *queue = norms.iter().copied().collect();
        }
        Ok(())
    }
}
