//! Property networks: invariant, able to learn, resumed bit for bit, and judged against baselines that are computed here again.

mod common;

use candle_core::{DType, Device, Tensor};
use common::{TestResult, batch};
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::Path;
use symdiff_groups::{Action, CompactGroup, Orthogonal};
use symdiff_models::property::{PropertyNetwork, PropertyTask, TrainedProperty, resume_with, start_with};
use symdiff_models::{Error, Experiment, MoleculeTask, Trained};
use symdiff_mol::data::{Half, MoleculeSet, embedded, write_cache};
use symdiff_mol::state::Molecules;
use symdiff_ops::{Batched, Noise, Recording, Samples};
use symdiff_train::metrics::{rows, validations};
use symdiff_train::ranks::Threads;
use symdiff_train::{Alone, CHECKPOINT};

/// A small graph network in the form of EDM's property network.
const EGNN: &str = "[model.backbone]\nkind = 'egnn'\nwidth = 32\nlayers = 1\nsublayers = 3\n[property]\nname = 'gap'\nchannels = 24\n";
const TRAIN: &str = "[train]\nbatch = 16\nlr = 2e-3\nema = 0.9\nvalidate_every = 4\nvalidate_samples = 40\n";

fn experiment(text: &str, settings: &[&str]) -> symdiff_models::Result<Experiment> {
    let settings: Vec<String> = ["train.steps=4"].iter().chain(settings).map(|&setting| setting.to_owned()).collect();
    Experiment::parse(&format!("{text}{TRAIN}"), &settings)
}

fn train(experiment: Experiment, folder: &Path) -> symdiff_models::Result<()> {
    start_with(Alone, experiment, 3, folder, &Device::Cpu)?.run(&mut |_| ControlFlow::Continue(())).map(drop)
}

/// A network whose parameters are all moved by normal noise.
fn shaken(text: &str) -> Result<PropertyNetwork, Box<dyn std::error::Error>> {
    let network = PropertyNetwork::fresh(&experiment(text, &[])?, 0, Noise::seeded(0), &Device::Cpu)?;
    let named = network.parameters.named();
    for ((_, var), noise) in named.iter().zip(Noise::seeded(9).repeats(named.len())) {
        let drawn = noise.normal(&Samples::numbered(1), var.dims(), DType::F32, &Device::Cpu)?.squeeze(0)?;
        var.set(&(var.as_tensor() + (drawn * 0.2)?)?)?;
    }
    Ok(network)
}

fn values(network: &PropertyNetwork, molecules: &Molecules, noise: Noise) -> Result<Vec<f64>, Box<dyn std::error::Error>> {
    Ok(network.value(molecules, noise)?.to_vec1()?)
}

/// The largest difference over the spread of the values.
fn relative(a: &[f64], b: &[f64]) -> f64 {
    let mean = b.iter().sum::<f64>() / b.len() as f64;
    let spread = b.iter().map(|value| (value - mean).abs()).fold(0.0, f64::max);
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max) / spread
}

const PLACES: [usize; 4] = [10, 6000, 77, 4001];

