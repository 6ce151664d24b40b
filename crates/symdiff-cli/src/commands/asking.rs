//! What molecules are asked for: arguments of `sample`.

use crate::failure::{Failure, Outcome};
use clap::Args;
use std::path::{Path, PathBuf};
use symdiff_diffusion::Guidance;
use symdiff_models::{Atoms, Given, Kept, Part, Request, Trained};
use symdiff_mol::{Formula, Molecule, formats};

/// Properties, sizes and parts.
#[derive(Args, Clone, Debug)]
pub(crate) struct Asking {
    /// Ask for a property that the model was trained with: a value (`gap=6.5`), evenly spread values of a range (`gap=4..9`), or values of training molecules (`gap=data`), which are drawn
    /// together with the size. May be given for several properties. The file keeps what was asked of each molecule as `given_gap`.
    #[arg(long, value_name = "NAME=VALUE|LOW..HIGH|data", value_parser = request::<Given>)]
    given: Vec<Given>,
    /// Ask for no property, of weights that record asked ones with their scores and would else ask the same.
    #[arg(long = "given-nothing", conflicts_with = "given")]
    pub(super) nothing: bool,
    /// Move predictions away from those without the condition: (1 + W) times the one under the condition less W times the one without. 0 leaves them as they are; otherwise each prediction
    /// calls the network twice.
    #[arg(long, value_name = "W", default_value_t = 0.0, requires = "given", allow_negative_numbers = true)]
    guidance: f64,
    /// Guide at these times alone, of 0 (data) to 1 (noise); at others the network is called once.
    #[arg(long, value_name = "LOW..HIGH", requires = "guidance", value_parser = times)]
    guidance_times: Option<(f64, f64)>,
    /// The number of atoms, or a range of it; sizes of training molecules when absent.
    #[arg(long, value_name = "N|LOW..HIGH", value_parser = request::<Atoms>)]
    atoms: Option<Atoms>,
    /// The atoms of each molecule, such as C6H8O2; positions are drawn.
    #[arg(long, conflicts_with_all = ["keep", "between", "from"])]
    formula: Option<Formula>,
    /// Keep the atoms of this molecule where they are, and draw more around them. Leave out the hydrogens in whose place something may grow.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["between", "from"])]
    keep: Option<PathBuf>,
    /// The number of atoms to draw around those that are kept, or a range of it.
    #[arg(long, value_name = "N|LOW..HIGH", conflicts_with = "atoms", value_parser = request::<Atoms>)]
    grow: Option<Atoms>,
    /// Keep the atoms of two molecules where they are, and draw what links them.
    #[arg(long, value_names = ["FILE", "FILE"], num_args = 2, conflicts_with = "from")]
    between: Vec<PathBuf>,
    /// How often each step is taken where atoms are kept, so that the others have time to agree with them: 4 times when absent, or once where --keep or --between give fixed
    /// atoms to a model that was trained on them (`data.fixed`). The sampler `dpm-solver-3` calls the network twice a step there.
    #[arg(long, value_name = "N")]
    turns: Option<usize>,
    /// Vary this molecule: begin from it with noise instead of from noise alone.
    #[arg(long, value_name = "FILE", requires = "noise", conflicts_with_all = ["atoms", "grow"])]
    from: Option<PathBuf>,
    /// How far to noise the molecule of --from: the time from one step of the process (hardly at all) to 1 (nothing is left of it).
    #[arg(long, value_name = "TIME", requires = "from")]
    noise: Option<f64>,
}

/// A value of the command line, whose refusal is one sentence.
pub(super) fn request<T: std::str::FromStr<Err = symdiff_models::Error>>(text: &str) -> Result<T, String> {
    text.parse().map_err(|error: symdiff_models::Error| error.to_string())
}

fn times(text: &str) -> Result<(f64, f64), String> {
    let ends = text.split_once("..").and_then(|(low, high)| Some((low.trim().parse().ok()?, high.trim().parse().ok()?)));
    ends.ok_or_else(|| "two times are needed, such as 0.2..0.8".to_owned())
}

impl Asking {
    /// The files of molecules that are kept or varied.
    pub(crate) fn files(&self) -> impl Iterator<Item = &Path> {
        self.keep.iter().chain(&self.between).chain(&self.from).map(PathBuf::as_path)
    }

    /// What is asked.
    ///
    /// # Errors
    /// A file that holds no molecule, or not one alone; a time outside 0 to 1.
    pub(crate) fn request(&self) -> Outcome<Request> {
        let (part, grown) = self.part()?;
        if self.grow.is_some() && grown.is_none() {
            return Err(Failure::input("--grow needs atoms that are kept; add --keep FILE or --between FILE FILE"));
        }
        if self.turns == Some(0) {
            return Err(Failure::input("--turns must be at least 1"));
        }
        Ok(Request { given: self.given.clone(), atoms: grown.or_else(|| self.atoms.clone()), part, turns: self.turns })
    }

    /// What is known of each molecule, and the sizes that follow where it is to grow.
    fn part(&self) -> Outcome<(Part, Option<Atoms>)> {
        if let Some(formula) = &self.formula {
            return Ok((Part::Formula(formula.clone()), None));
        }
        if let Some((path, time)) = self.from.as_ref().zip(self.noise) {
            if !(time > 0.0 && time <= 1.0) {
                return Err(Failure::input(format!("--noise {time}: a time above 0 and at most 1 is needed, such as 0.4")));
            }
            return Ok((Part::Structure(Box::new(one(path)?), time), None));
        }
        let files: Vec<&PathBuf> = self.keep.iter().chain(&self.between).collect();
        if files.is_empty() {
            return Ok((Part::Nothing, None));
        }
        let kept = Kept::atoms(&files.into_iter().map(|path| one(path)).collect::<Outcome<Vec<_>>>()?);
        // Without --grow, sizes are those of --atoms or of the data.
        let grown = self.grow.as_ref().map(|Atoms(range)| {
            let [low, high] = [range.start(), range.end()].map(|atoms| atoms.saturating_add(kept.len()));
            Atoms(low..=high)
        });
        Ok((Part::Atoms(kept), grown))
    }

    /// The model, guided as asked.
    pub(crate) fn guided(&self, model: Trained) -> Outcome<Trained> {
        let (from, to) = self.guidance_times.unwrap_or((0.0, 1.0));
        let guidance = Guidance::new(self.guidance).map_err(|error| Failure::input(format!("--guidance: {error}")))?;
        let guidance = guidance.within(from, to).map_err(|error| Failure::input(format!("--guidance-times: {error}")))?;
        if guidance.weight() == 0.0 { Ok(model) } else { Ok(model.guided(guidance)?) }
    }
}

/// The one molecule of a file.
pub(super) fn one(path: &Path) -> Outcome<Molecule> {
    let mut molecules = formats::open(path)?;
    let first = molecules.next().ok_or_else(|| Failure::input(format!("{}: the file holds no molecule; write one", path.display())))??;
    if molecules.next().is_some() {
        return Err(Failure::input(format!("{}: the file holds several molecules; write the one that is meant", path.display())));
    }
    Ok(first)
}
