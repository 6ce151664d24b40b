//! The index of a state dict: a pickle of names and tensors, read as data.
//!
//! Candle's reader makes inert values of a pickle and calls nothing. What it does not know it refuses, and what a plain state dict does not need is
//! refused here: every class that the pickle names must be one of a short list.

use candle_core::DType;
use candle_core::pickle::{Object, Stack};

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

type Parsed<T> = Result<T, String>;

/// The entries of the pickled dictionary, in its order; or what is wrong with the first that is no plain tensor.
pub(super) fn entries(pickled: &[u8]) -> Parsed<Vec<(String, Stored)>> {
    let mut stack = Stack::empty();
    let mut input = pickled;
    stack.read_loop(&mut input).map_err(|error| format!("its index is no plain pickle ({error}); save the state dict alone"))?;
    let index = stack.finalize().map_err(|error| format!("its index is empty ({error})"))?;
    let Object::Dict(items) = index else {
        let asked = first_class(&index).map_or_else(String::new, |class| format!(": it asks for `{class}`"));
        return Err(format!("holds no state dict{asked}; save `model.state_dict()` alone"));
    };
    let mut entries = Vec::with_capacity(items.len());
    for (key, value) in items {
        match key {
            Object::Unicode(name) if name == "_metadata" => {}
            Object::Unicode(name) => {
                let stored = stored(&value).ok_or_else(|| refusal(&name, &value))?;
                entries.push((name, stored));
            }
            other => return Err(format!("has an entry whose name is no text: {other:?}")),
        }
    }
    Ok(entries)
}

fn refusal(name: &str, value: &Object) -> String {
    match first_class(value) {
        Some(class) => format!("`{name}` asks for `{class}`; only plain tensors are read, and no code is run"),
        None => format!("`{name}` is no tensor; only plain tensors are read"),
    }
}

/// Classes that plain tensors are made of.
fn harmless(module: &str, class: &str) -> bool {
    match module {
        "torch._utils" => matches!(class, "_rebuild_tensor_v2" | "_rebuild_parameter"),
        "collections" => class == "OrderedDict",
        "torch" => dtype(class).is_some(),
        _ => false,
    }
}

/// The first class that a plain tensor does not need.
fn first_class(object: &Object) -> Option<String> {
    match object {
        Object::Class { module_name, class_name } => (!harmless(module_name, class_name)).then(|| format!("{module_name}.{class_name}")),
        Object::Tuple(items) | Object::List(items) => items.iter().find_map(first_class),
        Object::Dict(items) => items.iter().find_map(|(key, value)| first_class(key).or_else(|| first_class(value))),
        Object::Reduce { callable, args } | Object::Build { callable, args } => first_class(callable).or_else(|| first_class(args)),
        Object::PersistentLoad(inner) => first_class(inner),
        _ => None,
    }
}

/// `_rebuild_tensor_v2(storage, offset, shape, stride, …)`, bare or inside `_rebuild_parameter`.
fn stored(value: &Object) -> Option<Stored> {
    let Object::Reduce { callable, args } = value else { return None };
    let (Object::Class { module_name, class_name }, Object::Tuple(args)) = (&**callable, &**args) else { return None };
    match (module_name.as_str(), class_name.as_str(), args.as_slice()) {
        ("torch._utils", "_rebuild_parameter", [inner, ..]) => stored(inner),
        ("torch._utils", "_rebuild_tensor_v2", [Object::PersistentLoad(storage), offset, shape, stride, ..]) => {
            let Object::Tuple(storage) = &**storage else { return None };
            let [_, Object::Class { module_name, class_name }, Object::Unicode(key), ..] = storage.as_slice() else { return None };
            let dtype = if module_name == "torch" { dtype(class_name)? } else { return None };
            Some(Stored { storage: key.clone(), dtype, offset: whole(offset)?, shape: wholes(shape)?, stride: wholes(stride)? })
        }
        _ => None,
    }
}

fn dtype(storage: &str) -> Option<DType> {
    Some(match storage {
        "FloatStorage" => DType::F32,
        "DoubleStorage" => DType::F64,
        "HalfStorage" => DType::F16,
        "BFloat16Storage" => DType::BF16,
        "LongStorage" => DType::I64,
        _ => return None,
    })
}

fn whole(object: &Object) -> Option<usize> {
    match object {
        Object::Int(value) => usize::try_from(*value).ok(),
        Object::Long(value) => usize::try_from(*value).ok(),
        _ => None,
    }
}

fn wholes(object: &Object) -> Option<Vec<usize>> {
    let Object::Tuple(items) = object else { return None };
    items.iter().map(whole).collect()
}
