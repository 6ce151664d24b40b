//! The index of a state dict: a pickle of names and tensors.
//!
//! Every class that an entry names must be one that plain tensors are made of.

use super::error::{ImportError, Read};
use super::pickle::{Id, Pickle, Value};
use candle_core::DType;

/// Where a tensor lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Stored {
    pub(super) storage: String,
    pub(super) dtype: DType,
    /// In numbers, not bytes.
    pub(super) offset: usize,
    pub(super) shape: Vec<usize>,
    pub(super) stride: Vec<usize>,
}

/// The entries of the pickled dictionary, in its order; or what is wrong with the first that is no plain tensor.
pub(super) fn entries(pickle: &Pickle) -> Read<Vec<(String, Stored)>> {
    let Value::Dict(items) = pickle.root() else {
        let asked = match pickle.root() {
            Value::Instance { class, .. } => {
                first_class(pickle, *class).map_or_else(String::new, |class| format!(": it asks for `{class}`"))
            }
            _ => String::new(),
        };
        return Err(ImportError::NoStateDict(asked));
    };
    let mut entries = Vec::with_capacity(items.len());
    for &(key, value) in items {
        match pickle.at(key) {
            Value::Text(name) if name == "_metadata" => {}
            Value::Text(name) => entries.push((name.clone(), entry(pickle, name, value)?)),
            other => return Err(ImportError::Damaged(format!("has an entry whose name is no text: {other:?}"))),
        }
    }
    Ok(entries)
}

fn entry(pickle: &Pickle, name: &str, value: Id) -> Read<Stored> {
    stored(pickle, value).ok_or_else(|| {
        let foreign = match pickle.at(value) {
            Value::Instance { class, arguments, .. } => {
                first_class(pickle, *class).or_else(|| tuple(pickle, *arguments)?.iter().find_map(|&id| first_class(pickle, id)))
            }
            _ => None,
        };
        let problem = foreign.map_or_else(
            || "is no tensor of a known type; only plain tensors are read".to_owned(),
            |class| format!("asks for `{class}`; only plain tensors are read, and no code is run"),
        );
        ImportError::entry(name, problem)
    })
}

/// The class at a place, if plain tensors do not need it.
fn first_class(pickle: &Pickle, id: Id) -> Option<String> {
    let class = match pickle.at(id) {
        Value::Instance { class, .. } => *class,
        Value::Outside(name) => *tuple(pickle, *name)?.get(1)?,
        _ => id,
    };
    let (module, name) = pickle.class(class)?;
    let harmless = match module {
        "torch._utils" => matches!(name, "_rebuild_tensor_v2" | "_rebuild_parameter"),
        "collections" => name == "OrderedDict",
        "torch" => dtype(name).is_some(),
        _ => false,
    };
    (!harmless).then(|| format!("{module}.{name}"))
}

/// `_rebuild_tensor_v2(storage, offset, shape, stride, …)`, bare or inside `_rebuild_parameter`.
fn stored(pickle: &Pickle, value: Id) -> Option<Stored> {
    let (name, arguments) = rebuilt(pickle, value)?;
    let (name, arguments) = match (name, arguments) {
        ("_rebuild_parameter", [inner, ..]) => rebuilt(pickle, *inner)?,
        bare => bare,
    };
    let ("_rebuild_tensor_v2", [storage, offset, shape, stride, ..]) = (name, arguments) else { return None };
    let Value::Outside(storage) = pickle.at(*storage) else { return None };
    let [_, class, key, ..] = tuple(pickle, *storage)? else { return None };
    let (("torch", class), Value::Text(key)) = (pickle.class(*class)?, pickle.at(*key)) else { return None };
    Some(Stored {
        storage: key.clone(),
        dtype: dtype(class)?,
        offset: whole(pickle, *offset)?,
        shape: wholes(pickle, *shape)?,
        stride: wholes(pickle, *stride)?,
    })
}

/// The function of `torch._utils` that a value asks for, and its arguments.
fn rebuilt(pickle: &Pickle, value: Id) -> Option<(&str, &[Id])> {
    let Value::Instance { class, arguments, .. } = pickle.at(value) else { return None };
    let ("torch._utils", name) = pickle.class(*class)? else { return None };
    Some((name, tuple(pickle, *arguments)?))
}

/// The type of a storage.
pub(super) fn dtype(storage: &str) -> Option<DType> {
    Some(match storage {
        "FloatStorage" => DType::F32,
        "DoubleStorage" => DType::F64,
        "HalfStorage" => DType::F16,
        "BFloat16Storage" => DType::BF16,
        "LongStorage" => DType::I64,
        _ => return None,
    })
}

fn tuple(pickle: &Pickle, id: Id) -> Option<&[Id]> {
    match pickle.at(id) {
        Value::Tuple(items) => Some(items),
        _ => None,
    }
}

fn whole(pickle: &Pickle, id: Id) -> Option<usize> {
    match pickle.at(id) {
        Value::Int(value) => usize::try_from(*value).ok(),
        _ => None,
    }
}

fn wholes(pickle: &Pickle, id: Id) -> Option<Vec<usize>> {
    tuple(pickle, id)?.iter().map(|&id| whole(pickle, id)).collect()
}
