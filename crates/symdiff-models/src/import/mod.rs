//! Converts runs of the published implementation into checkpoints of this one.
//!
//! A state dict holds weights alone, and models that compute different things have weights of the same shapes. The arguments of the run, which
//! the published program writes beside the weights, tell them apart. Without them the caller names the published model, and the result lists what that assumes.

mod arguments;
mod context;
mod error;
mod index;
mod pickle;
mod run;
mod schedule;
mod state_dict;

pub use error::ImportError;
pub(crate) use schedule::stored;

use crate::experiment::Experiment;
use crate::models::ModelConfig;
use crate::task::CONDITIONS;
use crate::{Error, Model, Result, published};
use arguments::Arguments;
use candle_core::{DType, Device, Tensor};
use run::Run;
use serde_json::json;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use symdiff_files::Output;
use symdiff_mol::data::{MoleculeSet, SizeHistogram};
use symdiff_nets::PaddedTo;
use symdiff_ops::Noise;
use symdiff_train::Record;
use symdiff_train::checkpoint::{self, Header};

/// The entry of a record's facts that holds the table γ_0, …, γ_T of an imported schedule.
pub(crate) const TABLE: &str = "gamma";

/// A published run to import.
#[derive(Clone, Copy, Debug)]
pub struct Import<'a> {
    /// Its state dict: PyTorch's zip archive, its format of before 1.6, or safetensors, in f64, f32, f16 or bf16.
    pub from: &'a Path,
    /// Its arguments, `args.pickle`; those beside the state dict when absent.
    pub arguments: Option<&'a Path>,
    /// The published model that it is, where there are no arguments; where there are, it must be of the same kind.
    pub model: Option<&'a str>,
    /// How often samples will have each size; the published set's training sizes when absent.
    pub sizes: Option<&'a SizeHistogram>,
    /// The whole data set of a conditional run, from which its properties are normalised and drawn.
    pub set: Option<&'a MoleculeSet>,
}

/// The result of an import.
#[derive(Clone, Debug, PartialEq)]
pub struct Imported {
    /// Tensors of the model.
    pub tensors: usize,
    /// Their numbers.
    pub parameters: usize,
    /// The length to which the published samplers pad, where the model depends on it.
    pub padding: Option<PaddedTo>,
    /// The arguments that were read.
    pub arguments: Option<PathBuf>,
    /// What was assumed because there are no arguments.
    pub assumed: Vec<String>,
    /// The largest difference between the stored table of a fixed schedule and the schedule itself; none where the file holds no table.
    pub drift: Option<f64>,
}

