//! TensorBoard event files: scalars, as `tf.Event` records.
//!
//! A record is length, masked CRC-32C of the length, payload, masked CRC-32C of the payload; the payload is a protocol buffer with four
//! fields, which is less to write than to depend on.

use crate::{Error, Result};
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

/// An event file being written.
#[derive(Debug)]
pub(crate) struct EventFile {
    file: File,
    path: PathBuf,
}

impl EventFile {
    /// Replaces the run's event file by an empty one; the caller writes the kept rows again.
    pub(crate) fn create(run: &Path) -> Result<Self> {
        let path = run.join("events.out.tfevents.0.symdiff");
        let file = File::create(&path).map_err(Error::io(&path, "create the event file"))?;
        let mut events = Self { file, path };
        events.record(&[field(3, b"brain.Event:2")].concat(), 0)?;
        Ok(events)
    }

    /// Writes the scalars of a step.
    pub(crate) fn scalars(&mut self, step: u64, scalars: &[(&str, f64)]) -> Result<()> {
        let summary: Vec<u8> = scalars
            .iter()
            .flat_map(|(tag, value)| {
                let number = [&[0x15][..], &(*value as f32).to_le_bytes()].concat();
                field(1, &[field(1, tag.as_bytes()), number].concat())
            })
            .collect();
        self.record(&field(5, &summary), step)
    }

    fn record(&mut self, fields: &[u8], step: u64) -> Result<()> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |elapsed| elapsed.as_secs_f64());
        let payload = [&[0x09][..], &now.to_le_bytes(), &[0x10], &varint(step), fields].concat();
        let length = (payload.len() as u64).to_le_bytes();
        let record = [&length[..], &masked(&length), &payload, &masked(&payload)].concat();
        self.file.write_all(&record).map_err(Error::io(&self.path, "append to the event file"))
    }
}

/// A length-delimited field.
fn field(number: u8, content: &[u8]) -> Vec<u8> {
    [&[number << 3 | 2][..], &varint(content.len() as u64), content].concat()
}

fn varint(mut value: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
    bytes
}

/// TFRecord's checksum: CRC-32C, rotated and offset.
fn masked(bytes: &[u8]) -> [u8; 4] {
    crc32c::crc32c(bytes).rotate_right(15).wrapping_add(0xa282_ead8).to_le_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_checksums_follow_the_format() {
        assert_eq!(varint(300), [0xac, 0x02]);
        assert_eq!(field(1, b"ab"), [0x0a, 2, b'a', b'b']);
        // The record header of a 24-byte event, as TensorFlow writes it.
        assert_eq!(masked(&24_u64.to_le_bytes()), [0xa3, 0x7f, 0x4b, 0x22]);
    }
}
