//! `run.json`: what a run read and wrote, and whether it adds up. It holds counts, names and hashes, no values.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::{LakeError, SnapshotId, disk};

/// The manifest of one run. Members a later version adds are passed over on reading.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunManifest {
    /// The program and its version, as `pinlake 0.1.0`.
    pub tool: String,
    /// What the logs of the run call it. Runs before there was such a name have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_id: Option<String>,
    /// What became of columns and entries of maps that were not kept as they came: `drop`, `mask` or `hash`, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub redaction: BTreeMap<String, String>,
    /// What was read: the S3 prefix, folder or file, as it was named.
    pub source: String,
    /// The export job as Pinpoint told of it, if one is known.
    pub job: Option<serde_json::Value>,
    /// The snapshot the run made. Publishing sets it.
    pub snapshot: SnapshotId,
    /// Every piece that was read, in the order of their names.
    pub pieces: Vec<PieceRecord>,
    /// Every data file. Publishing sets them.
    pub files: Vec<FileRecord>,
    /// What lay beside the pieces and was not read.
    #[serde(default)]
    pub skipped: Vec<SkippedRecord>,
    /// Sums over all pieces.
    pub totals: Totals,
    /// Members and values that did not fit the table.
    #[serde(default)]
    pub drift: Drift,
    /// The checks that were made, held or not.
    pub reconciliation: Vec<Check>,
    /// How long the run took.
    pub timings: Timings,
}

/// One piece of an export.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PieceRecord {
    /// Its key, or its path relative to the folder.
    pub piece: String,
    /// Its length as stored, in bytes.
    pub size: u64,
    /// Its `ETag`, if it came from S3.
    pub etag: Option<String>,
    /// SHA-256 of its bytes as stored, in lower-case hex.
    pub sha256: String,
    /// Lines in it, decompressed: rows, rejects and blank ones.
    pub lines: u64,
    /// Lines that became rows.
    pub rows: u64,
    /// Lines that were rejected.
    pub rejects: u64,
    /// Lines that are neither: those with nothing in them; of CSV also the header's, and further lines of a record.
    pub blank: u64,
}

/// One data file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileRecord {
    /// Where it lies, relative to the lake, with `/` between the parts.
    pub path: String,
    /// Its rows.
    pub rows: u64,
    /// Its length in bytes.
    pub bytes: u64,
    /// SHA-256 of its bytes, in lower-case hex.
    pub sha256: String,
}

/// One object or file that was not read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SkippedRecord {
    /// Its key, or its path relative to the folder.
    pub name: String,
    /// Why not.
    pub reason: String,
}

/// Sums over all pieces.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Totals {
    /// Lines: rows, rejects and blank ones.
    pub lines: u64,
    /// Lines that became rows.
    pub rows: u64,
    /// Lines that were rejected.
    pub rejects: u64,
    /// Lines that are neither.
    pub blank: u64,
    /// Rows whose id an earlier row has.
    pub duplicate_ids: u64,
}

/// Where the data left the table's columns. Paths have dots between members, as `Location.Altitude`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Drift {
    /// Members no column stands for, by path.
    #[serde(default)]
    pub members: BTreeMap<String, DriftRecord>,
    /// Values that did not fit their column, by the column's path.
    #[serde(default)]
    pub values: BTreeMap<String, DriftRecord>,
    /// Values of further members and columns: only the first thousand names are counted each by itself.
    #[serde(default)]
    pub unnamed: u64,
}

/// How often something was met, and where first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DriftRecord {
    /// How often.
    pub count: u64,
    /// The first in the order of pieces and lines.
    pub first: Place,
}

/// A line of an export.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Place {
    /// The piece's key or relative path.
    pub piece: String,
    /// The line, from 1.
    pub line: u64,
}

/// One reconciliation of counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// What must equal what, as `rows + rejects = TotalProcessed`.
    pub check: String,
    /// The figure that was to come out.
    pub expected: u64,
    /// The figure that came out.
    pub actual: u64,
    /// Whether they agree.
    pub ok: bool,
}

impl Check {
    /// A check that holds if the two figures are the same.
    #[must_use]
    pub fn new(check: impl Into<String>, expected: u64, actual: u64) -> Self {
        Self { check: check.into(), expected, actual, ok: expected == actual }
    }
}

/// How long the run took.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Timings {
    /// When it began.
    pub started_at: DateTime<Utc>,
    /// When it was about to publish.
    pub finished_at: DateTime<Utc>,
    /// Seconds by stage; stages overlap, so they do not add up to the run.
    #[serde(default)]
    pub seconds: BTreeMap<String, f64>,
}

impl RunManifest {
    /// Reads a `run.json`.
    ///
    /// # Errors
    /// `DamagedRecord` if it is missing, unreadable or no manifest.
    pub fn read(path: &Path) -> Result<Self, LakeError> {
        read_record(path)
    }

    /// Writes it whole or not at all.
    pub(crate) fn write(&self, path: &Path) -> Result<(), LakeError> {
        write_record(path, self)
    }

    /// Whether all checks held.
    #[must_use]
    pub fn is_reconciled(&self) -> bool {
        self.reconciliation.iter().all(|check| check.ok)
    }
}

/// The longest record that is read: the manifest of a million pieces has some 300 MB.
const MAX_RECORD_BYTES: u64 = 1 << 30;

/// Reads a JSON file of our own making.
pub(crate) fn read_record<T: serde::de::DeserializeOwned>(path: &Path) -> Result<T, LakeError> {
    let damaged = |source: Box<dyn std::error::Error + Send + Sync>| LakeError::DamagedRecord {
        path: path.to_owned(),
        source,
    };
    let found = std::fs::symlink_metadata(path).map_err(|error| damaged(error.into()))?;
    // A link could lead out of the lake, and a pipe is never read to its end.
    if !found.is_file() || found.len() > MAX_RECORD_BYTES {
        return Err(damaged(format!("it is no file of at most {MAX_RECORD_BYTES} bytes").into()));
    }
    let file = File::open(path).map_err(|error| damaged(error.into()))?;
    serde_json::from_reader(BufReader::new(file)).map_err(|error| damaged(error.into()))
}

/// Writes a JSON file that [`read_record`] reads: whole, synced, readable to people.
pub(crate) fn write_record<T: Serialize>(path: &Path, record: &T) -> Result<(), LakeError> {
    disk::write_whole(path, |out| {
        serde_json::to_writer_pretty(&mut *out, record)?;
        out.write_all(b"\n")
    })
}
