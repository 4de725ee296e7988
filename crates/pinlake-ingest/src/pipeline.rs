//! The line itself: from a plan to a published snapshot, on one page.
//!
//! - GETs run as tasks of their own within the fetch window; a piece's chunks come in order, with their permits.
//! - Each open piece is a task that hands one chunk at a time to the pool and waits for it, so what unpacks a piece is never
//!   in two places; meanwhile its next chunk is fetched.
//! - The pool unpacks, decodes and writes. A job never waits, neither for bytes nor for another job, but
//!   for its turn with a long line.
//! - Nothing is visible before the commit. Leaving this page early, by an error or by dropping its future, stops the jobs and
//!   leaves staged files that the staging takes away.

use std::sync::Arc;
use std::time::Instant;

use pinlake_decode::unpack::{UnpackTotals, Unpacker};
use pinlake_decode::{UnpackError, endpoint_schema};
use pinlake_lake::{Lake, PieceRecord};
use pinlake_source::{Fetch, Piece, PieceBody, SourceError, fetch};
use tokio::task::JoinSet;

use crate::checkpoint::{Ledger, Resumed};
use crate::closing::{finish_reading, publish, stage};
use crate::error::IngestError;
use crate::outcome::Outcome;
use crate::plan::Plan;
use crate::progress::Progress;
use crate::space;
use crate::stop::Stop;
use crate::work::{OpenPiece, Work};

/// Carries out `plan`: every piece is read, and either one new snapshot is in the lake or nothing has changed there. What an
/// interrupted run of the same work has done for good is not done again. Asked to `stop`, it ends the pieces at hand, notes them
/// and says so.
pub async fn convert(mut plan: Plan, progress: Arc<Progress>, stop: Stop) -> Result<Outcome, IngestError> {
    let clock = Instant::now();
    space::check_whole(&plan)?;
    progress.plan(plan.pieces.len() as u64, plan.total_bytes());
    let begin = |plan: &Plan, pieces| fetch(plan.request.aws.clone(), pieces, plan.request.limits.fetch);
    // The first pieces come while the lake is opened, as far as the window allows.
    let early = (!plan.is_resumed).then(|| begin(&plan, Arc::clone(&plan.pieces)));
    let mut lake = Lake::open_or_create(&plan.request.lake, endpoint_schema()).await?;
    let mut staging = stage(&mut lake, &mut plan).await?;
    if let Some(published) = staging.earlier_publication().cloned() {
        return Outcome::found(&plan, published, staging);
    }
    let mut resumed = Resumed::take_up(&plan, &mut staging)?;
    let mut ledger = Ledger::new(std::mem::take(&mut resumed.records), plan.request.checkpoint_bytes);
    let resumed_pieces = ledger.done();
    let left = ledger.left(plan.pieces.len());
    space::check_left(&plan, &left)?;
    let fetch = match early {
        Some(early) if resumed_pieces == 0 => early,
        _ => begin(&plan, left.iter().map(|index| plan.pieces[*index].clone()).collect::<Arc<[Piece]>>()),
    };
    progress.resumed(resumed_pieces as u64, ledger.bytes());
    let plan = Arc::new(plan);
    let work = Arc::new(Work::new(&plan, staging, resumed, progress)?);
    let drop_guard = StopOnDrop(Arc::clone(&work));

    let read = Reading { plan: &plan, left: &left, work: &work }.read(fetch, &mut ledger, &stop).await;
    if read.is_err() {
        work.stop();
    }
    work.pool.idle().await;
    if let Some(error) = work.take_failure() {
        return Err(error);
    }
    read?;
    let mut tally = finish_reading(ledger.into_records(), &work).await?;
    tally.convert_seconds = clock.elapsed().as_secs_f64();
    let (staging, published, manifest) = publish(&plan, &work, tally).await?;
    drop(drop_guard);
    let seconds = plan.list_seconds + clock.elapsed().as_secs_f64();
    let stored_bytes = plan.total_bytes();
    Ok(Outcome { published, manifest, stored_bytes, seconds, resumed_pieces, is_found: false, staging })
}

/// What reading needs to look at.
struct Reading<'a> {
    plan: &'a Arc<Plan>,
    /// The indices in the plan of what is fetched.
    left: &'a [usize],
    work: &'a Arc<Work>,
}

