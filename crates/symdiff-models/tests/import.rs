//! State dicts and arguments that the published program writes (`import_golden.py`, `tiny_golden.py` in xtask/scripts), taken over or refused.

mod common;

use candle_core::{DType, Device, Tensor};
use common::TestResult;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use symdiff_core::MarkovKernel;
use symdiff_diffusion::{At, Times};
use symdiff_models::models::PaddedTo;
use symdiff_models::{Asked, Import, Imported, Trained};
use symdiff_mol::data::MoleculeSet;
use symdiff_mol::state::{Encoding, Molecules};
use symdiff_ops::{Noise, Ragged, Recording, Samples};

fn golden(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(file)
}

fn run<'a>(from: &'a Path, model: Option<&'a str>) -> Import<'a> {
    Import { from, arguments: None, model, sizes: None, set: None }
}

/// The refusal's sentence.
fn refused(from: &Path, model: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    run(from, Some(model)).write(&folder.path().join("out.safetensors")).unwrap_err().to_string()
}

/// Arrays of a golden file, and what they are without padding.
struct Arrays {
    named: HashMap<String, Tensor>,
    layout: Ragged,
}

impl Arrays {
    fn read(file: &str) -> Result<Self, Box<dyn std::error::Error>> {
        let named = candle_core::safetensors::load(golden(file), &Device::Cpu)?;
        let sizes: Vec<usize> = named["in.num_atoms"].to_vec1::<i64>()?.into_iter().map(|n| n as usize).collect();
        Ok(Self { named, layout: Ragged::from_sizes(&sizes)? })
    }

    /// `[B, padded, C]` → `[N, C]`.
    fn rows(&self, name: &str) -> candle_core::Result<Tensor> {
        let rows = self.layout.sizes().enumerate().map(|(i, n)| self.named[name].get(i)?.narrow(0, 0, n));
        Tensor::cat(&rows.collect::<candle_core::Result<Vec<_>>>()?, 0)
    }

    /// Draws in the order in which a program asks for them; those of nodes lose their padding.
    fn noise(&self, draws: &[&str]) -> candle_core::Result<Noise> {
        let packed = |name: &str| name.contains("eps") || name.contains("gamma_noise");
        let draw = |name: &&str| if packed(name) { self.rows(name) } else { Ok(self.named[*name].clone()) };
        Ok(Noise::recorded(Recording::new(draws.iter().map(draw).collect::<candle_core::Result<Vec<_>>>()?)))
    }

    fn at(&self) -> Result<At<Molecules, Asked>, Box<dyn std::error::Error>> {
        let times = self.named["in.t"].to_dtype(DType::F64)?.to_vec1()?;
        let state = Molecules::from_joined(&self.rows("in.z")?, self.layout.clone())?;
        Ok(At { state, time: Times::PerSample(times), given: Asked::default() })
    }

    fn clean(&self) -> Result<Molecules, Box<dyn std::error::Error>> {
        let positions: Vec<[f32; 3]> = self.rows("in.x")?.to_vec2::<f32>()?.iter().map(|row| [row[0], row[1], row[2]]).collect();
        let numbers = self.rows("in.charge")?.flatten_all()?.to_vec1::<f32>()?.into_iter().map(|charge| charge as u8).collect();
        let set = MoleculeSet::from_packed(self.layout.sizes(), numbers, positions, None)?;
        let places: Vec<usize> = (0..set.len()).collect();
        Ok(Encoding::qm9().encode(&set, &places, Samples::numbered(set.len()), DType::F32, &Device::Cpu)?)
    }

    /// Holds a prediction against a result, to 1e-5 of its largest entry.
    fn assert_predicted(&self, trained: &Trained, result: &str, draws: &[&str]) -> TestResult {
        let found = trained.model.denoiser.sample(&self.at()?, self.noise(draws)?)?.0.joined()?;
        let expected = self.rows(result)?;
        let off = (found - &expected)?.abs()?.flatten_all()?.max(0)?.to_scalar::<f32>()?;
        let largest = expected.abs()?.flatten_all()?.max(0)?.to_scalar::<f32>()?;
        assert!(off <= 1e-5 * largest, "{result}: {off} of {largest}");
        Ok(())
    }
}

