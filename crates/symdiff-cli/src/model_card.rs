//! A model card in the form of the Hugging Face Hub: front matter in YAML, then Markdown for people.
//!
//! # Source
//! Mitchell et al., "Model cards for model reporting", FAT* 2019; the Hub's documentation of model cards and of `model-index`.

use serde_json::{Value, json};
use std::fmt::Write;
use symdiff_models::weights::{Provenance, Scored};
use symdiff_train::checkpoint::Header;

/// The card of a file of weights called `file`.
pub(crate) fn write(provenance: &Provenance, header: &Header, file: &str) -> String {
    let mut text = String::from("---\n");
    for (key, value) in front(provenance) {
        // JSON is YAML on one line.
        let _ = writeln!(text, "{key}: {value}");
    }
    text += "---\n\n";
    about(&mut text, provenance, header);
    if let Some(scores) = &provenance.scores {
        table(&mut text, scores);
    }
    usage(&mut text, provenance, file);
    origin(&mut text, provenance, header);
    text
}

/// The keys that the Hub reads.
fn front(provenance: &Provenance) -> Vec<(&'static str, Value)> {
    let mut keys = vec![
        ("license", json!(provenance.licence.to_lowercase())),
        ("library_name", json!("symdiff")),
        ("tags", json!(["molecules", "chemistry", "diffusion", "equivariance", "arxiv:2410.06262"])),
    ];
    if let Some(scores) = &provenance.scores {
        let metric = |name: &str, value: f64| json!({ "type": name, "name": name, "value": value });
        let rates = scores.scores.iter().map(|(name, interval)| metric(name, interval.value));
        let nll = scores.nll.iter().map(|nll| metric("nll", nll.mean));
        let results = json!([{
            "task": { "type": "other", "name": "Unconditional generation of molecules in 3-D" },
            "dataset": { "type": &provenance.data.name, "name": &provenance.data.name },
            "metrics": rates.chain(nll).collect::<Vec<_>>(),
        }]);
        keys.push(("model-index", json!([{ "name": provenance.name, "results": results }])));
    }
    keys
}

fn about(text: &mut String, provenance: &Provenance, header: &Header) {
    let Provenance { name, parameters, data, .. } = provenance;
    let _ = write!(
        text,
        "# {name}\n\n\
         A diffusion model of molecules (elements and positions of atoms) with {parameters} parameters, trained for {} steps on {} molecules.\n\
         It draws atoms, no bonds; bonds follow from distances.\n\n\
         It knows the elements, the sizes and the kinds of molecules of its data (`{}`) and no others. What it draws are suggestions: energies, syntheses\n\
         and hazards have to be looked at by other means.\n\n",
        header.step, data.split[0], data.name
    );
}

/// Scores with their intervals.
fn table(text: &mut String, scores: &Scored) {
    let Scored { protocol, samples, seed, sampler, grid, frames, churn, steps, given, .. } = scores;
    let given = if given.is_empty() { String::new() } else { format!(", asked for {}", given.join(" and ")) };
    let churn = churn.map(|churn| format!(" with churn {churn}")).unwrap_or_default();
    let _ = write!(
        text,
        "## Scores\n\n{samples} molecules (seed {seed}){given}, sampler `{sampler}`{churn}, grid `{grid}`, frames `{frames}`, {steps} steps, judged by `{protocol}`. Intervals are over molecules.\n\n\
         | score | value | 95 % | interval |\n|---|---:|---:|---|\n"
    );
    for (name, interval) in &scores.scores {
        let percent = |value: f64| format!("{:.1} %", 100.0 * value);
        let kind = serde_json::to_value(interval.interval).ok().and_then(|kind| kind.as_str().map(str::to_owned)).unwrap_or_default();
        let _ = writeln!(
            text,
            "| {} | {} | {} to {} | {kind} |",
            name.replace('_', " "),
            percent(interval.value),
            percent(interval.low),
            percent(interval.high)
        );
    }
    if let Some(nll) = &scores.nll {
        let reach = 1.96 * nll.standard_error;
        let (low, high) = (nll.mean - reach, nll.mean + reach);
        let _ = writeln!(text, "| NLL / nat ({} held-out molecules) | {:.2} | {low:.2} to {high:.2} | normal |", nll.molecules, nll.mean);
    }
    text.push('\n');
}

fn usage(text: &mut String, provenance: &Provenance, file: &str) {
    let data = if provenance.data.name == "embedded" { String::new() } else { format!(" --data {}", provenance.data.name) };
    let _ = write!(
        text,
        "## Use\n\n```sh\n\
         symdiff sample --run {file} -n 50 --out molecules.sdf --gallery molecules.html\n\
         symdiff verify {file} --scores{data}\n```\n\n"
    );
}

fn origin(text: &mut String, provenance: &Provenance, header: &Header) {
    let Provenance { licence, program, storage, data, .. } = provenance;
    let [train, valid, test] = data.split;
    let storage = serde_json::to_value(storage).ok().and_then(|kind| kind.as_str().map(str::to_owned)).unwrap_or_default();
    let _ = write!(
        text,
        "## Where it comes from\n\n\
         | | |\n|---|---|\n\
         | data | `{}`: {} molecules, {} atoms, hash `{}` |\n\
         | split | {train} train, {valid} validate, {test} test, hash `{}` |\n\
         | training | {} steps in {:.0} s, seed {}; weights averaged |\n\
         | stored | {storage} |\n\
         | program | {program} |\n\
         | licence | {licence} |\n\n\
         The experiment:\n\n```toml\n{}\n```\n\n\
         ## Cite\n\n\
         Zhang, Ashouritaklimi, Teh, Cornish, \"SymDiff: Equivariant diffusion via stochastic symmetrisation\", ICLR 2025, arXiv 2410.06262.\n",
        data.name,
        data.molecules,
        data.atoms,
        data.hash,
        data.split_hash,
        header.step,
        header.seconds,
        header.seed,
        header.record.description.trim_end()
    );
}
