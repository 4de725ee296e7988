//! The two ends of the line: how a staging is begun or taken up again, and how it is closed, judged and published.

use std::sync::Arc;
use std::time::SystemTime;

use chrono::Utc;
use pinlake_lake::{Lake, LakeError, PieceRecord, Published, RunManifest, StageOptions, Staging};
use pinlake_source::Location;

use crate::error::IngestError;
use crate::outcome::{Tally, manifest};
use crate::plan::{Plan, free_id};
use crate::work::Work;

/// Begins the staging of a plan, or goes on with that of an interrupted run of the same work. Where the clock names the snapshot and
/// another run has the name by now, the plan gets the next one.
pub(crate) async fn stage(lake: &mut Lake, plan: &mut Plan) -> Result<Staging, IngestError> {
    loop {
        let options = StageOptions { replace: plan.request.replace, identity: plan.identity.clone() };
        match lake.stage(plan.snapshot.clone(), options).await {
            Ok(staging) => {
                let is_of_others = match staging.earlier_publication() {
                    Some(published) => !has_pieces_of(published, plan)?,
                    None => false,
                };
                if !is_of_others {
                    return Ok(staging);
                }
                // What that run published is told of nobody any more; dropping the staging forgets it.
                drop(staging);
            }
            Err(LakeError::Busy { .. } | LakeError::SnapshotExists { .. }) if plan.is_named_by_clock => {
                lake.refresh().await?;
                plan.snapshot = free_id(lake, Utc::now())?;
            }
            Err(error) => return Err(error.into()),
        }
    }
}

/// Whether a snapshot was made of the very pieces of the plan.
fn has_pieces_of(published: &Published, plan: &Plan) -> Result<bool, LakeError> {
    let manifest = RunManifest::read(&published.run_folder.join("run.json"))?;
    let finished_at: SystemTime = manifest.timings.finished_at.into();
    let is_same = |(record, piece): (&PieceRecord, &pinlake_source::Piece)| {
        let is_older = match &piece.location {
            Location::S3 { .. } => true,
            Location::File(path) => std::fs::metadata(path)
                .and_then(|file| file.modified())
                .is_ok_and(|changed| changed < finished_at),
        };
        is_older && record.piece == piece.name && record.size == piece.size && record.etag == piece.etag
    };
    let is_as_long = manifest.pieces.len() == plan.pieces.len();
    Ok(is_as_long && manifest.pieces.iter().zip(plan.pieces.iter()).all(is_same))
}

/// Closes what the workers filled, on the pool.
pub(crate) async fn finish_reading(pieces: Vec<PieceRecord>, work: &Arc<Work>) -> Result<Tally, IngestError> {
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

/// Judges the counts, and publishes if they hold. The staging is to be held until whoever asked has been told.
pub(crate) async fn publish(
    plan: &Plan,
    work: &Work,
    mut tally: Tally,
) -> Result<(Staging, Published, RunManifest), IngestError> {
    let (mut staging, files) = work.lanes.finish().ok_or(IngestError::Stopped)?;
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
    for check in &manifest.reconciliation {
        tracing::debug!(check = check.check, expected = check.expected, actual = check.actual, "counted");
    }
    if !manifest.is_reconciled() {
        // The same work would end the same.
        staging.discard();
        return Err(IngestError::Mismatch { checks: manifest.reconciliation });
    }
    let published = staging.publish(files, manifest).await?;
    let manifest = RunManifest::read(&published.run_folder.join("run.json"))?;
    Ok((staging, published, manifest))
}
