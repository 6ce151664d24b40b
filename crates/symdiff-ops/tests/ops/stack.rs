//! `stack` with layers of its own kind, a perceptron on nodes, against Candle's ops: in one panel and in several.

use crate::common::{check_op, random};
use candle_core::Tensor;
use symdiff_ops::linear::{LaidOut, Weight};
use symdiff_ops::stack::{Backward, Condition, Layer, Stack};
use symdiff_ops::{Panel, Products, Pullback, Ragged, Result, fused, linear, silu, spread};

/// x + silu(x·W₁ᵀ + b₁)·W₂ᵀ + b₂, two maps per layer.
struct Perceptron(Vec<Tensor>);

impl Layer for Perceptron {
    type Condition = ();
    type Saved = [Tensor; 2];

    fn maps(&self) -> Vec<&Tensor> {
        vec![&self.0[0], &self.0[2]]
    }

    fn forward(&self, weights: &[Weight], x: &Tensor, (): &(), _: &Ragged) -> Result<(Tensor, Self::Saved)> {
        let inner = weights[0].times(x, Some(&self.0[1]))?;
        let outer = weights[1].times(&silu::forward(&inner)?, Some(&self.0[3]))?;
        Ok(((x + outer)?, [x.clone(), inner]))
    }

    fn backward(&self, weights: &[Weight], [x, inner]: Self::Saved, gradient: &Tensor) -> Result<Backward<()>> {
        let of_inner = silu::backward(&inner, &weights[1].times(gradient, None)?)?;
        let of_x = (gradient + weights[0].times(&of_inner, None)?)?;
        Ok(Backward { x: of_x, condition: (), maps: vec![[x, of_inner], [silu::forward(&inner)?, gradient.clone()]] })
    }
}

/// x·Wᵀ + b + c, with a row c per sample or one for all.
struct Shifted(Vec<Tensor>);

impl Layer for Shifted {
    type Condition = Tensor;
    type Saved = (Tensor, Ragged, usize);

    fn maps(&self) -> Vec<&Tensor> {
        vec![&self.0[0]]
    }

    fn forward(&self, weights: &[Weight], x: &Tensor, c: &Tensor, layout: &Ragged) -> Result<(Tensor, Self::Saved)> {
        let y = (weights[0].times(x, Some(&self.0[1]))? + spread(c, layout)?)?;
        Ok((y, (x.clone(), layout.clone(), c.dims()[0])))
    }

    fn backward(&self, weights: &[Weight], (x, layout, rows): Self::Saved, gradient: &Tensor) -> Result<Backward<Tensor>> {
        let sums = symdiff_ops::segment_sum(gradient, &layout)?;
        let condition = if rows == 1 { sums.sum_keepdim(0)? } else { sums };
        Ok(Backward { x: weights[0].times(gradient, None)?, condition, maps: vec![[x, gradient.clone()]] })
    }
}

/// A stack as one node: the inputs are x, every layer's parameters, every layer's condition.
fn node<L>(
    inputs: &[&Tensor],
    layers: usize,
    each: usize,
    layout: &Ragged,
    layer: fn(Vec<Tensor>) -> L,
    conditions: fn(&[Tensor]) -> Vec<L::Condition>,
) -> Result<Tensor>
where
    L: Layer + Send + 'static,
    L::Condition: IntoTensor,
{
    fused("stack", inputs, |inputs| {
        let (parameters, given) = inputs[1..].split_at(layers * each);
        let stack = Stack::new(parameters.chunks(each).map(|parameters| layer(parameters.to_vec())).collect(), conditions(given))?;
        let (y, kept) = stack.forward(&inputs[0], layout, true)?;
        let pullback: Pullback = Box::new(move |gradient| {
            let mut of_maps = Vec::new();
            let gradients = stack.backward(kept, gradient, |layer, maps| {
                assert_eq!(layer + 1 + of_maps.len(), layers, "layers come from the last to the first");
                of_maps.push(maps);
                Ok(())
            })?;
            let all = [gradients.x].into_iter().chain(of_maps.into_iter().rev().flatten().flatten());
            Ok(all.chain(gradients.conditions.into_iter().filter_map(IntoTensor::tensor)).map(Some).collect())
        });
        Ok((y, pullback))
    })
}

