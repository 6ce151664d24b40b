//! Where along a trajectory samplers lose quality: the network's error at each level of noise, and what becomes of states at that level.

use candle_core::{DType, Tensor};
use clap::Args;
use serde_json::{Value, json};
use std::path::PathBuf;
use symdiff_cli::progress::Bar;
use symdiff_cli::{Context, Failure, Outcome};
use symdiff_diffusion::{Eps, Grid, Method, NoiseField, Times, Uniform};
use symdiff_models::suite::{Estimate, Outcomes};
use symdiff_models::{Asked, Experiment, Trained};
use symdiff_mol::chemistry::Protocol;
use symdiff_mol::state::Molecules;
use symdiff_ops::{Euclidean, Noise, Samples, Steps};

/// For a model and two samplers, at several levels of noise: the error of the predicted noise on held-out molecules, the norm of the prediction on them and on
/// the samplers' own states, and the share of stable atoms when the rest of the trajectory starts from noised held-out molecules, or from the other sampler's states.
#[derive(Args)]
pub(crate) struct Levels {
    /// A run folder, or a weights file.
    #[arg(long)]
    run: PathBuf,
    /// Held-out molecules, or all of the test part where it has fewer; samples have their sizes.
    #[arg(short, default_value_t = 250)]
    n: usize,
    /// Steps of a whole trajectory.
    #[arg(long, default_value_t = 250)]
    steps: usize,
    /// One sampler.
    #[arg(long, default_value_t = Method::Ancestral)]
    first: Method,
    /// The other.
    #[arg(long, default_value_t = Method::Ddim)]
    second: Method,
    /// Times to look at; each moves to the nearest of the grid.
    #[arg(long, value_delimiter = ',', default_value = "1,0.8,0.6,0.5,0.4,0.3,0.2,0.1,0.05,0.02")]
    times: Vec<f64>,
}

/// Groups of molecules that standard errors are taken over.
const GROUPS: usize = 10;

impl Levels {
    pub(super) fn run(&self, context: &Context) -> Outcome<Value> {
        if self.n < 2 * GROUPS || self.steps < 2 {
            return Err(Failure::input(format!("-n must be at least {} and --steps at least 2", 2 * GROUPS)));
        }
        let device = context.device()?;
        let trained = Trained::load(&self.run, &device)?;
        let set = Experiment::parse(&trained.header.record.description, &[])?.molecules()?;
        let encoding = &trained.model.encoding;
        let mut molecules = set.split().test;
        molecules.truncate(self.n);
        if molecules.len() < 2 * GROUPS {
            let (there, needed) = (molecules.len(), 2 * GROUPS);
            return Err(Failure::input(format!("the test part of the run's data has {there} molecules; at least {needed} are needed")));
        }
        let clean = encoding.encode(&set, &molecules, Samples::numbered(molecules.len()), DType::F32, &device)?;
        let protocol = Protocol::of(encoding.vocabulary());
        let grid = Uniform.times(trained.model.process.path(), self.steps).map_err(Failure::run)?;
        let places = self.places(&grid)?;
        let [data, walks, rest, asked] = Noise::seeded(context.seed()).split();
        let nothing = Asked::default();
        let reverse = trained.model.reverse(&nothing);
        let study = Study { trained: &trained, field: reverse.field(), clean, grid, protocol, rest: rest.steps(), asked: asked.steps() };
        let rows = study.rows(&places, [self.first, self.second], data, walks).map_err(Failure::run)?;
        context.print(&table(&rows, self.first, self.second))?;
        Ok(json!({
            "first": self.first.to_string(),
            "second": self.second.to_string(),
            "steps": self.steps,
            "molecules": molecules.len(),
            "rows": rows.iter().map(Row::json).collect::<Vec<_>>(),
        }))
    }

    /// The times to look at as places of the grid, the noisiest first.
    fn places(&self, grid: &[f64]) -> Outcome<Vec<usize>> {
        if let Some(time) = self.times.iter().find(|time| !(0.0..=1.0).contains(*time) || **time == 0.0) {
            return Err(Failure::input(format!("--times {time}: a time lies above 0 and is at most 1")));
        }
        let last = grid.len() - 1;
        let mut places: Vec<usize> = self.times.iter().map(|time| (((1.0 - time) * last as f64).round() as usize).min(last - 1)).collect();
        places.sort_unstable();
        places.dedup();
        Ok(places)
    }
}

/// What stays the same over all levels.
struct Study<'a> {
    trained: &'a Trained,
    field: NoiseField<'a, Molecules>,
    clean: Molecules,
    grid: Vec<f64>,
    protocol: Protocol,
    /// Noise of the rest of trajectories, by level: all that is compared at a level has the same.
    rest: Steps,
    asked: Steps,
}

