//! Transparent compression: reading goes by the first bytes, writing by the ending.

use bzip2::read::MultiBzDecoder;
use bzip2::write::BzEncoder;
use flate2::bufread::MultiGzDecoder;
use flate2::write::GzEncoder;
use ruzstd::decoding::StreamingDecoder;
use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Read, Write};
use std::path::Path;

/// What a reader with this content really says.
pub(crate) fn decompressed(mut reader: impl BufRead + Send + 'static) -> io::Result<Box<dyn BufRead + Send>> {
    let start = reader.fill_buf()?;
    Ok(match start {
        [0x1f, 0x8b, ..] => Box::new(BufReader::new(MultiGzDecoder::new(reader))),
        [b'B', b'Z', b'h', ..] => Box::new(BufReader::new(MultiBzDecoder::new(reader))),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => Box::new(BufReader::new(ZstdFrames::new(reader)?)),
        _ => Box::new(reader),
    })
}

/// The name without an ending that stands for compression.
pub(crate) fn bare_name(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    [".gz", ".bz2", ".zst"].iter().find_map(|ending| name.strip_suffix(ending)).unwrap_or(&name).to_owned()
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

/// A file that is compressed as its ending says.
pub(crate) enum Sink {
    /// No compression.
    Plain(BufWriter<File>),
    /// `.gz`
    Gzip(GzEncoder<BufWriter<File>>),
    /// `.bz2`
    Bzip2(BzEncoder<BufWriter<File>>),
    /// `.zst`, compressed at the end: held in memory until then.
    Zstd(Vec<u8>, BufWriter<File>),
}

impl Sink {
    pub(crate) fn create(path: &Path) -> io::Result<Self> {
        let file = BufWriter::new(File::create(path)?);
        Ok(match path.extension().and_then(|ending| ending.to_str()) {
            Some("gz") => Self::Gzip(GzEncoder::new(file, flate2::Compression::default())),
            Some("bz2") => Self::Bzip2(BzEncoder::new(file, bzip2::Compression::default())),
            Some("zst") => Self::Zstd(Vec::new(), file),
            _ => Self::Plain(file),
        })
    }

    /// Writes what is still held back.
    pub(crate) fn finish(self) -> io::Result<()> {
        match self {
            Self::Plain(mut file) => file.flush(),
            Self::Gzip(encoder) => encoder.finish()?.flush(),
            Self::Bzip2(encoder) => encoder.finish()?.flush(),
            Self::Zstd(plain, mut file) => {
                let level = ruzstd::encoding::CompressionLevel::Fastest;
                file.write_all(&ruzstd::encoding::compress_to_vec(plain.as_slice(), level))?;
                file.flush()
            }
        }
    }
}

impl Write for Sink {
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
        let folder = tempfile::tempdir().unwrap();
        let text: Vec<u8> = (0..20_000_u32).flat_map(|i| format!("{} ", i * i).into_bytes()).collect();
        for ending in ["plain", "gz", "bz2", "zst"] {
            let path = folder.path().join(format!("a.{ending}"));
            let mut sink = Sink::create(&path).unwrap();
            sink.write_all(&text).unwrap();
            sink.finish().unwrap();
            let stored = std::fs::read(&path).unwrap();
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
