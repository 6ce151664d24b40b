//! Which size each molecule of a sampling run has, and what it is asked to be.

use crate::request::{Atoms, Given, Part, Request, Wanted};
use crate::sampling::Sampling;
use crate::{Asked, Conditions, Error, Result};
use candle_core::{DType, Device};
use std::collections::VecDeque;
use std::ops::{Range, RangeInclusive};
use symdiff_mol::Molecule;
use symdiff_mol::data::SizeHistogram;
use symdiff_ops::{Noise, Samples};
use symdiff_train::Share;

/// A molecule to be drawn.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Wish {
    /// Its number of atoms.
    pub(crate) atoms: usize,
    /// What is asked of each property that the model knows, in the property's unit.
    pub(crate) values: Vec<Option<f64>>,
}

/// Molecules 0, 1, …, `count` − 1 of a seed, drawn a block ahead of their batches.
pub(crate) struct Plan<'a> {
    sizes: SizeHistogram,
    range: RangeInclusive<usize>,
    conditions: Option<&'a Conditions>,
    /// What is asked of each property of the model.
    wanted: Vec<Option<Wanted>>,
    seed: u64,
    count: usize,
    drawn: usize,
    ahead: VecDeque<Wish>,
}

/// Atoms per sampling batch: enough for products to run at full speed, few enough for activations to stay in cache.
pub(crate) const ATOMS: usize = 4_000;

impl<'a> Plan<'a> {
    /// Molecules drawn at a time.
    const BLOCK: usize = 8192;

    /// A plan for molecules of a model whose training molecules had these sizes and properties.
    ///
    /// # Errors
    /// [`Error::Request`] for a property that the model was not trained on, for sizes that no training molecule has, and for values of the data where the model remembers no
    /// molecule of such sizes.
    pub(crate) fn new(sizes: &SizeHistogram, conditions: Option<&'a Conditions>, options: &Sampling) -> Result<Self> {
        let request = &options.request;
        let range = request.range(sizes)?;
        let within = sizes.counts().iter().copied().filter(|(atoms, _)| range.contains(atoms));
        let varied = matches!(request.part, Part::Structure(..)).then_some((*range.start(), 1));
        let sizes = SizeHistogram::from_counts(varied.map_or_else(|| within.collect::<Vec<_>>(), |size| vec![size]))
            .map_err(|fault| Error::Request(fault.to_string()))?;
        let mut wanted = vec![None; conditions.map_or(0, |conditions| conditions.names().len())];
        for Given { name, value } in &request.given {
            let conditions = conditions.ok_or_else(|| {
                Error::Request(format!("{name} is asked for, but this model was trained without properties; train one with data.condition"))
            })?;
            let place = conditions.place(name)?;
            if wanted[place].replace(*value).is_some() {
                return Err(Error::Request(format!("{name} is asked for twice; ask once")));
            }
        }
        let from_data = wanted.contains(&Some(Wanted::Data));
        if from_data && !conditions.is_some_and(|conditions| conditions.remembers(&range)) {
            let asked = spoken(&range);
            return Err(Error::Request(format!(
                "no training molecule that the model remembers has {asked} atoms; give values instead of data"
            )));
        }
        let (seed, count) = (options.seed, options.count);
        Ok(Self { sizes, range, conditions, wanted, seed, count, drawn: 0, ahead: VecDeque::new() })
    }

    /// The next batch: `count` molecules, or as many as have about [`ATOMS`] atoms, or those that are left.
    pub(crate) fn batch(&mut self, count: Option<usize>) -> Result<Vec<Wish>> {
        // No molecule has less than one atom.
        let wanted = count.unwrap_or(ATOMS);
        while self.ahead.len() < wanted && self.drawn < self.count {
            self.draw()?;
        }
        let mut atoms = 0;
        let fitting = self.ahead.iter().take_while(|wish| {
            atoms += wish.atoms;
            atoms <= ATOMS
        });
        let length = count.unwrap_or_else(|| fitting.count().max(1)).min(self.ahead.len());
        Ok(self.ahead.drain(..length).collect())
    }

    /// The samples of a share of the batches, of a plan from which no batch was taken.
    pub(crate) fn samples(mut self, share: Share, batch: Option<usize>) -> Result<Range<usize>> {
        let mut starts = vec![0];
        let mut drawn = 0;
        while drawn < self.count {
            drawn += self.batch(batch)?.len();
            starts.push(drawn);
        }
        let batches = share.range(starts.len() - 1);
        Ok(starts[batches.start]..starts[batches.end])
    }

