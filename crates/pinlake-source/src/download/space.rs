//! Whether the destination's disk has room for what will be fetched, which is known to the byte.

use std::path::Path;

use super::DownloadError;

/// Refuses to fetch `needed_bytes` into `dest` where they do not fit. Where the system does not tell, nothing is refused.
pub(super) fn check(dest: &Path, needed_bytes: u64) -> Result<(), DownloadError> {
    match free_bytes(dest) {
        Some(free_bytes) if free_bytes < needed_bytes => {
            Err(DownloadError::NoRoom { dest: dest.to_owned(), needed_bytes, free_bytes })
        }
        _ => Ok(()),
    }
}

/// What is free on the disk of a folder that may be about to be made.
fn free_bytes(folder: &Path) -> Option<u64> {
    let folder = std::path::absolute(folder).ok()?;
    let there = folder.ancestors().find(|folder| folder.exists())?;
    let facts = rustix::fs::statvfs(there).ok()?;
    // Some file systems do not know how large they are.
    (facts.f_blocks > 0).then(|| facts.f_bavail.saturating_mul(facts.f_frsize))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    #[test]
    fn what_does_not_fit_is_refused_before_anything_is_written() {
        let folder = tempfile::tempdir().unwrap();
        let dest = folder.path().join("not/there/yet");
        check(&dest, 1_000).unwrap();
        let error = check(&dest, u64::MAX).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Disk);
        assert!(error.to_string().contains("not/there/yet"), "{error}");
        assert!(!dest.exists());
    }
}
