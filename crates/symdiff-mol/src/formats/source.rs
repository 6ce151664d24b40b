//! A text file that knows where it is being read, for error messages.

use super::compression::decompressed;
use crate::error::{Error, Fault, Place, Result};
use std::fs::File;
use std::io::{self, BufRead, BufReader, Cursor, Read};
use std::path::{Path, PathBuf};

/// A line longer than this is no molecule file.
const LONGEST_LINE: u64 = 64 << 20;

/// Lines or bytes of a file or of a piece of memory, decompressed where its first bytes say so.
pub struct Source {
    path: PathBuf,
    reader: Box<dyn BufRead + Send>,
    line: u64,
    buffer: Vec<u8>,
    ended: bool,
}

impl Source {
    /// Opens a file.
    pub fn open(path: &Path) -> Result<Self> {
        let file = File::open(path).map_err(|source| Error::io(path, "open it", source))?;
        Self::new(path, BufReader::with_capacity(1 << 16, file))
    }

    /// Text in memory; `name` stands for the file in messages.
    pub fn from_bytes(name: &str, bytes: impl AsRef<[u8]> + Send + 'static) -> Result<Self> {
        Self::new(Path::new(name), Cursor::new(bytes))
    }

    fn new(path: &Path, reader: impl BufRead + Send + 'static) -> Result<Self> {
        Ok(Self {
            reader: decompressed(reader).map_err(|error| unreadable(path, Place::Whole, error))?,
            path: path.to_owned(),
            line: 0,
            buffer: Vec::new(),
            ended: true,
        })
    }

    /// The next line without its line end; `None` after the last one.
    pub(crate) fn next_line(&mut self) -> Result<Option<&str>> {
        self.buffer.clear();
        self.line += 1;
        let read = (&mut self.reader)
            .take(LONGEST_LINE)
            .read_until(b'\n', &mut self.buffer)
            .map_err(|error| unreadable(&self.path, Place::Line(self.line), error))?;
        if read == 0 {
            return Ok(None);
        }
        self.ended = self.buffer.last() == Some(&b'\n');
        if !self.ended && read as u64 == LONGEST_LINE {
            let fault = Fault::Unsupported {
                what: format!("a line of more than {} MiB", LONGEST_LINE >> 20),
                remedy: "check that this is a text file",
            };
            return Err(self.fault(fault));
        }
        match std::str::from_utf8(&self.buffer) {
            Ok(text) => Ok(Some(text.trim_end_matches(['\n', '\r']))),
            Err(_) => Err(self.fault(Fault::Unsupported {
                what: "text that is not UTF-8".to_owned(),
                remedy: "check that this is a text file and save it as UTF-8",
            })),
        }
    }

    /// The next line, which must be there; `what` is incomplete without it.
    pub(crate) fn required_line(&mut self, what: &'static str) -> Result<&str> {
        // The borrow checker wants the end of the file looked at before the line is lent out.
        if self.at_end()? {
            self.line += 1;
            return Err(self.truncated(what.to_owned()));
        }
        Ok(self.next_line()?.unwrap_or_default())
    }

    /// Whether nothing is left.
    pub(crate) fn at_end(&mut self) -> Result<bool> {
        let (path, line) = (&self.path, self.line);
        let buffer = self.reader.fill_buf();
        buffer.map(<[u8]>::is_empty).map_err(|error| unreadable(path, Place::Line(line + 1), error))
    }

    /// All bytes that are left.
    pub(crate) fn into_bytes(mut self) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        match self.reader.read_to_end(&mut bytes) {
            Ok(_) => Ok(bytes),
            Err(error) => Err(unreadable(&self.path, Place::Whole, error)),
        }
    }

    /// The bytes themselves, and the file's name.
    pub(crate) fn into_reader(self) -> (Box<dyn BufRead + Send>, PathBuf) {
        (self.reader, self.path)
    }

    /// Whether the last line came with its line end.
    pub(crate) fn line_was_ended(&self) -> bool {
        self.ended
    }

    /// The error for a fault in the current line.
    pub(crate) fn fault(&self, fault: Fault) -> Error {
        self.fault_at(self.line, fault)
    }

    /// The error for a fault in an earlier line.
    pub(crate) fn fault_at(&self, line: u64, fault: Fault) -> Error {
        Error::content(&self.path, Place::Line(line), fault)
    }

    /// The error for a file that ends too early.
    pub(crate) fn truncated(&self, what: String) -> Error {
        self.fault(Fault::Truncated { what })
    }

    /// The current line, from 1.
    pub(crate) fn line(&self) -> u64 {
        self.line
    }
}

/// A failure of the system, or damage that decompression found.
pub(crate) fn unreadable(path: &Path, place: Place, error: io::Error) -> Error {
    if error.raw_os_error().is_some() {
        return Error::io(path, "read it", error);
    }
    let fault = Fault::Container { what: "the compressed stream", reason: error.to_string() };
    Error::content(path, place, fault)
}