    /// What a batch is asked, as its network sees it.
    pub(crate) fn asked(&self, wishes: &[Wish], dtype: DType, device: &Device) -> Result<Asked> {
        let Some(conditions) = self.conditions else { return Ok(Asked::default()) };
        let values: Vec<_> = wishes.iter().map(|wish| conditions.normalised(&wish.values)).collect();
        Asked::new(&values, dtype, device)
    }

    /// The molecule with what was asked of it, as properties whose names begin with [`GIVEN`].
    pub(crate) fn noted(&self, molecule: Molecule, wish: &Wish) -> Molecule {
        let names = self.conditions.map_or(&[][..], Conditions::names);
        let asked = names.iter().zip(&wish.values).filter_map(|(name, value)| Some((name, (*value)?)));
        asked.fold(molecule, |molecule, (name, value)| molecule.with_property(format!("{GIVEN}{name}"), value))
    }

    fn draw(&mut self) -> Result<()> {
        let end = self.count.min(self.drawn + Self::BLOCK);
        let samples = Samples::new((self.drawn as u64..end as u64).collect::<Vec<_>>());
        let [size, _, value] = Noise::seeded(self.seed).split();
        let quantiles = size.uniform(&samples, &[], DType::F64, &Device::Cpu)?.to_vec1::<f64>()?;
        let places = value.uniform(&samples, &[1.max(self.wanted.len())], DType::F64, &Device::Cpu)?.to_vec2::<f64>()?;
        for ((id, quantile), places) in (self.drawn..end).zip(quantiles).zip(places) {
            let wish = self.wish(id, quantile, &places);
            self.ahead.push_back(wish);
        }
        self.drawn = end;
        Ok(())
    }

    fn wish(&self, id: usize, quantile: f64, places: &[f64]) -> Wish {
        let mut ranges = 0;
        let mut values: Vec<Option<f64>> = Vec::with_capacity(self.wanted.len());
        for (wanted, place) in self.wanted.iter().zip(places) {
            values.push(match wanted {
                Some(Wanted::Value(value)) => Some(*value),
                Some(Wanted::Range(low, high)) => {
                    ranges += 1;
                    let part = stratum(id, self.count, ranges) as f64 + place;
                    Some(low + (high - low) * part / self.count as f64)
                }
                Some(Wanted::Data) | None => None,
            });
        }
        let joint = self.conditions.filter(|_| self.wanted.iter().any(Option::is_some));
        let Some((atoms, drawn)) = joint.and_then(|conditions| conditions.draw(&values, &self.range, quantile)) else {
            return Wish { atoms: self.sizes.quantile(quantile), values };
        };
        for ((value, wanted), drawn) in values.iter_mut().zip(&self.wanted).zip(drawn) {
            if *wanted == Some(Wanted::Data) {
                *value = Some(drawn);
            }
        }
        Wish { atoms, values }
    }
}

/// What a property that is asked of a molecule is called in its file, before the property's own name: `given_gap`.
pub const GIVEN: &str = "given_";

impl Request {
    /// The sizes that molecules may have.
    ///
    /// # Errors
    /// [`Error::Request`] where no training molecule has such a size, or formula and sizes contradict each other.
    fn range(&self, sizes: &SizeHistogram) -> Result<RangeInclusive<usize>> {
        let (least, most) = (sizes.counts().first().map_or(1, |row| row.0), sizes.largest());
        let known = match &self.part {
            Part::Nothing => least..=most,
            Part::Formula(formula) => formula.atoms()..=formula.atoms(),
            // At least one atom is drawn.
            Part::Atoms(kept) => kept.len() + 1..=most.max(kept.len() + 1),
            Part::Structure(molecule, _) => return Ok(molecule.len()..=molecule.len()),
        };
        let range = match &self.atoms {
            None => known,
            Some(Atoms(asked)) => {
                let both = *asked.start().max(known.start())..=*asked.end().min(known.end());
                if both.is_empty() && self.part != Part::Nothing {
                    let [asked, known] = [asked, &known].map(spoken);
                    return Err(Error::Request(format!("molecules of {asked} atoms are asked for, but what is known needs {known}")));
                }
                if both.is_empty() { asked.clone() } else { both }
            }
        };
        if sizes.counts().iter().any(|(atoms, _)| range.contains(atoms)) {
            return Ok(range);
        }
        let asked = spoken(&range);
        Err(Error::Request(format!("no training molecule has {asked} atoms; they have {least} to {most}, ask for such sizes")))
    }

