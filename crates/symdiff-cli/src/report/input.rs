//! What a report is made of: plain data that the command fills in.

use super::geometry::Geometry;
use super::published::Published;
use super::stored;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use symdiff_diffusion::Route;
use symdiff_models::suite::{Estimate, Scores, SeedTest};
use symdiff_mol::Molecule;
use symdiff_mol::chemistry::Protocol;

/// Everything a page says.
#[derive(Debug)]
pub(crate) struct Report {
    /// Headline.
    pub(crate) title: String,
    /// Which profile was run.
    pub(crate) profile: String,
    /// The command line that makes these numbers again.
    pub(crate) command: String,
    /// Seed of training and sampling.
    pub(crate) seed: u64,
    /// Training seeds that scores are means over; none where each run has one.
    pub(crate) seeds: Vec<u64>,
    /// Runs compared with one of them, seed by seed.
    pub(crate) tests: Tests,
    /// Where each result was made, with the name of its run.
    pub(crate) machines: Vec<(String, Machine)>,
    /// Minutes that the steps of each run take on the machine for which they were chosen.
    pub(crate) nominal_minutes: Option<f64>,
    /// Seconds of the whole command, or those of training and sampling of all results where these are more.
    pub(crate) seconds: f64,
    /// The rules of evaluation.
    pub(crate) protocol: Protocol,
    /// One entry per run, in the order of the page.
    pub(crate) rows: Vec<RunReport>,
    /// What the runs learned from.
    pub(crate) data: DataReport,
    /// Figures of others to stand beside, not run here.
    pub(crate) published: &'static Published,
}

/// Runs compared with one of them.
#[derive(Debug, Default)]
pub(crate) struct Tests {
    /// One for each run and score that can be compared.
    pub(crate) made: Vec<SeedTest>,
    /// Why some or all are missing, as a sentence.
    pub(crate) missing: Option<String>,
}

/// Where a run was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Machine {
    /// Kind of processor or accelerator.
    pub(crate) processor: String,
    /// Worker threads.
    pub(crate) threads: usize,
}

impl Machine {
    /// This one.
    pub(crate) fn here() -> Self {
        let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let model = info.lines().find_map(|line| line.strip_prefix("model name")?.split_once(':'));
        Self {
            processor: model.map_or_else(|| std::env::consts::ARCH.to_owned(), |(_, name)| name.trim().to_owned()),
            threads: symdiff_ops::threads::count(),
        }
    }
}

impl Report {
    /// Where its runs were made: one machine, or each with its runs.
    pub(super) fn machines(&self) -> String {
        let mut machines: Vec<&Machine> = Vec::new();
        for (_, machine) in &self.machines {
            if !machines.contains(&machine) {
                machines.push(machine);
            }
        }
        let spoken = |Machine { processor, threads }: &Machine| {
            let plural = if *threads == 1 { "" } else { "s" };
            format!("{processor}, {threads} thread{plural}")
        };
        let of = |machine: &Machine| {
            let mut runs: Vec<&str> = self.machines.iter().filter(|(_, its)| its == machine).map(|(run, _)| run.as_str()).collect();
            runs.dedup();
            format!("{} on {}", runs.join(", "), spoken(machine))
        };
        match machines.as_slice() {
            [one] => spoken(one),
            several => several.iter().map(|machine| of(machine)).collect::<Vec<_>>().join("; "),
        }
    }
}