impl Import<'_> {
    /// Reads the run and writes a checkpoint, to sample from and to judge.
    ///
    /// # Errors
    /// [`Error::Import`] with the file, and the first entry or argument that cannot be taken over; [`Error::Output`] when `out` cannot be written.
    pub fn write(&self, out: &Path) -> Result<Imported> {
        let output = Output::create(out)?;
        let (content, made) = self.converted(out)?;
        output.fill(content)?;
        Ok(made)
    }

    /// Reads the run; the content of the checkpoint that [`Import::write`] puts into the file `out`.
    ///
    /// # Errors
    /// [`Error::Import`] as there.
    pub fn converted(&self, out: &Path) -> Result<(Vec<u8>, Imported)> {
        let from = self.from;
        let refused = |error| Error::import(from, error);
        // Reading a device might never end.
        if std::fs::metadata(from).is_ok_and(|there| !there.is_file()) {
            return Err(refused(ImportError::Damaged("is no regular file; a state dict is needed".into())));
        }
        let bytes = std::fs::read(from).map_err(Error::io(from, "read the state dict"))?;
        let raw = state_dict::read(&bytes).map_err(refused)?;
        drop(bytes);
        check_finite(&raw).map_err(refused)?;
        let table = raw.iter().find_map(|(name, table)| name.ends_with("gamma.gamma").then_some(table));
        // Sixteen bits hold a table too coarsely for the differences that likelihoods weigh with: the schedule itself is taken instead.
        let coarse = table.is_some_and(|table| table.dtype().size_in_bytes() < 4);
        let table = table.map(|table| table.flatten_all()?.to_dtype(DType::F64)?.to_vec1::<f64>()).transpose()?;
        let learned = raw.keys().any(|name| name.ends_with("gamma.gamma_0"));

        let path = self.arguments.map(Path::to_owned).or_else(|| arguments::beside(from));
        let (Run { experiment, part }, assumed) = match &path {
            Some(path) => (self.described(path)?, Vec::new()),
            None => run::named(self.named()?, learned, table.as_ref().map(Vec::len))?,
        };
        let called = self.model.map_or_else(|| "the run that its arguments describe".to_owned(), str::to_owned);
        let expected = Model::fresh(&experiment, 0, Noise::seeded(0), &Device::Cpu)?;
        let remedy = if path.is_some() { "give the arguments of this run" } else { "give the run's args.pickle with --args" };
        let schedule = expected.process.path();
        let drift = table.as_ref().map(|table| schedule::checked(table, coarse, &experiment.diffusion, &|t| schedule.log_snr(t), remedy));
        let drift = drift.transpose().map_err(refused)?;
        let weights = context::widened(published::localised(raw), &experiment)?;
        check(&called, &weights, &expected).map_err(refused)?;

        let sizes = match self.sizes {
            Some(sizes) => sizes.clone(),
            None => part.sizes(&experiment).map_err(refused)?,
        };
        let mut facts = json!({"sizes": sizes.counts()});
        if experiment.data.condition.is_empty() && self.set.is_some() {
            return Err(refused(ImportError::Model(
                "is told no properties, for which a data set would be needed; leave --data away".into(),
            )));
        }
        if !experiment.data.condition.is_empty() {
            facts[CONDITIONS] = json!(context::conditions(&experiment, self.set, from)?);
        }
        if let Some(table) = table.filter(|_| !coarse) {
            facts[TABLE] = json!(table);
        }
        let header = Header::new(0, 0.0, 0, Vec::new(), Record { description: experiment.to_toml()?, facts });
        let tensors = weights.iter().map(|(name, tensor)| Ok((format!("ema.{name}"), tensor.to_dtype(DType::F32)?)));
        let content = checkpoint::serialised(out, &header, &tensors.collect::<Result<Vec<_>>>()?)?;
        let parameters = weights.values().map(Tensor::elem_count).sum();
        let padding = experiment.model.padding_compat;
        Ok((content, Imported { tensors: weights.len(), parameters, padding, arguments: path, assumed, drift }))
    }

    fn named(&self) -> Result<&str> {
        self.model.ok_or_else(|| {
            let problem = "no args.pickle lies beside it: give the run's with --args, or name the published model that it is with --model";
            Error::import(self.from, ImportError::Model(problem.into()))
        })
    }

    /// The run of the arguments, which must be of the kind that was named.
    fn described(&self, path: &Path) -> Result<Run> {
        let refused = |error| Error::import(path, error);
        let Run { experiment, part } = run::described(&Arguments::read(path)?).map_err(refused)?;
        // The settings' own ranges hold for a run's as well.
        let experiment = Experiment::parse(&experiment.to_toml()?, &[])?;
        let same = |named: ModelConfig| named.backbone.kind() == experiment.model.backbone.kind();
        let Some(name) = self.model else { return Ok(Run { experiment, part }) };
        if same(ModelConfig::preset(name)?) {
            return Ok(Run { experiment, part });
        }
        let problem =
            format!("describes a model of kind {}, and --model {name} is of another; leave --model away", experiment.model.backbone.kind());
        Err(refused(ImportError::Model(problem)))
    }
}

/// Names and shapes; the first offence of each kind is named, the others are counted.
fn check(called: &str, weights: &BTreeMap<String, Tensor>, model: &Model) -> Result<(), ImportError> {
    let expected: BTreeMap<String, Tensor> =
        model.parameters.named().into_iter().map(|(name, var)| (name, var.as_tensor().clone())).collect();
    let missing: Vec<String> = expected.keys().filter(|name| !weights.contains_key(*name)).map(|name| format!("`{name}`")).collect();
    let unexpected: Vec<String> = weights.keys().filter(|name| !expected.contains_key(*name)).map(|name| format!("`{name}`")).collect();
    let shapes = weights.iter().filter_map(|(name, found)| {
        let needed = expected.get(name)?;
        (needed.shape() != found.shape()).then(|| format!("`{name}` {:?}, needed {:?}", found.dims(), needed.dims()))
    });
    let kinds = [("missing", missing), ("unexpected", unexpected), ("of another shape", shapes.collect())];
    let found: Vec<String> =
        kinds.iter().filter_map(|(kind, names)| Some(format!("{} {kind}, first {}", names.len(), names.first()?))).collect();
    if found.is_empty() {
        return Ok(());
    }
    Err(ImportError::Mismatch { model: called.to_owned(), problem: found.join("; ") })
}

fn check_finite(raw: &BTreeMap<String, Tensor>) -> Result<(), ImportError> {
    for (name, tensor) in raw {
        let sum = tensor.to_dtype(DType::F64).and_then(|tensor| tensor.abs()?.sum_all()?.to_scalar::<f64>());
        match sum {
            Ok(sum) if sum.is_finite() => {}
            Ok(_) => return Err(ImportError::entry(name, "holds numbers that are not finite")),
            Err(error) => return Err(ImportError::entry(name, format!("is of a type that is not read ({error})"))),
        }
    }
    Ok(())
}