/// γ's draws of one call.
const DRAWS: [&str; 2] = ["in.haar_gauss", "in.gamma_noise"];

/// Imports into a folder and loads the result.
fn taken(import: &Import, padding: Option<PaddedTo>) -> Result<(Imported, Trained), Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    let out = folder.path().join("out.safetensors");
    let made = import.write(&out)?;
    Ok((made, Trained::load_with(&out, padding, None, &Device::Cpu)?))
}

#[test]
fn an_imported_model_predicts_what_pytorch_predicts() -> TestResult {
    let (made, trained) = taken(&run(&golden("symdiff-tiny.npy"), Some("symdiff-tiny")), None)?;
    assert_eq!(made.padding, Some(PaddedTo::Rows(29)));
    assert!(made.arguments.is_none() && made.assumed.iter().any(|assumed| assumed.contains("fix_qr off")), "{:?}", made.assumed);
    Arrays::read("symdiff_dynamics.safetensors")?.assert_predicted(&trained, "out.eps_pad29_cols", &DRAWS)
}

/// Six thousand averaged steps moved the schedule's table by 1.1e-3; at the chosen times that is up to several nats of the bound.
#[test]
fn an_average_in_f32_imports_with_its_own_table_and_gives_the_likelihoods_of_pytorch() -> TestResult {
    let (from, arrays) = (golden("import/averaged.npy"), Arrays::read("import/averaged.safetensors")?);
    let (made, trained) = taken(&run(&from, Some("symdiff-tiny")), None)?;
    assert!(made.drift.is_some_and(|drift| (1e-3..5e-3).contains(&drift)), "{:?}", made.drift);
    arrays.assert_predicted(&trained, "out.eps_pad29", &DRAWS)?;

    let (_, trained) = taken(&run(&from, Some("symdiff-tiny")), Some(PaddedTo::Longest))?;
    arrays.assert_predicted(&trained, "out.eps", &DRAWS)?;
    let draws = ["in.t_int", "in.eps_raw", "in.haar_gauss", "in.gamma_noise", "in.eps0_raw", "in.haar_gauss0", "in.gamma_noise0"];
    let found = trained.model.likelihood(&arrays.clean()?, arrays.noise(&draws)?)?.total()?.to_vec1::<f64>()?;
    let expected = arrays.named["out.nll"].to_dtype(DType::F64)?.to_vec1::<f64>()?;
    let exact = arrays.named["out.nll_exact_table"].to_dtype(DType::F64)?.to_vec1::<f64>()?;
    let off = |other: &[f64]| found.iter().zip(other).map(|(found, other)| (found - other).abs()).fold(0.0, f64::max);
    assert!(off(&expected) <= 0.1, "{found:?}, expected {expected:?}");
    assert!(off(&exact) > 0.5, "the golden file no longer tells the tables apart: {}", off(&exact));
    Ok(())
}

#[test]
fn another_schedules_table_is_refused_with_its_distance() -> TestResult {
    let folder = tempfile::tempdir()?;
    let (mut tensors, path) = (weights()?, folder.path().join("other.safetensors"));
    let table = &tensors["gamma.gamma"];
    tensors.insert("gamma.gamma".into(), (table + 0.1)?);
    candle_core::safetensors::save(&tensors, &path)?;
    let sentence = refused_with(&path, &namespace(&[]));
    assert!(sentence.contains("`gamma.gamma` (51 levels) is no polynomial_2 schedule of 50 steps: off by 1.0e-1"), "{sentence}");
    Ok(())
}