    /// A sentence about each value that lies outside the range of the training molecules.
    pub fn outside(&self, conditions: &Conditions) -> Vec<String> {
        let sentence = |given: &Given| -> Option<String> {
            let statistics = conditions.statistics()[conditions.place(&given.name).ok()?];
            let (low, high) = (statistics.minimum, statistics.maximum);
            let values = match given.value {
                Wanted::Value(value) => [value, value],
                Wanted::Range(from, to) => [from, to],
                Wanted::Data => return None,
            };
            let value = values.into_iter().find(|value| !(low..=high).contains(value))?;
            let name = &given.name;
            Some(format!("{name} = {value} lies outside the training data, which have {low:.4} to {high:.4}: results there are guesses"))
        };
        self.given.iter().filter_map(sentence).collect()
    }
}

fn spoken(range: &RangeInclusive<usize>) -> String {
    let (low, high) = (range.start(), range.end());
    if low == high { format!("{low}") } else { format!("{low} to {high}") }
}

/// The stratum of molecule `id` of `count` in the `dimension`-th range (from 1): each stratum once. The first range is in order; the others are too, but by steps of about the golden ratio
/// of `count` further for each dimension, so that no two ranges rise together.
fn stratum(id: usize, count: usize, dimension: u32) -> usize {
    const GOLDEN: f64 = 0.618_033_988_749_894_9;
    if dimension == 1 || count < 3 {
        return id;
    }
    let coprime = |step: &usize| gcd(*step, count) == 1;
    let wanted = (count as f64 * GOLDEN.powi(dimension as i32 - 1)) as usize;
    let step = (wanted.max(1)..count).find(coprime).unwrap_or(1);
    ((id as u128 * step as u128) % count as u128) as usize
}

