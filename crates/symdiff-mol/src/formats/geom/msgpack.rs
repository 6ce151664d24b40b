//! Values of a msgpack stream, taken as they come; nothing is kept and no length is believed before its bytes arrive.

use crate::error::{Error, Fault, Place, Result};
use crate::formats::source::{Source, unreadable};
use rmp::Marker;
use std::io::{BufRead, Cursor, Read};
use std::path::PathBuf;
use tar::{Archive, EntryType};

/// Lists within lists within maps beyond this depth are an attack, not data.
const DEEPEST: usize = 32;
/// The longest text that is read rather than skipped.
const LONGEST_TEXT: u64 = 1 << 20;

pub(super) struct Decoder {
    reader: Box<dyn BufRead + Send>,
    path: PathBuf,
    offset: u64,
}

impl Decoder {
    /// Reads the stream itself, or the first plain file of a tar archive of it.
    pub(super) fn new(source: Source) -> Result<Self> {
        let (reader, path) = source.into_reader();
        let reader = unpacked(reader).map_err(|error| unreadable(&path, Place::Whole, error))?;
        Ok(Self { reader, path, offset: 0 })
    }

    /// Bytes read so far.
    pub(super) fn offset(&self) -> u64 {
        self.offset
    }

    pub(super) fn at_end(&mut self) -> Result<bool> {
        let (path, place) = (&self.path, Place::Byte(self.offset));
        let buffer = self.reader.fill_buf();
        buffer.map(<[u8]>::is_empty).map_err(|error| unreadable(path, place, error))
    }

    pub(super) fn map(&mut self, what: &'static str) -> Result<u32> {
        match self.marker()? {
            Marker::FixMap(length) => Ok(u32::from(length)),
            Marker::Map16 => self.length16(),
            Marker::Map32 => self.length32(),
            other => Err(self.unexpected(what, other)),
        }
    }

    pub(super) fn array(&mut self, what: &'static str) -> Result<u32> {
        match self.marker()? {
            Marker::FixArray(length) => Ok(u32::from(length)),
            Marker::Array16 => self.length16(),
            Marker::Array32 => self.length32(),
            other => Err(self.unexpected(what, other)),
        }
    }

    pub(super) fn text(&mut self, what: &'static str) -> Result<String> {
        let length = match self.marker()? {
            Marker::FixStr(length) => u32::from(length),
            Marker::Str8 => u32::from(self.bytes::<1>()?[0]),
            Marker::Str16 => self.length16()?,
            Marker::Str32 => self.length32()?,
            other => return Err(self.unexpected(what, other)),
        };
        let mut bytes = Vec::new();
        let wanted = u64::from(length);
        let read = (&mut self.reader).take(wanted.min(LONGEST_TEXT)).read_to_end(&mut bytes);
        let read = read.map_err(|error| unreadable(&self.path, Place::Byte(self.offset), error))?;
        self.offset += read as u64;
        if (read as u64) < wanted {
            return Err(self.truncated());
        }
        String::from_utf8(bytes).map_err(|_| self.fault(Fault::unexpected(what, "bytes that are not UTF-8", REMEDY)))
    }

    /// A number of any kind.
    pub(super) fn real(&mut self, what: &'static str) -> Result<f64> {
        Ok(match self.marker()? {
            Marker::F64 => f64::from_be_bytes(self.bytes()?),
            Marker::F32 => f64::from(f32::from_be_bytes(self.bytes()?)),
            Marker::FixPos(value) => f64::from(value),
            Marker::FixNeg(value) => f64::from(value),
            Marker::U8 => f64::from(u8::from_be_bytes(self.bytes()?)),
            Marker::U16 => f64::from(u16::from_be_bytes(self.bytes()?)),
            Marker::U32 => f64::from(u32::from_be_bytes(self.bytes()?)),
            Marker::U64 => u64::from_be_bytes(self.bytes()?) as f64,
            Marker::I8 => f64::from(i8::from_be_bytes(self.bytes()?)),
            Marker::I16 => f64::from(i16::from_be_bytes(self.bytes()?)),
            Marker::I32 => f64::from(i32::from_be_bytes(self.bytes()?)),
            Marker::I64 => i64::from_be_bytes(self.bytes()?) as f64,
            other => return Err(self.unexpected(what, other)),
        })
    }

    /// Passes over one value, whatever it is.
    pub(super) fn skip(&mut self) -> Result<()> {
        self.skip_at(0)
    }

    fn skip_at(&mut self, depth: usize) -> Result<()> {
        if depth == DEEPEST {
            return Err(self.fault(Fault::Unsupported { what: format!("a value nested more than {DEEPEST} deep"), remedy: REMEDY }));
        }
        let (bytes, values) = self.extent()?;
        let passed = std::io::copy(&mut (&mut self.reader).take(bytes), &mut std::io::sink());
        let passed = passed.map_err(|error| unreadable(&self.path, Place::Byte(self.offset), error))?;
        self.offset += passed;
        if passed < bytes {
            return Err(self.truncated());
        }
        for _ in 0..values {
            self.skip_at(depth + 1)?;
        }
        Ok(())
    }