#[test]
fn a_runs_arguments_are_found_beside_its_weights_and_say_what_it_is() -> TestResult {
    let (made, trained) = taken(&run(&golden("import/run/generative_model_ema.npy"), None), None)?;
    assert_eq!(made.arguments, Some(golden("import/run/args.pickle")));
    assert!(made.assumed.is_empty() && made.padding.is_none());
    assert_eq!(trained.model.process.steps(), 50);
    // The embedded set's preset of that name has other sizes: arguments come first, but a model of another kind is a contradiction.
    assert!(taken(&run(&golden("import/run/generative_model_ema.npy"), Some("edm-qm9")), None).is_ok());
    let sentence = refused(&golden("import/run/generative_model_ema.npy"), "dit-qm9");
    assert!(sentence.contains("describes a model of kind egnn, and --model dit-qm9 is of another"), "{sentence}");
    Ok(())
}

#[test]
fn without_arguments_and_name_nothing_is_guessed() {
    let folder = tempfile::tempdir().unwrap();
    let from = golden("import/half.npy");
    let sentence = run(&from, None).write(&folder.path().join("out")).unwrap_err().to_string();
    assert!(sentence.contains("no args.pickle lies beside it"), "{sentence}");
}

/// Weights in half precision and in torch's format of before 1.6 are the same weights.
#[test]
fn other_types_and_the_legacy_format_load() -> TestResult {
    let full = weights()?;
    let arguments = golden("import/run/args.pickle");
    for (file, tolerance) in [("legacy.npy", 0.0), ("half.npy", 1e-3), ("bfloat16.npy", 8e-3)] {
        let from = golden("import").join(file);
        let (_, trained) = taken(&Import { arguments: Some(&arguments), ..run(&from, None) }, None)?;
        for (name, found) in trained.model.parameters.named() {
            let expected = &full[&format!("dynamics.{name}")];
            let off = (found.as_tensor() - expected)?.abs()?.flatten_all()?.max(0)?.to_scalar::<f32>()?;
            let largest = expected.abs()?.flatten_all()?.max(0)?.to_scalar::<f32>()?;
            assert!(off <= tolerance * largest, "{file}, {name}: {off} of {largest}");
        }
    }
    Ok(())
}

#[test]
fn another_models_state_dict_is_refused_by_its_first_entries() {
    let sentence = refused(&golden("symdiff-tiny.npy"), "dit-small");
    assert!(sentence.contains("missing, first `model.blocks.0.adaLN_modulation.1.bias`"), "{sentence}");
    assert!(sentence.contains("unexpected, first `gamma_dec.fc1.bias`"), "{sentence}");
    let sentence = refused(&golden("symdiff-tiny.npy"), "symdiff-small");
    assert!(sentence.contains("of another shape, first `gamma_dec.fc1.bias` [8], needed [64]"), "{sentence}");
}

#[test]
fn truncated_files_are_refused() -> TestResult {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("cut.npy");
    let bytes = std::fs::read(golden("symdiff-tiny.npy"))?;
    for kept in [bytes.len() / 2, bytes.len() - 7, 3, 0] {
        std::fs::write(&path, &bytes[..kept])?;
        let sentence = refused(&path, "symdiff-tiny");
        assert!(sentence.contains("no whole zip archive") || sentence.contains("neither a whole zip archive"), "{sentence}");
    }
    let bytes = std::fs::read(golden("import/legacy.npy"))?;
    for kept in (16..bytes.len()).step_by(97) {
        std::fs::write(&path, &bytes[..kept])?;
        let sentence = refused(&path, "edm-qm9");
        assert!(sentence.contains("ends early") || sentence.contains("is cut"), "cut at {kept}: {sentence}");
    }
    Ok(())
}

/// A zip archive whose index is the given pickle.
fn archive(path: &Path, pickle: &[u8]) -> TestResult {
    use std::io::Write;
    let mut zip = zip::ZipWriter::new(std::fs::File::create(path)?);
    zip.start_file("archive/data.pkl", zip::write::SimpleFileOptions::default())?;
    zip.write_all(pickle)?;
    zip.finish()?;
    Ok(())
}

