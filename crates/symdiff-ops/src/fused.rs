//! One graph node for many operations: the bridge between hand-written backward passes and Candle's.
//!
//! Candle's autograd keeps every intermediate tensor until the loss is dropped, adds each gradient to a fresh tensor of zeros, and
//! takes at most three inputs per custom op. A [`fused`] node takes any number of inputs, keeps what its *pullback* captured and no more,
//! frees that as soon as the backward pass has been through it, and is an ordinary Candle tensor to everyone else:
//! `loss.backward()` fills the gradient of each input as usual.
//!
//! A node of more than three tracked inputs reaches the others through a chain of gatherers, ops of a token (one zero) and two inputs each.
//! For inputs a to f, arrows pointing from arguments to results:
//!
//! ```text
//! forward                                       backward
//!
//!     c, d          e, f                        node: runs the pullback, returns ∂a and ∂b to Candle,
//!      │             │                                puts ∂c to ∂f into slots that the gatherers share
//!      ▼             ▼                            │
//! 0 ─▶ gatherer 1 ─▶ gatherer 2 ─▶ node           ▼
//!      (token)       (token)        ▲           gatherer 2: returns ∂e and ∂f from their slots
//!                                   │             │
//!                                  a, b           ▼
//!                                               gatherer 1: returns ∂c and ∂d
//! ```
//! Candle's backward pass visits a result before its arguments, so the node fills the slots before a gatherer empties them. Inside
//! [`gradients`](crate::gradients()) variables need no place in this graph: the node hands their gradients over directly.

use crate::Result;
use crate::gradients::{self, Collected};
use candle_core::backend::BackendStorage;
use candle_core::{CpuStorage, CudaStorage, CustomOp3, Layout, Shape, Storage, Tensor, TensorId};
use std::sync::{Arc, Mutex, PoisonError};

/// Maps the gradient of a node's output to the gradients of its inputs, in order; `None` where there is none.
pub type Pullback = Box<dyn FnOnce(&Tensor) -> Result<Vec<Option<Tensor>>> + Send>;

/// A [`Pullback`] that gives the gradient of each input away as soon as it has it: it calls its second argument with the place of the input and the gradient, of
/// the input's shape, once at most for each. A place beyond the inputs, or one given twice, is an error of the backward pass.
pub type Gradual = Box<dyn FnOnce(&Tensor, &mut dyn FnMut(usize, Tensor) -> Result<()>) -> Result<()> + Send>;

/// Runs `body` on the inputs, detached, and makes its output one node of the graph.
///
/// `body` returns the output and its pullback. When no input is tracked there is no graph: the pullback is dropped at once.
/// The pullback sees contiguous gradients and runs once; a second backward pass through the same node is an error.
///
/// # Errors
/// Whatever `body` returns.
pub fn fused(name: &'static str, inputs: &[&Tensor], body: impl FnOnce(&[Tensor]) -> Result<(Tensor, Pullback)>) -> Result<Tensor> {
    gradual(name, inputs, |inputs| {
        let (output, pullback) = body(inputs)?;
        let pullback: Gradual = Box::new(|gradient, found| {
            let gradients = pullback(gradient)?.into_iter().enumerate();
            gradients.filter_map(|(place, gradient)| Some((place, gradient?))).try_for_each(|(place, gradient)| found(place, gradient))
        });
        Ok((output, pullback))
    })
}

