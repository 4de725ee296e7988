//! How much memory the process had at most, as Linux tells it. Nothing is known elsewhere.

use std::fs;

/// Makes the peak what is resident now. Whether that was possible: a sandbox may forbid it.
pub(super) fn reset_peak() -> bool {
    fs::write("/proc/self/clear_refs", "5").is_ok()
}

/// The most that was resident since the last reset, in bytes.
pub(super) fn peak_bytes() -> Option<u64> {
    peak_in(&fs::read_to_string("/proc/self/status").ok()?)
}

/// `VmHWM:     1234 kB` in a status file.
fn peak_in(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_peak_is_in_the_status() {
        let status = "Name:\tpinlake\nVmPeak:\t  999 kB\nVmHWM:\t  123456 kB\nVmRSS:\t  5 kB\n";
        assert_eq!(peak_in(status), Some(123_456 * 1024));
        assert_eq!(peak_in("Name:\tpinlake\n"), None);
    }
}
