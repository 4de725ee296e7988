//! One piece to one file.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use super::{DownloadError, target};
use crate::error::SourceError;
use crate::fetch::{PieceBody, PieceFacts};
use crate::filter::PARTIAL_SUFFIX;

/// Writes all of `body` to `file` below `dest`, synced and renamed into place; returns `at` and the facts.
pub(super) async fn write(
    dest: PathBuf,
    file: String,
    at: usize,
    mut body: PieceBody,
) -> Result<(usize, PieceFacts), SourceError> {
    let path = dest.join(&file);
    let mut open = blocking(&path, move || {
        target::make_folders(&dest, &file)?;
        Partial::create(dest.join(&file))
    })
    .await?;
    while let Some(chunk) = body.next_chunk().await {
        let chunk = chunk?;
        open = blocking(&path, move || open.append(&chunk)).await?;
    }
    let facts = body.facts().cloned();
    let facts = facts.ok_or_else(|| DownloadError::Aborted { piece: body.piece().name.clone() })?;
    blocking(&path, move || open.finish()).await?;
    Ok((at, facts))
}

/// Runs file work on a thread for it.
async fn blocking<T: Send + 'static>(
    path: &Path,
    work: impl FnOnce() -> Result<T, DownloadError> + Send + 'static,
) -> Result<T, DownloadError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|_| Err(DownloadError::Aborted { piece: path.display().to_string() }))
}

/// What one write takes at most: the system copies larger ones into page-cache folios that a virtual machine has often never
/// touched, which took up to nine times as long (20 files of 7.5 MB: 0.30 s in one write each, 0.03 s in steps; 2026-11-25).
const STEP_BYTES: usize = 256 * 1024;

/// A file under its unfinished name.
struct Partial {
    file: File,
    /// Its name until it is whole.
    unfinished: PathBuf,
    /// Its name from then on.
    path: PathBuf,
}

impl Partial {
    fn create(path: PathBuf) -> Result<Self, DownloadError> {
        let mut partial = path.clone().into_os_string();
        partial.push(PARTIAL_SUFFIX);
        let partial = PathBuf::from(partial);
        // What an earlier run left is removed, and the file is a new one: a link is not written through.
        let created = match std::fs::remove_file(&partial) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
            _ => target::create_new(&partial),
        };
        match created {
            Ok(file) => Ok(Self { file, unfinished: partial, path }),
            Err(cause) => Err(DownloadError::Write { path: partial, cause }),
        }
    }

    fn append(mut self, bytes: &[u8]) -> Result<Self, DownloadError> {
        match bytes.chunks(STEP_BYTES).try_for_each(|step| self.file.write_all(step)) {
            Ok(()) => Ok(self),
            Err(cause) => Err(DownloadError::Write { path: self.unfinished, cause }),
        }
    }

    fn finish(self) -> Result<(), DownloadError> {
        let placed = self.file.sync_all().and_then(|()| std::fs::rename(&self.unfinished, &self.path));
        placed.map_err(|cause| DownloadError::Write { path: self.unfinished, cause })
    }
}