/// One level of noise.
struct Row {
    time: f64,
    /// σ/α.
    noise: f64,
    /// Mean of |ε − ε̂|² over dimensions, on noised data.
    error: f64,
    /// Mean of |ε̂|² over dimensions: on noised data, and on the states of either sampler.
    norms: [f64; 3],
    /// Stable atoms from noised data by either sampler; and by the second from the first's states, by the first from the second's.
    stable: [Estimate; 4],
}

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

impl Study<'_> {
    fn rows(&self, places: &[usize], methods: [Method; 2], data: Noise, walks: Noise) -> Result<Vec<Row>> {
        let process = &self.trained.model.process;
        let [eps, start] = data.split();
        let eps = self.clean.gaussian(eps)?;
        let start = process.start(&self.clean, start)?;
        let (mut states, walks, mut rows) = ([start.clone(), start], walks.steps(), Vec::new());
        let bar = Bar::new("levels");
        for (level, &place) in places.iter().enumerate() {
            let before = level.checked_sub(1).map_or(0, |before| places[before]);
            let times = &self.grid[before..=place];
            for (state, method) in states.iter_mut().zip(methods).filter(|_| times.len() > 1) {
                *state = method.sampler().walk(&self.field, times, state.clone(), walks.at(level as u64), &mut |_, _| ())?;
            }
            let levels = process.levels(&Times::Shared(self.grid[place]), self.clean.layout().len(), self.clean.positions().device())?;
            let noised = process.diffuse(&self.clean, &levels, &eps)?;
            rows.push(self.row(level, place, methods, &noised, &eps, &states)?);
            bar.show((level + 1) as f64 / places.len() as f64, "");
        }
        Ok(rows)
    }

    fn row(
        &self,
        level: usize,
        place: usize,
        methods: [Method; 2],
        noised: &Molecules,
        eps: &Molecules,
        states: &[Molecules; 2],
    ) -> Result<Row> {
        let time = self.grid[place];
        let ask = |z: &Molecules| -> Result<Molecules> {
            let Eps(said) = self.field.eps(z, time, self.asked.at(level as u64))?;
            Ok(said)
        };
        let said = ask(noised)?;
        let one = Tensor::ones(eps.layout().len(), DType::F32, eps.positions().device())?;
        let error = per_dimension(&eps.combine(&one, &said, &one.neg()?)?)?;
        let norms = [per_dimension(&said)?, per_dimension(&ask(&states[0])?)?, per_dimension(&ask(&states[1])?)?];
        let rest = [(noised, methods[0]), (noised, methods[1]), (&states[0], methods[1]), (&states[1], methods[0])];
        let stable = rest.map(|(from, method)| self.finished(level, place, from, method)).into_iter().collect::<Result<Vec<_>>>()?;
        let at = self.field.process().path().at(time);
        Ok(Row { time, noise: at.sigma / at.alpha, error, norms, stable: stable.try_into().map_err(|_| "four ways")? })
    }

    /// The share of stable atoms where a sampler goes on from states at a place of the grid.
    fn finished(&self, level: usize, place: usize, from: &Molecules, method: Method) -> Result<Estimate> {
        let [rest, last] = self.rest.at(level as u64).split();
        let z = method.sampler().walk(&self.field, &self.grid[place..], from.clone(), rest, &mut |_, _| ())?;
        let molecules = self.trained.model.reverse(&Asked::default()).decode(z, last)?.molecules(&self.trained.model.encoding)?;
        let scores = Outcomes::judge(&molecules, self.protocol)?.scores(GROUPS);
        Ok(scores.atom_stability.ok_or("no molecule was judged")?)
    }
}

/// The mean of squared norms over dimensions.
fn per_dimension(state: &Molecules) -> Result<f64> {
    let norms = state.squared_norms()?.to_dtype(DType::F64)?.to_vec1::<f64>()?;
    Ok(norms.iter().sum::<f64>() / state.dimensions().iter().sum::<usize>() as f64)
}

impl Row {
    fn json(&self) -> Value {
        let stable = self.stable.map(|e| json!({"mean": e.mean, "standard_error": e.standard_error}));
        json!({"time": self.time, "noise": self.noise, "error": self.error, "norms": self.norms, "atom_stability": stable})
    }
}

fn table(rows: &[Row], first: Method, second: Method) -> String {
    let mut text = format!(
        "| t | σ/α | error of ε | norm of ε̂: on data | after {first} | after {second} | data, then {first} | data, then {second} | {first}, then {second} | \
         {second}, then {first} |\n|---:{}|\n",
        "|---:".repeat(9)
    );
    for row in rows {
        let numbers = [row.error, row.norms[0], row.norms[1], row.norms[2]].map(|x| format!("{x:.4}")).join(" | ");
        let stable = row.stable.map(|e| format!("{:.1} ± {:.1}", 100.0 * e.mean, 100.0 * e.standard_error)).join(" | ");
        text += &[format!("| {:.3} | {:.4}", row.time, row.noise), numbers, stable].join(" | ");
        text += " |\n";
    }
    text
}
