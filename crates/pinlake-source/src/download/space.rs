//! Whether the destination's disk has room for what will be fetched, which is known to the byte.

use std::path::Path;

use super::DownloadError;
use crate::space::free_bytes;

/// Refuses to fetch `needed_bytes` into `dest` where they do not fit. Where the system does not tell, nothing is refused.
pub(super) fn check(dest: &Path, needed_bytes: u64) -> Result<(), DownloadError> {
    match free_bytes(dest) {
        Some((_, free_bytes)) if free_bytes < needed_bytes => {
            Err(DownloadError::NoRoom { dest: dest.to_owned(), needed_bytes, free_bytes })
        }
        _ => Ok(()),
    }
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
