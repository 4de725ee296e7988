//! Opening a lake for SQL: the plain facts that the report crate is handed, and those that a page tells.

use std::path::Path;

use chrono::{DateTime, Utc};
use pinlake_ingest::Limits;
use pinlake_lake::{DataFileRef, Lake, RunManifest, SnapshotId};
use pinlake_report::{
    CountFact, LakeTables, PageFacts, PieceFact, Reconciliation, RunFacts, Session, SessionOptions,
    SnapshotFact, TableFile,
};

use crate::settings::Settings;
use crate::ui;

/// A lake opened for reading.
pub(crate) struct OpenLake {
    pub(crate) lake: Lake,
    /// The snapshot that is read; none in a lake without any.
    pub(crate) snapshot: Option<SnapshotId>,
    /// What the run that made it noted, where that can be read.
    manifest: Option<RunManifest>,
    pub(crate) session: Session,
}

impl OpenLake {
    /// Opens the lake at `root` on a snapshot, the latest where none is named.
    pub(crate) async fn open(
        root: &Path,
        snapshot: Option<SnapshotId>,
        settings: &Settings,
    ) -> anyhow::Result<Self> {
        let mut lake = Lake::open(root).await?;
        let mut files = lake.data_files(None);
        let mut version = None;
        // Files of a snapshot that was replaced at this moment are gone, and the log says so by now.
        while files.is_err() && version != Some(lake.table_version()) {
            version = Some(lake.table_version());
            lake.refresh().await?;
            files = lake.data_files(None);
        }
        Self::with_files(lake, files?, snapshot, settings).await
    }

    /// Opens the lake without its data files: what the log says of snapshots can be asked, whatever became of the files.
    pub(crate) async fn open_log(root: &Path, settings: &Settings) -> anyhow::Result<Self> {
        Self::with_files(Lake::open(root).await?, Vec::new(), None, settings).await
    }

    async fn with_files(
        lake: Lake,
        files: Vec<DataFileRef>,
        snapshot: Option<SnapshotId>,
        settings: &Settings,
    ) -> anyhow::Result<Self> {
        let snapshot = match snapshot {
            Some(id) => Some(lake.snapshot(&id)?.id.clone()),
            None => lake.latest().map(|latest| latest.id.clone()),
        };
        let manifest = snapshot.as_ref().and_then(|id| lake.manifest(id).ok());
        let tables = tables(&lake, files, snapshot.as_ref(), manifest.as_ref());
        let session = Session::open(tables, session_options(settings)).await?;
        Ok(Self { lake, snapshot, manifest, session })
    }

    /// The moment that the snapshot shows, as well as it is known, and what moment that is.
    pub(crate) fn moment(&self) -> Option<(DateTime<Utc>, &'static str)> {
        let completion = self
            .manifest
            .as_ref()
            .and_then(|manifest| manifest.job.as_ref()?.get("CompletionDate")?.as_str());
        if let Some(completed) = completion.and_then(|date| DateTime::parse_from_rfc3339(date).ok()) {
            return Some((completed.with_timezone(&Utc), "the completion of the export job"));
        }
        let snapshot = self.lake.snapshot(self.snapshot.as_ref()?).ok()?;
        Some((snapshot.committed_at, "the time of the conversion"))
    }

    /// How a column, or of a map `COLUMN.ENTRY`, was redacted when the snapshot was made, if it was.
    pub(crate) fn redaction(&self, field: &str) -> Option<&str> {
        let modes = &self.manifest.as_ref()?.redaction;
        let column = field.split_once('.').map_or(field, |(column, _)| column);
        modes.get(field).or_else(|| modes.get(column)).map(String::as_str)
    }

    /// What a page says about the data it stands on.
    pub(crate) fn facts(&self) -> PageFacts {
        self.manifest.as_ref().map(facts).unwrap_or_default()
    }
}

/// How much of the machine queries may use. Rows that do not fit their memory go where temporary files go, in a folder that
/// only its owner can read.
pub(crate) fn session_options(settings: &Settings) -> SessionOptions {
    SessionOptions::within(settings.threads, settings.query_memory_bytes(), Some(std::env::temp_dir()))
}

/// The bounds of pieces that a query reads: what it would have for reading a lake.
pub(crate) fn reading_limits(settings: &Settings) -> Limits {
    let options = session_options(settings);
    Limits::of_parts(options.threads, options.reading_bytes)
}

/// What a result may take that has to be whole before it is written: half of the operators' memory.
pub(crate) fn rendering_bytes(settings: &Settings) -> Option<usize> {
    session_options(settings).memory_limit_bytes.map(|bytes| bytes / 2)
}

fn tables(
    lake: &Lake,
    files: Vec<DataFileRef>,
    selected: Option<&SnapshotId>,
    manifest: Option<&RunManifest>,
) -> LakeTables {
    let files = files
        .into_iter()
        .map(|file| TableFile {
            path: file.path,
            bytes: file.bytes,
            rows: file.rows,
            snapshot: file.snapshot.to_string(),
        })
        .collect();
    let snapshots = lake
        .snapshots()
        .iter()
        .map(|snapshot| SnapshotFact {
            snapshot: snapshot.id.to_string(),
            rows: snapshot.rows,
            files: snapshot.files,
            bytes: snapshot.bytes,
            committed_at: Some(snapshot.committed_at),
        })
        .collect();
    LakeTables {
        schema: lake.schema(),
        files,
        snapshots,
        selected: selected.map(ToString::to_string),
        run: manifest.map(run_facts).unwrap_or_default(),
    }
}

/// What SQL is told of a run.
fn run_facts(manifest: &RunManifest) -> RunFacts {
    let pieces = manifest.pieces.iter().map(|piece| PieceFact {
        piece: piece.piece.clone(),
        size: piece.size,
        etag: piece.etag.clone(),
        sha256: piece.sha256.clone(),
        lines: piece.lines,
        rows: piece.rows,
        rejects: piece.rejects,
        blank: piece.blank,
    });
    let counts = manifest.reconciliation.iter().map(|count| CountFact {
        check: count.check.clone(),
        expected: count.expected,
        actual: count.actual,
        ok: count.ok,
    });
    RunFacts { pieces: pieces.collect(), reconciliation: counts.collect() }
}

/// The facts of a run for the top of a page.
fn facts(manifest: &RunManifest) -> PageFacts {
    let totals = &manifest.totals;
    let mut lines = vec![
        ("Snapshot".to_owned(), manifest.snapshot.to_string()),
        ("Source".to_owned(), manifest.source.clone()),
    ];
    if let Some(job) = manifest.job.as_ref().and_then(|job| job.get("Id")).and_then(|id| id.as_str()) {
        lines.push(("Export job".to_owned(), job.to_owned()));
    }
    let pieces = manifest.pieces.len() as u64;
    lines.push((
        "Read".to_owned(),
        format!(
            "{} lines in {} pieces: {} rows, {} rejects, {} blank",
            ui::count(totals.lines),
            ui::count(pieces),
            ui::count(totals.rows),
            ui::count(totals.rejects),
            ui::count(totals.blank)
        ),
    ));
    lines.push(("Tool".to_owned(), manifest.tool.clone()));
    PageFacts {
        title: String::new(),
        lines,
        reconciliation: manifest
            .reconciliation
            .iter()
            .map(|check| Reconciliation {
                check: check.check.clone(),
                expected: ui::count(check.expected),
                actual: ui::count(check.actual),
                ok: check.ok,
            })
            .collect(),
    }
}
