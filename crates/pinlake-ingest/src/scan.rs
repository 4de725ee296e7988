//! Pieces read without a lake: a listing, and rows that come as they are asked for.
//!
//! ```text
//! source::fetch ══chunks + permits══▶ pool: unpack ─▶ blocks ─▶ pool: decode ─▶ batches in order
//! ≤ window_bytes                      ≤ parts         ≤ a few     ≤ threads + 2 parts, waiting or running
//! ```
//!
//! The pieces are dealt to parts, each of which is read by itself, in order, by a task of its own: whoever asks one part for rows
//! never waits for another. A part fetches ahead within its share of the window, and waits when its batches are not taken.
//! Dropping [`PieceRows`] ends its task, its GETs and the jobs that have not begun.
//!
//! Lines that are no endpoint are left out and counted; [`Scan::rejected`] tells how many there were in what was handed out.

mod reader;
mod rows;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use pinlake_decode::unpack::BufferPool;
use pinlake_decode::{BlockDecoder, ColumnSelection, DecodeOptions};
use pinlake_source::{Aws, FetchLimits, Filter, Piece, Skipped, Source};

use crate::error::IngestError;
use crate::limits::Limits;
use crate::pool::Pool;

pub use rows::PieceRows;

/// Whoever wants no more rows than this is given them from little chunks, fetched one at a time and one piece at a time: the
/// first block of the first piece has them, as a rule.
const FEW_ROWS: usize = 10_000;
/// The size of those chunks. Compressed, some 7,000 endpoints.
const FEW_ROWS_CHUNK_BYTES: usize = 1024 * 1024;

/// Which pieces somebody wants to read.
#[derive(Debug)]
pub struct ScanRequest {
    /// Where the pieces are.
    pub source: Source,
    /// The connection for a source in S3.
    pub aws: Option<Aws>,
    /// Which files of a source are pieces.
    pub filter: Filter,
    /// Bounds of the work.
    pub limits: Limits,
}

/// Lines that were left out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rejected {
    /// How many.
    pub lines: u64,
    /// Piece, line and reason of one of them.
    pub example: Option<String>,
}

/// Pieces that were listed and can be read.
#[derive(Debug)]
pub struct Scan {
    aws: Option<Aws>,
    pieces: Vec<Piece>,
    skipped: Vec<Skipped>,
    limits: Limits,
    rejected: Arc<Mutex<Rejected>>,
}

impl Scan {
    /// Lists the pieces; reads none. A source without a piece is an error.
    pub async fn list(request: ScanRequest) -> Result<Self, IngestError> {
        let listing = request.source.list(request.aws.as_ref(), &request.filter).await?;
        Ok(Self {
            aws: request.aws,
            pieces: listing.pieces,
            skipped: listing.skipped,
            limits: request.limits,
            rejected: Arc::default(),
        })
    }

    /// The pieces, with the selected columns, in at most `parts` parts. With a limit there is one part: the first
    /// rows in the order of pieces and lines.
    pub fn parts(
        &self,
        columns: ColumnSelection,
        limit: Option<usize>,
        parts: usize,
    ) -> Result<Vec<ScanPart>, IngestError> {
        let most = if limit.is_some() { 1 } else { self.limits.threads.min(parts) };
        let dealt = deal(&self.pieces, most);
        let is_small = limit.is_some_and(|rows| rows <= FEW_ROWS);
        let fetch = fetch_limits(self.limits.fetch, is_small, dealt.len());
        let max_line_bytes = self.limits.unpack.max_line_bytes;
        let work = Arc::new(Work {
            aws: self.aws.clone(),
            limits: Limits { fetch, ..self.limits },
            pool: Pool::new(self.limits.threads)?,
            buffers: BufferPool::new(self.limits.unpack.whole_bytes * dealt.len()),
            decoding: DecodeOptions { max_line_bytes, columns, ..DecodeOptions::default() },
            decoders: Mutex::default(),
            jobs_ahead: if is_small { 1 } else { self.limits.threads / dealt.len().max(1) + 1 },
            is_small,
        });
        let part = |pieces: Vec<Piece>| {
            let (work, rejected) = (Arc::clone(&work), Arc::clone(&self.rejected));
            ScanPart { work, pieces: pieces.into(), limit, rejected }
        };
        Ok(dealt.into_iter().map(part).collect())
    }

    /// What lies beside the pieces and is not read.
    #[must_use]
    pub fn skipped(&self) -> &[Skipped] {
        &self.skipped
    }

    /// The lines that were left out so far.
    #[must_use]
    pub fn rejected(&self) -> Rejected {
        lock(&self.rejected).clone()
    }
}

/// Some of the pieces of a scan, to be read in order.
#[derive(Debug)]
pub struct ScanPart {
    work: Arc<Work>,
    pieces: Arc<[Piece]>,
    limit: Option<usize>,
    rejected: Arc<Mutex<Rejected>>,
}

impl ScanPart {
    /// Its rows, from the first; they can be read again and again. Nothing is fetched before they are asked for.
    #[must_use]
    pub fn rows(&self) -> PieceRows {
        let (work, rejected) = (Arc::clone(&self.work), Arc::clone(&self.rejected));
        PieceRows::new(work, Arc::clone(&self.pieces), self.limit, rejected)
    }
}

/// What the parts of a scan share.
#[derive(Debug)]
struct Work {
    aws: Option<Aws>,
    limits: Limits,
    pool: Pool,
    buffers: BufferPool,
    decoding: DecodeOptions,
    /// Those that no job is using; their dictionaries outlive a block.
    decoders: Mutex<Vec<BlockDecoder>>,
    /// How many blocks of a part may wait, be decoded, or be ready and not taken.
    jobs_ahead: usize,
    /// Whether the first rows of the first piece are likely to do, so that no piece is fetched before its turn.
    is_small: bool,
}

/// Pieces in at most `parts` parts of about the same number of bytes, each in order; no part is empty.
fn deal(pieces: &[Piece], parts: usize) -> Vec<Vec<Piece>> {
    let mut dealt: Vec<(u64, Vec<Piece>)> = vec![(0, Vec::new()); parts.min(pieces.len()).max(1)];
    for piece in pieces {
        if let Some((bytes, part)) = dealt.iter_mut().min_by_key(|(bytes, part)| (*bytes, part.len())) {
            *bytes += piece.size;
            part.push(piece.clone());
        }
    }
    dealt.into_iter().map(|(_, part)| part).filter(|part| !part.is_empty()).collect()
}

/// The bounds of fetching for one of `parts` parts.
fn fetch_limits(whole: FetchLimits, is_small: bool, parts: usize) -> FetchLimits {
    let window_bytes = whole.window_bytes / parts.max(1);
    let chunk_bytes = whole.chunk_bytes.min(window_bytes / 2);
    if is_small {
        let chunk_bytes = chunk_bytes.min(FEW_ROWS_CHUNK_BYTES);
        let window_bytes = chunk_bytes * 2;
        return FetchLimits {
            window_bytes,
            max_requests: 1,
            whole_piece_bytes: chunk_bytes as u64,
            chunk_bytes,
        };
    }
    FetchLimits {
        window_bytes,
        max_requests: whole.max_requests.div_ceil(parts.max(1)),
        whole_piece_bytes: whole.whole_piece_bytes.min(window_bytes as u64),
        chunk_bytes,
    }
}

/// Locks, also after a panic elsewhere: what these locks guard is whole at any moment.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