#[test]
fn values_do_not_depend_on_the_frame_or_the_order_of_atoms() -> TestResult {
    let (group, state) = (Orthogonal::new(3), batch(&PLACES)?);
    let h = group.haar(&state, Noise::seeded(8))?;
    let turned = state.act(&group, &h)?;
    let order: Vec<u32> = (0..state.layout().len()).flat_map(|sample| state.layout().rows(sample).rev()).map(|row| row as u32).collect();
    let order = Tensor::new(order, &Device::Cpu)?;
    let permuted = Molecules::from_joined(&state.joined()?.index_select(&order, 0)?, state.layout().clone())?;

    let egnn = shaken(EGNN)?;
    let plain = values(&egnn, &state, Noise::seeded(1))?;
    for moved in [&turned, &permuted] {
        assert!(relative(&values(&egnn, moved, Noise::seeded(2))?, &plain) < 1e-3);
    }
    // Not by being constant, nor by not seeing the positions.
    let pressed = state.at((state.positions() * 0.9)?)?;
    assert!(relative(&values(&egnn, &pressed, Noise::seeded(1))?, &plain) > 1e-2);

    // A transformer under Haar is invariant draw by draw, and so in law. The draw is carried along by the molecule's rotation.
    let dit = shaken("[model]\npreset = 'symdiff-tiny'\ngamma = { kind = 'haar' }\n[property]\nname = 'gap'\nchannels = 8\n")?;
    let (noise, tape) = Noise::taped(4);
    let plain = values(&dit, &state, noise)?;
    let carried = tape.draws().into_iter().map(|draw| h.as_tensor().matmul(&draw)).collect::<candle_core::Result<Vec<_>>>()?;
    assert_eq!(carried.len(), 1);
    let again = values(&dit, &turned, Noise::recorded(Recording::new(carried)))?;
    assert!(relative(&again, &plain) < 1e-3, "{again:?} {plain:?}");
    assert!(relative(&values(&dit, &turned, Noise::seeded(4))?, &plain) > 1e-2, "the transformer sees the frame");
    assert_eq!(state.samples().len(), PLACES.len());
    Ok(())
}

/// The mean distance of atoms to the centre, over that of molecules of the same size: nothing that composition or size tells.
fn stretched(molecules: usize) -> Result<MoleculeSet, Box<dyn std::error::Error>> {
    let places: Vec<usize> = (0..embedded().len()).filter(|&place| embedded().num_atoms(place) == 18).take(molecules).collect();
    let set = embedded().select(&places);
    let radius = |place: usize| {
        let lengths = set.positions(place).iter().map(|row| row.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>().sqrt());
        lengths.sum::<f64>() / set.num_atoms(place) as f64
    };
    let values = (0..set.len()).map(|place| 100.0 * radius(place)).collect();
    Ok(set.with_properties(BTreeMap::from([("radius".to_owned(), values)]))?)
}

#[test]
fn a_property_of_the_shape_is_learned() -> TestResult {
    let folder = tempfile::tempdir()?;
    let data = folder.path().join("set.safetensors");
    write_cache(&data, &stretched(400)?)?;
    let path = format!("data.path={}", data.display());
    let settings = [&path, "property.name=radius", "train.steps=160", "train.validate_every=80", "train.ema=0.95"];
    let run = folder.path().join("run");
    train(experiment(EGNN, &settings)?, &run)?;
    let network = TrainedProperty::load(&run, &Device::Cpu)?;
    let held_out = network.held_out(&mut |_| ())?;
    // All molecules are of one size, so that their number of atoms tells the mean alone.
    assert!(held_out.lower_bound < 0.35 * held_out.numnodes, "{held_out:?}");
    assert!(held_out.random.is_some_and(|random| random > held_out.numnodes), "{held_out:?}");
    assert_eq!((network.name(), held_out.held_out), ("radius", 40));
    // Validation is in the property's units and over the same weights.
    let last = validations(&run)?.last().map_or(f64::NAN, |row| row.scores.loss);
    let validated = network.validated()?;
    assert!((last / validated.loss - 1.0).abs() < 1e-4 && validated.samples == 40, "{last} {validated:?}");
    Ok(())
}

type Written = (Vec<(u64, u64, u64)>, Vec<u64>, BTreeMap<String, Vec<u8>>);

fn written(folder: &Path) -> Result<Written, Box<dyn std::error::Error>> {
    let losses = rows(folder)?.iter().map(|row| (row.step, row.loss.to_bits(), row.gradient_norm.to_bits())).collect();
    let judged = validations(folder)?.iter().map(|row| row.scores.loss.to_bits()).collect();
    let bytes = std::fs::read(folder.join(CHECKPOINT))?;
    let file = safetensors::SafeTensors::deserialize(&bytes)?;
    Ok((losses, judged, file.iter().map(|(name, view)| (name.to_owned(), view.data().to_vec())).collect()))
}

