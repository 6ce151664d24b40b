//! What becomes of all edges' m.

use super::super::node::{Call, Kind};
use super::super::{Divisor, Pairs, Reach};
use super::{channels, launch, nodes};
use crate::Result;
use crate::gpu::column_sums::column_sums;
use crate::gpu::{Arg, Grid, Launch};
use candle_core::{DType, Tensor};

/// The end of the edge network, with its parameters.
pub(super) struct Head {
    op: &'static str,
    pairs: Pairs,
    kind: Kind,
    /// Weight `[1, D]` and bias `[1]` of what is read from an edge, where anything is.
    reader: Option<Tensor>,
    bias: Option<Tensor>,
    /// The points that steps are taken from.
    points: Option<Tensor>,
}

/// What flows back out of the head.
pub(super) struct Pulled {
    /// Of the second layer, `[E, D]`.
    pub(super) dz: Tensor,
    /// Of the head's parameters, in order.
    pub(super) parameters: Vec<Tensor>,
    /// Of the differences of points, `[E, 3]`.
    pub(super) pulls: Option<Tensor>,
}

impl Head {
    pub(super) fn new(inputs: &[Tensor], call: &Call) -> Self {
        let reads = call.head_inputs();
        let (reader, bias) = ((reads > 0).then(|| inputs[5].clone()), (reads > 1).then(|| inputs[6].clone()));
        let points = matches!(call.kind, Kind::Displacement(_)).then(|| inputs[6].clone());
        Self { op: call.op, pairs: call.pairs.clone(), kind: call.kind, reader, bias, points }
    }

    /// What the reader says of each edge, `[E]` in f32.
    pub(super) fn read(&self, z: &Tensor) -> Result<Option<Tensor>> {
        let Some(reader) = &self.reader else { return Ok(None) };
        let (edges, width) = (z.dims()[0], z.dims()[1]);
        let launch = Launch::new(self.op, "edge_read", z)?.read([z, reader])?.read_if(self.bias.as_ref())?;
        let [read] = launch.write_as(&[edges], DType::F32).ints([edges, width])?.run(&Grid::warps(edges))?;
        Ok(Some(read))
    }

    pub(super) fn forward(&self, z: &Tensor, read: Option<&Tensor>) -> Result<Tensor> {
        let (n, width) = (self.pairs.layout().nodes(), z.dims()[1]);
        let [out] = if let (Kind::Displacement(reach), Some(x)) = (self.kind, &self.points) {
            let launch = launch(self.op, "edge_steps", x, &self.pairs)?.read([x])?.read_if(read)?.write(&[n, 3]);
            launch.arg(self.reach(reach)).run(&nodes(&self.pairs, 32))?
        } else {
            let launch = launch(self.op, "edge_sum", z, &self.pairs)?.read([z])?.read_if(read)?.write(&[n, width]);
            launch.ints([width])?.arg(self.divisor()).run(&channels(&self.pairs, width))?
        };
        Ok(out)
    }

    pub(super) fn backward(&self, z: &Tensor, read: Option<&Tensor>, gradient: &Tensor) -> Result<Pulled> {
        let (edges, n, width) = (z.dims()[0], self.pairs.layout().nodes(), z.dims()[1]);
        let (mut reads, mut pulls) = (None, None);
        if let (Kind::Displacement(reach), Some(x)) = (self.kind, &self.points) {
            let launch = launch(self.op, "edge_pull_steps", x, &self.pairs)?.read([x])?.read_if(read)?.read([gradient])?;
            let launch = launch.write_as(&[edges], DType::F32).write_as(&[edges, 3], DType::F32).arg(self.reach(reach));
            let [of_reads, of_points] = launch.run(&nodes(&self.pairs, 32))?;
            (reads, pulls) = (Some(of_reads), Some(of_points));
        } else if let Some(read) = read {
            let launch = launch(self.op, "edge_logits", z, &self.pairs)?.read([z])?.read_as(read)?.read([gradient])?;
            let launch = launch.write_as(&[edges], DType::F32).ints([width])?.arg(self.divisor());
            let [of_reads] = launch.run(&nodes(&self.pairs, 128))?;
            reads = Some(of_reads);
        }
        let up = pulls.is_none().then_some(gradient);
        let launch = launch(self.op, "edge_pull", z, &self.pairs)?.read([z])?.read_if(self.reader.as_ref())?.read_if(read)?;
        let launch = launch.read_if(reads.as_ref())?.read_if(up)?.write(&[edges, width]).write_as(&[n, width], DType::F32);
        let [dz, shares] = launch.ints([width])?.arg(self.divisor()).run(&channels(&self.pairs, width))?;

        let mut parameters = Vec::new();
        if let Some(reads) = &reads {
            parameters.push(column_sums(self.op, &shares, DType::F32)?.unsqueeze(0)?);
            if self.bias.is_some() {
                parameters.push(column_sums(self.op, &reads.unsqueeze(1)?, DType::F32)?);
            }
        }
        Ok(Pulled { dz, parameters, pulls })
    }

    /// The kernels' divisor: 0 stands for the number of nodes.
    fn divided(&self) -> f32 {
        match self.pairs.divisor() {
            Divisor::Constant(divisor) => divisor as f32,
            Divisor::Nodes => 0.0,
        }
    }

    fn divisor(&self) -> Arg {
        Arg::Floats(vec![self.divided()])
    }

    /// The kernels' `Reach`: a range of 0 stands for none.
    fn reach(&self, reach: Reach) -> Arg {
        Arg::Floats(vec![reach.constant as f32, reach.range.unwrap_or(0.0) as f32, self.divided()])
    }
}
