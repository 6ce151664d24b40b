//! `torture`: seeded campaigns of kills, full disks, hostile settings and damaged files against the real program.
//!
//! Whatever happens to a run, its result must be complete and right, or an error message must say why not. A trial that ends otherwise is a fault: a
//! silent difference, a panic, an abort, a hang, a wrong exit code, something left behind.

mod calm;
mod disks;
mod kills;
mod litter;
mod mutants;
mod settings;
mod trial;
mod work;

use clap::{Args, ValueEnum};
use rand::RngExt;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Instant;
use symdiff_cli::progress::Bar;
use symdiff_cli::{Context, Failure, Outcome};
use symdiff_ops::Noise;
use trial::Verdict;
use work::Work;

/// Test the program under kills, full disks, damaged files and hostile settings.
#[derive(Args)]
pub(crate) struct Torture {
    /// A few trials of each kind, in about a minute: what `.ci/run` does.
    #[arg(long)]
    quick: bool,
    /// The campaigns to run; all when absent.
    #[arg(long = "campaign", value_enum)]
    campaigns: Vec<Campaign>,
    /// The number of trials of each campaign; its own number when absent.
    #[arg(long)]
    trials: Option<usize>,
    /// A folder to work in, which is kept. When absent, a temporary folder, which is kept only if there are faults.
    #[arg(long)]
    out: Option<PathBuf>,
    /// The program to test; this one when absent.
    #[arg(long)]
    program: Option<PathBuf>,
}

/// A kind of trials.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Campaign {
    /// A training run is killed again and again, and resumed.
    KillTrain,
    /// A preparation of data is killed and repeated.
    KillPrepare,
    /// A reproduction is killed and resumed.
    KillReproduce,
    /// Sampling is killed and repeated.
    KillSample,
    /// Judging with rows is killed and repeated.
    KillEvaluate,
    /// An import is killed and repeated.
    KillImport,
    /// Files may not grow beyond a limit.
    FullDisk,
    /// Settings and arguments that mean nothing or too much.
    Settings,
    /// Checkpoints with flipped bits, cut, or with a lying header.
    Checkpoints,
    /// Damaged files of molecules.
    Molecules,
}

/// Where trials take place.
struct Ground<'a> {
    program: &'a Path,
    folder: &'a Path,
}

/// What became of the trials of one campaign.
#[derive(Default)]
struct Tally {
    counts: BTreeMap<Verdict, usize>,
    /// The first faults, in words.
    faults: Vec<String>,
}

impl Tally {
    /// Counts a trial; `what` names it in the list of faults.
    fn count(&mut self, verdict: Verdict, what: impl FnOnce() -> String) {
        *self.counts.entry(verdict).or_default() += 1;
        if verdict.is_fault() && self.faults.len() < 20 {
            self.faults.push(format!("{verdict}: {}", what()));
        }
    }

    fn trials(&self) -> usize {
        self.counts.values().sum()
    }

    fn number(&self, verdict: Verdict) -> usize {
        self.counts.get(&verdict).copied().unwrap_or(0)
    }
}