/// [`fused`] with a pullback that gives its gradients away one by one, for a node whose backward pass takes long: see
/// [`gradients_as_found`](crate::gradients_as_found). As with `fused`, a node made inside [`gradients`](crate::gradients()) has its backward pass there.
///
/// # Errors
/// Whatever `body` returns.
pub fn gradual(name: &'static str, inputs: &[&Tensor], body: impl FnOnce(&[Tensor]) -> Result<(Tensor, Gradual)>) -> Result<Tensor> {
    let detached: Vec<Tensor> = inputs.iter().map(|input| input.detach()).collect();
    // The body may also run work stolen from other threads; nodes that it makes belong to graphs of their own.
    let (output, pullback) = {
        let _outside = gradients::outside();
        body(&detached)?
    };
    let tracked = (0..inputs.len()).filter(|&place| inputs[place].track_op());
    let (variables, mut edges): (Vec<_>, Vec<_>) = tracked.partition(|&place| gradients::registered(inputs[place]));
    if edges.is_empty() {
        // Candle visits a node only if one of its arguments is tracked.
        edges.extend(variables.first());
    }
    let Some(&first) = edges.first() else { return Ok(output) };
    let gradients: Slots = Arc::new(Mutex::new(vec![None; inputs.len()]));
    let (own, rest) = if edges.len() <= MOST { (edges.as_slice(), &[][..]) } else { edges.split_at(MOST - 1) };
    let mut arguments: Vec<Tensor> = own.iter().map(|&place| inputs[place].clone()).collect();
    if !rest.is_empty() {
        let mut token = Tensor::zeros(1, output.dtype(), output.device())?;
        for places in rest.chunks(2) {
            let (left, right) = (places[0], places[places.len() - 1]);
            let gather = Gather { gradients: gradients.clone(), left, right };
            token = token.apply_op3(inputs[left], inputs[right], gather)?;
        }
        arguments.push(token);
    }
    arguments.resize(MOST, inputs[first].clone());
    let node = Node {
        name,
        output: Mutex::new(Some(output)),
        pullback: Mutex::new(Some(pullback)),
        inputs: inputs.len(),
        gradients,
        own: own.to_vec(),
        token: !rest.is_empty(),
        variables: variables.into_iter().map(|place| (place, inputs[place].id())).collect(),
    };
    Ok(arguments[0].apply_op3(&arguments[1], &arguments[2], node)?)
}

/// Tensors that an operation of Candle's takes.
const MOST: usize = 3;

/// Gradients of a node's inputs, between the node's backward and the gatherers'.
type Slots = Arc<Mutex<Vec<Option<Tensor>>>>;

/// The node itself. To Candle its arguments are the inputs `own` and, where these are not all, the token of the last gatherer; arguments that
/// are left over repeat the first.
struct Node {
    name: &'static str,
    output: Mutex<Option<Tensor>>,
    pullback: Mutex<Option<Gradual>>,
    inputs: usize,
    gradients: Slots,
    own: Vec<usize>,
    token: bool,
    /// Inputs whose gradients go to [`gradients`](crate::gradients()).
    variables: Vec<(usize, TensorId)>,
}

impl Node {
    fn output(&self) -> candle_core::Result<Tensor> {
        take(&self.output).ok_or_else(|| self.refused("the forward pass of this node has already run"))
    }

    fn refused(&self, why: &str) -> candle_core::Error {
        candle_core::Error::Msg(format!("{}: {why}", self.name))
    }

    /// Runs the pullback, hands over the gradients of variables, and leaves the others to be taken.
    fn pull_back(&self, gradient: &Tensor) -> candle_core::Result<Vec<Option<Tensor>>> {
        let pullback = take(&self.pullback).ok_or_else(|| {
            self.refused("the backward pass of this node has already run, and what it needs is freed; for several losses, add them first and call backward once")
        })?;
        // While a pullback waits for other threads, this one may run work of theirs, even another backward pass.
        let mut collected = Collected::take();
        let (mut rest, mut given) = (vec![None; self.inputs], vec![false; self.inputs]);
        let outcome = pullback(&gradient.contiguous()?, &mut |place, gradient| {
            let given =
                given.get_mut(place).ok_or_else(|| self.refused("the backward pass of this node has more gradients than inputs"))?;
            if std::mem::replace(given, true) {
                return Err(self.refused("the backward pass of this node has two gradients of one input; add them first").into());
            }
            let Some(&(_, id)) = self.variables.iter().find(|(variable, _)| *variable == place) else {
                rest[place] = Some(gradient);
                return Ok(());
            };
            let collected = collected
                .as_mut()
                .ok_or_else(|| self.refused("a node made inside `gradients` has its backward pass there and nowhere else"))?;
            collected.add(id, gradient);
            Ok(())
        });
        Collected::put(collected);
        outcome?;
        Ok(rest)
    }
}

/// The gradients of an operation's arguments.
type Three = (Option<Tensor>, Option<Tensor>, Option<Tensor>);