#[test]
fn a_pickle_that_asks_for_a_class_is_refused_and_nothing_runs() -> TestResult {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("evil.pt");
    // {"k.weight": os.system("true")}
    archive(&path, b"\x80\x02}q\x00X\x08\x00\x00\x00k.weightcos\nsystem\nX\x04\x00\x00\x00true\x85Rs.")?;
    assert!(refused(&path, "symdiff-tiny").contains("`k.weight` asks for `os.system`"), "{}", refused(&path, "symdiff-tiny"));
    // os.system("true") itself
    archive(&path, b"\x80\x02cos\nsystem\nX\x04\x00\x00\x00true\x85R.")?;
    assert!(refused(&path, "symdiff-tiny").contains("it asks for `os.system`"), "{}", refused(&path, "symdiff-tiny"));
    Ok(())
}

/// The weights of the graph network's run.
fn weights() -> Result<HashMap<String, Tensor>, Box<dyn std::error::Error>> {
    Ok(candle_core::pickle::read_all(golden("import/run/generative_model_ema.npy"))?.into_iter().collect())
}

/// Imports weights with the arguments of these bytes.
fn run_with(weights: &Path, arguments: &[u8]) -> symdiff_models::Result<(Imported, Trained)> {
    let folder = tempfile::tempdir().unwrap();
    let (path, out) = (folder.path().join("args.pickle"), folder.path().join("out.safetensors"));
    std::fs::write(&path, arguments).unwrap();
    let made = Import { arguments: Some(&path), ..run(weights, None) }.write(&out)?;
    Ok((made, Trained::load(&out, &Device::Cpu)?))
}

/// The sentence with which that is refused.
fn refused_with(weights: &Path, arguments: &[u8]) -> String {
    run_with(weights, arguments).err().map_or_else(String::new, |error| error.to_string())
}

/// The pickled arguments of the graph network's run with some of them replaced: `name`, and the value as instructions of a pickle.
fn namespace(replaced: &[(&str, &[u8])]) -> Vec<u8> {
    let text = |text: &str| [&[0x8c, text.len() as u8], text.as_bytes()].concat();
    let entry = |(name, value): &(&str, &[u8])| [text(name), value.to_vec()].concat();
    let defaults = std::fs::read(golden("import/run/args.pickle")).unwrap();
    // Later entries win: they stand in a second state's place, before the final BUILD and STOP.
    let body = defaults.strip_suffix(b"ub.").unwrap();
    [body, &replaced.iter().flat_map(entry).collect::<Vec<u8>>(), b"ub."].concat()
}

fn text(value: &str) -> Vec<u8> {
    [&[0x8c, value.len() as u8], value.as_bytes()].concat()
}

fn number(value: f64) -> Vec<u8> {
    [&b"G"[..], &value.to_be_bytes()].concat()
}

fn list(items: &[f64]) -> Vec<u8> {
    [&b"]("[..], &items.iter().flat_map(|&item| number(item)).collect::<Vec<u8>>(), b"e"].concat()
}

/// A list of one word.
fn words(word: &str) -> Vec<u8> {
    [&b"]"[..], &text(word), b"a"].concat()
}

const TRUE: &[u8] = &[0x88];
const FALSE: &[u8] = &[0x89];