/// A condition's tensor, if it has one.
trait IntoTensor: Condition + 'static {
    fn tensor(self) -> Option<Tensor>;
}

impl IntoTensor for () {
    fn tensor(self) -> Option<Tensor> {
        None
    }
}

impl IntoTensor for Tensor {
    fn tensor(self) -> Option<Tensor> {
        Some(self)
    }
}

/// One panel, and as many as threads and nodes allow.
fn layouts() -> Result<[Ragged; 2]> {
    Ok([Ragged::from_sizes(&[3, 1, 18])?, Ragged::from_sizes(&[29; 40])?])
}

#[test]
fn a_deep_perceptron_equals_its_layers_one_by_one() -> Result<()> {
    assert!(Panel::divide(&layouts()?[1], &candle_core::Device::Cpu)?.len() > 1);
    for layout in layouts()? {
        let (depth, [width, inner]) = (3, [5, 7]);
        let mut inputs = vec![random(1, &[layout.nodes(), width])?];
        for layer in 0..depth {
            let shapes = [vec![inner, width], vec![inner], vec![width, inner], vec![width]];
            for (k, shape) in shapes.iter().enumerate() {
                inputs.push((random(2 + 4 * layer + k as u64, shape)? * 0.4)?);
            }
        }
        let op = |i: &[&Tensor]| node(i, 3, 4, &layout, Perceptron, |_| vec![(); 3]);
        let twin = |i: &[&Tensor]| -> Result<Tensor> {
            i[1..].chunks(4).try_fold(i[0].clone(), |x, layer| {
                let inner = x.matmul(&layer[0].t()?)?.broadcast_add(layer[1])?;
                let active = (&inner / (inner.neg()?.exp()? + 1.0)?)?;
                Ok((&x + active.matmul(&layer[2].t()?)?.broadcast_add(layer[3])?)?)
            })
        };
        check_op(&op, &twin, &inputs, 64.0 + layout.nodes() as f64)?;
    }
    Ok(())
}

#[test]
fn each_layer_gets_its_condition_and_its_gradient_back() -> Result<()> {
    for layout in layouts()? {
        for rows in [1, layout.len()] {
            let mut inputs = vec![random(1, &[layout.nodes(), 4])?];
            for layer in 0..2 {
                inputs.extend([(random(2 + layer, &[4, 4])? * 0.5)?, random(4 + layer, &[4])?]);
            }
            inputs.extend([random(6, &[rows, 4])?, random(7, &[rows, 4])?]);
            let op = |i: &[&Tensor]| node(i, 2, 2, &layout, Shifted, <[Tensor]>::to_vec);
            let owners = layout.owners_tensor(inputs[0].device())?;
            let twin = |i: &[&Tensor]| -> Result<Tensor> {
                i[1..5].chunks(2).zip(&i[5..]).try_fold(i[0].clone(), |x, (map, condition)| {
                    let own =
                        if rows == 1 { condition.broadcast_as(x.shape())?.contiguous()? } else { condition.index_select(&owners, 0)? };
                    Ok((x.matmul(&map[0].t()?)?.broadcast_add(map[1])? + own)?)
                })
            };
            check_op(&op, &twin, &inputs, 64.0 + layout.nodes() as f64)?;
        }
    }
    Ok(())
}