#[test]
fn a_run_resumes_to_the_same_bits_and_two_ranks_write_them_too() -> TestResult {
    let folder = tempfile::tempdir()?;
    let at = |name: &str| folder.path().join(name);
    let until = |steps: &str| experiment(EGNN, &["data.half=first", "train.shares=2", steps]);
    train(until("train.steps=8")?, &at("whole"))?;
    train(until("train.steps=3")?, &at("broken"))?;
    resume_with(Alone, &at("broken"), Some(until("train.steps=8")?), None, &Device::Cpu)?.run(&mut |_| ControlFlow::Continue(()))?;
    assert!(written(&at("whole"))? == written(&at("broken"))?, "resumed");
    let two: Vec<symdiff_models::Result<()>> = std::thread::scope(|scope| {
        let run = |ranks| {
            start_with(ranks, until("train.steps=8")?, 3, &at("two"), &Device::Cpu)?.run(&mut |_| ControlFlow::Continue(())).map(drop)
        };
        let threads: Vec<_> = Threads::new(2).into_iter().map(|ranks| scope.spawn(move || run(ranks))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap_or_else(|_| Err(Error::Config("a rank panicked".into())))).collect()
    });
    two.into_iter().collect::<symdiff_models::Result<Vec<()>>>()?;
    assert!(written(&at("whole"))? == written(&at("two"))?, "on two ranks");

    let message = |result: symdiff_models::Result<()>| result.map_err(|error| error.to_string()).err().unwrap_or_default();
    let resume = |settings: &[&str]| {
        let resumed =
            experiment(EGNN, settings).and_then(|experiment| resume_with(Alone, &at("whole"), Some(experiment), None, &Device::Cpu));
        message(resumed.map(drop))
    };
    assert!(resume(&["data.half=second", "train.shares=2"]).contains("another experiment"));
    assert!(resume(&["data.half=first", "train.shares=2", "property.name=alpha"]).contains("another experiment"));
    // The two kinds of runs are told apart.
    assert!(message(Trained::load(&at("whole"), &Device::Cpu).map(drop)).contains("draws no molecules"));
    let tiny = Experiment::parse("[model]\npreset = 'symdiff-tiny'\n[train]\nsteps = 1\nbatch = 8\n", &[])?;
    symdiff_models::start(tiny, 0, &at("drawing"), &Device::Cpu)?.run(&mut |_| ControlFlow::Continue(()))?;
    assert!(message(TrainedProperty::load(&at("drawing"), &Device::Cpu).map(drop)).contains("property-gap"));
    Ok(())
}

/// EDM's halves: the network learns from the first, and its errors are over the second. Both baselines are computed here by their definitions.
#[test]
fn errors_on_held_out_molecules_are_those_of_their_definitions() -> TestResult {
    let folder = tempfile::tempdir()?;
    train(experiment(EGNN, &["data.half=first", "train.steps=2"])?, folder.path())?;
    let network = TrainedProperty::load(folder.path(), &Device::Cpu)?;
    let found = network.held_out(&mut |_| ())?;
    let (set, split) = (embedded(), embedded().split());
    let [first, second] = [Half::First, Half::Second].map(|half| split.clone().half(half).train);
    let gap = set.property("gap")?;
    let mut by_size: BTreeMap<usize, Vec<f64>> = BTreeMap::new();
    for &place in &first {
        by_size.entry(set.num_atoms(place)).or_default().push(gap[place]);
    }
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let all = mean(&first.iter().map(|&place| gap[place]).collect::<Vec<_>>());
    let told = |place: usize| by_size.get(&set.num_atoms(place)).map_or(all, |values| mean(values));
    let numnodes = mean(&second.iter().map(|&place| (told(place) - gap[place]).abs()).collect::<Vec<_>>());
    assert!((found.numnodes - numnodes).abs() < 1e-9, "{found:?} {numnodes}");
    assert_eq!(found.held_out, second.len());
    let molecules: Vec<_> = second.iter().map(|&place| set.molecule(place)).collect();
    let told: Vec<f64> = network.values(&molecules)?.into_iter().flatten().collect();
    let lower = mean(&told.iter().zip(&second).map(|(told, &place)| (told - gap[place]).abs()).collect::<Vec<_>>());
    assert!(told.len() == second.len() && (found.lower_bound - lower).abs() < 1e-5, "{found:?} {lower}");
    Ok(())
}

