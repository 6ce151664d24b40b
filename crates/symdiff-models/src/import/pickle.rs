//! A pickle, read as data.
//!
//! It knows only those instructions of protocols 2 to 5 that build containers, numbers, text and instances, and all of these make inert values: a class is
//! a name, and nothing is ever called. Values are stored in one vector and refer to each other by index, so that a value that is used again is not copied,
//! and memory is bounded by the length of the input.

use super::error::{ImportError, Read};
use std::collections::HashMap;

/// The index of a value.
pub(super) type Id = usize;

/// A value of a pickle.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    None,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(String),
    /// Bytes, or an integer of more than 64 bits: nothing here needs them.
    Opaque,
    Tuple(Vec<Id>),
    /// A list or a set.
    List(Vec<Id>),
    Dict(Vec<(Id, Id)>),
    Class {
        module: String,
        name: String,
    },
    /// What calling a class with arguments would make, and the state that would be set on it.
    Instance {
        class: Id,
        arguments: Id,
        state: Option<Id>,
    },
    /// An object that is stored outside the pickle, under this name.
    Outside(Id),
}

/// The values of a pickle.
#[derive(Debug)]
pub(super) struct Pickle {
    values: Vec<Value>,
    root: Id,
}

impl Pickle {
    /// Reads one pickle from the beginning of `input`, which then holds what follows it.
    pub(super) fn read(input: &mut &[u8]) -> Read<Self> {
        let length = input.len();
        let mut machine = Machine { input, values: Vec::new(), stack: Vec::new(), marks: Vec::new(), memo: HashMap::new() };
        let result = machine.run();
        let at = length - machine.input.len();
        match result {
            Ok(root) => Ok(Self { values: machine.values, root }),
            Err(problem) => Err(ImportError::Pickle { at, problem }),
        }
    }

    /// The value that was pickled.
    pub(super) fn root(&self) -> &Value {
        &self.values[self.root]
    }

    /// A value by its index.
    pub(super) fn at(&self, id: Id) -> &Value {
        &self.values[id]
    }

    /// Module and name of a class.
    pub(super) fn class(&self, id: Id) -> Option<(&str, &str)> {
        match self.at(id) {
            Value::Class { module, name } => Some((module, name)),
            _ => None,
        }
    }
}

type Step<T> = Result<T, String>;

struct Machine<'a, 'i> {
    input: &'a mut &'i [u8],
    values: Vec<Value>,
    stack: Vec<Id>,
    /// Heights of the stack.
    marks: Vec<usize>,
    memo: HashMap<u64, Id>,
}