impl Torture {
    pub(crate) fn run(&self, context: &Context) -> Outcome<Value> {
        let begin = Instant::now();
        // Trials run in folders of their own, so no path may depend on the current one.
        let program = self.program.clone().map_or_else(std::env::current_exe, std::path::absolute).map_err(Failure::run)?;
        let temporary = tempfile::tempdir().map_err(Failure::run)?;
        let folder = self.out.as_ref().map_or_else(|| Ok(temporary.path().to_owned()), std::path::absolute).map_err(Failure::run)?;
        let mut rows = Vec::new();
        let mut faults = 0;
        context.print(&heading())?;
        for &campaign in Campaign::value_variants().iter().filter(|campaign| self.campaigns.is_empty() || self.campaigns.contains(campaign))
        {
            let ground = folder.join(campaign.name());
            std::fs::create_dir_all(&ground).map_err(|error| Failure::input(format!("{}: cannot create it: {error}", ground.display())))?;
            let trials = self.trials.unwrap_or_else(|| campaign.trials(self.quick));
            let clock = Instant::now();
            let tally = campaign.run(&Ground { program: &program, folder: &ground }, trials, context.seed())?;
            context.print(&line(campaign, &tally, clock.elapsed().as_secs_f64()))?;
            for fault in &tally.faults {
                context.print(&format!("    {fault}\n"))?;
            }
            faults += tally.counts.iter().filter(|(verdict, _)| verdict.is_fault()).map(|(_, count)| count).sum::<usize>();
            rows.push(json!({
                "campaign": campaign.name(),
                "trials": tally.trials(),
                "outcomes": tally.counts.iter().map(|(verdict, count)| (verdict.to_string(), *count)).collect::<BTreeMap<_, _>>(),
                "faults": tally.faults,
            }));
        }
        let summary = json!({ "seed": context.seed(), "seconds": begin.elapsed().as_secs_f64(), "faults": faults, "rows": rows });
        if faults == 0 {
            return Ok(summary);
        }
        let kept = if self.out.is_none() { temporary.keep() } else { folder };
        context.summarise(&summary)?;
        Err(Failure::run(format!("{faults} trials ended in a fault, as listed above; what is left of them is in {}", kept.display())))
    }
}

impl Campaign {
    fn name(self) -> String {
        self.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
    }

    /// How many trials the quick and the long form make.
    fn trials(self, quick: bool) -> usize {
        let (short, long) = match self {
            Self::KillTrain => (12, 300),
            Self::KillPrepare => (8, 200),
            Self::KillReproduce | Self::KillSample | Self::KillEvaluate | Self::KillImport => (6, 150),
            Self::FullDisk => (12, 200),
            Self::Settings => (40, 1000),
            Self::Checkpoints => (60, 2000),
            Self::Molecules => (80, 2000),
        };
        if quick { short } else { long }
    }

    fn run(self, ground: &Ground, trials: usize, seed: u64) -> Outcome<Tally> {
        let mut random = Noise::seeded(seed).steps().at(self as u64).generator();
        let bar = Bar::new(&self.name());
        let mut tally = Tally::default();
        let mut done = |tally: &Tally| bar.show(tally.trials() as f64 / trials.max(1) as f64, "");
        let work: &dyn Work = match self {
            Self::KillTrain => &work::Train,
            Self::KillPrepare => &work::Prepare,
            Self::KillReproduce => &work::Reproduce,
            Self::KillSample => &work::Sample,
            Self::KillEvaluate => &work::Evaluate,
            Self::KillImport => &work::Import,
            Self::FullDisk => return disks::run(ground, trials, &mut random, &mut tally, &mut done).map(|()| tally),
            Self::Settings => return settings::run(ground, trials, &mut random, &mut tally, &mut done).map(|()| tally),
            Self::Checkpoints => return mutants::checkpoints(ground, trials, &mut random, &mut tally, &mut done).map(|()| tally),
            Self::Molecules => return mutants::molecules(ground, trials, &mut random, &mut tally, &mut done).map(|()| tally),
        };
        kills::run(ground, work, trials, &mut random, &mut tally, &mut done)?;
        Ok(tally)
    }
}

/// One of several, at random.
fn one_of<'a, T: ?Sized>(choices: &[&'a T], random: &mut impl RngExt) -> &'a T {
    choices[random.random_range(0..choices.len())]
}

fn heading() -> String {
    let columns: Vec<String> = Verdict::ALL.iter().map(|verdict| format!("{:>10}", verdict.to_string())).collect();
    format!("{:<15} {:>7} {}  seconds\n", "campaign", "trials", columns.join(" "))
}

fn line(campaign: Campaign, tally: &Tally, seconds: f64) -> String {
    let columns: Vec<String> = Verdict::ALL.iter().map(|verdict| format!("{:>10}", tally.number(*verdict))).collect();
    format!("{:<15} {:>7} {}  {seconds:>7.1}\n", campaign.name(), tally.trials(), columns.join(" "))
}