#[test]
fn what_does_not_fit_is_refused() -> Result<()> {
    let layer =
        || Ok::<_, symdiff_ops::Error>(Perceptron(vec![random(1, &[2, 3])?, random(2, &[2])?, random(3, &[3, 2])?, random(4, &[3])?]));
    let refused = Stack::new(vec![layer()?], vec![]).map(drop).map_err(|error| error.to_string());
    assert_eq!(refused, Err("ragged batch: 1 layers and 0 conditions; give one for each".into()));
    let (stack, x, layout) = (Stack::new(vec![layer()?], vec![()])?, random(5, &[4, 3])?, Ragged::from_sizes(&[4])?);
    let (y, kept) = stack.forward(&x, &layout, false)?;
    let refused = stack.backward(kept, &y, |_, _| Ok(())).map(drop).map_err(|error| error.to_string());
    assert!(refused.is_err_and(|error| error.contains("nothing was kept for the backward pass")));
    Ok(())
}

/// A layer that forgets one of its maps in the backward pass.
struct Forgetful(Perceptron);

impl Layer for Forgetful {
    type Condition = ();
    type Saved = [Tensor; 2];

    fn maps(&self) -> Vec<&Tensor> {
        self.0.maps()
    }

    fn forward(&self, weights: &[Weight], x: &Tensor, condition: &(), layout: &Ragged) -> Result<(Tensor, Self::Saved)> {
        self.0.forward(weights, x, condition, layout)
    }

    fn backward(&self, weights: &[Weight], saved: Self::Saved, gradient: &Tensor) -> Result<Backward<()>> {
        let mut back = self.0.backward(weights, saved, gradient)?;
        back.maps.pop();
        Ok(back)
    }
}

#[test]
fn a_layer_that_returns_too_few_maps_is_refused() -> Result<()> {
    let layer = Perceptron(vec![random(1, &[2, 3])?, random(2, &[2])?, random(3, &[3, 2])?, random(4, &[3])?]);
    let (stack, x, layout) = (Stack::new(vec![Forgetful(layer)], vec![()])?, random(5, &[4, 3])?, Ragged::from_sizes(&[4])?);
    let (y, kept) = stack.forward(&x, &layout, true)?;
    let refused = stack.backward(kept, &y, |_, _| Ok(())).map(drop).map_err(|error| error.to_string());
    assert!(refused.as_ref().is_err_and(|error| error.contains("returned 1 maps, but its weights are 2")), "{refused:?}");
    Ok(())
}

/// What is laid out once gives the same bits, in stacks and alone; in a stack that keeps what a backward pass needs, weights are laid out anew.
#[test]
fn weights_that_are_laid_out_once_change_nothing_and_are_read_once() -> Result<()> {
    let layout = &layouts()?[1];
    let mut parameters: Vec<Tensor> =
        [vec![7, 5], vec![7], vec![5, 7], vec![5]].iter().enumerate().map(|(k, shape)| random(k as u64, shape)).collect::<Result<_>>()?;
    let variable = candle_core::Var::from_tensor(&parameters[0])?;
    parameters[0] = variable.as_detached_tensor();
    let stack = Stack::new(vec![Perceptron(parameters.clone())], vec![()])?;
    let x = random(9, &[layout.nodes(), 5])?;
    let alone = || linear(&x, &parameters[0], Some(&parameters[1]), Products::Full);
    let through = |keep| Ok::<_, symdiff_ops::Error>(stack.forward(&x, layout, keep)?.0);
    let bits = |tensor: Tensor| tensor.flatten_all()?.to_vec1::<f64>();
    let [fresh, product] = [bits(through(false)?)?, bits(alone()?)?];
    let weights = LaidOut::default();
    for _ in 0..2 {
        assert!(bits(weights.during(|| through(false))?)? == fresh);
        assert!(bits(weights.during(alone)?)? == product);
    }
    // Other numbers at the same place, against the rule: who reads them was not served from what is laid out.
    variable.set(&(&parameters[0] * 2.0)?)?;
    assert!(bits(weights.during(|| through(false))?)? == fresh);
    assert!(bits(weights.during(alone)?)? == product);
    for other in [through(false)?, weights.during(|| through(true))?, LaidOut::default().during(|| through(false))?] {
        assert!(bits(other)? != fresh);
    }
    Ok(())
}
