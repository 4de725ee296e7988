//! How much memory queries take where nobody says: three quarters of what is available, and at least 1 GiB.
//!
//! Linux tells what is available, and a container what it may take; what neither tells is taken to be 4 GiB. Beyond it queries spill or
//! end with a message, where the system would end the process, or another one, without.

use std::fs;
use std::path::Path;
use std::sync::LazyLock;

const GIB: u64 = 1024 * 1024 * 1024;

/// Where nothing is known.
const ASSUMED_BYTES: u64 = 4 * GIB;
/// What every report takes on a million endpoints.
const LEAST_BYTES: u64 = GIB;

/// In bytes. Asked once, so that all parts of a command divide the same.
pub(super) fn for_queries() -> usize {
    static FOR_QUERIES: LazyLock<usize> = LazyLock::new(available);
    *FOR_QUERIES
}

fn available() -> usize {
    let available = fs::read_to_string("/proc/meminfo").ok().and_then(|text| available_in(&text));
    let cgroup = Path::new("/sys/fs/cgroup");
    let read = |name: &str| fs::read_to_string(cgroup.join(name)).ok();
    let left =
        read("memory.max").and_then(|most| left_in(&most, &read("memory.current").unwrap_or_default()));
    planned(available, left)
}

/// A part of the smaller of the two.
fn planned(available: Option<u64>, left_to_container: Option<u64>) -> usize {
    let bytes = [available, left_to_container].into_iter().flatten().min().unwrap_or(ASSUMED_BYTES);
    usize::try_from((bytes / 4 * 3).max(LEAST_BYTES)).unwrap_or(usize::MAX)
}

/// `MemAvailable:   1234 kB` in `/proc/meminfo`.
fn available_in(text: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kibibytes.checked_mul(1024)
}

/// What a container may still take; `max` is no limit.
fn left_in(most: &str, current: &str) -> Option<u64> {
    let most: u64 = most.trim().parse().ok()?;
    Some(most.saturating_sub(current.trim().parse().unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_smaller_of_machine_and_container_counts() {
        let available = available_in("MemTotal: 99 kB\nMemAvailable:   16777216 kB\n");
        assert_eq!(available, Some(16 * GIB));
        assert_eq!(planned(available, None), 12 * 1024 * 1024 * 1024);
        assert_eq!(planned(available, left_in("4294967296\n", "2147483648\n")), 1536 * 1024 * 1024);
        assert_eq!(planned(available, left_in("max\n", "5\n")), planned(available, None));
        assert_eq!(planned(None, None), 3 * 1024 * 1024 * 1024);
        assert_eq!(planned(Some(100), None), 1024 * 1024 * 1024);
    }
}
