//! The gradients of variables, handed from [`fused`](crate::fused()) nodes to whoever asked for the backward pass.

use crate::Error;
use crate::replaced::Replaced;
use candle_core::backprop::GradStore;
use candle_core::{Tensor, TensorId};
use std::cell::Cell;
use std::collections::HashMap;
use std::sync::mpsc::Sender;

/// The tensor that `loss` returns, and its gradients with respect to every variable it depends on: as `loss()?.backward()`, but without a
/// place for each variable in the graph. Such a place costs Candle a tensor of zeros, an addition and a copy: three launches on a GPU.
///
/// A graph of [`fused`](crate::fused()) nodes made in here has its backward pass in here: `backward()` on a tensor that was kept from it is an error.
///
/// # Errors
/// Whatever `loss` or the backward pass returns.
pub fn gradients<E: From<Error>>(loss: impl FnOnce() -> Result<Tensor, E>) -> Result<(Tensor, GradStore), E> {
    collected(loss, None)
}

/// [`gradients`], which also sends the gradient of a variable to `found` as soon as the backward pass has it, while that goes on: of every variable that is an
/// input of one fused node, once, and of no other. The tensor in the store is then the one that was sent, unless an operation of Candle's took the variable as well.
///
/// # Errors
/// As [`gradients`]. That nobody receives is none.
pub fn gradients_as_found<E: From<Error>>(
    loss: impl FnOnce() -> Result<Tensor, E>,
    found: Sender<(TensorId, Tensor)>,
) -> Result<(Tensor, GradStore), E> {
    collected(loss, Some(found))
}

fn collected<E: From<Error>>(
    loss: impl FnOnce() -> Result<Tensor, E>,
    found: Option<Sender<(TensorId, Tensor)>>,
) -> Result<(Tensor, GradStore), E> {
    let (loss, uses) = {
        let _inside = Replaced::by(&USES, Some(Uses::new()));
        (loss()?, USES.take().unwrap_or_default())
    };
    let (outcome, collected) = {
        let _outer = Replaced::by(&COLLECTED, Some(Collected { gradients: Vec::new(), uses, found }));
        (loss.backward(), COLLECTED.take())
    };
    let collected = collected.map(|collected| collected.gradients).unwrap_or_default();
    let mut store = outcome.map_err(Error::from)?;
    for (id, gradient) in collected {
        let total = match store.get_id(id) {
            Some(earlier) => (earlier + &gradient).map_err(Error::from)?,
            None => gradient,
        };
        store.insert_id(id, total);
    }
    Ok((loss, store))
}

thread_local! {
    /// How often nodes made on this thread have taken each variable; nothing where they do not hand the gradients of variables over.
    static USES: Cell<Option<Uses>> = const { Cell::new(None) };
    /// What the backward pass on this thread has found so far, when [`gradients`] runs it.
    static COLLECTED: Cell<Option<Collected>> = const { Cell::new(None) };
}

pub(crate) type Uses = HashMap<TensorId, usize>;

/// Registers the use of an input by a node that is being made. True if the node will hand over the gradient of this input: that of a variable, inside [`gradients`].
pub(crate) fn registered(input: &Tensor) -> bool {
    let mut uses = USES.take();
    let collects = uses.as_mut().filter(|_| input.is_variable()).map(|uses| *uses.entry(input.id()).or_default() += 1).is_some();
    USES.set(uses);
    collects
}

/// Until this is dropped, nodes belong to graphs of their own.
pub(crate) fn outside() -> Replaced<Option<Uses>> {
    Replaced::by(&USES, None)
}

/// Gradients of variables.
pub(crate) struct Collected {
    gradients: Vec<(TensorId, Tensor)>,
    uses: Uses,
    found: Option<Sender<(TensorId, Tensor)>>,
}

impl Collected {
    /// Those of the backward pass on this thread.
    pub(crate) fn take() -> Option<Self> {
        COLLECTED.take()
    }

    /// Puts them back.
    pub(crate) fn put(collected: Option<Self>) {
        COLLECTED.set(collected);
    }

    pub(crate) fn add(&mut self, id: TensorId, gradient: Tensor) {
        if let Some(found) = self.found.as_ref().filter(|_| self.uses.get(&id) == Some(&1)) {
            // Nobody may receive any more; the gradient is in the store as well.
            let _ = found.send((id, gradient.clone()));
        }
        self.gradients.push((id, gradient));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Pullback, Result, fused, gradual};
    use candle_core::{CpuStorage, CustomOp1, Device, Layout, Shape, Var};
    use std::sync::mpsc::channel;

    /// Σ over inputs, whose gradients are found from the last to the first.
    fn sum(inputs: &[&Tensor]) -> Result<Tensor> {
        gradual("sum", inputs, |inputs| {
            let total = inputs.iter().skip(1).try_fold(inputs[0].clone(), |total, input| total + input)?;
            let count = inputs.len();
            Ok((total, Box::new(move |gradient, found| (0..count).rev().try_for_each(|place| found(place, gradient.clone())))))
        })
    }

    fn variable(value: f32) -> Result<Var> {
        Ok(Var::new(&[value, 1.0], &Device::Cpu)?)
    }