/// Arguments with their values as instructions of a pickle.
type Replaced = Vec<(&'static str, Vec<u8>)>;

/// Every argument that changes what weights compute, at a value that there is no counterpart for.
#[test]
fn what_has_no_counterpart_is_refused_by_its_name() {
    let weights = golden("import/run/generative_model_ema.npy");
    let dit = |name: &'static str, value: Vec<u8>| vec![("model", text("dit_dit_gaussian_dynamics")), (name, value)];
    let cases: Vec<(Replaced, &str)> = vec![
        (vec![("model", text("schnet"))], "`model` is schnet"),
        (vec![("probabilistic_model", text("flow"))], "`probabilistic_model` is flow"),
        (vec![("dataset", text("drugs"))], "`dataset` is drugs"),
        (vec![("remove_h", TRUE.into())], "`remove_h` is True"),
        (vec![("conditioning", words("alpha")), ("context_node_nf", number(2.0))], "`context_node_nf` is 2"),
        ([dit("conditioning", words("alpha")), vec![("context_node_nf", number(1.0))]].concat(), "`conditioning` is alpha"),
        (vec![("conditioning", number(1.0))], "`conditioning` is 1; it should be a list of words"),
        (vec![("context_node_nf", number(1.0))], "`context_node_nf` is 1"),
        (vec![("condition_time", FALSE.into())], "`condition_time` is False"),
        (vec![("com_free", FALSE.into())], "`com_free` is False"),
        (
            vec![("normalize_factors", list(&[1.0, 4.0, 1.0]))],
            "`normalize_factors` is [1, 4, 1]; 1, any number for types and 10 for charges can be taken over",
        ),
        (vec![("normalize_factors", list(&[1.0, 0.0, 10.0]))], "`normalize_factors` is [1, 0, 10]"),
        (vec![("diffusion_noise_schedule", text("linear"))], "`diffusion_noise_schedule` is linear"),
        (vec![("diffusion_loss_type", text("huber"))], "`diffusion_loss_type` is huber"),
        (vec![("sin_embedding", TRUE.into())], "`sin_embedding` is True"),
        (vec![("aggregation_method", text("max"))], "`aggregation_method` is max"),
        (vec![("nf", text("many"))], "`nf` is many; it should be a whole number"),
        (dit("mlp_type", text("vanilla")), "`mlp_type` is vanilla"),
        (dit("mlp_type", text("swiglu")), "`xh_hidden_size` is missing from its arguments"),
    ];
    for (replaced, expected) in cases {
        let replaced: Vec<(&str, &[u8])> = replaced.iter().map(|(name, value)| (*name, value.as_slice())).collect();
        let sentence = refused_with(&weights, &namespace(&replaced));
        assert!(sentence.contains(expected), "expected {expected:?} in {sentence:?}");
    }
    let sentence = refused_with(&weights, b"\x80\x02}.");
    assert!(sentence.contains("is no pickled argparse.Namespace"), "{sentence}");
}

/// A graph network of other switches: two sublayers, no gate, no tanh, another constant, means over padded rows.
#[test]
fn a_graph_networks_switches_are_taken_from_its_arguments() -> TestResult {
    let arrays = Arrays::read("egnn_dynamics_variant.safetensors")?;
    let replaced: Vec<(&str, Vec<u8>)> = vec![
        ("nf", number(12.0)),
        ("n_layers", number(2.0)),
        ("inv_sublayers", number(2.0)),
        ("attention", FALSE.into()),
        ("tanh", FALSE.into()),
        ("norm_constant", number(0.5)),
        ("aggregation_method", text("mean")),
    ];
    let (_folder, made, trained) = variant(&arrays, &replaced)?;
    assert_eq!(made.padding, Some(PaddedTo::Rows(29)));
    arrays.assert_predicted(&trained, "out.eps_pad29", &[])
}

/// The released code's other reading of γ's output, and its other sizes.
#[test]
fn a_symmetrised_transformer_is_taken_from_its_arguments() -> TestResult {
    let arrays = Arrays::read("symdiff_dynamics.safetensors")?;
    let sizes = [("xh_hidden_size", 16.0), ("K", 16.0), ("hidden_size", 32.0), ("depth", 2.0), ("num_heads", 2.0), ("mlp_ratio", 4.0)];
    let gamma = [("enc_hidden_size", 16.0), ("enc_depth", 1.0), ("enc_num_heads", 2.0), ("enc_mlp_ratio", 4.0)];
    let rest = [("dec_hidden_features", 8.0), ("noise_dims", 3.0), ("noise_std", 1.0)];
    let numbers = sizes.iter().chain(&gamma).chain(&rest).map(|&(name, value)| (name, number(value)));
    let mut replaced: Vec<(&str, Vec<u8>)> = numbers.chain([("model", text("dit_dit_gaussian_dynamics"))]).collect();
    for (rows, result) in [(FALSE, "out.eps_pad29_cols"), (TRUE, "out.eps_pad29_rows")] {
        replaced.push(("fix_qr", rows.into()));
        let (_folder, _, trained) = variant(&arrays, &replaced)?;
        arrays.assert_predicted(&trained, result, &DRAWS)?;
    }
    // A plain perceptron has second layers of twice that width, in γ as well: these weights are not of one.
    replaced.push(("mlp_type", text("mlp")));
    let refused = variant(&arrays, &replaced).err().map_or_else(String::new, |error| error.to_string());
    assert!(refused.contains("3 of another shape, first `gamma_enc.blocks.0.mlp.fc2.weight` [16, 32], needed [16, 64]"), "{refused}");
    Ok(())
}

/// A run whose weights are those of a golden file.
fn variant(arrays: &Arrays, replaced: &[(&str, Vec<u8>)]) -> Result<(tempfile::TempDir, Imported, Trained), Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("weights.safetensors");
    let weights = arrays.named.iter().filter_map(|(name, tensor)| Some((name.strip_prefix("w.")?.to_owned(), tensor.clone())));
    candle_core::safetensors::save(&weights.collect::<HashMap<_, _>>(), &path)?;
    let replaced: Vec<(&str, &[u8])> = replaced.iter().map(|(name, value)| (*name, value.as_slice())).collect();
    let (made, trained) = run_with(&path, &namespace(&replaced))?;
    Ok((folder, made, trained))
}

