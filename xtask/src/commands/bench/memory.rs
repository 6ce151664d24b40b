//! Memory, as the kernel counts it.

/// The largest resident size of this process so far, in bytes; `None` where the system does not say.
pub(super) fn peak_bytes() -> Option<u64> {
    bytes("/proc/self/status", "VmHWM:")
}

fn bytes(file: &str, key: &str) -> Option<u64> {
    let text = std::fs::read_to_string(file).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix(key))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok().map(|kib| kib * 1024)
}
