//! The first layer at all edges.

use super::super::Pairs;
use super::super::node::Call;
use super::{channels, launch, nodes};
use crate::gpu::Launch;
use crate::gpu::column_sums::column_sums;
use crate::{Products, Result, linear};
use candle_core::{DType, Tensor};

/// The nodes, the layer's weight in parts, and what it makes of each node.
pub(super) struct First {
    op: &'static str,
    pairs: Pairs,
    h: Tensor,
    /// Of receivers and of senders, `[D, D]`.
    weights: [Tensor; 2],
    /// Theirs of each node, `[N, D]`, with the bias in the first.
    halves: [Tensor; 2],
    /// Of the squared distances, `[2, D]`.
    distances: Option<Tensor>,
    points: Option<[Tensor; 2]>,
}

impl First {
    pub(super) fn new(inputs: &[Tensor], call: &Call) -> Result<Self> {
        let (d, h, first) = (call.width, &inputs[0], &inputs[1]);
        let weights = [first.narrow(1, 0, d)?.contiguous()?, first.narrow(1, d, d)?.contiguous()?];
        let halves =
            [linear::forward(h, &weights[0], Some(&inputs[2]), Products::Full)?, linear::forward(h, &weights[1], None, Products::Full)?];
        let points = if let [x, y] = &inputs[5 + call.head_inputs()..] { Some([x.clone(), y.clone()]) } else { None };
        let distances = points.is_some().then(|| first.narrow(1, 2 * d, 2)?.t()?.contiguous()).transpose()?;
        Ok(Self { op: call.op, pairs: call.pairs.clone(), h: h.clone(), weights, halves, distances, points })
    }

    /// silu of the layer, `[E, D]`.
    pub(super) fn forward(&self) -> Result<Tensor> {
        let launch = self.launch("edge_first_forward")?.write(&[self.pairs.len(), self.width()]);
        let [a] = launch.run(&nodes(&self.pairs, 128))?;
        Ok(a)
    }

    /// The gradients of h, W₁ and b₁; and those of the points now and at the start, if there are any.
    pub(super) fn backward(&self, da: &Tensor, pulls: Option<&Tensor>) -> Result<([Tensor; 3], Vec<Tensor>)> {
        let (edges, width, n) = (self.pairs.len(), self.width(), self.h.dims()[0]);
        let given = self.launch("edge_first_backward")?.read([da])?.write(&[edges, width]).write_as(&[edges, 2], DType::F32);
        let [dz, distances] = given.run(&nodes(&self.pairs, 128))?;
        let given = self.launch("edge_first_gather")?.read([&dz])?.write(&[n, width]).write(&[n, width]);
        let [receivers, senders, shares] = given.write_as(&[n, 2 * width], DType::F32).run(&channels(&self.pairs, width))?;

        let h = (linear::backward_input(&receivers, &self.weights[0], Products::Full)?
            + linear::backward_input(&senders, &self.weights[1], Products::Full)?)?;
        let [of_receivers, bias] = linear::backward_parameters(&[[&self.h, &receivers]], Products::Full)?;
        let mut columns = vec![of_receivers, linear::backward_weight(&self.h, &senders)?];
        let mut points = Vec::new();
        if let Some([now, start]) = &self.points {
            columns.push(column_sums(self.op, &shares, DType::F32)?.reshape((2, width))?.t()?);
            let places = launch(self.op, "edge_first_points", now, &self.pairs)?;
            let given = places.read([now, start])?.read_as(&distances)?.read_if(pulls)?;
            points.extend(given.write(now.dims()).write(now.dims()).run::<2>(&nodes(&self.pairs, 32))?);
        }
        Ok(([h, Tensor::cat(&columns, 1)?, bias], points))
    }

    fn launch(&self, name: &str) -> Result<Launch> {
        let [now, start] = [0, 1].map(|k| self.points.as_ref().map(|points| &points[k]));
        let launch = launch(self.op, name, &self.h, &self.pairs)?.read(self.halves.each_ref())?;
        launch.read_if(self.distances.as_ref())?.read_if(now)?.read_if(start)?.ints([self.width()])
    }

    fn width(&self) -> usize {
        self.h.dims()[1]
    }
}
