//! One array of a numpy archive.
//!
//! Read here rather than by the crate `npyz`, since the file may come from anywhere: `npyz` allocates as many bytes for the header as the file
//! claims, up to 4 GiB for a file of twelve bytes. Here nothing is allocated before the bytes are there, and the shape is checked against them.

use crate::error::Fault;

pub(crate) const MAGIC: &[u8; 6] = b"\x93NUMPY";

/// Element type, little-endian or of one byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    U8,
    I8,
    I32,
    I64,
    F32,
    F64,
    Bool,
}

impl Kind {
    fn of(descr: &str) -> Option<Self> {
        Some(match descr {
            "|u1" => Self::U8,
            "|i1" => Self::I8,
            "|b1" => Self::Bool,
            "<i4" => Self::I32,
            "<i8" => Self::I64,
            "<f4" => Self::F32,
            "<f8" => Self::F64,
            _ => return None,
        })
    }

    fn descr(self) -> &'static str {
        match self {
            Self::U8 => "|u1",
            Self::I8 => "|i1",
            Self::Bool => "|b1",
            Self::I32 => "<i4",
            Self::I64 => "<i8",
            Self::F32 => "<f4",
            Self::F64 => "<f8",
        }
    }

    fn bytes(self) -> usize {
        match self {
            Self::U8 | Self::I8 | Self::Bool => 1,
            Self::I32 | Self::F32 => 4,
            Self::I64 | Self::F64 => 8,
        }
    }
}

/// An array in C order.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Array {
    pub(crate) kind: Kind,
    pub(crate) shape: Vec<usize>,
    data: Vec<u8>,
}

impl Array {
    /// Takes the bytes of a `.npy` file apart.
    pub(crate) fn parse(mut bytes: Vec<u8>) -> Result<Self, Fault> {
        let (header, start) = header(&bytes)?;
        let descr = value(header, "descr")?.trim_matches(['\'', '"']);
        let kind = Kind::of(descr).ok_or_else(|| Fault::Unsupported {
            what: format!("the element type `{}`", descr.escape_debug()),
            remedy: "save the array as uint8, int32, int64, float32 or float64",
        })?;
        if value(header, "fortran_order")? != "False" {
            return Err(Fault::Unsupported { what: "Fortran order".to_owned(), remedy: "save numpy.ascontiguousarray of it" });
        }
        let shape = shape(header)?;
        let needed = shape.iter().try_fold(kind.bytes(), |size, axis| size.checked_mul(*axis));
        let found = bytes.len() - start;
        if needed != Some(found) {
            return Err(Fault::Container {
                what: "the array",
                reason: format!("its shape {shape:?} of {descr} does not fit its {found} bytes"),
            });
        }
        bytes.drain(..start);
        Ok(Self { kind, shape, data: bytes })
    }

    /// Whole numbers, each narrowed as it is read.
    pub(crate) fn integers<T>(&self, narrow: impl Fn(i64) -> Result<T, Fault>) -> Result<Vec<T>, Fault> {
        match self.kind {
            Kind::U8 | Kind::Bool => self.data.iter().map(|v| narrow(i64::from(*v))).collect(),
            Kind::I8 => self.data.iter().map(|v| narrow(i64::from(*v as i8))).collect(),
            Kind::I32 => self.words(|w| narrow(i64::from(i32::from_le_bytes(w)))).collect(),
            Kind::I64 => self.words(|w| narrow(i64::from_le_bytes(w))).collect(),
            Kind::F32 | Kind::F64 => Err(self.wrong("whole numbers")),
        }
    }

    /// Real numbers, each converted as it is read.
    pub(crate) fn reals<T>(&self, convert: impl Fn(f64) -> T) -> Result<Vec<T>, Fault> {
        Ok(match self.kind {
            Kind::F32 => self.words(|w| convert(f64::from(f32::from_le_bytes(w)))).collect(),
            Kind::F64 => self.words(|w| convert(f64::from_le_bytes(w))).collect(),
            _ => return Err(self.wrong("real numbers")),
        })
    }

    fn words<'a, const W: usize, T>(&'a self, read: impl Fn([u8; W]) -> T + 'a) -> impl Iterator<Item = T> + 'a {
        self.data.as_chunks().0.iter().map(move |w| read(*w))
    }

