//! `bench backbones`: equivariant against symmetrised backbones of equal size.

mod cell;
mod needs;
mod store;
mod table;

use cell::{Cell, Kind};
use clap::Args;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::time::Instant;
use store::Store;
use symdiff_cli::progress::Bar;
use symdiff_cli::report::{self, BackboneRow, Cost};
use symdiff_cli::{Context, Failure, Outcome};

/// A model of 1.13 to 1.14 million parameters (γ's included): a backbone, and how it is symmetrised.
#[derive(Clone, Copy)]
struct Model {
    /// What it is called in tables.
    label: &'static str,
    preset: &'static str,
    /// Another γ than the preset's.
    gamma: Option<&'static str>,
}

impl Model {
    const ALL: [Self; 7] = [
        Self { label: "EGNN", preset: "edm-matched", gamma: None },
        Self { label: "GNN", preset: "gnn-matched", gamma: None },
        Self { label: "DiT", preset: "dit-matched", gamma: None },
        Self { label: "DiT + principal axes", preset: "dit-matched", gamma: Some("principal") },
        Self { label: "DiT + frames", preset: "dit-matched", gamma: Some("frames") },
        Self { label: "DiT + Haar", preset: "symdiff-h-matched", gamma: None },
        Self { label: "DiT + γ", preset: "symdiff-matched", gamma: None },
    ];
}

/// Molecules of the batch on which equivariance is measured.
const FEW: usize = 2;

/// Numbers of atoms, batch sizes, and limits of the measurements.
#[derive(Args)]
pub(crate) struct Backbones {
    /// Atoms per molecule.
    #[arg(long, value_delimiter = ',', default_values_t = [9, 18, 29, 44, 100, 181])]
    atoms: Vec<usize>,
    /// Molecules per batch.
    #[arg(long, value_delimiter = ',', default_values_t = [16, 64])]
    batches: Vec<usize>,
    /// Timed repetitions of each step and call.
    #[arg(long, default_value_t = 5)]
    steps: usize,
    /// Start no further repetition of a measurement after this many seconds.
    #[arg(long, default_value_t = 1.5)]
    budget: f64,
    /// The precision of steps and calls: `f32` or `bf16`. Errors of equivariance are measured in f32.
    #[arg(long, default_value = "f32")]
    precision: String,
    /// The folder for `backbones.csv`, `backbones.svg` and the raw measurements.
    #[arg(long, default_value = "runs/backbones")]
    out: PathBuf,
    /// Keep the measurements in the folder, and make those that are missing.
    #[arg(long)]
    resume: bool,
}

impl Backbones {
    pub(super) fn run(&self, context: &Context) -> Outcome<Value> {
        if self.steps == 0 || self.atoms.is_empty() || self.batches.is_empty() || self.atoms.contains(&0) || self.batches.contains(&0) {
            return Err(Failure::input("--atoms, --batches and --steps must be at least 1"));
        }
        if !(self.budget.is_finite() && self.budget >= 0.0) {
            return Err(Failure::input(format!("--budget {}: give a number of seconds", self.budget)));
        }
        if !["f32", "bf16"].contains(&self.precision.as_str()) {
            return Err(Failure::input(format!("--precision {} is unknown; use f32 or bf16", self.precision)));
        }
        // A device that no cell could use is refused here, once.
        context.device()?;
        let begin = Instant::now();
        std::fs::create_dir_all(&self.out).map_err(|error| Failure::input(format!("{}: cannot create it: {error}", self.out.display())))?;
        let mut store = Store::open(&self.out.join("cells.jsonl"), self.resume)?;
        self.measure(context, &mut store)?;
        let rows = self.rows(context, &store);
        put(&self.out.join("backbones.csv"), &table::csv(&rows))?;
        put(&self.out.join("backbones.svg"), &report::backbones(&rows))?;
        if !context.json {
            println!("{}", table::readable(&rows));
        }
        Ok(json!({
            "out": self.out,
            "device": context.device,
            "threads": symdiff_ops::threads::count(),
            "precision": self.precision,
            "seconds": begin.elapsed().as_secs_f64(),
            "rows": rows.iter().map(table::json).collect::<Vec<_>>(),
        }))
    }

