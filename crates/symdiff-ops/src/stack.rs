//! A stack of layers, run panel by panel: how a deep network keeps every thread busy without leaving the caches.
//!
//! A batch passes through the layers in [panels](Panel) of whole samples, each panel through a layer on one thread, so that its activations
//! stay near the core that made them. This needs layers that never mix samples. What the panels share is prepared by whichever threads are free:
//! the next layer's weights in the order in which products read them, and, in the backward pass, the gradients of the parameters of the
//! layer before, from all panels at once.
//!
//! ```text
//!               one piece of work each, taken by the next free thread
//! layer 0       panel 0 forward   panel 1 forward   …    weights of layer 1
//! layer 1       panel 0 forward   panel 1 forward   …    weights of layer 2
//!   ⋮
//! layer 1       parameters of 2   panel 0 backward  panel 1 backward   …    weights of layer 0
//! layer 0       parameters of 1   panel 0 backward  panel 1 backward   …
//!               parameters of 0
//! ```
//! Threads meet after each row, and the gradients of the parameters that it made are given away. A GPU gets the whole batch as one panel, and its work in the same order from one thread.

use crate::linear::{self, Weight};
use crate::{Error, Panel, Products, Ragged, Result, panel};
use candle_core::{Device, Tensor};

/// A layer as a [`Stack`] runs it: outside any graph, with a backward pass of its own.
///
/// Its parameters are those of affine maps y = x·Wᵀ + b over nodes. A layer says what went into and came back out of each; the stack
/// makes the parameters' gradients of that.
pub trait Layer: Sync {
    /// What a layer is given beside the nodes: a `[B, W]` or `[1, W]` tensor, or nothing, `()`.
    type Condition: Condition;
    /// What the backward pass needs.
    type Saved: Send;

    /// The weight `[O, I]` of each affine map, in an order of the layer's choice.
    fn maps(&self) -> Vec<&Tensor>;

    /// x `[n, C]` of one panel to `[n, C']`, with the [maps](Layer::maps)' weights as [`Weight::forward`] lays them out.
    ///
    /// # Errors
    /// When shapes do not belong together.
    fn forward(&self, weights: &[Weight], x: &Tensor, condition: &Self::Condition, layout: &Ragged) -> Result<(Tensor, Self::Saved)>;

    /// The gradients of one panel, given that of its output, with the weights as [`Weight::backward`] lays them out.
    ///
    /// # Errors
    /// When shapes do not belong together.
    fn backward(&self, weights: &[Weight], saved: Self::Saved, gradient: &Tensor) -> Result<Backward<Self::Condition>>;
}

/// What comes back out of a layer.
#[derive(Debug)]
pub struct Backward<C> {
    /// ∂/∂x, of the shape of x.
    pub x: Tensor,
    /// The gradient of the condition, of its shape.
    pub condition: C,
    /// For each of the [maps](Layer::maps), its input `[n, I]` and the gradient `[n, O]` of its output.
    pub maps: Vec<[Tensor; 2]>,
}

/// What layers are given beside the nodes, sample by sample.
pub trait Condition: Sized + Send + Sync {
    /// The part that belongs to a panel.
    ///
    /// # Errors
    /// When there is no such part.
    fn of_panel(&self, panel: &Panel) -> Result<Self>;

    /// The gradient of the whole, given those of the parts of all panels, in order.
    ///
    /// # Errors
    /// When the device refuses.
    fn gathered(&self, of_panels: &[Self]) -> Result<Self>;
}

/// Nothing.
impl Condition for () {
    fn of_panel(&self, _: &Panel) -> Result<Self> {
        Ok(())
    }

    fn gathered(&self, _: &[Self]) -> Result<Self> {
        Ok(())
    }
}

/// One row per sample, `[B, W]`, or one row that all samples share, `[1, W]`.
impl Condition for Tensor {
    fn of_panel(&self, panel: &Panel) -> Result<Self> {
        panel.samples_of(self)
    }