/// T, the schedule's power and precision, charges: what the program's process and features are made of.
#[test]
fn process_and_features_are_taken_from_the_arguments() -> TestResult {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("weights.safetensors");
    let mut tensors = weights()?;
    tensors.remove("gamma.gamma");
    candle_core::safetensors::save(&tensors, &path)?;
    let replaced = [("diffusion_steps", number(500.0)), ("diffusion_noise_schedule", text("polynomial_3"))];
    let replaced: Vec<(&str, &[u8])> = replaced.iter().map(|(name, value)| (*name, value.as_slice())).collect();
    let (made, trained) = run_with(&path, &namespace(&replaced))?;
    assert!(made.drift.is_none());
    assert_eq!(trained.model.process.steps(), 500);
    let expected = symdiff_diffusion::Polynomial { power: 3.0, precision: 1e-4 }.tabulated(500)?;
    for t in [0.0, 0.3, 1.0] {
        let expected = symdiff_diffusion::Schedule::log_snr(&expected, t);
        assert!((trained.model.process.path().log_snr(t) - expected).abs() < 1e-12);
    }
    // EDM's program has no such argument.
    let amsgrad = |arguments: &[u8]| -> Result<bool, Box<dyn std::error::Error>> {
        let description = run_with(&path, arguments)?.1.header.record.description;
        Ok(symdiff_models::Experiment::parse(&description, &[])?.train.amsgrad)
    };
    assert_eq!([amsgrad(&namespace(&[]))?, amsgrad(&namespace(&[("use_amsgrad", FALSE)]))?], [true, false]);
    // Without charges the network has one feature less, and the same file no longer fits.
    let sentence = refused_with(&path, &namespace(&[("include_charges", FALSE)]));
    assert!(sentence.contains("of another shape, first `egnn.embedding.weight` [4, 7], needed [4, 6]"), "{sentence}");
    Ok(())
}