#[test]
fn what_is_no_property_network_is_refused_in_a_sentence() -> TestResult {
    let refused = |text: &str, settings: &[&str]| {
        let built = experiment(text, settings).and_then(|experiment| PropertyTask::new(experiment, 0, &Device::Cpu).map(drop));
        built.map_err(|error| error.to_string()).err().unwrap_or_default()
    };
    let plain = "[model]\npreset = 'symdiff-tiny'\ngamma = { kind = 'none' }\n[property]\nname = 'gap'\n";
    for (text, settings, words) in [
        (EGNN, &["property.name=boiling_point"][..], "boiling_point"),
        (EGNN, &["property.name=a b"], "no name of a property"),
        (EGNN, &["property.channels=3"], "property.channels is 3"),
        (EGNN, &["property.width=3"], "width"),
        (EGNN, &["data.condition=['gap']"], "take data.condition or [property] out"),
        (EGNN, &["diffusion.steps=10"], "[diffusion] says how molecules are drawn"),
        (EGNN, &["data.half=third"], "third"),
        (plain, &[], "model.gamma"),
        ("[model]\npreset = 'edm-small'\n", &[], "there is no [property]"),
    ] {
        let told = refused(text, settings);
        assert!(told.contains(words) && told.lines().count() == 1, "{settings:?}: {told}");
    }
    assert!(refused(plain, &["model.gamma={ kind = 'frames' }"]).is_empty());
    let told = MoleculeTask::new(experiment(EGNN, &[])?, 0, &Device::Cpu).map(drop).map_err(|error| error.to_string());
    assert!(told.is_err_and(|told| told.contains("draws no molecules")));
    Ok(())
}

/// Models that draw molecules train on halves too, and recognise the whole set that these come from.
#[test]
fn halves_of_the_training_part_are_disjoint_and_all_of_it() -> TestResult {
    let folder = tempfile::tempdir()?;
    let text = "[model]\npreset = 'symdiff-tiny'\n[train]\nsteps = 1\nbatch = 8\n";
    let mut seen = Vec::new();
    for half in ["first", "second"] {
        let experiment = Experiment::parse(text, &[format!("data.half={half}")])?;
        let split = experiment.molecules()?.split();
        assert_eq!((&split.valid, &split.test), (&embedded().split().valid, &embedded().split().test));
        seen.extend(split.train);
        let run = folder.path().join(half);
        symdiff_models::start(experiment, 0, &run, &Device::Cpu)?.run(&mut |_| ControlFlow::Continue(()))?;
        let trained = Trained::load(&run, &Device::Cpu)?;
        assert!(trained.learned_from(embedded()), "{half}");
        let sizes: Vec<(usize, u64)> = serde_json::from_value(trained.header.record.facts["sizes"].clone())?;
        assert_eq!(sizes.iter().map(|(_, molecules)| molecules).sum::<u64>(), 3200);
    }
    let mut all = embedded().split().train;
    seen.sort_unstable();
    all.sort_unstable();
    assert_eq!(seen, all);
    // Without the setting nothing is written of it: records of earlier runs stay what they were.
    assert!(!Experiment::parse(text, &[])?.to_toml()?.contains("half"));
    Ok(())
}