    #[test]
    fn a_gradient_is_sent_once_it_is_whole_and_is_the_one_in_the_store() -> Result<()> {
        let [early, late, twice, mixed] = [variable(1.0)?, variable(2.0)?, variable(3.0)?, variable(4.0)?];
        let (sender, found) = channel();
        let (_, store) = gradients_as_found(
            || {
                let inner = sum(&[&late, &twice])?;
                Ok::<_, Error>((sum(&[&inner, &early, &twice, &mixed])? * mixed.as_tensor())?.sum_all()?)
            },
            sender,
        )?;
        let found: Vec<_> = found.into_iter().collect();
        let ids: Vec<TensorId> = found.iter().map(|(id, _)| *id).collect();
        assert_eq!(ids, [mixed.id(), early.id(), late.id()]);
        for (id, gradient) in &found {
            let kept = store.get_id(*id).map(Tensor::id);
            assert_eq!(kept == Some(gradient.id()), *id != mixed.id());
        }
        assert_eq!(store.get(&twice).map(Tensor::to_vec1::<f32>).transpose()?, Some(vec![8.0, 2.0]));
        Ok(())
    }

    #[test]
    fn the_node_that_takes_long_sends_while_it_works() -> Result<()> {
        let [first, second] = [variable(1.0)?, variable(2.0)?];
        let (sender, found) = channel();
        let (told, heard) = channel();
        let inputs = [first.as_tensor(), second.as_tensor()];
        let loss = || {
            let node = gradual("slow", &inputs, |inputs| {
                let total = (&inputs[0] + &inputs[1])?;
                Ok((
                    total,
                    Box::new(move |gradient, give| {
                        give(1, gradient.clone())?;
                        let _ = told.send(found.try_recv().map(|(id, _)| id).ok());
                        give(0, gradient.clone())
                    }),
                ))
            })?;
            Ok::<_, Error>(node.sum_all()?)
        };
        gradients_as_found(loss, sender)?;
        assert_eq!(heard.recv().ok().flatten(), Some(second.id()));
        Ok(())
    }

    #[test]
    fn a_place_beyond_the_inputs_or_given_twice_is_refused() -> Result<()> {
        for (places, why) in [(vec![0, 1, 0], "two gradients of one input"), (vec![0, 2], "more gradients than inputs")] {
            let [first, second] = [variable(1.0)?, variable(2.0)?];
            let loss = || {
                let node = gradual("hasty", &[&first, &second], |inputs| {
                    let total = (&inputs[0] + &inputs[1])?;
                    Ok((total, Box::new(move |gradient, give| places.iter().try_for_each(|&place| give(place, gradient.clone())))))
                })?;
                Ok::<_, Error>(node.sum_all()?)
            };
            let told = gradients(loss).map_or_else(|error| error.to_string(), |_| String::new());
            assert!(told.contains(why), "{told}");
        }
        Ok(())
    }

    /// An operation of Candle's own that panics in its backward pass.
    struct Panics;

    impl CustomOp1 for Panics {
        fn name(&self) -> &'static str {
            "panics"
        }

        fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> candle_core::Result<(CpuStorage, Shape)> {
            Ok((storage.clone(), layout.shape().clone()))
        }

        fn bwd(&self, _: &Tensor, _: &Tensor, _: &Tensor) -> candle_core::Result<Option<Tensor>> {
            panic!("as it may")
        }
    }

    #[test]
    fn after_a_panic_nobody_waits_for_gradients_and_the_next_pass_is_sound() -> Result<()> {
        let [early, late] = [variable(1.0)?, variable(2.0)?];
        let (sender, found) = channel();
        let loss = || Ok::<_, Error>(sum(&[&early, &sum(&[&late])?.apply_op1(Panics)?])?.sum_all()?);
        let passed = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| gradients_as_found(loss, sender).map(drop)));
        assert!(passed.is_err());
        assert_eq!(found.into_iter().map(|(id, _)| id).collect::<Vec<_>>(), [early.id()]);
        let (_, store) = gradients(|| Ok::<_, Error>(sum(&[&early, &late])?.sum_all()?))?;
        assert!(store.get(&early).is_some() && store.get(&late).is_some());
        Ok(())
    }

    #[test]
    fn a_graph_inside_a_node_neither_counts_nor_sends() -> Result<()> {
        let [outer, inner] = [variable(1.0)?, variable(2.0)?];
        let (sender, found) = channel();
        let loss = || {
            let node = fused("outer", &[&outer], |inputs| {
                // A graph of its own, with a backward pass of its own.
                let (_, store) = gradients(|| Ok::<_, Error>(sum(&[&inner, &outer])?.sum_all()?))?;
                assert!(store.get(&inner).is_some());
                let pullback: Pullback = Box::new(|gradient| Ok(vec![Some(gradient.clone())]));
                Ok((inputs[0].clone(), pullback))
            })?;
            Ok::<_, Error>(node.sum_all()?)
        };
        gradients_as_found(loss, sender)?;
        assert_eq!(found.into_iter().map(|(id, _)| id).collect::<Vec<_>>(), [outer.id()]);
        Ok(())
    }
}
