//! The arguments of a published run: `args.pickle`, an `argparse.Namespace` read as data.

use super::error::{ImportError, Read};
use super::pickle::{Id, Pickle, Value};
use crate::{Error, Result};
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// A run has some two hundred arguments.
const LARGEST: u64 = 1 << 20;

/// The arguments by name.
pub(super) struct Arguments {
    pickle: Pickle,
    named: HashMap<String, Id>,
}

/// Where the arguments lie that the published program writes beside these weights: `args.pickle`, with the ending of the weights' name, as in
/// `generative_model_ema_final.npy` and `args_final.pickle`.
pub(super) fn beside(weights: &Path) -> Option<PathBuf> {
    let stem = weights.file_stem()?.to_str()?;
    let rest = stem.strip_prefix("generative_model").unwrap_or_default();
    let ending = rest.strip_prefix("_ema").unwrap_or(rest);
    [format!("args{ending}.pickle"), "args.pickle".to_owned()].iter().map(|name| weights.with_file_name(name)).find(|path| path.is_file())
}

impl Arguments {
    pub(super) fn read(path: &Path) -> Result<Self> {
        let file = std::fs::metadata(path).map_err(Error::io(path, "read the run's arguments"))?;
        if !file.is_file() || file.len() > LARGEST {
            return Err(Error::import(path, ImportError::Damaged("is no file of a run's arguments: those are less than a MiB".into())));
        }
        let bytes = std::fs::read(path).map_err(Error::io(path, "read the run's arguments"))?;
        Self::parse(&bytes).map_err(|error| Error::import(path, error))
    }

    pub(super) fn parse(bytes: &[u8]) -> Read<Self> {
        let pickle = Pickle::read(&mut &*bytes)?;
        let state = match pickle.root() {
            Value::Instance { class, arguments, state: Some(state) } => {
                let plain = matches!(pickle.at(*arguments), Value::Tuple(items) if items.is_empty());
                (pickle.class(*class) == Some(("argparse", "Namespace")) && plain).then_some(*state)
            }
            _ => None,
        };
        let Some(Value::Dict(entries)) = state.map(|state| pickle.at(state)) else {
            return Err(ImportError::Damaged(
                "is no pickled argparse.Namespace; give the args.pickle that the published program wrote".into(),
            ));
        };
        let name = |&(key, value): &(Id, Id)| match pickle.at(key) {
            Value::Text(name) => Some((name.clone(), value)),
            _ => None,
        };
        let named = entries.iter().filter_map(name).collect();
        Ok(Self { pickle, named })
    }

    /// A value; `None` where the program that wrote the file had no such argument.
    pub(super) fn get(&self, name: &str) -> Option<&Value> {
        Some(self.pickle.at(*self.named.get(name)?))
    }

    /// The value as a person would write it.
    pub(super) fn shown(&self, value: &Value) -> String {
        match value {
            Value::None => "None".into(),
            Value::Bool(true) => "True".into(),
            Value::Bool(false) => "False".into(),
            Value::Int(value) => value.to_string(),
            Value::Float(value) => value.to_string(),
            Value::Text(text) => text.clone(),
            Value::Tuple(items) | Value::List(items) => {
                // One level: a value may hold itself.
                let inner = |&id: &Id| match self.pickle.at(id) {
                    Value::Tuple(_) | Value::List(_) => "…".into(),
                    scalar => self.shown(scalar),
                };
                format!("[{}]", items.iter().map(inner).collect::<Vec<String>>().join(", "))
            }
            Value::Dict(_) => "a dictionary".into(),
            Value::Class { module, name } => format!("{module}.{name}"),
            Value::Instance { class, .. } => match self.pickle.class(*class) {
                Some((module, name)) => format!("an instance of {module}.{name}"),
                None => "an instance".into(),
            },
            Value::Opaque | Value::Outside(_) => "bytes".into(),
        }
    }

    /// A number.
    pub(super) fn number(&self, name: &'static str) -> Read<f64> {
        self.one(name, "a number", number)
    }

    /// The number, or what the program takes where an older one had no such argument.
    pub(super) fn number_or(&self, name: &'static str, default: f64) -> Read<f64> {
        if self.get(name).is_some() { self.number(name) } else { Ok(default) }
    }

    /// A size; whole numbers that are written as floats are sizes too.
    pub(super) fn size(&self, name: &'static str) -> Read<usize> {
        self.one(name, "a whole number", |value| {
            let value = number(value)?;
            (value.fract() == 0.0 && (0.0..=1e9).contains(&value)).then_some(value as usize)
        })
    }

    /// A word.
    pub(super) fn text(&self, name: &'static str) -> Read<&str> {
        self.one(name, "a word", |value| if let Value::Text(text) = value { Some(text.as_str()) } else { None })
    }

    /// The word, or what the program takes where an older one had no such argument.
    pub(super) fn text_or<'a>(&'a self, name: &'static str, default: &'a str) -> Read<&'a str> {
        if self.get(name).is_some() { self.text(name) } else { Ok(default) }
    }

    /// A switch.
    pub(super) fn switch(&self, name: &'static str) -> Read<bool> {
        self.one(name, "True or False", |value| if let Value::Bool(on) = value { Some(*on) } else { None })
    }

    /// The switch, or what the program takes where an older one had no such argument.
    pub(super) fn switch_or(&self, name: &'static str, default: bool) -> Read<bool> {
        if self.get(name).is_some() { self.switch(name) } else { Ok(default) }
    }

    /// A list of numbers.
    pub(super) fn numbers(&self, name: &'static str) -> Read<Vec<f64>> {
        self.one(name, "a list of numbers", |value| match value {
            Value::List(items) | Value::Tuple(items) => items.iter().map(|&id| number(self.pickle.at(id))).collect(),
            _ => None,
        })
    }

    /// A list of words; none where the program had no such argument.
    pub(super) fn texts(&self, name: &'static str) -> Read<Vec<String>> {
        if self.get(name).is_none() {
            return Ok(Vec::new());
        }
        let text = |&id: &Id| if let Value::Text(text) = self.pickle.at(id) { Some(text.clone()) } else { None };
        self.one(name, "a list of words", |value| match value {
            Value::List(items) | Value::Tuple(items) => items.iter().map(text).collect(),
            _ => None,
        })
    }

    fn one<'a, T>(&'a self, name: &'static str, kind: &str, read: impl FnOnce(&'a Value) -> Option<T>) -> Read<T> {
        let value =
            self.get(name).ok_or_else(|| ImportError::setting(name, "missing from its arguments", "give the run's own args.pickle"))?;
        read(value).ok_or_else(|| ImportError::setting(name, self.shown(value), format!("it should be {kind}")))
    }
}

fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Int(value) => Some(*value as f64),
        Value::Float(value) => Some(*value),
        _ => None,
    }
}