impl CustomOp3 for Node {
    fn name(&self) -> &'static str {
        self.name
    }

    fn cpu_fwd(
        &self,
        _: &CpuStorage,
        _: &Layout,
        _: &CpuStorage,
        _: &Layout,
        _: &CpuStorage,
        _: &Layout,
    ) -> candle_core::Result<(CpuStorage, Shape)> {
        let output = self.output()?.contiguous()?;
        match &*output.storage_and_layout().0 {
            Storage::Cpu(storage) => Ok((narrowed(storage, output.layout())?, output.shape().clone())),
            _ => Err(self.refused("the output is not on the CPU, where the inputs are")),
        }
    }

    fn cuda_fwd(
        &self,
        _: &CudaStorage,
        _: &Layout,
        _: &CudaStorage,
        _: &Layout,
        _: &CudaStorage,
        _: &Layout,
    ) -> candle_core::Result<(CudaStorage, Shape)> {
        let mut output = self.output()?.contiguous()?;
        // Cloning a CUDA storage copies all of it, from its start.
        if output.layout().start_offset() > 0 {
            output = output.copy()?;
        }
        match &*output.storage_and_layout().0 {
            Storage::Cuda(storage) => Ok((storage.try_clone(output.layout())?, output.shape().clone())),
            _ => Err(self.refused("the output is not on the GPU, where the inputs are")),
        }
    }

    fn bwd(&self, _: &Tensor, _: &Tensor, last: &Tensor, _: &Tensor, gradient: &Tensor) -> candle_core::Result<Three> {
        let mut gradients = self.pull_back(gradient)?;
        let mut arguments = self.own.iter().map(|&place| gradients.get_mut(place).and_then(Option::take));
        let (first, second, third) = (arguments.next().flatten(), arguments.next().flatten(), arguments.next().flatten());
        *self.gradients.lock().unwrap_or_else(PoisonError::into_inner) = gradients;
        Ok((first, second, if self.token { Some(last.zeros_like()?) } else { third }))
    }
}

/// Hands two of a node's gradients on to their inputs, after the node has filled the slots.
struct Gather {
    gradients: Slots,
    left: usize,
    /// As `left` where there is no other.
    right: usize,
}

impl CustomOp3 for Gather {
    fn name(&self) -> &'static str {
        "gather-gradients"
    }

    fn cpu_fwd(
        &self,
        token: &CpuStorage,
        _: &Layout,
        _: &CpuStorage,
        _: &Layout,
        _: &CpuStorage,
        _: &Layout,
    ) -> candle_core::Result<(CpuStorage, Shape)> {
        Ok((token.clone(), Shape::from(1)))
    }

    fn cuda_fwd(
        &self,
        token: &CudaStorage,
        layout: &Layout,
        _: &CudaStorage,
        _: &Layout,
        _: &CudaStorage,
        _: &Layout,
    ) -> candle_core::Result<(CudaStorage, Shape)> {
        Ok((token.try_clone(layout)?, Shape::from(1)))
    }

    fn bwd(&self, token: &Tensor, _: &Tensor, _: &Tensor, _: &Tensor, gradient: &Tensor) -> candle_core::Result<Three> {
        let mut gradients = self.gradients.lock().unwrap_or_else(PoisonError::into_inner);
        let mut taken = |place: usize| gradients.get_mut(place).and_then(Option::take);
        Ok((token.track_op().then(|| gradient.clone()), taken(self.left), taken(self.right)))
    }
}

fn take<T>(slot: &Mutex<Option<T>>) -> Option<T> {
    slot.lock().unwrap_or_else(PoisonError::into_inner).take()
}

