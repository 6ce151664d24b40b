//! A file that is read once, and that can say where: the place goes into error messages.

use super::compression::decompressed;
use crate::error::{Error, Fault, Place, Result};
use std::fs::File;
use std::io::{self, BufRead, BufReader, Cursor, Read};
use std::path::{Path, PathBuf};

/// A line longer than this is no molecule file.
const LONGEST_LINE: u64 = 64 << 20;
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// Lines or bytes of a file or of a piece of memory, decompressed where its first bytes say so.
pub struct Source {
    path: PathBuf,
    reader: Box<dyn BufRead + Send>,
    line: u64,
    /// The record that is being read, from 1, in formats that have records.
    record: Option<u64>,
    buffer: Vec<u8>,
    ended: bool,
    /// The line in the buffer comes once more.
    again: bool,
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
            record: None,
            buffer: Vec::new(),
            ended: true,
            again: false,
        })
    }

    /// The next line without its line end, and without the byte order mark that some editors put before the first one; `None` after the
    /// last one.
    pub(crate) fn next_line(&mut self) -> Result<Option<&str>> {
        if std::mem::take(&mut self.again) {
            return self.text().map(Some);
        }
        let read = self.raw_line()?;
        if read == 0 {
            return Ok(None);
        }
        if !self.ended && read as u64 == LONGEST_LINE {
            let fault = Fault::Unsupported {
                what: format!("a line of more than {} MiB", LONGEST_LINE >> 20),
                remedy: "check that this is a text file",
            };
            return Err(self.fault(fault));
        }
        if self.line == 1 && self.buffer.starts_with(BYTE_ORDER_MARK) {
            self.buffer.drain(..BYTE_ORDER_MARK.len());
        }
        self.text().map(Some)
    }

    /// Fills the buffer with the next line, and gives its length with its line end: 0 after the last one.
    fn raw_line(&mut self) -> Result<usize> {
        self.buffer.clear();
        self.line += 1;
        let read = (&mut self.reader)
            .take(LONGEST_LINE)
            .read_until(b'\n', &mut self.buffer)
            .map_err(|error| unreadable(&self.path, Place::Line(self.line), error))?;
        self.ended = read == 0 || self.buffer.last() == Some(&b'\n');
        Ok(read)
    }

    /// The line in the buffer.
    fn text(&self) -> Result<&str> {
        let text = std::str::from_utf8(&self.buffer).map_err(|_| {
            self.fault(Fault::Unsupported {
                what: "text that is not UTF-8".to_owned(),
                remedy: "check that this is a text file and save it as UTF-8",
            })
        })?;
        Ok(text.trim_end_matches(['\n', '\r']))
    }

    /// Makes the line that was read last the next one again.
    pub(crate) fn step_back(&mut self) {
        self.again = true;
    }

    /// Passes over so many lines, whatever is in them, or all that are left.
    pub(crate) fn pass_lines(&mut self, lines: usize) -> Result<()> {
        for _ in 0..lines {
            if self.raw_line()? == 0 {
                break;
            }
        }
        Ok(())
    }

    /// Passes over all lines up to one that reads like this, which the last line may be already.
    pub(crate) fn pass_to(&mut self, end: &str) -> Result<()> {
        while self.buffer.trim_ascii() != end.as_bytes() && self.raw_line()? > 0 {}
        self.again = false;
        Ok(())
    }

    /// Says which record the next lines belong to, counted from 1.
    pub(crate) fn begin_record(&mut self, record: u64) {
        self.record = Some(record);
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
        if self.again {
            return Ok(false);
        }
        let (path, line) = (&self.path, self.line);
        let buffer = self.reader.fill_buf();
        buffer.map(<[u8]>::is_empty).map_err(|error| unreadable(path, Place::Line(line + 1), error))
    }

    /// All bytes, of which there may be `most` and which must begin with `start`: a stream of another kind may have no end.
    pub(crate) fn into_bytes(mut self, what: &'static str, start: &[u8], most: u64) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        let mut read = (&mut self.reader).take(start.len() as u64).read_to_end(&mut bytes);
        if read.is_ok() && bytes == start {
            read = (&mut self.reader).take(most).read_to_end(&mut bytes);
        }
        read.map_err(|error| unreadable(&self.path, Place::Whole, error))?;
        let reason = match bytes.len() {
            length if length as u64 >= most => format!("it is longer than {} GiB", most >> 30),
            _ if !bytes.starts_with(start) => "it does not begin like one".to_owned(),
            _ => return Ok(bytes),
        };
        Err(Error::content(&self.path, Place::Whole, Fault::Container { what, reason }))
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
        let place = self.record.map_or(Place::Line(line), |record| Place::Record { record, line });
        Error::content(&self.path, place, fault)
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
    Error::content(path, place, Fault::Stream { reason: error.to_string() })
}
