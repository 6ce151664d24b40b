//! A text file that knows where it is being read, for error messages.

use crate::error::{Error, Fault, Place, Result};
use std::fs::File;
use std::io::{BufRead, BufReader, Cursor, Read};
use std::path::{Path, PathBuf};

/// A line longer than this is no molecule file.
const LONGEST_LINE: u64 = 64 << 20;

/// Lines of a file or of a piece of memory.
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
        Ok(Self::new(path, Box::new(BufReader::with_capacity(1 << 16, file))))
    }

    /// Text in memory; `name` stands for the file in messages.
    pub fn from_bytes(name: &str, bytes: impl AsRef<[u8]> + Send + 'static) -> Self {
        Self::new(Path::new(name), Box::new(Cursor::new(bytes)))
    }

    fn new(path: &Path, reader: Box<dyn BufRead + Send>) -> Self {
        Self { path: path.to_owned(), reader, line: 0, buffer: Vec::new(), ended: true }
    }

    /// The next line without its line end; `None` after the last one.
    pub(crate) fn next_line(&mut self) -> Result<Option<&str>> {
        self.buffer.clear();
        self.line += 1;
        let read = (&mut self.reader)
            .take(LONGEST_LINE)
            .read_until(b'\n', &mut self.buffer)
            .map_err(|source| Error::io(&self.path, "read it", source))?;
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

    /// Whether the last line came with its line end.
    pub(crate) fn line_was_ended(&self) -> bool {
        self.ended
    }

    /// The error for a fault in the current line.
    pub(crate) fn fault(&self, fault: Fault) -> Error {
        Error::content(&self.path, Place::Line(self.line), fault)
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
