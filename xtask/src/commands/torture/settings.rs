//! Settings and arguments that mean nothing, or too much.

use super::work::words;
use super::{Ground, Tally, one_of};
use rand::RngExt;
use symdiff_cli::Outcome;

/// Numbers, texts and structures that no setting should trip over.
const VALUES: [&str; 31] = [
    "0",
    "-1",
    "1",
    "3",
    "0.5",
    "8",
    "-0.0",
    "1e-320",
    "1e308",
    "-1e308",
    "nan",
    "inf",
    "-inf",
    "4294967296",
    "9007199254740993",
    "576460752303423489",
    "9223372036854775807",
    "-9223372036854775808",
    "18446744073709551616",
    "''",
    "'\\u0000'",
    "'none'",
    "true",
    "[]",
    "[1, 2]",
    "{}",
    "{ a = 1 }",
    "1979-05-27",
    "1\nb = 2",
    "",
    "=",
];

/// So many at the beginning are numbers of a sensible size.
const MODEST: usize = 6;

/// Settings of every section. Budgets are not among them: a long budget is no fault.
const KEYS: [&str; 64] = [
    "data",
    "data.path",
    "data.vocabulary",
    "data.charges",
    "data.augment",
    "data.augment_noise",
    "model",
    "model.preset",
    "model.group",
    "model.padding_compat",
    "model.gamma",
    "model.gamma.kind",
    "model.gamma.hidden",
    "model.gamma.depth",
    "model.gamma.heads",
    "model.gamma.ratio",
    "model.gamma.mlp_type",
    "model.gamma.decoder",
    "model.gamma.noise",
    "model.gamma.noise_scale",
    "model.gamma.pairs",
    "model.gamma.pairs.gaussians",
    "model.gamma.pairs.width",
    "model.gamma.rows",
    "model.gamma.released",
    "model.gamma.nonsense",
    "model.backbone",
    "model.backbone.hidden",
    "model.backbone.depth",
    "model.backbone.heads",
    "model.backbone.ratio",
    "model.backbone.mlp_type",
    "model.backbone.width",
    "model.backbone.nonsense",
    "model.gaussians",
    "model.decoder",
    "diffusion",
    "diffusion.steps",
    "diffusion.schedule",
    "diffusion.precision",
    "diffusion.prediction",
    "diffusion.deviation",
    "diffusion.loss",
    "diffusion.normaliser",
    "diffusion.path",
    "diffusion.path.kind",
    "diffusion.continuous",
    "train",
    "train.batch",
    "train.shares",
    "train.overlap",
    "train.lr",
    "train.warmup",
    "train.cosine",
    "train.cosine_after_warmup",
    "train.amsgrad",
    "train.weight_decay",
    "train.clipping",
    "train.clip",
    "train.ema",
    "train.ema_warmup",
    "train.checkpoint_minutes",
    "train.log_every",
    "train.precision",
];

/// Settings that mean something beside others alone; those come first.
const TOGETHER: [&[&str]; 10] = [
    &["diffusion.path.kind='linear'", "diffusion.loss='continuous'", "diffusion.path.margin"],
    &[
        "diffusion.path.kind='variance_exploding'",
        "diffusion.prediction='residual'",
        "diffusion.loss='continuous'",
        "diffusion.path.lowest",
    ],
    &[
        "diffusion.path.kind='variance_exploding'",
        "diffusion.prediction='residual'",
        "diffusion.loss='continuous'",
        "diffusion.path.highest",
    ],
    &["diffusion.path.kind='variance_preserving'", "diffusion.path.margin"],
    &["diffusion.loss='continuous'", "diffusion.prediction='residual'", "diffusion.deviation"],
    &["diffusion.loss='continuous'", "diffusion.continuous.weight={kind='karras',deviation=1}", "diffusion.continuous.weight.deviation"],
    &["diffusion.loss='continuous'", "diffusion.continuous.weight={kind='sigmoid',bias=0}", "diffusion.continuous.weight.bias"],
    &[
        "diffusion.loss='continuous'",
        "diffusion.continuous.times={kind='logit_normal',mean=0,deviation=1}",
        "diffusion.continuous.times.mean",
    ],
    &["train.validate_every=1", "train.validate_samples"],
    &["train.cosine=true", "train.cosine_after_warmup=true", "train.warmup"],
];

/// Arguments of commands with a finished run or none.
const ARGUMENTS: [&str; 19] = [
    "sample --run run --out s.xyz -n 2 --steps VALUE",
    "sample --run run --out s.xyz -n 2 --steps 2 --batch VALUE",
    "sample --run run --out s.xyz -n 2 --steps 2 --sampler VALUE",
    "sample --run run --out s.xyz -n 2 --steps 2 --seed VALUE",
    "sample --run run --out s.xyz -n 2 --device VALUE",
    "sample --run VALUE --out s.xyz -n 2",
    "sample --run run --out VALUE -n 2 --steps 2",
    "sample --run /dev/zero --out s.xyz -n VALUE",
    "nll --run run --limit 4 --batch VALUE",
    "nll --run run --limit VALUE --split VALUE",
    "nll --run run --limit 4 --data VALUE",
    "evaluate --molecules VALUE",
    "evaluate --molecules run --rows VALUE",
    "evaluate --molecules /dev/zero --protocol VALUE",
    "data prepare VALUE --out VALUE",
    "data inspect VALUE",
    "data verify /dev/zero",
    "import --from VALUE --model VALUE --out VALUE",
    "reproduce --profile VALUE --out nowhere",
];

/// Each trial is one command: a training of one step under one or two hostile settings, or another command with a hostile argument.
pub(super) fn run(
    ground: &Ground,
    trials: usize,
    random: &mut impl RngExt,
    tally: &mut Tally,
    done: &mut impl FnMut(&Tally),
) -> Outcome<()> {
    super::work::trained(ground)?;
    for trial in 0..trials {
        let command = if trial % 3 == 2 { argument(random) } else { training(trial, random) };
        let end = ground.run(&command)?;
        tally.count(end.verdict().of_input(), || format!("{command:?}: {}", end.said()));
        super::litter::clear(&ground.folder.join(format!("round-{trial}")));
        done(tally);
    }
    Ok(())
}

fn training(trial: usize, random: &mut impl RngExt) -> Vec<String> {
    let mut command = words(&["train", "tiny.toml", "--set", "train.steps=1", "--out", &format!("round-{trial}")]);
    let mut set = |setting: &str| command.extend(["--set".to_owned(), setting.to_owned()]);
    if random.random_range(0..4) == 0 {
        if let Some((key, first)) = TOGETHER[random.random_range(0..TOGETHER.len())].split_last() {
            for setting in first {
                set(setting);
            }
            set(&format!("{key}={}", value(random)));
        }
    } else {
        (0..random.random_range(1..=2)).for_each(|_| set(&format!("{}={}", one_of(&KEYS, random), value(random))));
    }
    command
}

/// Half of the values are numbers that some settings take.
fn value(random: &mut impl RngExt) -> &'static str {
    let values = if random.random() { &VALUES[..MODEST] } else { &VALUES[..] };
    one_of(values, random)
}

fn argument(random: &mut impl RngExt) -> Vec<String> {
    let sentence = one_of(&ARGUMENTS, random);
    sentence.split(' ').map(|word| if word == "VALUE" { one_of(&VALUES, random).to_owned() } else { word.to_owned() }).collect()
}