impl Reading<'_> {
    /// Reads every piece that is left, and makes a checkpoint now and then. When pieces stop coming, whether because somebody asked
    /// for it or because the network failed, those at hand are brought to an end and noted first.
    async fn read(&self, mut fetch: Fetch, ledger: &mut Ledger, stop: &Stop) -> Result<(), IngestError> {
        let limits = self.plan.request.limits;
        let mut open = JoinSet::new();
        // Where no more are wanted the fetch is kept all the same: pieces at hand still get their bytes from it.
        let mut more = true;
        let mut ending: Result<(), SourceError> = Ok(());
        while more || !open.is_empty() {
            let is_due = ledger.is_due();
            if is_due && open.is_empty() {
                self.save(ledger).await?;
                continue;
            }
            tokio::select! {
                body = fetch.next(), if more && !is_due && open.len() < limits.open_pieces => match body {
                    Some(Ok(body)) => {
                        let name = &body.piece().name;
                        let unpacker = Unpacker::for_piece(name, limits.unpack, &self.work.buffers);
                        let index = self.left[body.index];
                        open.spawn(read_piece(Arc::clone(self.work), index, body, unpacker));
                    }
                    Some(Err(error)) => (more, ending) = (false, Err(error)),
                    None => more = false,
                },
                Some(done) = open.join_next() => match done {
                    Ok(done) => done.map(|(index, record)| ledger.add(index, record))?,
                    Err(_) => return Err(IngestError::Panicked),
                },
                () = ledger.idle(), if open.is_empty() => self.save(ledger).await?,
                () = stop.requested(), if more => more = false,
            }
        }
        let pieces = self.plan.pieces.len();
        if ledger.done() < pieces || ledger.is_due() {
            self.save(ledger).await?;
        }
        ending?;
        if ledger.done() < pieces {
            let folder = self.work.lanes.staging_folder();
            return Err(IngestError::Interrupted { done: ledger.done(), pieces, folder });
        }
        Ok(())
    }

    /// Makes a checkpoint. No piece is open.
    async fn save(&self, ledger: &mut Ledger) -> Result<(), IngestError> {
        let unsaved = ledger.take_unsaved();
        if unsaved.is_empty() {
            return Ok(());
        }
        let (work, plan) = (Arc::clone(self.work), Arc::clone(self.plan));
        self.work.pool.run(move || work.save(&plan, unsaved)).await??;
        ledger.saved();
        tracing::info!(done = ledger.done(), pieces = self.plan.pieces.len(), "noted what is done for good");
        Ok(())
    }
}

/// Reads one piece, the one of that index in the plan, to its end.
async fn read_piece(
    work: Arc<Work>,
    index: usize,
    mut body: PieceBody,
    mut unpacker: Unpacker,
) -> Result<(usize, PieceRecord), IngestError> {
    let piece = Arc::new(OpenPiece::new(index, &body.piece().name));
    let damaged = |source: UnpackError| IngestError::Unpack { piece: piece.name.clone(), source };
    let is_whole = body.is_whole;
    tracing::debug!(piece = ?piece.name, bytes = body.piece().size, "piece begun");
    while let Some(chunk) = body.next_chunk().await {
        let chunk = chunk?;
        let chunk_bytes = chunk.bytes.len() as u64;
        let (job_work, job_piece) = (Arc::clone(&work), Arc::clone(&piece));
        let job = move || {
            let mut sink = |block| job_work.take_block(&job_piece, block);
            let fed = if is_whole {
                unpacker.feed_whole(&chunk.bytes, &mut sink)
            } else {
                unpacker.feed(&chunk.bytes, &mut sink)
            };
            (unpacker, fed)
        };
        let fed;
        (unpacker, fed) = work.pool.run(job).await?;
        fed.map_err(damaged)?;
        work.progress.unpacked(chunk_bytes);
        if work.is_stopped() {
            return Err(IngestError::Stopped);
        }
    }
    let (job_work, job_piece) = (Arc::clone(&work), Arc::clone(&piece));
    let finish = move || unpacker.finish(&mut |block| job_work.take_block(&job_piece, block));
    let totals: UnpackTotals = work.pool.run(finish).await?.map_err(damaged)?;
    piece.all_settled(totals.blocks).await;
    work.progress.piece_done();
    let facts = body.facts().ok_or(IngestError::Stopped)?;
    let record = piece.finish(body.piece(), facts, totals)?;
    let PieceRecord { lines, rows, rejects, blank, .. } = record;
    tracing::debug!(piece = ?piece.name, lines, rows, rejects, blank, "piece read");
    Ok((piece.index, record))
}

/// Stops the jobs and lets go of the staging when the line is left before its end, whether by an error or because
/// nobody waits any more. Tasks that are being aborted may hold on to the work for a moment longer than the program lives,
/// so it is not left to the last of them.
struct StopOnDrop(Arc<Work>);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.stop();
        drop(self.0.lanes.finish());
    }
}