    fn gathered(&self, of_panels: &[Self]) -> Result<Self> {
        Ok(if self.dims().first() == Some(&1) { Tensor::stack(of_panels, 0)?.sum(0)? } else { Tensor::cat(of_panels, 0)? })
    }
}

/// Layers one after the other, on tensors outside any graph. [`fused`](crate::fused()) makes a node of one.
///
/// ```
/// # use candle_core::{DType, Device, Tensor};
/// use symdiff_ops::linear::Weight;
/// use symdiff_ops::stack::{Backward, Layer, Stack};
/// use symdiff_ops::{Ragged, Result, silu};
///
/// /// silu(x·Wᵀ + b).
/// struct Dense([Tensor; 2]);
///
/// impl Layer for Dense {
///     type Condition = ();
///     type Saved = [Tensor; 2];
///
///     fn maps(&self) -> Vec<&Tensor> {
///         vec![&self.0[0]]
///     }
///
///     fn forward(&self, weights: &[Weight], x: &Tensor, (): &(), _: &Ragged) -> Result<(Tensor, Self::Saved)> {
///         let y = weights[0].times(x, Some(&self.0[1]))?;
///         Ok((silu::forward(&y)?, [x.clone(), y]))
///     }
///
///     fn backward(&self, weights: &[Weight], [x, y]: Self::Saved, gradient: &Tensor) -> Result<Backward<()>> {
///         let of_y = silu::backward(&y, gradient)?;
///         Ok(Backward { x: weights[0].times(&of_y, None)?, condition: (), maps: vec![[x, of_y]] })
///     }
/// }
///
/// # fn main() -> Result<()> {
/// # let parameters = |k: f64| -> Result<[Tensor; 2]> {
/// #     Ok([Tensor::full(k, (4, 4), &Device::Cpu)?, Tensor::zeros(4, DType::F64, &Device::Cpu)?])
/// # };
/// let layout = Ragged::from_sizes(&[3, 2])?;
/// let x = Tensor::ones((5, 4), DType::F64, &Device::Cpu)?;
/// let stack = Stack::new(vec![Dense(parameters(0.1)?), Dense(parameters(0.2)?)], vec![(), ()])?;
/// let (y, kept) = stack.forward(&x, &layout, true)?;
/// let mut of_maps = Vec::new();
/// let gradients = stack.backward(kept, &y.ones_like()?, |layer, maps| Ok(of_maps.push((layer, maps))))?;
/// assert_eq!((gradients.x.dims(), of_maps.len(), of_maps[0].0), (&[5, 4][..], 2, 1));
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct Stack<L: Layer> {
    layers: Vec<L>,
    conditions: Vec<L::Condition>,
    products: Products,
}

/// What [`Stack::forward`] kept of every panel.
#[derive(Debug)]
pub struct Kept<S>(Vec<Passage<S>>);

/// What [`Stack::backward`] returns.
#[derive(Debug)]
pub struct Gradients<C> {
    /// ∂/∂x, `[N, C]`.
    pub x: Tensor,
    /// Of every layer's condition.
    pub conditions: Vec<C>,
}

/// A panel on its way through the layers.
#[derive(Debug)]
struct Passage<S> {
    panel: Panel,
    /// Its nodes behind the layer just left; in the backward pass, their gradient.
    x: Tensor,
    /// What the layers behind it kept.
    saved: Vec<S>,
}

/// A piece of work between two layers, for one thread. Longer kinds come first in a row, for a row to end evenly.
enum Work<'a, S> {
    /// Make ∂/∂W and ∂/∂b of one map, of its inputs and the gradients of its outputs in every panel.
    Parameters(Vec<[Tensor; 2]>),
    /// Take a panel through the layer.
    Panel(Passage<S>),
    /// Lay out a weight of the layer to come.
    LayOut(&'a Tensor),
}