/// One trained model and what it samples.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct RunReport {
    /// Name of the experiment.
    pub(crate) name: String,
    /// Seed of its training and of its samples.
    pub(crate) seed: u64,
    /// Where it was trained.
    pub(crate) machine: Machine,
    /// Trainable numbers.
    pub(crate) parameters: usize,
    /// Optimiser steps.
    pub(crate) steps: u64,
    /// Seconds of training.
    pub(crate) train_seconds: f64,
    /// Seconds of sampling.
    pub(crate) sample_seconds: f64,
    /// How they were sampled.
    #[serde(with = "stored::route")]
    pub(crate) route: Route,
    /// Molecules sampled and judged.
    pub(crate) samples: usize,
    /// Its scores.
    pub(crate) scores: Scores,
    /// The model along other routes.
    pub(crate) cells: Vec<CellReport>,
    /// `(step, loss)` by ascending step.
    pub(crate) curve: Vec<(u64, f64)>,
    /// `(seconds of training, validation loss)`; none where nothing was validated.
    pub(crate) timed: Vec<(f64, f64)>,
    /// The steps at which these are; results of earlier versions do not say.
    #[serde(default)]
    pub(crate) validated: Vec<u64>,
    /// Sizes and bond lengths of all samples.
    pub(crate) geometry: Geometry,
    /// Samples to look at, the first ones and not the best ones.
    #[serde(with = "stored::molecules")]
    pub(crate) molecules: Vec<Molecule>,
    /// The first one forming: states of its trajectory from noise to the molecule.
    #[serde(with = "stored::molecules")]
    pub(crate) chain: Vec<Molecule>,
}

/// A trained model along one route from noise to molecules.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct CellReport {
    /// Sampler, steps, grid and frames.
    #[serde(with = "stored::route")]
    pub(crate) route: Route,
    /// Molecules sampled and judged.
    pub(crate) samples: usize,
    /// Seconds of sampling.
    pub(crate) seconds: f64,
    /// What the judges say.
    pub(crate) scores: Scores,
}

/// What the runs learned from.
#[derive(Debug)]
pub(crate) struct DataReport {
    /// Name of the set.
    pub(crate) name: String,
    /// Molecules judged.
    pub(crate) samples: usize,
    /// The scores of real molecules: the upper bound of the table.
    pub(crate) scores: Scores,
    /// Sizes and bond lengths.
    pub(crate) geometry: Geometry,
    /// Molecules to compare samples with.
    pub(crate) molecules: Vec<Molecule>,
}

impl RunReport {
    /// A row of the JSON line.
    pub(crate) fn json(&self) -> Value {
        let Scores { nll, atom_stability, molecule_stability, validity, uniqueness, valid_unique, connected } = self.scores;
        json!({
            "name": self.name,
            "atom_stability": mean(atom_stability),
            "atom_stability_error": atom_stability.map(|e| e.standard_error),
            "molecule_stability": mean(molecule_stability),
            "validity": mean(validity),
            "uniqueness": mean(uniqueness),
            "valid_unique": mean(valid_unique),
            "connected": mean(connected),
            "nll": mean(nll),
            "seconds": self.train_seconds + self.sample_seconds,
            "train_seconds": self.train_seconds,
            "sample_seconds": self.sample_seconds,
            "steps": self.steps,
            "parameters": self.parameters,
            "samples": self.samples,
            "machine": self.machine.processor,
            "threads": self.machine.threads,
            "sampler": self.route.method.to_string(),
            "calls": self.route.calls(),
            "cells": self.cells.iter().map(CellReport::json).collect::<Vec<_>>(),
        })
    }
}

impl CellReport {
    fn json(&self) -> Value {
        let Route { method, steps, spacing, framing, .. } = self.route;
        let error = |estimate: Option<Estimate>| estimate.map(|e| e.standard_error);
        let Scores { atom_stability, molecule_stability, valid_unique, connected, .. } = self.scores;
        json!({
            "sampler": method.to_string(),
            "grid": spacing.to_string(),
            "frames": framing.to_string(),
            "churn": self.route.churn(),
            "steps": steps,
            "calls": self.route.calls(),
            "atom_stability": mean(atom_stability),
            "atom_stability_error": error(atom_stability),
            "molecule_stability": mean(molecule_stability),
            "molecule_stability_error": error(molecule_stability),
            "valid_unique": mean(valid_unique),
            "valid_unique_error": error(valid_unique),
            "connected": mean(connected),
            "connected_error": error(connected),
            "seconds": self.seconds,
            "samples": self.samples,
        })
    }
}

fn mean(estimate: Option<Estimate>) -> Option<f64> {
    estimate.map(|e| e.mean)
}