    fn wrong(&self, expected: &'static str) -> Fault {
        Fault::unexpected(expected, self.kind.descr(), "convert the array before saving it")
    }
}

/// The bytes of a `.npy` file; `data` little-endian in C order.
pub(crate) fn file(kind: Kind, shape: &[usize], data: &[u8]) -> Vec<u8> {
    let shape = match shape {
        [one] => format!("({one},)"),
        many => {
            let axes: Vec<_> = many.iter().map(usize::to_string).collect();
            format!("({})", axes.join(", "))
        }
    };
    let mut header = format!("{{'descr': '{}', 'fortran_order': False, 'shape': {shape}, }}", kind.descr());
    while !(MAGIC.len() + 4 + header.len() + 1).is_multiple_of(64) {
        header.push(' ');
    }
    header.push('\n');
    let mut bytes = MAGIC.to_vec();
    bytes.extend([1, 0]);
    bytes.extend((header.len() as u16).to_le_bytes());
    bytes.extend(header.as_bytes());
    bytes.extend(data);
    bytes
}

/// The header's dictionary as text, and where the data begin.
fn header(bytes: &[u8]) -> Result<(&str, usize), Fault> {
    let damaged = |reason: &str| Fault::Container { what: "the array", reason: reason.to_owned() };
    let rest = bytes.strip_prefix(MAGIC).ok_or_else(|| damaged("it does not begin like a .npy file"))?;
    let (length, start) = match rest {
        [1, _, a, b, ..] => (usize::from(u16::from_le_bytes([*a, *b])), 10),
        [2 | 3, _, a, b, c, d, ..] => (u32::from_le_bytes([*a, *b, *c, *d]) as usize, 12),
        _ => return Err(damaged("its version is unknown or its header is cut")),
    };
    let text =
        bytes.get(start..start + length).and_then(|text| std::str::from_utf8(text).ok()).ok_or_else(|| damaged("its header is cut"))?;
    Ok((text, start + length))
}

/// The text after `'key':`, to the next comma or brace.
fn value<'a>(header: &'a str, key: &str) -> Result<&'a str, Fault> {
    let after = after_key(header, key)?;
    let end = after.find([',', '}']).unwrap_or(after.len());
    Ok(after[..end].trim())
}

fn shape(header: &str) -> Result<Vec<usize>, Fault> {
    let after = after_key(header, "shape")?;
    let inside = after.strip_prefix('(').and_then(|rest| rest.split_once(')')).map(|(inside, _)| inside);
    inside
        .map(|axes| axes.split(',').map(str::trim).filter(|axis| !axis.is_empty()))
        .and_then(|axes| axes.map(|axis| axis.parse().ok()).collect())
        .ok_or_else(|| Fault::Container { what: "the array", reason: "its header has no readable shape".to_owned() })
}

fn after_key<'a>(header: &'a str, key: &str) -> Result<&'a str, Fault> {
    ['\'', '"']
        .iter()
        .find_map(|quote| header.split_once(&format!("{quote}{key}{quote}:")))
        .map(|(_, after)| after.trim_start())
        .ok_or_else(|| Fault::Container { what: "the array", reason: format!("its header has no `{key}`") })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_reads_back() {
        let data: Vec<u8> = [1.5_f32, -2.0].iter().flat_map(|v| v.to_le_bytes()).collect();
        let bytes = file(Kind::F32, &[2, 1], &data);
        assert_eq!(bytes.len() % 64, data.len());
        let array = Array::parse(bytes).unwrap();
        assert_eq!(array.shape, [2, 1]);
        assert_eq!(array.reals(|value| value).unwrap(), [1.5, -2.0]);
        assert!(array.integers(Ok).is_err());
    }

    #[test]
    fn every_prefix_and_every_false_shape_is_refused() {
        let bytes = file(Kind::I32, &[3], &[0; 12]);
        for end in 0..bytes.len() {
            assert!(Array::parse(bytes[..end].to_vec()).is_err(), "{end}");
        }
        for shape in [vec![usize::MAX, 8], vec![4], vec![], vec![1 << 62, 4]] {
            assert!(Array::parse(file(Kind::I32, &shape, &[0; 12])).is_err());
        }
    }
}
