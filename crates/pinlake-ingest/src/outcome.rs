//! What a conversion came to: the manifest, and whether it adds up.

use std::collections::BTreeMap;

use chrono::Utc;
use pinlake_decode::{Drift, DriftKind};
use pinlake_lake::{
    Check, Drift as DriftSection, DriftRecord, PieceRecord, Place, Published, RunManifest, SkippedRecord,
    Staging, Timings, Totals,
};

use crate::error::IngestError;
use crate::plan::Plan;

/// A snapshot that was published.
pub struct Outcome {
    /// What the lake says of it.
    pub published: Published,
    /// What was read and written, as `run.json` holds it.
    pub manifest: RunManifest,
    /// Bytes of all pieces as stored.
    pub stored_bytes: u64,
    /// Wall time from the first listing to the commit, in seconds.
    pub seconds: f64,
    /// Pieces that an interrupted run of the same work had done; they were not read again.
    pub resumed_pieces: usize,
    /// Whether an interrupted run of the same work had published it all, so that nothing was left to do.
    pub is_found: bool,
    /// Held until whoever asked has been told, so that the same command, given again after a kill, finds the snapshot.
    pub(crate) staging: Staging,
}

impl Outcome {
    /// What an interrupted run of the same work has published.
    pub(crate) fn found(plan: &Plan, published: Published, staging: Staging) -> Result<Self, IngestError> {
        let manifest = RunManifest::read(&published.run_folder.join("run.json"))?;
        let (stored_bytes, seconds) = (plan.total_bytes(), plan.list_seconds);
        let resumed_pieces = manifest.pieces.len();
        Ok(Self { published, manifest, stored_bytes, seconds, resumed_pieces, is_found: true, staging })
    }

    /// Whoever asked for the snapshot has been told.
    pub fn told(self) {
        drop(self.staging);
    }
}

/// Counts of everything read.
#[derive(Debug)]
pub(crate) struct Tally {
    /// In the order of the plan.
    pub(crate) pieces: Vec<PieceRecord>,
    pub(crate) drift: Drift,
    pub(crate) duplicate_ids: u64,
    /// Rows that the data files hold.
    pub(crate) written_rows: u64,
    /// Wall time of fetching, decoding and writing, in seconds.
    pub(crate) convert_seconds: f64,
}

impl Tally {
    pub(crate) fn totals(&self) -> Totals {
        let mut totals = Totals { duplicate_ids: self.duplicate_ids, ..Totals::default() };
        for piece in &self.pieces {
            totals.lines += piece.lines;
            totals.rows += piece.rows;
            totals.rejects += piece.rejects;
            totals.blank += piece.blank;
        }
        totals
    }
}

/// The manifest of a finished run; publishing fills in the files.
pub(crate) fn manifest(plan: &Plan, tally: Tally) -> RunManifest {
    let totals = tally.totals();
    RunManifest {
        tool: plan.request.tool.clone(),
        run_id: plan.request.run_id.clone(),
        redaction: plan.request.redaction.modes(),
        source: plan.source.clone(),
        job: plan.request.job.as_ref().and_then(|job| serde_json::to_value(job).ok()),
        snapshot: plan.snapshot.clone(),
        files: Vec::new(),
        skipped: plan
            .skipped
            .iter()
            .map(|skipped| SkippedRecord { name: skipped.name.clone(), reason: skipped.reason.clone() })
            .collect(),
        totals,
        drift: drift_section(&tally),
        reconciliation: reconcile(plan, &tally, totals),
        timings: Timings {
            started_at: plan.started_at,
            finished_at: Utc::now(),
            seconds: BTreeMap::from([
                ("list".to_owned(), plan.list_seconds),
                ("convert".to_owned(), tally.convert_seconds),
            ]),
        },
        pieces: tally.pieces,
    }
}

/// Every check that counts allow, held or not. Lines are counted where pieces are unpacked, rows and rejects where lines
/// are decoded, written rows by the Parquet writer: three places that share no counter.
fn reconcile(plan: &Plan, tally: &Tally, totals: Totals) -> Vec<Check> {
    let adding_up =
        tally.pieces.iter().filter(|piece| piece.lines == piece.rows + piece.rejects + piece.blank).count()
            as u64;
    let mut checks = vec![
        Check::new("pieces read = pieces listed", plan.pieces.len() as u64, tally.pieces.len() as u64),
        Check::new("pieces with lines = rows + rejects + blank", tally.pieces.len() as u64, adding_up),
        Check::new("rows in data files = rows decoded", totals.rows, tally.written_rows),
    ];
    let endpoints = totals.rows + totals.rejects;
    if let Some(job) = &plan.request.job {
        if let Some(processed) = job.total_processed.and_then(|count| u64::try_from(count).ok()) {
            checks.push(Check::new("rows + rejects = TotalProcessed of the job", processed, endpoints));
        }
        if let Some(pieces) = job.total_pieces.and_then(|count| u64::try_from(count).ok()) {
            checks.push(Check::new("pieces = TotalPieces of the job", pieces, tally.pieces.len() as u64));
        }
    }
    if let Some(expected) = plan.request.expect_rows {
        checks.push(Check::new("rows + rejects = --expect-rows", expected, endpoints));
    }
    checks
}

fn drift_section(tally: &Tally) -> DriftSection {
    let mut section = DriftSection { unnamed: tally.drift.unnamed, ..DriftSection::default() };
    for (member, kind, entry) in tally.drift.entries() {
        let piece = tally.pieces.get(entry.first_piece).map_or_else(String::new, |piece| piece.piece.clone());
        let record = DriftRecord { count: entry.count, first: Place { piece, line: entry.first_line } };
        match kind {
            DriftKind::Unknown => section.members.insert(member.to_owned(), record),
            DriftKind::Converted | DriftKind::Unfit => {
                section.values.insert(format!("{member} ({})", kind.name()), record)
            }
        };
    }
    section
}
