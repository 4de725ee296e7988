//! Pieces into a folder: the engine of `pinlake fetch`.
//!
//! Every piece goes to a file under its relative name where that is a plain path, and under a safe name
//! otherwise (see `naming`). A file is written as `NAME.partial`, synced and renamed, so that a name without
//! that ending is a whole piece. `fetch.json` beside the files (see `index`) says which file is which piece; it
//! is written before the first file and kept up while they come, so an interrupted run resumes. A file that was renamed into
//! place and not noted before a kill is recognised by the plan that names it (see `kept`). One run at a time writes to a
//! destination (see `lock`).
//!
//! Nothing is written outside the destination, no link in it is followed, and no file is replaced that an
//! earlier run did not write.

mod index;
mod kept;
mod lock;
mod naming;
mod plan;
mod space;
mod target;
mod transfer;
mod writer;

use std::path::{Path, PathBuf};

use crate::aws::Aws;
use crate::error::{ErrorKind, SourceError, io_error_kind, printable};
use crate::fetch::FetchLimits;
use crate::filter::INDEX_FILE;
use crate::piece::Listing;

use index::IndexFile;
use lock::FolderLock;
use plan::Plan;
use transfer::Transfer;

/// How a download is to be done.
#[derive(Debug, Clone, Copy, Default)]
pub struct DownloadOptions {
    /// Say what would be done and touch nothing.
    pub dry_run: bool,
    /// The bounds of the fetch.
    pub limits: FetchLimits,
}

/// How far a download is. What is there already counts as done from the start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DownloadProgress {
    /// Pieces that are on the disk.
    pub pieces_done: usize,
    /// All pieces.
    pub pieces_total: usize,
    /// The bytes of the pieces done.
    pub bytes_done: u64,
    /// The bytes of all pieces.
    pub bytes_total: u64,
}

/// A piece and its file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DownloadedFile {
    /// The piece's name: its key.
    pub name: String,
    /// Its file, relative to the destination.
    pub file: String,
    /// Its size in bytes.
    pub size: u64,
    /// Whether it was there already, unchanged.
    pub is_unchanged: bool,
    /// Whether the file has another name than the piece, because that name would not be safe.
    pub is_renamed: bool,
}

/// What a download did, or would do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DownloadSummary {
    /// Every piece, in the order of the listing.
    pub files: Vec<DownloadedFile>,
    /// How many pieces were fetched (in a dry run, would be).
    pub fetched: usize,
    /// The bytes of these.
    pub fetched_bytes: u64,
    /// How many were there already.
    pub unchanged: usize,
    /// How many things at the source were no pieces; `fetch.json` names them.
    pub skipped: usize,
    /// What the user should know: empty gzip pieces, files of earlier runs that are no longer listed.
    pub warnings: Vec<String>,
}

/// What keeps a download from being done.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DownloadError {
    /// A file or folder of the destination cannot be written.
    #[error("cannot write {path}")]
    Write {
        /// The path.
        path: PathBuf,
        /// The operating system's reason.
        #[source]
        cause: std::io::Error,
    },
    /// The destination holds the pieces of something else.
    #[error("{dest} holds the pieces of {theirs}: choose another folder for those of {ours}")]
    OtherSource {
        /// The destination.
        dest: PathBuf,
        /// What it holds.
        theirs: String,
        /// What was to be fetched.
        ours: String,
    },
    /// The destination's disk is too small for what would be fetched.
    #[error(
        "the disk of {dest} has {free_bytes} bytes free, and {needed_bytes} are to be fetched: make room, or choose another folder"
    )]
    NoRoom {
        /// The destination.
        dest: PathBuf,
        /// What is to be fetched.
        needed_bytes: u64,
        /// What is free.
        free_bytes: u64,
    },
    /// A file is in the way that no fetch wrote.
    #[error("{path} is there and was not written by `pinlake fetch`: move it, or choose another folder")]
    InTheWay {
        /// The file.
        path: PathBuf,
    },
    /// The destination is something else than a folder.
    #[error("{path} is not a folder")]
    NotAFolder {
        /// The destination.
        path: PathBuf,
    },
    /// Another run writes to the destination.
    #[error("{dest} is being fetched into by {holder}: wait for it, or choose another folder")]
    Busy {
        /// The destination.
        dest: PathBuf,
        /// Who writes to it, as far as is known.
        holder: String,
    },
    /// The index of an earlier run cannot be read.
    #[error("{path} is damaged: move it away to fetch everything again")]
    DamagedIndex {
        /// The index.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        cause: serde_json::Error,
    },
    /// A writing task ended without a result.
    #[error("writing {} was cut off", printable(piece))]
    Aborted {
        /// The piece's name.
        piece: String,
    },
}

impl DownloadError {
    /// What the error means for the one who gave the command.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Write { cause, .. } => match io_error_kind(cause) {
                // A folder that vanished while it was written to is the disk's matter, not the command's.
                ErrorKind::Usage => ErrorKind::Disk,
                kind => kind,
            },
            Self::Busy { .. } | Self::NoRoom { .. } => ErrorKind::Disk,
            Self::OtherSource { .. } | Self::InTheWay { .. } | Self::NotAFolder { .. } => ErrorKind::Usage,
            Self::DamagedIndex { .. } => ErrorKind::Integrity,
            Self::Aborted { .. } => ErrorKind::Unexpected,
        }
    }
}

/// Downloads the pieces of a listing into the folder `dest`, which is made where it is not there.
/// `on_progress` is called once at the start and after each piece.
pub async fn download(
    aws: Option<Aws>,
    listing: &Listing,
    dest: &Path,
    options: &DownloadOptions,
    mut on_progress: impl FnMut(&DownloadProgress),
) -> Result<DownloadSummary, SourceError> {
    if options.dry_run {
        return Ok(Plan::new(listing, dest)?.0.summary(listing));
    }
    target::make_destination(dest)?;
    let _lock = FolderLock::take(dest)?;
    let (mut plan, mut index) = Plan::new(listing, dest)?;
    kept::adopt(listing, dest, &mut plan, &mut index).await?;
    // What the new index does not stand for goes before it is saved: from then on a file under a planned name is the piece.
    plan.clear(dest)?;
    let summary = plan.summary(listing);
    space::check(dest, summary.fetched_bytes)?;
    let mut progress = plan.progress();
    on_progress(&progress);
    let mut index_file = IndexFile::create(dest, index)?;
    let mut transfer = Transfer::start(aws, listing, dest, &plan, options.limits);
    while let Some(arrived) = transfer.next().await {
        // What is on the disk is noted even when the run ends here.
        let (at, facts) = match arrived {
            Ok(arrived) => arrived,
            Err(error) => {
                if let Err(unsaved) = index_file.save() {
                    // The first error is the one to tell: on a full disk this is the same one at another place.
                    tracing::warn!(error = %unsaved, "what was fetched could not be noted");
                }
                return Err(error);
            }
        };
        let piece = &listing.pieces[at];
        index_file.note(&piece.name, &plan.files[at].file, facts);
        index_file.save_now_and_then()?;
        progress.pieces_done += 1;
        progress.bytes_done += piece.size;
        on_progress(&progress);
    }
    index_file.save()?;
    Ok(summary)
}

/// Where the index of `dest` is.
fn index_path(dest: &Path) -> PathBuf {
    dest.join(INDEX_FILE)
}

#[cfg(test)]
mod tests;