/// The part of a contiguous CPU storage that `layout` covers.
fn narrowed(storage: &CpuStorage, layout: &Layout) -> candle_core::Result<CpuStorage> {
    let part = layout.start_offset()..layout.start_offset() + layout.shape().elem_count();
    match storage {
        CpuStorage::F32(values) => Ok(CpuStorage::F32(values[part].to_vec())),
        CpuStorage::F64(values) => Ok(CpuStorage::F64(values[part].to_vec())),
        CpuStorage::BF16(values) => Ok(CpuStorage::BF16(values[part].to_vec())),
        other => Err(candle_core::Error::UnsupportedDTypeForOp(other.dtype(), "fused")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Error, gradients};
    use candle_core::{Device, Var};

    /// Σ over inputs of `k·x_k`, with the obvious pullback.
    fn weighted_sum(inputs: &[&Tensor]) -> Result<Tensor> {
        fused("weighted_sum", inputs, |inputs| {
            let mut total = inputs[0].zeros_like()?;
            for (k, input) in inputs.iter().enumerate() {
                total = (total + (input * (k + 1) as f64)?)?;
            }
            let count = inputs.len();
            let pullback: Pullback = Box::new(move |g| (0..count).map(|k| Ok(Some((g * (k + 1) as f64)?))).collect());
            Ok((total, pullback))
        })
    }

    fn variables(count: usize) -> Result<Vec<Var>> {
        (0..count).map(|k| Ok(Var::new(&[k as f32, 1.0], &Device::Cpu)?)).collect()
    }

    #[test]
    fn every_input_of_any_number_gets_its_gradient() -> Result<()> {
        for count in 1..8 {
            let vars = variables(count)?;
            let inputs: Vec<&Tensor> = vars.iter().map(Var::as_tensor).collect();
            let loss = |inputs: &[&Tensor]| -> Result<Tensor> { Ok(weighted_sum(inputs)?.sqr()?.sum_all()?) };
            let value = loss(&inputs)?;
            let total = weighted_sum(&inputs)?.to_vec1::<f32>()?;
            for store in [gradients(|| loss(&inputs))?.1, value.backward()?] {
                for (k, var) in vars.iter().enumerate() {
                    let expected: Vec<f32> = total.iter().map(|t| 2.0 * t * (k + 1) as f32).collect();
                    let got = store.get(var).map(Tensor::to_vec1::<f32>).transpose()?;
                    assert_eq!(got, Some(expected), "input {k} of {count}");
                }
            }
        }
        Ok(())
    }

    #[test]
    fn a_variable_used_by_two_nodes_sums_its_gradients() -> Result<()> {
        let vars = variables(3)?;
        let inputs: Vec<&Tensor> = vars.iter().map(Var::as_tensor).collect();
        for store in [gradients(|| nested(&inputs))?.1, nested(&inputs)?.backward()?] {
            assert_eq!(store.get(inputs[0]).map(Tensor::to_vec1::<f32>).transpose()?, Some(vec![1.0; 2]));
            assert_eq!(store.get(inputs[1]).map(Tensor::to_vec1::<f32>).transpose()?, Some(vec![4.0; 2]));
            assert_eq!(store.get(inputs[2]).map(Tensor::to_vec1::<f32>).transpose()?, Some(vec![6.0; 2]));
        }
        Ok(())
    }

    fn nested(inputs: &[&Tensor]) -> Result<Tensor> {
        Ok(weighted_sum(&[&weighted_sum(inputs)?, inputs[1], inputs[2]])?.sum_all()?)
    }

    #[test]
    fn a_graph_made_for_gradients_has_no_backward_pass_of_its_own() -> Result<()> {
        let var = Var::new(&[1.0_f32, 2.0], &Device::Cpu)?;
        let mut kept = None;
        let (loss, store) = gradients(|| {
            kept = Some(weighted_sum(&[&var])?.sum_all()?);
            Ok::<_, Error>(weighted_sum(&[&var, &var])?.sum_all()?)
        })?;
        assert_eq!((loss.to_scalar::<f32>()?, store.get(&var).map(Tensor::to_vec1::<f32>).transpose()?), (9.0, Some(vec![3.0; 2])));
        let refused = kept.map(|kept| kept.backward().map(|_| ()).map_err(|e| e.to_string()));
        assert!(matches!(refused, Some(Err(why)) if why.contains("made inside `gradients`")));
        Ok(())
    }

    #[test]
    fn untracked_inputs_build_no_graph_and_a_second_backward_is_refused() -> Result<()> {
        let plain = Tensor::ones(2, candle_core::DType::F32, &Device::Cpu)?;
        assert!(!weighted_sum(&[&plain, &plain])?.track_op());
        let var = Var::from_tensor(&plain)?;
        let loss = weighted_sum(&[var.as_tensor(), &plain])?.sum_all()?;
        loss.backward()?;
        let again = loss.backward().map(|_| ()).map_err(|e| e.to_string());
        assert!(
            again
                .is_err_and(|e| e.contains("weighted_sum: the backward pass of this node has already run") && e.contains("add them first"))
        );
        Ok(())
    }
}