/// EDM's conditional network adds the value's column of the embedding to each atom: what it predicts of a value is what the unconditional network predicts whose bias is moved by that.
#[test]
fn a_conditional_network_computes_what_its_own_column_adds_and_is_normalised_by_the_validation_part() -> TestResult {
    let folder = tempfile::tempdir()?;
    let [plain, moved, told] = ["plain", "moved", "told"].map(|name| folder.path().join(format!("{name}.safetensors")));
    let mut tensors = weights()?;
    let key = |ending: &str| tensors.keys().find(|name| name.ends_with(ending)).cloned().ok_or_else(|| format!("no {ending}"));
    let [weight, bias, out, out_bias] =
        [key("egnn.embedding.weight")?, key("egnn.embedding.bias")?, key("egnn.embedding_out.weight")?, key("egnn.embedding_out.bias")?];
    candle_core::safetensors::save(&tensors, &plain)?;
    let column = Tensor::new(&[[0.3_f32], [-0.7], [0.2], [0.9]], &Device::Cpu)?;
    let whole = tensors.clone();
    tensors.insert(bias.clone(), (&whole[&bias] + (column.squeeze(1)? * 1.5)?)?);
    candle_core::safetensors::save(&tensors, &moved)?;
    tensors.insert(bias.clone(), whole[&bias].clone());
    tensors.insert(weight.clone(), Tensor::cat(&[&whole[&weight], &column], 1)?);
    tensors.insert(out.clone(), Tensor::cat(&[&whole[&out], &column.t()?], 0)?);
    tensors.insert(out_bias.clone(), Tensor::cat(&[&whole[&out_bias], &Tensor::new(&[0.4_f32], &Device::Cpu)?], 0)?);
    candle_core::safetensors::save(&tensors, &told)?;
    let replaced = [
        ("conditioning", words("gap")),
        ("context_node_nf", number(1.0)),
        ("dataset", text("qm9_second_half")),
        ("normalize_factors", list(&[1.0, 8.0, 10.0])),
    ];
    let replaced: Vec<(&str, &[u8])> = replaced.iter().map(|(name, value)| (*name, value.as_slice())).collect();
    let sentence = refused_with(&told, &namespace(&replaced));
    assert!(sentence.contains("is told gap") && sentence.contains("--data"), "{sentence}");
    let (arguments, set) = (folder.path().join("args.pickle"), symdiff_mol::data::embedded());
    std::fs::write(&arguments, namespace(&[]))?;
    let needless =
        Import { arguments: Some(&arguments), set: Some(set), ..run(&plain, None) }.write(&folder.path().join("out.safetensors"));
    assert!(needless.is_err_and(|error| error.to_string().contains("leave --data away")));
    std::fs::write(&arguments, namespace(&replaced))?;
    let (_, conditional) = taken(&Import { arguments: Some(&arguments), set: Some(set), ..run(&told, None) }, None)?;
    assert!((conditional.model.encoding.type_scale() - 8.0).abs() < f64::EPSILON);
    let encoded = conditional.model.encoding.encode(set, &[0], Samples::numbered(1), DType::F32, &Device::Cpu)?;
    assert!((encoded.features().narrow(1, 0, 5)?.max_all()?.to_scalar::<f32>()? - 0.125).abs() < 1e-7);
    let at = Arrays::read("egnn_dynamics.safetensors")?.at()?;
    let predicted = |trained: &Trained, given: Asked| -> Result<Tensor, Box<dyn std::error::Error>> {
        let at = At { given, ..at.clone() };
        Ok(trained.model.denoiser.sample(&at, Noise::seeded(0))?.0.joined()?)
    };
    let asked = Asked::new(&vec![vec![Some(1.5)]; at.state.layout().len()], DType::F32, &Device::Cpu)?;
    for (file, asked) in [(&moved, asked), (&plain, Asked::default())] {
        let expected = predicted(&run_with(file, &namespace(&[]))?.1, Asked::default())?;
        let off = (predicted(&conditional, asked)? - &expected)?.abs()?.max_all()?.to_scalar::<f32>()?;
        assert!(off <= 1e-5 * expected.abs()?.max_all()?.to_scalar::<f32>()?, "{off}");
    }
    let conditions = conditional.conditions().ok_or("the imported model is told nothing")?;
    let (gap, valid) = (set.property("gap")?, set.split().valid);
    let mean = valid.iter().map(|&place| gap[place]).sum::<f64>() / valid.len() as f64;
    let deviation = valid.iter().map(|&place| (gap[place] - mean).abs()).sum::<f64>() / valid.len() as f64;
    let normalised = conditions.normalised(&[Some(7.0)])[0].ok_or("not normalised")?;
    assert!((normalised - (7.0 - mean) / deviation).abs() < 1e-9, "{normalised}");
    Ok(())
}
