//! From a published run to an experiment: by its arguments, or by the name of a published model.
//!
//! An argument that changes what the weights compute is imported, or an error that names it; arguments of training alone are ignored.

use super::arguments::Arguments;
use super::error::{ImportError, Read};
use crate::Result;
use crate::experiment::{Data, Diffusion, Elements, Experiment, LossKind, ScheduleKind};
use crate::models::{Backbone, DitSizes, EgnnSizes, Gamma, GammaSizes, GnnSizes, GraphSizes, GroupChoice, MlpType, ModelConfig, PairSizes};
use symdiff_mol::data::{Half, SizeHistogram, published_sizes, published_sizes_of_second_half};
use symdiff_nets::PaddedTo;
use symdiff_train::Settings;

/// A run: its experiment, and the molecules that it learned from.
pub(super) struct Run {
    pub(super) experiment: Experiment,
    pub(super) part: Part,
}

/// The part of the training molecules that a run saw.
pub(super) enum Part {
    All,
    FirstHalf,
    SecondHalf,
}

impl Part {
    /// How often each size occurs in it.
    pub(super) fn sizes(&self, experiment: &Experiment) -> Read<SizeHistogram> {
        match self {
            Self::All => Ok(published_sizes(experiment.encoding().vocabulary())),
            Self::SecondHalf => Ok(published_sizes_of_second_half()),
            Self::FirstHalf => {
                Err(ImportError::setting("dataset", "qm9_first_half", "its sizes are not built in, give the molecules with --sizes-from"))
            }
        }
    }
}

/// The length to which the published samplers pad: the largest molecule of the data set.
fn largest(elements: Elements) -> usize {
    match elements {
        Elements::Qm9 => 29,
        Elements::Geom => 181,
    }
}

/// The published model of that name, and what is assumed of a run without arguments. `learned` and `levels` are what the weights show of its
/// schedule.
pub(super) fn named(name: &str, learned: bool, levels: Option<usize>) -> Result<(Run, Vec<String>)> {
    let mut model = ModelConfig::preset(name)?;
    let elements = if name.ends_with("geom") { Elements::Geom } else { Elements::Qm9 };
    if let Gamma::Learned(gamma) = &mut model.gamma {
        gamma.released = true;
    }
    let data = Data { vocabulary: elements, ..Data::default() };
    let charges = if data.encoding().has_charges() { "with" } else { "without" };
    let mut diffusion = Diffusion { steps: levels.map_or(1000, |levels| levels.saturating_sub(1)), ..Diffusion::default() };
    let mut assumed = vec![
        format!("no conditioning, atoms {charges} their charges, normalisation [1, 4, 10]"),
        "attention, tanh, sums and one sublayer in a graph network; fix_qr off, swiglu and 3 noise dimensions in a transformer".to_owned(),
    ];
    if learned {
        diffusion = Diffusion { schedule: ScheduleKind::Learned, loss: LossKind::Vlb, ..diffusion };
        assumed.push("1000 steps of diffusion".to_owned());
    } else if levels.is_none() {
        assumed.push("1000 steps of diffusion under polynomial_2 with precision 1e-5".to_owned());
    } else {
        assumed.push("a schedule polynomial_2 with precision 1e-5, which the table in the weights agrees with".to_owned());
    }
    Ok((Run { experiment: assembled(model, data, diffusion), part: Part::All }, assumed))
}

/// The run that the arguments describe.
pub(super) fn described(arguments: &Arguments) -> Read<Run> {
    let data = data(arguments)?;
    let diffusion = diffusion(arguments)?;
    let part = match arguments.text("dataset")? {
        "qm9_first_half" => Part::FirstHalf,
        "qm9_second_half" => Part::SecondHalf,
        _ => Part::All,
    };
    let mut experiment = assembled(model(arguments)?, data, diffusion);
    // EDM's program has no such argument, and trains with it.
    experiment.train.amsgrad = arguments.switch_or("use_amsgrad", true)?;
    Ok(Run { experiment, part })
}

fn assembled(mut model: ModelConfig, data: Data, diffusion: Diffusion) -> Experiment {
    let depends = model.backbone.spec().counts_padding();
    model.padding_compat = depends.then_some(PaddedTo::Rows(largest(data.vocabulary)));
    Experiment { data, model, diffusion, train: Settings { epochs: 1, ..Settings::default() }, property: None }
}

fn data(arguments: &Arguments) -> Read<Data> {
    let elements = match arguments.text("dataset")? {
        "qm9" | "qm9_first_half" | "qm9_second_half" => Elements::Qm9,
        "geom" => Elements::Geom,
        other => return Err(ImportError::setting("dataset", other, "qm9, qm9_first_half, qm9_second_half and geom can be taken over")),
    };
    only(arguments, "remove_h", false, "models of molecules with their hydrogens can be taken over")?;
    let condition = arguments.texts("conditioning")?;
    let context = if arguments.get("context_node_nf").is_some() { arguments.size("context_node_nf")? } else { condition.len() };
    if context != condition.len() {
        return Err(ImportError::setting(
            "context_node_nf",
            context,
            "models with one number for each property of `conditioning` can be taken over",
        ));
    }
    if !condition.is_empty() && arguments.text("model")? != "egnn_dynamics" {
        return Err(ImportError::setting(
            "conditioning",
            condition.join(", "),
            "conditional models of the kind egnn_dynamics can be taken over",
        ));
    }
    let charges = arguments.switch("include_charges")?;
    let factors = arguments.numbers("normalize_factors")?;
    let type_scale = match factors[..] {
        [1.0, types, 10.0] if types > 0.0 => types,
        // The last factor is that of the charges.
        [1.0, types, _] if types > 0.0 && !charges => types,
        _ => {
            let shown = arguments.get("normalize_factors").map(|value| arguments.shown(value)).unwrap_or_default();
            return Err(ImportError::setting("normalize_factors", shown, "1, any number for types and 10 for charges can be taken over"));
        }
    };
    let half = match arguments.text("dataset")? {
        "qm9_second_half" if !condition.is_empty() => Some(Half::Second),
        _ => None,
    };
    // A model that is always told its properties has none withheld.
    let condition_dropout = if condition.is_empty() { Data::default().condition_dropout } else { 0.0 };
    Ok(Data { vocabulary: elements, charges: Some(charges), type_scale, half, condition, condition_dropout, ..Data::default() })
}