/// The results of a row of work, kind by kind, in order.
struct Done<R> {
    parameters: Vec<[Tensor; 2]>,
    panels: Vec<R>,
    weights: Vec<Weight>,
}

impl<L: Layer> Stack<L> {
    /// The layers with the condition of each.
    ///
    /// # Errors
    /// [`Error::Layout`] unless there are as many conditions as layers.
    pub fn new(layers: Vec<L>, conditions: Vec<L::Condition>) -> Result<Self> {
        if layers.len() == conditions.len() {
            return Ok(Self { layers, conditions, products: Products::Full });
        }
        Err(Error::Layout(format!("{} layers and {} conditions; give one for each", layers.len(), conditions.len())))
    }

    /// The same layers, whose maps have other products.
    #[must_use]
    pub fn with_products(self, products: Products) -> Self {
        Self { products, ..self }
    }

    /// The layers, in order.
    pub fn layers(&self) -> &[L] {
        &self.layers
    }

    /// x `[N, C]` after the last layer, and what the backward pass needs: nothing unless `keep`. Without it the weights may come from [`LaidOut`](linear::LaidOut).
    ///
    /// # Errors
    /// Whatever a layer returns.
    pub fn forward(&self, x: &Tensor, layout: &Ragged, keep: bool) -> Result<(Tensor, Kept<L::Saved>)> {
        let device = x.device();
        let panels = Panel::divide(layout, device)?.into_iter();
        let mut passages =
            panels.map(|panel| Ok(Passage { x: panel.nodes_of(x)?, panel, saved: Vec::new() })).collect::<Result<Vec<_>>>()?;
        let lay_out = if keep { Weight::forward } else { Weight::constant };
        let mut weights = panel::each(device, self.maps(0), |map| lay_out(map, self.products))?;
        for (place, (layer, condition)) in self.layers.iter().zip(&self.conditions).enumerate() {
            let through = |mut passage: Passage<L::Saved>| {
                let condition = condition.of_panel(&passage.panel)?;
                let (x, saved) = layer.forward(&weights, &passage.x, &condition, passage.panel.layout())?;
                passage.saved.extend(keep.then_some(saved));
                Ok(Passage { x, ..passage })
            };
            let work = passages.into_iter().map(Work::Panel).chain(self.maps(place + 1).into_iter().map(Work::LayOut));
            let done = share(device, work.collect(), through, lay_out, self.products)?;
            (passages, weights) = (done.panels, done.weights);
        }
        let outputs: Vec<&Tensor> = passages.iter().map(|passage| &passage.x).collect();
        Ok((Tensor::cat(&outputs, 0)?, Kept(passages)))
    }

