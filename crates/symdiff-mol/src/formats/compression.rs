//! Transparent compression: reading goes by the first bytes, writing by the ending.

use bzip2::read::MultiBzDecoder;
use bzip2::write::BzEncoder;
use flate2::bufread::MultiGzDecoder;
use flate2::write::GzEncoder;
use ruzstd::decoding::StreamingDecoder;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::Path;

/// What a reader with this content really says.
pub(crate) fn decompressed(mut reader: impl BufRead + Send + 'static) -> io::Result<Box<dyn BufRead + Send>> {
    Ok(match Compression::of(reader.fill_buf()?) {
        Some(Compression::Gzip) => Box::new(BufReader::new(MultiGzDecoder::new(reader))),
        Some(Compression::Bzip2) => Box::new(BufReader::new(MultiBzDecoder::new(reader))),
        Some(Compression::Zstd) => Box::new(BufReader::new(ZstdFrames::new(reader)?)),
        None => Box::new(reader),
    })
}

/// Compression that an ending names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Compression {
    Gzip,
    Bzip2,
    Zstd,
}

impl Compression {
    /// The compression that the first bytes show.
    pub(crate) fn of(start: &[u8]) -> Option<Self> {
        match start {
            [0x1f, 0x8b, ..] => Some(Self::Gzip),
            [b'B', b'Z', b'h', ..] => Some(Self::Bzip2),
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Some(Self::Zstd),
            _ => None,
        }
    }
}

/// A file's name in lower case without an ending that stands for compression, and that compression.
///
/// `.tgz`, `.tbz`, `.tbz2` and `.tzst` stand for `.tar.gz` and so on.
pub(crate) fn bare_name(path: &Path) -> (String, Option<Compression>) {
    use Compression::{Bzip2, Gzip, Zstd};
    const ENDINGS: [(&str, &str, Compression); 7] = [
        (".gz", "", Gzip),
        (".bz2", "", Bzip2),
        (".zst", "", Zstd),
        (".tgz", ".tar", Gzip),
        (".tbz", ".tar", Bzip2),
        (".tbz2", ".tar", Bzip2),
        (".tzst", ".tar", Zstd),
    ];
    let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
    let found = ENDINGS.iter().find_map(|(ending, stand, kind)| Some((format!("{}{stand}", name.strip_suffix(ending)?), Some(*kind))));
    found.unwrap_or((name, None))
}

/// Zstandard frames, one after the other.
struct ZstdFrames<R: BufRead> {
    frame: Option<StreamingDecoder<R, ruzstd::decoding::FrameDecoder>>,
}

impl<R: BufRead> ZstdFrames<R> {
    fn new(reader: R) -> io::Result<Self> {
        let frame = StreamingDecoder::new(reader).map_err(io::Error::other)?;
        Ok(Self { frame: Some(frame) })
    }
}

impl<R: BufRead> Read for ZstdFrames<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while let Some(frame) = &mut self.frame {
            let read = frame.read(buffer)?;
            if read > 0 || buffer.is_empty() {
                return Ok(read);
            }
            if let Some(ended) = self.frame.take() {
                let mut rest = ended.into_inner();
                if !rest.fill_buf()?.is_empty() {
                    *self = Self::new(rest)?;
                }
            }
        }
        Ok(0)
    }
}

/// A writer whose bytes are compressed as the ending of its file's name says.
pub(crate) enum Sink<W: Write> {
    /// No compression.
    Plain(W),
    /// `.gz`
    Gzip(GzEncoder<W>),
    /// `.bz2`
    Bzip2(BzEncoder<W>),
    /// `.zst`, compressed at the end: held in memory until then.
    Zstd(Vec<u8>, W),
}

impl<W: Write> Sink<W> {
    pub(crate) fn new(path: &Path, out: W) -> Self {
        match bare_name(path).1 {
            None => Self::Plain(out),
            Some(Compression::Gzip) => Self::Gzip(GzEncoder::new(out, flate2::Compression::default())),
            Some(Compression::Bzip2) => Self::Bzip2(BzEncoder::new(out, bzip2::Compression::default())),
            Some(Compression::Zstd) => Self::Zstd(Vec::new(), out),
        }
    }

    /// Writes what is still held back, and gives the writer back.
    pub(crate) fn finish(self) -> io::Result<W> {
        let mut out = match self {
            Self::Plain(out) => out,
            Self::Gzip(encoder) => encoder.finish()?,
            Self::Bzip2(encoder) => encoder.finish()?,
            Self::Zstd(plain, mut out) => {
                let level = ruzstd::encoding::CompressionLevel::Fastest;
                out.write_all(&ruzstd::encoding::compress_to_vec(plain.as_slice(), level))?;
                out
            }
        };
        out.flush()?;
        Ok(out)
    }
}

impl<W: Write> Write for Sink<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(out) => out.write(bytes),
            Self::Gzip(out) => out.write(bytes),
            Self::Bzip2(out) => out.write(bytes),
            Self::Zstd(out, _) => out.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_ending_reads_back_and_no_prefix_passes_for_the_whole() {
        let text: Vec<u8> = (0..20_000_u32).flat_map(|i| format!("{} ", i * i).into_bytes()).collect();
        for ending in ["plain", "GZ", "bz2", "tzst"] {
            let mut sink = Sink::new(Path::new(&format!("a.{ending}")), Vec::new());
            sink.write_all(&text).unwrap();
            let stored = sink.finish().unwrap();
            assert_eq!(ending == "plain", stored.len() == text.len());
            let read = |bytes: &[u8]| {
                let mut back = Vec::new();
                let mut reader = decompressed(io::Cursor::new(bytes.to_vec()))?;
                reader.read_to_end(&mut back).map(|_| back)
            };
            assert!(read(&stored).unwrap() == text, "{ending}");
            let twice = read(&stored.repeat(2)).unwrap();
            assert!(twice == text.repeat(2), "{ending}");
            for end in (8..stored.len()).step_by(997) {
                assert!(!read(&stored[..end]).is_ok_and(|back| back == text), "{ending} {end}");
            }
        }
    }
}
