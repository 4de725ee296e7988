//! The line itself: from a plan to a published snapshot, on one page.
//!
//! - GETs run as tasks of their own within the fetch window; a piece's chunks come in order, with their permits.
//! - Each open piece is a task that hands one chunk at a time to the pool and waits for it, so what unpacks a piece is never
//!   in two places; meanwhile its next chunk is fetched.
//! - The pool unpacks, decodes and writes. A job never waits, neither for bytes nor for another job.
//! - Nothing is visible before the commit. Leaving this page early, by an error or by dropping its future, stops the jobs and
//!   leaves staged files that the staging takes away.

use std::sync::Arc;
use std::time::Instant;

use pinlake_decode::unpack::{UnpackTotals, Unpacker};
use pinlake_decode::{PieceFormat, UnpackError, endpoint_schema};
use pinlake_lake::{Lake, PieceRecord, Published, RunManifest, StageOptions};
use pinlake_source::{Fetch, PieceBody, fetch};
use tokio::task::JoinSet;

use crate::error::IngestError;
use crate::outcome::{Outcome, Tally, manifest};
use crate::plan::Plan;
use crate::progress::Progress;
use crate::space;
use crate::work::{OpenPiece, Work};

/// Carries out `plan`: every piece is read, and either one new snapshot is in the lake or nothing has changed there.
pub async fn convert(plan: Plan, progress: Arc<Progress>) -> Result<Outcome, IngestError> {
    let clock = Instant::now();
    space::check(&plan.request.lake, &plan.pieces)?;
    progress.plan(plan.pieces.len() as u64, plan.total_bytes());
    // The first pieces come while the lake is opened, as far as the window allows.
    let fetch = fetch(plan.request.aws.clone(), Arc::clone(&plan.pieces), plan.request.limits.fetch);
    let lake = Lake::open_or_create(&plan.request.lake, endpoint_schema()).await?;
    let staging = lake.stage(plan.snapshot.clone(), StageOptions { replace: plan.request.replace }).await?;
    let work = Arc::new(Work::new(&plan, staging, progress)?);
    let stop = StopOnDrop(Arc::clone(&work));

    let pieces = read_pieces(&plan, fetch, &work).await;
    if pieces.is_err() {
        work.stop();
    }
    work.pool.idle().await;
    if let Some(error) = work.take_failure() {
        return Err(error);
    }
    let mut tally = finish_reading(pieces?, &work).await?;
    tally.convert_seconds = clock.elapsed().as_secs_f64();
    let (published, manifest) = publish(&plan, &work, tally).await?;
    drop(stop);
    let seconds = plan.list_seconds + clock.elapsed().as_secs_f64();
    Ok(Outcome { published, manifest, stored_bytes: plan.total_bytes(), seconds })
}

/// Reads every piece of the plan; the records come back in its order.
async fn read_pieces(
    plan: &Plan,
    mut fetch: Fetch,
    work: &Arc<Work>,
) -> Result<Vec<PieceRecord>, IngestError> {
    let limits = plan.request.limits;
    let mut open = JoinSet::new();
    let mut records: Vec<(usize, PieceRecord)> = Vec::with_capacity(plan.pieces.len());
    let mut more = true;
    while more || !open.is_empty() {
        tokio::select! {
            body = fetch.next(), if more && open.len() < limits.open_pieces => match body {
                Some(body) => {
                    let body = body?;
                    let format = PieceFormat::of_name(&body.piece().name);
                    let unpacker = Unpacker::new(format, limits.unpack, &work.buffers);
                    open.spawn(read_piece(Arc::clone(work), body, unpacker));
                }
                None => more = false,
            },
            Some(done) = open.join_next() => match done {
                Ok(record) => records.push(record?),
                Err(panic) => return Err(IngestError::Panicked { message: panic.to_string() }),
            },
        }
    }
    records.sort_unstable_by_key(|(index, _)| *index);
    Ok(records.into_iter().map(|(_, record)| record).collect())
}

/// Reads one piece to its end.
async fn read_piece(
    work: Arc<Work>,
    mut body: PieceBody,
    mut unpacker: Unpacker,
) -> Result<(usize, PieceRecord), IngestError> {
    let piece = Arc::new(OpenPiece::new(body.index, &body.piece().name));
    let damaged = |source: UnpackError| IngestError::Unpack { piece: piece.name.clone(), source };
    let is_whole = body.is_whole;
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
    Ok((piece.index, piece.finish(body.piece(), facts, totals)?))
}

/// Closes what the workers filled, on the pool.
async fn finish_reading(pieces: Vec<PieceRecord>, work: &Arc<Work>) -> Result<Tally, IngestError> {
    let closing = Arc::clone(work);
    let duplicate_ids = work
        .pool
        .run(move || {
            // Closing ends in waiting for the disk; the hashes are sorted meanwhile.
            let (closed, counted) = rayon::join(|| closing.lanes.close(), || closing.duplicates.count());
            closed?;
            counted
        })
        .await??;
    let drift = work.take_drift();
    Ok(Tally { pieces, drift, duplicate_ids, written_rows: 0, convert_seconds: 0.0 })
}

/// Judges the counts, and publishes if they hold.
async fn publish(
    plan: &Plan,
    work: &Work,
    mut tally: Tally,
) -> Result<(Published, RunManifest), IngestError> {
    let (staging, files) = work.lanes.finish().ok_or(IngestError::Stopped)?;
    tally.written_rows = files.iter().map(pinlake_lake::DataFile::rows).sum();
    let totals = tally.totals();
    let first = work.rejects.join()?;
    let endpoints = totals.rows + totals.rejects;
    if let Some(first) = first
        && plan.request.max_rejects.is_exceeded(totals.rejects, endpoints)
    {
        let path = staging.keep_rejects()?;
        let (rejects, lines) = (totals.rejects, endpoints);
        return Err(IngestError::TooManyRejects { rejects, lines, first: first.to_string(), path });
    }
    let manifest = manifest(plan, tally);
    if !manifest.is_reconciled() {
        return Err(IngestError::Mismatch { checks: manifest.reconciliation });
    }
    let published = staging.publish(files, manifest).await?;
    let manifest = RunManifest::read(&published.run_folder.join("run.json"))?;
    Ok((published, manifest))
}

/// Stops the jobs and takes the staged files away when the line is left before its end, whether by an error or because
/// nobody waits any more. Tasks that are being aborted may hold on to the work for a moment longer than the program lives,
/// so it is not left to the last of them.
struct StopOnDrop(Arc<Work>);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.stop();
        drop(self.0.lanes.finish());
    }
}