    /// All gradients, given that of the output. ∂/∂W and ∂/∂b of a layer's [maps](Layer::maps) go to `found`, with the place of the layer, while the backward pass goes
    /// on: from the last layer to the first, each `[∂/∂W [O, I], ∂/∂b [O]]` in the order of the maps.
    ///
    /// # Errors
    /// Whatever a layer or `found` returns; [`Error::Layout`] when the forward pass did not keep what it needs, or when a layer returns another number of maps
    /// than it has.
    pub fn backward(
        &self,
        Kept(mut passages): Kept<L::Saved>,
        gradient: &Tensor,
        mut found: impl FnMut(usize, Vec<[Tensor; 2]>) -> Result<()>,
    ) -> Result<Gradients<L::Condition>> {
        let device = gradient.device();
        for passage in &mut passages {
            passage.x = passage.panel.nodes_of(gradient)?;
        }
        let last = self.layers.len().saturating_sub(1);
        let mut weights = panel::each(device, self.maps(last), |map| Weight::backward(map, self.products))?;
        let (mut of_left, mut conditions) = (Vec::new(), Vec::new());
        for (place, (layer, condition)) in self.layers.iter().zip(&self.conditions).enumerate().rev() {
            let through = |mut passage: Passage<L::Saved>| {
                let saved =
                    passage.saved.pop().ok_or_else(|| Error::Layout("nothing was kept for the backward pass; ask `forward` to".into()))?;
                let Backward { x, condition, maps } = layer.backward(&weights, saved, &passage.x)?;
                if maps.len() != weights.len() {
                    let (found, needed) = (maps.len(), weights.len());
                    let why = format!(
                        "the backward pass of layer {place} returned {found} maps, but its weights are {needed}; return one for each"
                    );
                    return Err(Error::Layout(why));
                }
                Ok((Passage { x, ..passage }, (condition, maps)))
            };
            let next = place.checked_sub(1).map(|next| self.maps(next)).unwrap_or_default();
            let work = of_left.into_iter().map(Work::Parameters).chain(passages.into_iter().map(Work::Panel));
            let done = share(device, work.chain(next.into_iter().map(Work::LayOut)).collect(), through, Weight::backward, self.products)?;
            // The first row of work has no layer behind it.
            if place < last {
                found(place + 1, done.parameters)?;
            }
            weights = done.weights;
            let of_panels: Vec<_>;
            (passages, of_panels) = done.panels.into_iter().unzip();
            let (of_conditions, of_maps): (Vec<L::Condition>, Vec<Vec<[Tensor; 2]>>) = of_panels.into_iter().unzip();
            conditions.push(condition.gathered(&of_conditions)?);
            of_left = by_map(of_maps);
        }
        if !self.layers.is_empty() {
            let rest = of_left.into_iter().map(Work::Parameters).collect();
            found(0, share(device, rest, |passage: Passage<L::Saved>| Ok(passage), Weight::backward, self.products)?.parameters)?;
        }
        conditions.reverse();
        let x: Vec<Tensor> = passages.into_iter().map(|passage| passage.x).collect();
        Ok(Gradients { x: Tensor::cat(&x, 0)?, conditions })
    }

    /// The weights of a layer; none beyond the last one.
    fn maps(&self, place: usize) -> Vec<&Tensor> {
        self.layers.get(place).map(L::maps).unwrap_or_default()
    }
}

/// What panels have of each map, map by map instead of panel by panel.
fn by_map(of_panels: Vec<Vec<[Tensor; 2]>>) -> Vec<Vec<[Tensor; 2]>> {
    let count = of_panels.iter().map(Vec::len).min().unwrap_or(0);
    let mut maps: Vec<Vec<[Tensor; 2]>> = (0..count).map(|_| Vec::with_capacity(of_panels.len())).collect();
    for of_panel in of_panels {
        maps.iter_mut().zip(of_panel).for_each(|(map, part)| map.push(part));
    }
    maps
}

/// Does a row of work on all threads.
fn share<S: Send, R: Send>(
    device: &Device,
    work: Vec<Work<S>>,
    through: impl Fn(Passage<S>) -> Result<R> + Send + Sync,
    lay_out: fn(&Tensor, Products) -> Result<Weight>,
    products: Products,
) -> Result<Done<R>> {
    enum Piece<R> {
        Parameters([Tensor; 2]),
        Panel(R),
        Weight(Weight),
    }
    let pieces = panel::each(device, work, |work| {
        Ok(match work {
            Work::Parameters(parts) => {
                let parts: Vec<[&Tensor; 2]> = parts.iter().map(<[Tensor; 2]>::each_ref).collect();
                Piece::Parameters(linear::backward_parameters(&parts, products)?)
            }
            Work::Panel(passage) => Piece::Panel(through(passage)?),
            Work::LayOut(weight) => Piece::Weight(lay_out(weight, products)?),
        })
    })?;
    let mut done = Done { parameters: Vec::new(), panels: Vec::new(), weights: Vec::new() };
    for piece in pieces {
        match piece {
            Piece::Parameters(gradients) => done.parameters.push(gradients),
            Piece::Panel(passage) => done.panels.push(passage),
            Piece::Weight(weight) => done.weights.push(weight),
        }
    }
    Ok(done)
}