fn gcd(a: usize, b: usize) -> usize {
    if b == 0 { a } else { gcd(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use symdiff_mol::data::embedded;

    /// Batches of one drawing at once, and of a drawing block by block.
    #[test]
    fn sizes_do_not_depend_on_blocks_and_batches_hold_about_so_many_atoms() -> Result<()> {
        let histogram = SizeHistogram::from_counts([(9, 3), (18, 5), (29, 2)]).map_err(|fault| Error::Config(fault.to_string()))?;
        let count = 2 * Plan::BLOCK + 77;
        let all = Samples::numbered(count);
        let [size, _] = Noise::seeded(5).split();
        let expected: Vec<usize> =
            size.uniform(&all, &[], DType::F64, &Device::Cpu)?.to_vec1::<f64>()?.into_iter().map(|u| histogram.quantile(u)).collect();
        for batch in [None, Some(1000), Some(usize::MAX)] {
            let mut plan = Plan::new(&histogram, None, &Sampling::of(count, 5))?;
            let mut drawn = Vec::new();
            while drawn.len() < count {
                let next = plan.batch(batch)?;
                let atoms: usize = next.iter().map(|wish| wish.atoms).sum();
                let last = drawn.len() + next.len() == count;
                assert!(batch.is_some() || last || (ATOMS - 29..=ATOMS).contains(&atoms), "{atoms}");
                drawn.extend(next.iter().map(|wish| wish.atoms));
            }
            assert!(drawn == expected, "batches of {batch:?}");
        }
        Ok(())
    }

    fn wishes(request: Request, count: usize) -> Result<Vec<Wish>> {
        let set = embedded();
        let conditions = Conditions::of(set, &set.split().train, &["gap".into(), "alpha".into(), "mu".into()])?;
        let sizes = SizeHistogram::new(set.sizes()).ok_or_else(|| Error::Config("empty".into()))?;
        Plan::new(&sizes, Some(&conditions), &Sampling { request, ..Sampling::of(count, 3) })?.batch(Some(count))
    }

    fn given(texts: &[&str]) -> Result<Vec<Given>> {
        texts.iter().map(|text| text.parse()).collect()
    }

    /// A value is the same for all; of each range every one of n strata is met once, and two ranges do not rise together.
    #[test]
    fn ranges_are_stratified_and_what_is_not_asked_stays_open() -> Result<()> {
        let count = 101;
        let request = Request { given: given(&["gap=4..9", "mu=1..3"])?, ..Request::default() };
        let drawn = wishes(request, count)?;
        for (place, low, width) in [(0, 4.0, 5.0), (2, 1.0, 2.0)] {
            let strata = drawn.iter().filter_map(|wish| Some(((wish.values[place]? - low) / width * count as f64).floor() as usize));
            let mut strata: Vec<usize> = strata.collect();
            strata.sort_unstable();
            assert_eq!(strata, (0..count).collect::<Vec<_>>());
        }
        assert!(drawn.iter().all(|wish| wish.values[1].is_none()));
        let centred = |place: usize| {
            drawn.iter().map(move |wish| (wish.values[place].unwrap_or(0.0) - [6.5, 0.0, 2.0][place]) / [5.0, 1.0, 2.0][place])
        };
        let correlation = 12.0 * centred(0).zip(centred(2)).map(|(a, b)| a * b).sum::<f64>() / count as f64;
        assert!(correlation.abs() < 0.3, "{correlation}");
        Ok(())
    }

    /// Values drawn from the data come with the sizes that molecules of such values have.
    #[test]
    fn data_are_drawn_jointly_with_sizes() -> Result<()> {
        let drawn = wishes(Request { given: given(&["alpha=data"])?, ..Request::default() }, 400)?;
        let all = embedded().property("alpha")?;
        for wish in &drawn {
            let value = wish.values[1].ok_or_else(|| Error::Config("no value".into()))?;
            let there = (0..all.len()).any(|place| (all[place] - value).abs() < 1e-3 && embedded().num_atoms(place) == wish.atoms);
            assert!(there, "no molecule has {} atoms and alpha = {value}", wish.atoms);
        }
        let request = Request { given: given(&["alpha=data", "gap=7"])?, atoms: Some(Atoms(12..=14)), ..Request::default() };
        let few = wishes(request, 50)?;
        assert!(few.iter().all(|wish| (12..=14).contains(&wish.atoms) && wish.values[0] == Some(7.0) && wish.values[1].is_some()));
        Ok(())
    }

    #[test]
    fn what_cannot_be_is_refused_and_what_is_far_away_is_told() -> Result<()> {
        let refused = |request: Request| wishes(request, 2).map_err(|error| error.to_string()).err().unwrap_or_default();
        assert!(refused(Request { given: given(&["homo=1"])?, ..Request::default() }).contains("gap, alpha, mu"));
        assert!(refused(Request { given: given(&["gap=1", "gap=2"])?, ..Request::default() }).contains("twice"));
        assert!(refused(Request { atoms: Some(Atoms(90..=99)), ..Request::default() }).contains("2 to 29"));
        let formula = "C60".parse().map_err(|fault: symdiff_mol::Fault| Error::Request(fault.to_string()))?;
        assert!(refused(Request { part: Part::Formula(formula), ..Request::default() }).contains("60 atoms"));
        let conditions = Conditions::of(embedded(), &embedded().split().train, &["gap".into()])?;
        // Of a large training set a rare size may not be among the molecules that are kept.
        let sizes = SizeHistogram::from_counts([(9, 30_000), (77, 1)]).map_err(|fault| Error::Config(fault.to_string()))?;
        let rare = |text: &str| -> Result<Vec<Wish>> {
            let request = Request { given: given(&[text])?, atoms: Some(Atoms(77..=77)), ..Request::default() };
            Plan::new(&sizes, Some(&conditions), &Sampling { request, ..Sampling::of(2, 3) })?.batch(None)
        };
        assert!(rare("gap=data").is_err_and(|error| error.to_string().contains("remembers has 77 atoms")));
        assert!(rare("gap=7")?.iter().all(|wish| wish.atoms == 77 && wish.values == [Some(7.0)]));
        let request = Request { given: given(&["gap=99"])?, ..Request::default() };
        assert!(request.outside(&conditions)[0].contains("outside the training data"));
        assert!(Request { given: given(&["gap=5..6"])?, ..Request::default() }.outside(&conditions).is_empty());
        Ok(())
    }
}
