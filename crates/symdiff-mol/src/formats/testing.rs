//! Archives for tests, byte by byte: what a writer would refuse to write is wanted as well.

const BLOCK: usize = 512;

/// Header and padded content of a plain file in a tar archive.
pub(crate) fn entry(name: &str, content: &[u8]) -> Vec<u8> {
    let mut entry = vec![0; BLOCK];
    entry[..name.len()].copy_from_slice(name.as_bytes());
    entry[124..135].copy_from_slice(format!("{:011o}", content.len()).as_bytes());
    entry[156] = b'0';
    entry[257..265].copy_from_slice(b"ustar\x0000");
    seal(&mut entry);
    entry.extend(content);
    entry.resize(entry.len().next_multiple_of(BLOCK), 0);
    entry
}

/// Puts the right checksum into the header that an entry begins with.
pub(crate) fn seal(entry: &mut [u8]) {
    entry[148..156].fill(b' ');
    let sum: usize = entry[..BLOCK].iter().map(|byte| usize::from(*byte)).sum();
    entry[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
}
