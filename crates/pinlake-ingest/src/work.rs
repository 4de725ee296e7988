//! The work in hand: what the workers of one conversion share, and the pieces that are open.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use pinlake_decode::unpack::{BufferPool, UnpackTotals};
use pinlake_decode::{Block, DecodeOptions, DecodedBlock, Drift};
use pinlake_lake::{PieceRecord, Staging, WriterOptions};
use pinlake_source::{Piece, PieceFacts};
use tokio::sync::Notify;

use crate::checkpoint::{Notes, Resumed};
use crate::duplicates::DuplicateIds;
use crate::error::IngestError;
use crate::lanes::{Lanes, is_long};
use crate::plan::Plan;
use crate::pool::Pool;
use crate::progress::Progress;
use crate::redact::Rules;
use crate::rejects::{PieceRejects, Rejects};
use crate::scratch::Scratch;

/// Shared by all jobs of a conversion.
pub(crate) struct Work {
    pub(crate) pool: Pool,
    pub(crate) lanes: Lanes,
    pub(crate) rejects: Rejects,
    pub(crate) duplicates: DuplicateIds,
    pub(crate) progress: Arc<Progress>,
    pub(crate) buffers: BufferPool,
    drift: Mutex<DriftSoFar>,
    /// Held while a long line is decoded and written, which takes several times its length: by one worker at a time. Whoever holds it
    /// waits for nothing and runs no other job.
    long_line: Mutex<()>,
    /// What failed first; jobs that come after it do nothing.
    failure: Mutex<Option<IngestError>>,
    stopped: AtomicBool,
}

impl Work {
    /// The work of a plan, as far as it is not done already.
    pub(crate) fn new(
        plan: &Plan,
        staging: Staging,
        resumed: Resumed,
        progress: Arc<Progress>,
    ) -> Result<Self, IngestError> {
        let limits = plan.request.limits;
        let scratch = Scratch::new(staging.scratch());
        let rejects = Rejects::new(
            staging.rejects(),
            scratch.clone(),
            resumed.rejects,
            plan.request.keeps_raw_rejects(),
        );
        let max_line_bytes = limits.unpack.max_line_bytes;
        let writing =
            WriterOptions { row_group_bytes: limits.row_group_bytes, ..plan.request.writer.clone() };
        let decoding = DecodeOptions { max_line_bytes, ..DecodeOptions::default() };
        let drift = DriftSoFar { saved: resumed.drift, since: Drift::default() };
        Ok(Self {
            pool: Pool::new(limits.threads)?,
            lanes: Lanes::new(
                staging,
                decoding,
                writing,
                limits.data_file_bytes,
                Rules::new(&plan.request.redaction),
            ),
            rejects,
            duplicates: DuplicateIds::new(scratch, limits.id_hashes, resumed.id_runs),
            progress,
            buffers: BufferPool::new(limits.unpack.whole_bytes * limits.threads),
            drift: Mutex::new(drift),
            long_line: Mutex::default(),
            failure: Mutex::default(),
            stopped: AtomicBool::new(false),
        })
    }

    /// Makes a checkpoint of pieces that are done, while none is open. To be called on the pool.
    pub(crate) fn save(&self, plan: &Plan, pieces: Vec<(usize, PieceRecord)>) -> Result<(), IngestError> {
        let (closed, id_runs) = rayon::join(|| self.lanes.close(), || self.duplicates.save());
        closed?;
        let id_runs = id_runs?;
        let with_rejects = |(index, record)| Ok((index, record, self.rejects.save(index)?));
        let pieces = pieces.into_iter().map(with_rejects).collect::<Result<_, IngestError>>()?;
        let since = std::mem::take(&mut lock(&self.drift).since);
        let notes = Notes::new(plan, pieces, &since, id_runs);
        lock(&self.drift).saved.merge(since);
        let Some(notes) = notes else {
            self.lanes.pass_over();
            return Ok(());
        };
        let notes = serde_json::to_value(notes).map_err(|error| IngestError::Notes { source: error })?;
        Ok(self.lanes.checkpoint(notes)?)
    }