fn diffusion(arguments: &Arguments) -> Read<Diffusion> {
    word(arguments, "probabilistic_model", "diffusion")?;
    only(arguments, "condition_time", true, "networks that see the time can be taken over")?;
    only(arguments, "com_free", true, "models of centred molecules can be taken over")?;
    let name = arguments.text("diffusion_noise_schedule")?;
    let schedule =
        ScheduleKind::try_from(name.to_owned()).map_err(|known| ImportError::setting("diffusion_noise_schedule", name, known))?;
    let loss = match arguments.text("diffusion_loss_type")? {
        "l2" => LossKind::L2,
        "vlb" => LossKind::Vlb,
        other => return Err(ImportError::setting("diffusion_loss_type", other, "l2 and vlb can be taken over")),
    };
    Ok(Diffusion {
        steps: arguments.size("diffusion_steps")?,
        schedule,
        precision: arguments.number("diffusion_noise_precision")?,
        loss,
        ..Diffusion::default()
    })
}

fn model(arguments: &Arguments) -> Read<ModelConfig> {
    let (backbone, gamma) = match arguments.text("model")? {
        "egnn_dynamics" => (Backbone::Egnn(EgnnSizes(graph(arguments)?)), Gamma::None),
        "gnn_dynamics" => (Backbone::Gnn(GnnSizes(graph(arguments)?)), Gamma::None),
        "dit_gaussian_dynamics" => (Backbone::Dit(transformer(arguments)?), Gamma::None),
        "dit_dit_gaussian_dynamics" => (Backbone::Dit(transformer(arguments)?), Gamma::Learned(gamma(arguments)?)),
        other => {
            let known = "egnn_dynamics, gnn_dynamics, dit_gaussian_dynamics and dit_dit_gaussian_dynamics can be taken over";
            return Err(ImportError::setting("model", other, known));
        }
    };
    Ok(ModelConfig { preset: None, group: GroupChoice::O3, backbone, gamma, padding_compat: None })
}

fn graph(arguments: &Arguments) -> Read<GraphSizes> {
    only(arguments, "sin_embedding", false, "graph networks that see squared distances as they are can be taken over")?;
    let mean = match arguments.text_or("aggregation_method", "sum")? {
        "sum" => false,
        "mean" => true,
        other => return Err(ImportError::setting("aggregation_method", other, "sum and mean can be taken over")),
    };
    Ok(GraphSizes {
        width: arguments.size("nf")?,
        layers: arguments.size("n_layers")?,
        sublayers: arguments.size("inv_sublayers")?,
        attention: arguments.switch("attention")?,
        tanh: arguments.switch("tanh")?,
        constant: arguments.number("norm_constant")?,
        divisor: arguments.number_or("normalization_factor", 1.0)?,
        mean,
    })
}

fn transformer(arguments: &Arguments) -> Read<DitSizes> {
    let mlp_type = mlp_type(arguments)?;
    Ok(DitSizes {
        embedding: arguments.size("xh_hidden_size")?,
        gaussians: arguments.size("K")?,
        hidden: arguments.size("hidden_size")?,
        depth: arguments.size("depth")?,
        heads: arguments.size("num_heads")?,
        ratio: arguments.size("mlp_ratio")?,
        mlp_type,
    })
}

/// The unit of all transformers of the run.
fn mlp_type(arguments: &Arguments) -> Read<MlpType> {
    match arguments.text_or("mlp_type", "swiglu")? {
        "swiglu" => Ok(MlpType::Swiglu),
        "mlp" => Ok(MlpType::Mlp),
        other => Err(ImportError::setting("mlp_type", other, "swiglu and mlp can be taken over")),
    }
}

fn gamma(arguments: &Arguments) -> Read<GammaSizes> {
    Ok(GammaSizes {
        hidden: arguments.size("enc_hidden_size")?,
        depth: arguments.size("enc_depth")?,
        heads: arguments.size("enc_num_heads")?,
        ratio: arguments.size("enc_mlp_ratio")?,
        mlp_type: mlp_type(arguments)?,
        decoder: arguments.size("dec_hidden_features")?,
        noise: arguments.size("noise_dims")?,
        noise_scale: arguments.number("noise_std")?,
        pairs: PairSizes::default(),
        rows: arguments.switch_or("fix_qr", false)?,
        released: true,
    })
}

/// An error for a switch with an unsupported value; a missing switch is accepted.
fn only(arguments: &Arguments, name: &'static str, wanted: bool, known: &str) -> Read<()> {
    if arguments.switch_or(name, wanted)? == wanted {
        return Ok(());
    }
    Err(ImportError::setting(name, if wanted { "False" } else { "True" }, format!("only {known}")))
}

/// An error for a word other than the supported one.
fn word(arguments: &Arguments, name: &'static str, wanted: &'static str) -> Read<()> {
    let found = arguments.text_or(name, wanted)?;
    if found == wanted { Ok(()) } else { Err(ImportError::setting(name, found, format!("{wanted} can be taken over"))) }
}
