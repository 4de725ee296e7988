//! What can go wrong on the way from pieces to a snapshot.

use std::path::{Path, PathBuf};

use pinlake_decode::UnpackError;
use pinlake_lake::{Check, LakeError};
use pinlake_source::{SourceError, printable};

/// What an error means to the one who gave the command; the command line makes an exit code of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// The request cannot be carried out as it was put.
    Usage,
    /// The export job failed or timed out.
    JobFailed,
    /// Counts do not add up.
    Counts,
    /// More rejects than allowed.
    Rejects,
    /// Network, credentials or permission.
    Network,
    /// Damaged data.
    Integrity,
    /// Disk, memory or another limit.
    Resource,
    /// Somebody asked to stop.
    Interrupted,
    /// A fault of pinlake itself.
    Unexpected,
}

/// Why a conversion failed. Nothing has been published then.
#[derive(Debug, thiserror::Error)]
pub enum IngestError {
    /// The pieces could not be listed or fetched.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The lake could not be opened, written or committed.
    #[error(transparent)]
    Lake(#[from] LakeError),
    /// The same object or file was reached by two of the sources.
    #[error("piece `{}` of {source_name} is given twice: its rows would count twice", printable(piece))]
    PieceTwice {
        /// Its key or path.
        piece: String,
        /// The source in which it was met again.
        source_name: String,
    },
    /// A piece's bytes are damaged, or beyond a limit.
    #[error("piece `{}` cannot be read", printable(piece))]
    Unpack {
        /// Its key or path.
        piece: String,
        /// What is wrong with it.
        #[source]
        source: UnpackError,
    },
    /// It was to stop, and did so in good order.
    #[error("interrupted: {}", interruption(*.done, *.pieces, .folder))]
    Interrupted {
        /// Pieces that are done for good.
        done: usize,
        /// All pieces.
        pieces: usize,
        /// Where what is done is kept.
        folder: PathBuf,
    },
    /// What is done could not be noted.
    #[error("cannot note which pieces are done")]
    Notes {
        /// The reason.
        #[source]
        source: serde_json::Error,
    },
    /// The lake's disk is too small for what would be written.
    #[error(
        "the disk of {path} has {free_bytes} bytes free, and these pieces are likely to need {needed_bytes} at the least: make room, or \
         name a lake elsewhere with --lake"
    )]
    NoRoom {
        /// The lake's folder, or the one in which it would be made.
        path: PathBuf,
        /// What the snapshot takes at the least.
        needed_bytes: u64,
        /// What is free.
        free_bytes: u64,
    },
    /// Rejects or hashes could not be put aside on the disk.
    #[error("cannot write {path}")]
    Spill {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// More lines were rejected than allowed.
    #[error(
        "{rejects} of {lines} lines are no endpoints, which is more than --max-rejects allows; nothing was published. \
         The first: {first}. All are in {path}"
    )]
    TooManyRejects {
        /// Number of rejected lines.
        rejects: u64,
        /// Number of lines that are not blank.
        lines: u64,
        /// Piece, line and reason of the first.
        first: String,
        /// The file that holds them all.
        path: PathBuf,
    },
    /// Counts do not add up.
    #[error("counts do not add up, so nothing was published: {}", failed(.checks))]
    Mismatch {
        /// Every check that was made.
        checks: Vec<Check>,
    },
    /// Columns did not make a batch.
    #[error("piece `{}` could not be put into columns", printable(piece))]
    Columns {
        /// Its key or path.
        piece: String,
        /// Arrow's reason.
        #[source]
        source: arrow::error::ArrowError,
    },
    /// A job of the pool panicked. What it said is not kept, for it may quote the data.
    #[error("a worker thread panicked")]
    Panicked,
    /// The pool of worker threads could not be started.
    #[error("cannot start {threads} worker threads")]
    Threads {
        /// How many were wanted.
        threads: usize,
        /// Why.
        #[source]
        source: rayon::ThreadPoolBuildError,
    },
    /// Work stopped because another part had failed first.
    #[error("stopped after another failure")]
    Stopped,
}

fn failed(checks: &[Check]) -> String {
    let failed: Vec<String> = checks
        .iter()
        .filter(|check| !check.ok)
        .map(|check| format!("{}: expected {}, found {}", check.check, check.expected, check.actual))
        .collect();
    failed.join("; ")
}

fn interruption(done: usize, pieces: usize, folder: &Path) -> String {
    if done == 0 {
        return "no piece was done yet; the same command starts over".to_owned();
    }
    let folder = folder.display();
    format!("{done} of {pieces} pieces are done and kept in {folder}; the same command goes on from there")
}

impl IngestError {
    /// What the error means.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Source(error) => match error.kind() {
                pinlake_source::ErrorKind::Usage => ErrorKind::Usage,
                pinlake_source::ErrorKind::JobFailed => ErrorKind::JobFailed,
                pinlake_source::ErrorKind::Network => ErrorKind::Network,
                pinlake_source::ErrorKind::Integrity => ErrorKind::Integrity,
                pinlake_source::ErrorKind::Disk => ErrorKind::Resource,
                _ => ErrorKind::Unexpected,
            },
            Self::Lake(error) => match error.kind() {
                pinlake_lake::ErrorKind::Usage => ErrorKind::Usage,
                pinlake_lake::ErrorKind::Integrity => ErrorKind::Integrity,
                // Another run is at the same work: like a full disk, it may have passed by the next try.
                pinlake_lake::ErrorKind::Disk | pinlake_lake::ErrorKind::Conflict => ErrorKind::Resource,
                pinlake_lake::ErrorKind::Unexpected => ErrorKind::Unexpected,
            },
            Self::PieceTwice { .. } => ErrorKind::Usage,
            Self::Unpack { source, .. } if source.is_limit() => ErrorKind::Resource,
            Self::Unpack { .. } => ErrorKind::Integrity,
            Self::NoRoom { .. } | Self::Spill { .. } | Self::Threads { .. } => ErrorKind::Resource,
            Self::TooManyRejects { .. } => ErrorKind::Rejects,
            Self::Mismatch { .. } => ErrorKind::Counts,
            Self::Interrupted { .. } => ErrorKind::Interrupted,
            Self::Notes { .. } | Self::Columns { .. } | Self::Panicked | Self::Stopped => {
                ErrorKind::Unexpected
            }
        }
    }
}