    /// Whether something failed, so that further work is in vain.
    pub(crate) fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Acquire)
    }

    /// Makes every job that has not begun do nothing.
    pub(crate) fn stop(&self) {
        self.stopped.store(true, Ordering::Release);
    }

    fn fail(&self, error: IngestError) {
        lock(&self.failure).get_or_insert(error);
        self.stop();
    }

    /// What failed first in a job whose result nobody waited for.
    pub(crate) fn take_failure(&self) -> Option<IngestError> {
        lock(&self.failure).take()
    }

    pub(crate) fn take_drift(&self) -> Drift {
        let mut drift = lock(&self.drift);
        let since = std::mem::take(&mut drift.since);
        drift.saved.merge(since);
        std::mem::take(&mut drift.saved)
    }

    /// Sees to it that a block is decoded and written: by another worker if one has nothing to do, else here and now. Long lines
    /// do not wait for workers, so that none but the one in hand takes memory.
    pub(crate) fn take_block(self: &Arc<Self>, piece: &Arc<OpenPiece>, block: Block) {
        if self.pool.has_room() && !is_long(&block) {
            let (work, piece) = (Arc::clone(self), Arc::clone(piece));
            self.pool.spawn(move || work.settle_block(&piece, &block));
        } else {
            self.settle_block(piece, &block);
        }
    }

    /// Decodes and writes a block unless work has stopped, and counts it as settled in any case.
    fn settle_block(&self, piece: &OpenPiece, block: &Block) {
        if !self.is_stopped() {
            match catch_unwind(AssertUnwindSafe(|| self.convert_block(piece, block))) {
                Ok(Ok(())) => {}
                Ok(Err(error)) => self.fail(error),
                Err(_) => self.fail(IngestError::Panicked),
            }
        }
        piece.block_settled();
    }

    fn convert_block(&self, piece: &OpenPiece, block: &Block) -> Result<(), IngestError> {
        let outcome = {
            let _alone = is_long(block).then(|| lock(&self.long_line));
            self.lanes.convert((&piece.name, piece.index), block)?
        };
        self.progress.decoded(outcome.rows(), outcome.rejects.len() as u64);
        self.duplicates.add(&outcome.id_hashes)?;
        if !outcome.drift.is_empty() {
            lock(&self.drift).since.merge(outcome.drift.clone());
        }
        piece.add(self, outcome)
    }
}

/// The drift of all pieces so far, told apart by whether a checkpoint has it.
struct DriftSoFar {
    saved: Drift,
    since: Drift,
}

/// A piece while it is read.
#[derive(Debug)]
pub(crate) struct OpenPiece {
    pub(crate) index: usize,
    pub(crate) name: String,
    counts: Mutex<Counts>,
    settled: Notify,
}

#[derive(Debug, Default)]
struct Counts {
    rows: u64,
    rejects: u64,
    blank: u64,
    settled_blocks: u64,
    reject_lines: PieceRejects,
}

impl OpenPiece {
    pub(crate) fn new(index: usize, name: &str) -> Self {
        Self { index, name: name.to_owned(), counts: Mutex::default(), settled: Notify::new() }
    }

    fn add(&self, work: &Work, decoded: DecodedBlock) -> Result<(), IngestError> {
        let mut counts = lock(&self.counts);
        counts.rows += decoded.rows();
        counts.rejects += decoded.rejects.len() as u64;
        counts.blank += decoded.blank;
        let place = (self.index, self.name.as_str());
        counts.reject_lines.add(&work.rejects, place, decoded.index, decoded.rejects)
    }

    fn block_settled(&self) {
        lock(&self.counts).settled_blocks += 1;
        self.settled.notify_waiters();
    }

    /// Waits until as many blocks are settled as the piece has.
    pub(crate) async fn all_settled(&self, blocks: u64) {
        loop {
            let settled = self.settled.notified();
            if lock(&self.counts).settled_blocks >= blocks {
                return;
            }
            settled.await;
        }
    }

    /// The record of a piece whose blocks are all settled.
    pub(crate) fn finish(
        &self,
        piece: &Piece,
        facts: &PieceFacts,
        totals: UnpackTotals,
    ) -> Result<PieceRecord, IngestError> {
        let mut counts = lock(&self.counts);
        counts.reject_lines.finish()?;
        Ok(PieceRecord {
            piece: self.name.clone(),
            size: facts.bytes,
            etag: piece.etag.clone(),
            sha256: facts.sha256.clone(),
            lines: totals.lines,
            rows: counts.rows,
            rejects: counts.rejects,
            blank: counts.blank,
        })
    }
}

/// Locks, also after a panic elsewhere: what these locks guard is only read then to be thrown away.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