    /// Measures what the store lacks, each cell in a process of its own.
    fn measure(&self, context: &Context, store: &mut Store) -> Outcome<()> {
        let cells: Vec<Cell> = self.cells(context).filter(|cell| store.get(cell).is_none()).collect();
        let bar = Bar::new("backbones");
        for (done, cell) in cells.iter().enumerate() {
            bar.show(done as f64 / cells.len() as f64, cell.to_string());
            store.put(cell.clone(), cell.measure()?)?;
        }
        Ok(())
    }

    /// All models are measured at one size before the next size, so that a temporary slowdown of the machine affects all of them.
    fn cells(&self, context: &Context) -> impl Iterator<Item = Cell> {
        self.atoms.iter().flat_map(move |&atoms| {
            let once = Model::ALL.into_iter().map(move |model| self.cell(context, Kind::Equivariance, model, atoms, FEW));
            let each = self.batches.iter().flat_map(move |&batch| {
                let both = move |model| [Kind::Step, Kind::Sample].map(|kind| self.cell(context, kind, model, atoms, batch));
                Model::ALL.into_iter().flat_map(both)
            });
            once.chain(each)
        })
    }

    fn cell(&self, context: &Context, kind: Kind, model: Model, atoms: usize, batch: usize) -> Cell {
        let timed = kind != Kind::Equivariance;
        Cell {
            kind,
            model: model.preset.to_owned(),
            gamma: model.gamma.map(str::to_owned),
            atoms,
            batch,
            repetitions: timed.then_some((self.steps, self.budget)),
            seed: context.seed(),
            threads: symdiff_ops::threads::count(),
            precision: timed.then(|| self.precision.clone()),
            device: context.device.clone(),
        }
    }

    /// One row for each model, number of atoms and batch size.
    fn rows(&self, context: &Context, store: &Store) -> Vec<BackboneRow> {
        let places = self.atoms.iter().flat_map(|&atoms| self.batches.iter().map(move |&batch| (atoms, batch)));
        let models = |(atoms, batch)| Model::ALL.into_iter().map(move |model| (model, atoms, batch));
        let row = |(model, atoms, batch): (Model, usize, usize)| {
            let found = |kind, batch| store.get(&self.cell(context, kind, model, atoms, batch)).cloned().unwrap_or_default();
            let [step, sample] = [Kind::Step, Kind::Sample].map(|kind| found(kind, batch));
            let equivariance = found(Kind::Equivariance, FEW);
            let notes = [&step, &sample, &equivariance].map(|result| result["note"].as_str());
            BackboneRow {
                model: model.preset,
                label: model.label,
                parameters: equivariance["parameters"].as_u64(),
                atoms,
                batch,
                train: cost(&step, ["train_s_per_step", "train_peak_bytes", "train_start_bytes"]),
                sample: cost(&sample, ["sample_s_per_call", "sample_peak_bytes", "sample_start_bytes"]),
                pointwise_error: equivariance["pointwise_error"].as_f64(),
                coupled_gap: equivariance["coupled_gap"].as_f64(),
                note: notes.into_iter().flatten().collect::<Vec<_>>().join("; "),
            }
        };
        places.flat_map(models).map(row).collect()
    }
}

/// What a result says under these keys; nothing where it is a note instead.
fn cost(result: &Value, [seconds, peak, start]: [&str; 3]) -> Option<Cost> {
    let bytes = result[peak].as_u64().zip(result[start].as_u64()).map(|(peak, start)| peak.saturating_sub(start));
    Some(Cost { seconds: result[seconds].as_f64()?, bytes, flops: result["flops"].as_u64(), flops_per_s: result["flops_per_s"].as_f64() })
}

fn put(path: &std::path::Path, text: &str) -> Outcome<()> {
    std::fs::write(path, text).map_err(|error| Failure::run(format!("{}: cannot write it: {error}", path.display())))
}
