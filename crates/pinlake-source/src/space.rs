//! The room on a disk.

use std::path::{Path, PathBuf};

/// What is free on the disk of a folder that may be about to be made, in bytes, with the folder that was asked about: it, or the
/// nearest one above it that is there. `None` where the system does not tell.
#[must_use]
pub fn free_bytes(folder: &Path) -> Option<(PathBuf, u64)> {
    let folder = std::path::absolute(folder).ok()?;
    let there = folder.ancestors().find(|folder| folder.exists())?;
    let facts = rustix::fs::statvfs(there).ok()?;
    // Some file systems do not know how large they are.
    (facts.f_blocks > 0).then(|| (there.to_owned(), facts.f_bavail.saturating_mul(facts.f_frsize)))
}