impl<'i> Machine<'_, 'i> {
    fn run(&mut self) -> Step<Id> {
        loop {
            let [code] = self.bytes()?;
            if code == b'.' {
                return self.pop();
            }
            self.step(code)?;
        }
    }

    fn step(&mut self, code: u8) -> Step<()> {
        match code {
            // PROTO, FRAME: only a streaming reader needs their arguments.
            0x80 => self.bytes::<1>().map(drop),
            0x95 => self.bytes::<8>().map(drop),
            b'(' => {
                self.marks.push(self.stack.len());
                Ok(())
            }
            b'0' => self.pop().map(drop),
            b'1' => self.marked().map(drop),
            b'2' => self.top().map(|id| self.stack.push(id)),
            b'N' => self.push(Value::None),
            0x88 | 0x89 => self.push(Value::Bool(code == 0x88)),
            b'K' | b'M' | b'J' | b'G' | 0x8a | 0x8b => self.number(code),
            b'X' | 0x8c | 0x8d => {
                let length = self.length(code, [0x8c, b'X', 0x8d])?;
                let text = String::from_utf8(self.take(length)?.to_vec()).map_err(|_| "text that is not UTF-8")?;
                self.push(Value::Text(text))
            }
            b'B' | b'C' | 0x8e => {
                let length = self.length(code, [b'C', b'B', 0x8e])?;
                self.take(length)?;
                self.push(Value::Opaque)
            }
            b')' | 0x85 | 0x86 | 0x87 => {
                let count = usize::from(code.saturating_sub(0x84));
                let items = self.stack.split_off(self.depth(count)?);
                self.push(Value::Tuple(items))
            }
            b't' => {
                let items = self.marked()?;
                self.push(Value::Tuple(items))
            }
            b']' | 0x8f => self.push(Value::List(Vec::new())),
            0x91 => {
                let items = self.marked()?;
                self.push(Value::List(items))
            }
            b'a' => {
                let item = self.pop()?;
                self.append(&[item])
            }
            b'e' | 0x90 => {
                let items = self.marked()?;
                self.append(&items)
            }
            b'}' => self.push(Value::Dict(Vec::new())),
            b'd' => {
                let items = self.marked()?;
                self.push(Value::Dict(Vec::new()))?;
                self.set(&items)
            }
            b's' => {
                let items = self.stack.split_off(self.depth(2)?);
                self.set(&items)
            }
            b'u' => {
                let items = self.marked()?;
                self.set(&items)
            }
            b'c' => {
                let [module, name] = [self.line()?, self.line()?];
                self.push(Value::Class { module, name })
            }
            0x93 => {
                let [name, module] = [self.text()?, self.text()?];
                self.push(Value::Class { module, name })
            }
            b'R' | 0x81 => {
                let [arguments, class] = [self.pop()?, self.pop()?];
                self.made(class, arguments)
            }
            b'b' => self.build(),
            b'Q' => {
                let name = self.pop()?;
                self.push(Value::Outside(name))
            }
            b'q' | b'r' | 0x94 => {
                let key = if code == 0x94 { self.memo.len() as u64 } else { self.key(code == b'r')? };
                let id = self.top()?;
                self.memo.insert(key, id);
                Ok(())
            }
            b'h' | b'j' => {
                let key = self.key(code == b'j')?;
                let id = *self.memo.get(&key).ok_or("a reference to a value that was never stored")?;
                self.stack.push(id);
                Ok(())
            }
            other => Err(format!("instruction 0x{other:02x} is none that plain data need")),
        }
    }

    fn number(&mut self, code: u8) -> Step<()> {
        let value = match code {
            b'K' => Value::Int(i64::from(self.bytes::<1>()?[0])),
            b'M' => Value::Int(i64::from(u16::from_le_bytes(self.bytes()?))),
            b'J' => Value::Int(i64::from(i32::from_le_bytes(self.bytes()?))),
            b'G' => Value::Float(f64::from_be_bytes(self.bytes()?)),
            _ => {
                let length = if code == 0x8a { usize::from(self.bytes::<1>()?[0]) } else { u32::from_le_bytes(self.bytes()?) as usize };
                let bytes = self.take(length)?;
                let mut wide = [if bytes.last().is_some_and(|&high| high >= 0x80) { 0xff } else { 0 }; 8];
                if bytes.len() > wide.len() {
                    return self.push(Value::Opaque);
                }
                wide[..bytes.len()].copy_from_slice(bytes);
                Value::Int(i64::from_le_bytes(wide))
            }
        };
        self.push(value)
    }

    /// An ordered dictionary is a dictionary; of every other class only the name is kept.
    fn made(&mut self, class: Id, arguments: Id) -> Step<()> {
        let dictionary = matches!(&self.values[class], Value::Class { module, name } if module == "collections" && name == "OrderedDict");
        let empty = matches!(&self.values[arguments], Value::Tuple(items) if items.is_empty());
        self.push(if dictionary && empty { Value::Dict(Vec::new()) } else { Value::Instance { class, arguments, state: None } })
    }

    /// Attributes of a dictionary are dropped.
    fn build(&mut self) -> Step<()> {
        let given = self.pop()?;
        let id = self.top()?;
        match &mut self.values[id] {
            Value::Instance { state, .. } => *state = Some(given),
            Value::Dict(_) => {}
            _ => return Err("a state for a value that is no instance".into()),
        }
        Ok(())
    }

    fn append(&mut self, items: &[Id]) -> Step<()> {
        let id = self.top()?;
        match &mut self.values[id] {
            Value::List(list) => list.extend_from_slice(items),
            _ => return Err("an item for a value that is no list".into()),
        }
        Ok(())
    }

    fn set(&mut self, items: &[Id]) -> Step<()> {
        let id = self.top()?;
        match &mut self.values[id] {
            Value::Dict(entries) if items.len().is_multiple_of(2) => entries.extend(items.chunks_exact(2).map(|pair| (pair[0], pair[1]))),
            _ => return Err("entries for a value that is no dictionary".into()),
        }
        Ok(())
    }

    #[allow(clippy::unnecessary_wraps, reason = "most instructions end with it, as a step that may fail")]
    fn push(&mut self, value: Value) -> Step<()> {
        self.stack.push(self.values.len());
        self.values.push(value);
        Ok(())
    }

    /// The height of the stack below its `count` topmost values, which must lie above the last mark.
    fn depth(&self, count: usize) -> Step<usize> {
        let floor = self.marks.last().copied().unwrap_or(0);
        self.stack.len().checked_sub(count).filter(|&depth| depth >= floor).ok_or_else(|| "too few values".to_owned())
    }

    fn pop(&mut self) -> Step<Id> {
        self.depth(1)?;
        self.stack.pop().ok_or_else(|| "no value".to_owned())
    }

    fn top(&self) -> Step<Id> {
        Ok(self.stack[self.depth(1)?])
    }

    fn marked(&mut self) -> Step<Vec<Id>> {
        let mark = self.marks.pop().ok_or("no mark")?;
        Ok(self.stack.split_off(mark))
    }

    fn text(&mut self) -> Step<String> {
        let id = self.pop()?;
        match &self.values[id] {
            Value::Text(text) => Ok(text.clone()),
            _ => Err("a class whose name is not text".into()),
        }
    }

    fn key(&mut self, long: bool) -> Step<u64> {
        if long { Ok(u64::from(u32::from_le_bytes(self.bytes()?))) } else { Ok(u64::from(self.bytes::<1>()?[0])) }
    }

    /// A length of 1, 4 or 8 bytes, by the instruction.
    fn length(&mut self, code: u8, [short, middle, _]: [u8; 3]) -> Step<usize> {
        let length = match code {
            code if code == short => u64::from(self.bytes::<1>()?[0]),
            code if code == middle => u64::from(u32::from_le_bytes(self.bytes()?)),
            _ => u64::from_le_bytes(self.bytes()?),
        };
        usize::try_from(length).map_err(|_| "the input ends early".to_owned())
    }

    fn line(&mut self) -> Step<String> {
        let end = self.input.iter().position(|&byte| byte == b'\n').ok_or("the input ends early")?;
        let line = self.take(end + 1)?;
        String::from_utf8(line[..end].to_vec()).map_err(|_| "a name that is not UTF-8".to_owned())
    }

    fn bytes<const N: usize>(&mut self) -> Step<[u8; N]> {
        let (bytes, rest) = self.input.split_first_chunk().ok_or("the input ends early")?;
        *self.input = rest;
        Ok(*bytes)
    }

    fn take(&mut self, length: usize) -> Step<&'i [u8]> {
        let (bytes, rest) = self.input.split_at_checked(length).ok_or("the input ends early")?;
        *self.input = rest;
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> Read<Pickle> {
        Pickle::read(&mut &bytes[..])
    }

    /// `{"a": [1, -2, 300, True, None], "b": (0.5, 2**70)}` in protocols 2 and 4.
    #[test]
    fn protocols_agree() {
        let two = b"\x80\x02}q\x00(X\x01\x00\x00\x00aq\x01]q\x02(K\x01J\xfe\xff\xff\xffM,\x01\x88NeX\x01\x00\x00\x00bq\x03G?\xe0\x00\x00\x00\x00\x00\x00\x8a\x09\x00\x00\x00\x00\x00\x00\x00\x00@\x86q\x04u.";
        let four = b"\x80\x04\x958\x00\x00\x00\x00\x00\x00\x00}\x94(\x8c\x01a\x94]\x94(K\x01J\xfe\xff\xff\xffM,\x01\x88Ne\x8c\x01b\x94G?\xe0\x00\x00\x00\x00\x00\x00\x8a\x09\x00\x00\x00\x00\x00\x00\x00\x00@\x86\x94u.";
        for bytes in [&two[..], &four[..]] {
            let pickle = read(bytes).unwrap();
            let Value::Dict(entries) = pickle.root() else { panic!("{:?}", pickle.root()) };
            let [(_, list), (_, tuple)] = entries[..] else { panic!("{entries:?}") };
            let (Value::List(list), Value::Tuple(tuple)) = (pickle.at(list), pickle.at(tuple)) else { panic!("{pickle:?}") };
            let list: Vec<&Value> = list.iter().map(|&id| pickle.at(id)).collect();
            assert_eq!(list, [&Value::Int(1), &Value::Int(-2), &Value::Int(300), &Value::Bool(true), &Value::None]);
            assert_eq!([pickle.at(tuple[0]), pickle.at(tuple[1])], [&Value::Float(0.5), &Value::Opaque]);
        }
    }

    /// A list stored before it is filled is the filled list where it is used again; ten doublings of one value stay eleven values.
    #[test]
    fn values_are_shared() {
        let pickle = read(b"\x80\x02]q\x00K\x07ah\x00\x86.").unwrap();
        assert_eq!(pickle.root(), &Value::Tuple(vec![0, 0]));
        assert_eq!(pickle.at(0), &Value::List(vec![1]));
        let doubled = read(&[&b"\x80\x02N"[..], &b"2\x86".repeat(10), b"."].concat()).unwrap();
        assert_eq!(doubled.values.len(), 11);
    }

    #[test]
    fn whatever_is_cut_or_changed_is_an_error_and_no_panic() {
        let whole =
            b"\x80\x04\x8c\x08argparse\x94\x8c\x09Namespace\x94\x93\x94)\x81\x94}\x94(\x8c\x02nf\x94K\x04\x8c\x01l\x94]\x94(K\x01K\x02eub.";
        assert!(read(whole).is_ok());
        for end in 0..whole.len() {
            assert!(matches!(read(&whole[..end]), Err(ImportError::Pickle { at, .. }) if at <= end), "cut at {end}");
        }
        for place in 0..whole.len() {
            for byte in 0..=255 {
                let mut changed = whole.to_vec();
                changed[place] = byte;
                let _ = read(&changed);
            }
        }
    }
}
