//! Headers of tar archives, read as a stream.

/// Bytes of a header, and the unit of an entry's content.
pub(crate) const BLOCK: usize = 512;

/// The fields of a header that matter here.
pub(crate) struct Header {
    pub(crate) name: String,
    pub(crate) size: u64,
    /// A plain file, as opposed to a folder, a link or a remark.
    pub(crate) regular: bool,
}

impl Header {
    /// Reads a block in POSIX ustar's form; `None` where its checksum or a number is wrong.
    pub(crate) fn parse(block: &[u8]) -> Option<Self> {
        let block: &[u8; BLOCK] = block.try_into().ok()?;
        let (checksum, blank) = (&block[148..156], u64::from(b' ') * 8);
        let sum = |bytes: &[u8]| bytes.iter().map(|byte| u64::from(*byte)).sum::<u64>();
        if octal(checksum)? != sum(block) - sum(checksum) + blank {
            return None;
        }
        let name = block[..100].split(|byte| *byte == 0).next()?;
        Some(Self {
            name: String::from_utf8_lossy(name).into_owned(),
            size: size(&block[124..136])?,
            regular: matches!(block[156], b'0' | 0),
        })
    }

    /// Bytes of the content and of the zeros that fill its last block.
    pub(crate) fn padded(&self) -> Option<u64> {
        self.size.checked_next_multiple_of(BLOCK as u64)
    }
}

fn octal(field: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(field).ok()?;
    u64::from_str_radix(text.trim_matches(['\0', ' ']), 8).ok()
}

/// Octal up to 8 GiB; beyond, a marked big-endian number.
fn size(field: &[u8]) -> Option<u64> {
    let [0x80, rest @ ..] = field else {
        return octal(field);
    };
    let (high, low) = rest.split_last_chunk::<8>()?;
    high.iter().all(|byte| *byte == 0).then(|| u64::from_be_bytes(*low))
}

/// Test archives.
#[cfg(test)]
pub(crate) mod testing {
    use super::BLOCK;

    /// Header and padded content of a plain file.
    pub(crate) fn entry(name: &str, content: &[u8]) -> Vec<u8> {
        let mut header = vec![0; BLOCK];
        header[..name.len()].copy_from_slice(name.as_bytes());
        header[124..135].copy_from_slice(format!("{:011o}", content.len()).as_bytes());
        header[148..156].fill(b' ');
        header[156] = b'0';
        header[257..262].copy_from_slice(b"ustar");
        let sum: usize = header.iter().map(|byte| usize::from(*byte)).sum();
        header[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
        header.extend(content);
        header.resize(header.len().next_multiple_of(BLOCK), 0);
        header
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_read_back_and_damage_shows() {
        let mut block = testing::entry("a.txt", b"four");
        let header = Header::parse(&block[..BLOCK]).unwrap();
        assert_eq!((header.name.as_str(), header.size, header.padded(), header.regular), ("a.txt", 4, Some(512), true));
        block[0] ^= 1;
        assert!(Header::parse(&block[..BLOCK]).is_none());
        assert_eq!(size(&[0x80, 0, 0, 0, 0, 0, 0, 12, 0, 0, 0, 1]), Some((12 << 32) + 1));
    }
}
