//! AdamW with or without AMSGrad, gradient clipping and the moving average of the weights: one step, one pass over the parameters.

use crate::{Error, Result, Variables};
use candle_core::backprop::GradStore;
use candle_core::{DType, Tensor, Var};
use std::collections::{BTreeMap, VecDeque};
use symdiff_ops::adamw::{self, Moments, Parts};

/// The rule that limits the gradient norm.
#[derive(Clone, Debug, PartialEq)]
pub enum Clip {
    /// To a fixed limit.
    Norm(f64),
    /// To 1.5·mean + 2·(population standard deviation) of the last 50 norms, newest first, starting from \[3000\]; a clipped step is remembered with
    /// its limit (EDM).
    Queue(VecDeque<f64>),
    /// None.
    None,
}

const QUEUE: usize = 50;

impl Clip {
    /// The rule of EDM, at its start.
    pub fn queue() -> Self {
        Self::Queue(VecDeque::from([3000.0]))
    }

    /// The current limit on the gradient norm; infinite where there is none.
    pub fn limit(&self) -> f64 {
        match self {
            Self::None => f64::INFINITY,
            Self::Norm(limit) => *limit,
            Self::Queue(norms) => {
                let n = norms.len() as f64;
                let mean = norms.iter().sum::<f64>() / n;
                let variance = norms.iter().map(|norm| (norm - mean).powi(2)).sum::<f64>() / n;
                1.5 * mean + 2.0 * variance.sqrt()
            }
        }
    }

    /// The limit for a gradient of that norm. The norm is read (which synchronises with a GPU) only for rules that depend on earlier norms.
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
            Self::Norm(_) | Self::None => Vec::new(),
            Self::Queue(norms) => norms.iter().copied().collect(),
        }
    }
}

/// What the optimiser needs to know.
#[derive(Clone, Debug, PartialEq)]
pub struct OptimiserSettings {
    /// Divides by the largest second moment so far instead of the current one.
    pub amsgrad: bool,
    /// Decoupled weight decay.
    pub weight_decay: f64,
    /// The limit on the gradient norm.
    pub clip: Clip,
    /// Decay of the moving average of the weights.
    pub ema: f64,
    /// Starts the average with decay (1 + k)/(10 + k) at step k, until that passes `ema`.
    pub ema_warmup: bool,
}

/// The optimiser's state for every variable, in the order of names.
#[derive(Debug)]
pub struct Optimiser {
    slots: Vec<Slot>,
    settings: OptimiserSettings,
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
    /// When the device refuses.
    pub fn new(variables: &Variables, settings: OptimiserSettings) -> Result<Self> {
        let slot =
            |(name, var): (&str, &Var)| Ok(Slot { name: name.to_owned(), var: var.clone(), moments: Moments::new(var, settings.amsgrad)? });
        Ok(Self { slots: variables.iter().map(slot).collect::<Result<_>>()?, settings })
    }

    /// The clipping rule and its memory.
    pub fn clip(&self) -> &Clip {
        &self.settings.clip
    }

    /// The gradient of every variable, in the order of names; `None` where the loss does not depend on it.
    pub fn gradients(&self, mut store: GradStore) -> Vec<Option<Tensor>> {
        self.slots.iter().map(|slot| store.remove(&slot.var)).collect()
    }

    /// Clips, steps and averages; returns the gradient norm before clipping, as a tensor on the device of the variables, so that nothing synchronises until it is read.
    /// `gradients` are those of [`gradients`](Self::gradients), `step` counts from 0. Variables without a gradient stay.
    ///
    /// # Errors
    /// When the device refuses.
    pub fn step(&mut self, gradients: &[Option<Tensor>], lr: f64, step: u64) -> Result<Tensor> {
        let norm = adamw::global_norm(&gradients.iter().flatten().collect::<Vec<_>>())?;
        let OptimiserSettings { weight_decay, ema, ema_warmup, .. } = self.settings;
        let rule = adamw::Rule {
            lr,
            weight_decay,
            step: step + 1,
            ema: if ema_warmup { ema.min((1 + step) as f64 / (10 + step) as f64) } else { ema },
            ..adamw::Rule::default()
        };
        let limit = self.settings.clip.admit(&norm)?;
        let slots = self.slots.iter_mut().zip(gradients);
        let items = slots.filter_map(|(slot, gradient)| Some((&mut slot.moments, &slot.var, gradient.as_ref()?)));
        adamw::step_all(items, &rule, limit.is_finite().then_some((&norm, limit)))?;
        Ok(norm)
    }

    /// Runs `body` with the averaged weights in the place of the variables, and puts those back, whatever `body` returns.
    ///
    /// # Errors
    /// When the device refuses, or what `body` returns.
    pub fn averaged<T, E: From<Error>>(&self, body: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
        let kept = self.slots.iter().map(|slot| Ok(slot.var.as_tensor().copy()?)).collect::<Result<Vec<_>>>()?;
        for slot in &self.slots {
            slot.var.set(&slot.moments.average().map_err(Error::from)?).map_err(Error::from)?;
        }
        let result = body();
        for (slot, value) in self.slots.iter().zip(&kept) {
            slot.var.set(value).map_err(Error::from)?;
        }
        result
    }

    /// All that a checkpoint keeps, ordered by name: `param.NAME`, `m.NAME`, `v.NAME`, `ema.NAME`, and `vmax.NAME` under AMSGrad.
    ///
    /// # Errors
    /// When the device refuses.
    pub fn tensors(&self) -> Result<Vec<(String, Tensor)>> {
        let mut tensors = Vec::with_capacity(5 * self.slots.len());
        for Slot { name, var, moments } in &self.slots {
            tensors.push((format!("param.{name}"), var.as_tensor().detach()));
            let Parts { first, second, maximum, average } = moments.parts()?;
            let kinds = [("m", first), ("v", second)].into_iter().chain(maximum.map(|maximum| ("vmax", maximum))).chain([("ema", average)]);
            tensors.extend(kinds.map(|(kind, tensor)| (format!("{kind}.{name}"), tensor)));
        }
        Ok(tensors)
    }

    /// Restores what [`Optimiser::tensors`] gave, each kind by name, and the clipping history. The maximum is that of AMSGrad.
    ///
    /// # Errors
    /// [`Error::Weights`] naming the first tensor that is missing or of another shape.
    pub fn load<'a>(&mut self, kinds: &'a Parts<BTreeMap<String, Tensor>>, norms: &[f64]) -> Result<()> {
        for Slot { name, var, moments } in &mut self.slots {
            let of = |kind: Option<&'a BTreeMap<String, Tensor>>| {
                let found = kind.and_then(|kind| kind.get(name)).filter(|tensor| tensor.shape() == var.shape());
                found.ok_or_else(|| Error::Weights(format!("the optimiser's state of `{name}` is missing or of another shape")))
            };
            let maximum = self.settings.amsgrad.then(|| of(kinds.maximum.as_ref())).transpose()?;
            let (first, second, average) = (of(Some(&kinds.first))?, of(Some(&kinds.second))?, of(Some(&kinds.average))?);
            *moments = Moments::from_parts(Parts { first, second, maximum, average })?;
        }
        if let Clip::Queue(queue) = &mut self.settings.clip {
            *queue = norms.iter().copied().collect();
        }
        Ok(())
    }
}