    /// Bytes and nested values that follow the next marker.
    fn extent(&mut self) -> Result<(u64, u64)> {
        let bytes = match self.marker()? {
            Marker::FixMap(length) => return Ok((0, 2 * u64::from(length))),
            Marker::Map16 => return Ok((0, 2 * u64::from(self.length16()?))),
            Marker::Map32 => return Ok((0, 2 * u64::from(self.length32()?))),
            Marker::FixArray(length) => return Ok((0, u64::from(length))),
            Marker::Array16 => return Ok((0, u64::from(self.length16()?))),
            Marker::Array32 => return Ok((0, u64::from(self.length32()?))),
            Marker::Null | Marker::True | Marker::False | Marker::FixPos(_) | Marker::FixNeg(_) => 0,
            Marker::U8 | Marker::I8 => 1,
            Marker::U16 | Marker::I16 | Marker::FixExt1 => 2,
            Marker::FixExt2 => 3,
            Marker::U32 | Marker::I32 | Marker::F32 => 4,
            Marker::FixExt4 => 5,
            Marker::U64 | Marker::I64 | Marker::F64 => 8,
            Marker::FixExt8 => 9,
            Marker::FixExt16 => 17,
            Marker::FixStr(length) => u64::from(length),
            Marker::Str8 | Marker::Bin8 => u64::from(self.bytes::<1>()?[0]),
            Marker::Str16 | Marker::Bin16 => u64::from(self.length16()?),
            Marker::Str32 | Marker::Bin32 => u64::from(self.length32()?),
            Marker::Ext8 => u64::from(self.bytes::<1>()?[0]) + 1,
            Marker::Ext16 => u64::from(self.length16()?) + 1,
            Marker::Ext32 => u64::from(self.length32()?) + 1,
            other @ Marker::Reserved => return Err(self.unexpected("a value", other)),
        };
        Ok((bytes, 0))
    }

    fn marker(&mut self) -> Result<Marker> {
        Ok(Marker::from_u8(self.bytes::<1>()?[0]))
    }

    fn length16(&mut self) -> Result<u32> {
        Ok(u32::from(u16::from_be_bytes(self.bytes()?)))
    }

    fn length32(&mut self) -> Result<u32> {
        Ok(u32::from_be_bytes(self.bytes()?))
    }

    fn bytes<const N: usize>(&mut self) -> Result<[u8; N]> {
        let mut bytes = [0; N];
        match self.reader.read_exact(&mut bytes) {
            Ok(()) => {
                self.offset += N as u64;
                Ok(bytes)
            }
            Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => Err(self.truncated()),
            Err(error) => Err(unreadable(&self.path, Place::Byte(self.offset), error)),
        }
    }

    fn unexpected(&self, what: &'static str, found: Marker) -> Error {
        self.fault(Fault::unexpected(what, &format!("{found:?}"), REMEDY))
    }

    fn truncated(&self) -> Error {
        let what = "a msgpack value".to_owned();
        self.fault(Fault::Truncated { what })
    }

    fn fault(&self, fault: Fault) -> Error {
        self.fault_at(self.offset, fault)
    }

    /// The error for a fault at an earlier byte.
    pub(super) fn fault_at(&self, offset: u64, fault: Fault) -> Error {
        Error::content(&self.path, Place::Byte(offset), fault)
    }
}

/// The content of the first plain file, if these bytes are a tar archive.
fn unpacked(mut reader: Box<dyn BufRead + Send>) -> std::io::Result<Box<dyn BufRead + Send>> {
    const BLOCK: u64 = 512;
    let mut block = Vec::new();
    (&mut reader).take(BLOCK).read_to_end(&mut block)?;
    let is_tar = block.get(257..262) == Some(b"ustar");
    let mut reader = Cursor::new(block).chain(reader);
    if !is_tar {
        return Ok(Box::new(reader));
    }
    let size = first_file(&mut reader)?;
    Ok(Box::new(reader.take(size)))
}

/// Passes over all that stands before the content of the first plain file, and gives its length.
fn first_file(reader: &mut impl Read) -> std::io::Result<u64> {
    /// Folders, long names, remarks.
    const LONGEST_START: u64 = 1 << 20;
    let mut archive = Archive::new(reader.take(LONGEST_START));
    for entry in archive.entries()? {
        let entry = entry?;
        if matches!(entry.header().entry_type(), EntryType::Regular | EntryType::Continuous) {
            return Ok(entry.size());
        }
    }
    Err(std::io::Error::other("the tar archive holds no file"))
}

const REMEDY: &str = "give GEOM's drugs_crude.msgpack or a file of its form";
