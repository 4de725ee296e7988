//! Bytes of pieces, in order, within a bound.
//!
//! The plan is cut into spans: a small piece is one, a large piece is many of `chunk_bytes`. One planner takes
//! the window's permits span by span **in the order of the plan** and starts a task for each GET; the permits
//! ride with the bytes until the consumer drops them. Two things follow:
//!
//! - All bytes that were asked for and are not yet dropped fit `window_bytes`, whatever the sizes of pieces.
//! - There is no deadlock: the earliest span that is not done always has its permits, or is next in line for
//!   what the consumer drops, and a later span never holds what an earlier one waits for.
//!
//! The GETs are tasks of their own, because a stream of futures stands still while its consumer waits for
//! something else, and an open connection that nobody reads is reset by S3. Dropping the [`Fetch`] and the
//! bodies it gave out aborts every GET.
//!
//! What is handed out has been checked: the length is the listed one, each GET carries the listed `ETag` as
//! `If-Match`, the SDK verifies the checksum S3 keeps, and where S3 keeps none but the `ETag` is the MD5 of the
//! object, that is compared. A body that breaks is resumed from where it stopped.

mod body;
mod digest;
mod file;
mod gate;
mod object;
mod planner;

use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::mpsc;
use tokio::task::AbortHandle;

pub use body::{HeldBytes, PieceBody};
pub use digest::PieceFacts;
pub(crate) use digest::{PieceDigest, hex, md5_of_etag};

use crate::aws::Aws;
use crate::error::{ErrorKind, SourceError, io_error_kind, printable};
use crate::failure::RequestFailure;
use crate::piece::Piece;

/// The bounds of a fetch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FetchLimits {
    /// How many bytes may be asked for and not yet dropped.
    pub window_bytes: usize,
    /// How many GETs (or file reads) run at once.
    pub max_requests: usize,
    /// The largest piece that is handed out as one chunk; one that exceeds the window never is.
    pub whole_piece_bytes: u64,
    /// The size of the chunks of larger pieces. Each is a GET of its own.
    pub chunk_bytes: usize,
}

impl Default for FetchLimits {
    /// Chunks of 8 MiB keep the overhead of a request at a few percent of its transfer; sixteen at once fill a
    /// 10 Gbit/s line to S3, and with twice that in the window a decoder that lags does not stop the line.
    fn default() -> Self {
        Self { window_bytes: 256 << 20, max_requests: 16, whole_piece_bytes: 32 << 20, chunk_bytes: 8 << 20 }
    }
}

/// What keeps a piece from being read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FetchError {
    /// A GET failed, after retries.
    #[error("cannot get s3://{bucket}/{} (attempts: {attempts})", printable(key))]
    Request {
        /// The bucket.
        bucket: String,
        /// The key.
        key: String,
        /// How many times it was tried.
        attempts: u32,
        /// The last failure.
        #[source]
        cause: RequestFailure,
    },
    /// The object is not the one that was listed.
    #[error("s3://{bucket}/{} changed after it was listed: list it again", printable(key))]
    ObjectChanged {
        /// The bucket.
        bucket: String,
        /// The key.
        key: String,
    },
    /// The object is not there any more.
    #[error("s3://{bucket}/{} vanished after it was listed", printable(key))]
    ObjectVanished {
        /// The bucket.
        bucket: String,
        /// The key.
        key: String,
    },
    /// The bytes are not those whose MD5 is the `ETag`.
    #[error("s3://{bucket}/{} came damaged: its MD5 is not its ETag (attempts: {attempts})", printable(key))]
    ObjectDamaged {
        /// The bucket.
        bucket: String,
        /// The key.
        key: String,
        /// How many times it was read.
        attempts: u32,
    },
    /// A piece in S3 without a connection to AWS.
    #[error("no connection to get s3://{bucket}/{} with", printable(key))]
    NotConnected {
        /// The bucket.
        bucket: String,
        /// The key.
        key: String,
    },
    /// The file's size is not the listed one.
    #[error("{path} changed while it was read")]
    FileChanged {
        /// The file.
        path: PathBuf,
    },
    /// The file cannot be read.
    #[error("cannot read {path}")]
    File {
        /// The file.
        path: PathBuf,
        /// The operating system's reason.
        #[source]
        cause: std::io::Error,
    },
    /// The task that read the piece ended without a result.
    #[error("reading {} was cut off", printable(piece))]
    Aborted {
        /// The piece's name.
        piece: String,
    },
}

impl FetchError {
    /// What the error means for the one who gave the command.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Request { cause, .. } => cause.error_kind(),
            Self::ObjectChanged { .. }
            | Self::ObjectVanished { .. }
            | Self::ObjectDamaged { .. }
            | Self::FileChanged { .. } => ErrorKind::Integrity,
            Self::File { cause, .. } => io_error_kind(cause),
            Self::NotConnected { .. } | Self::Aborted { .. } => ErrorKind::Unexpected,
        }
    }
}

/// Starts fetching `pieces` in order. It must be called within a tokio runtime, which runs the GETs.
/// `aws` is needed where any piece is in S3.
#[must_use]
pub fn fetch(aws: Option<Aws>, pieces: Arc<[Piece]>, limits: FetchLimits) -> Fetch {
    let (planner, queue) = planner::Planner::new(aws, pieces, limits);
    let task = tokio::spawn(planner.run());
    let guard = Arc::new(AbortOnDrop(task.abort_handle()));
    Fetch { queue, waiting: None, guard }
}

/// Pieces as their turn comes.
#[derive(Debug)]
pub struct Fetch {
    queue: mpsc::Receiver<PieceBody>,
    /// A piece whose first bytes are awaited. It is kept here so that `next` can be cancelled.
    waiting: Option<PieceBody>,
    guard: Arc<AbortOnDrop>,
}

impl Fetch {
    /// The next piece of the plan, as soon as its first chunk is there (or has failed, which is then the
    /// result). `None` after the last. Cancel safe: a dropped call loses nothing.
    ///
    /// A consumer may hold several bodies at once, as long as it goes on reading the earliest, because the
    /// window is filled in the order of the plan. It must not wait for another piece while the bytes it holds
    /// fill the window.
    pub async fn next(&mut self) -> Option<Result<PieceBody, SourceError>> {
        if self.waiting.is_none() {
            let mut body = self.queue.recv().await?;
            body.hold(Arc::clone(&self.guard));
            self.waiting = Some(body);
        }
        let ready = match &mut self.waiting {
            Some(body) => body.first_ready().await,
            None => return None,
        };
        let body = self.waiting.take()?;
        Some(ready.map(|()| body).map_err(SourceError::from))
    }
}

/// Ends the planner, and with it every GET it started, when the last holder is gone.
#[derive(Debug)]
struct AbortOnDrop(AbortHandle);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

#[cfg(test)]
mod tests;
