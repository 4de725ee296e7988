//! What the commits say about publications, read from the log's files themselves.
//!
//! deltalake has a history too, but finds nothing where the lake's path has a space or a percent sign in it, and
//! whether a commit is there decides between going on and going back.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::Path;

use chrono::{DateTime, Utc};
use serde::Deserialize;
use uuid::Uuid;

use super::damaged;
use crate::disk::{self, At as _};
use crate::layout::Layout;
use crate::{LakeError, SnapshotId};

/// One publication that the log tells of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PublicationRecord {
    /// The snapshot it was of.
    pub(crate) snapshot: SnapshotId,
    /// What tells it from all others.
    pub(crate) uuid: Option<Uuid>,
    /// Its data files. `None` if the commit did not count any: it took the snapshot away.
    pub(crate) files: Option<u64>,
    /// When the commit was made.
    pub(crate) at: Option<DateTime<Utc>>,
    /// The data files it removed, as paths below the table: those that it replaced or took away.
    pub(crate) removed: Vec<String>,
}

impl PublicationRecord {
    /// Whether it took its snapshot out of the lake.
    pub(crate) fn is_drop(&self) -> bool {
        self.files.is_none()
    }
}

/// One line of a commit; other actions have no members of these names.
#[derive(Deserialize)]
struct Line {
    #[serde(rename = "commitInfo")]
    commit_info: Option<CommitInfo>,
    remove: Option<Removed>,
}

/// A data file that a commit took out of the table.
#[derive(Deserialize)]
struct Removed {
    path: String,
}

/// The members of a commit's information that this crate writes, and the time.
#[derive(Deserialize)]
struct CommitInfo {
    timestamp: Option<i64>,
    #[serde(rename = "pinlakeSnapshot")]
    snapshot: Option<SnapshotId>,
    #[serde(rename = "pinlakePublication")]
    publication: Option<Uuid>,
    #[serde(rename = "pinlakeFiles")]
    files: Option<u64>,
}

/// All publications in the order of their commits.
pub(crate) fn publications(layout: &Layout) -> Result<Vec<PublicationRecord>, LakeError> {
    let folder = layout.log();
    let mut records = Vec::new();
    // Twenty digits each, so the order of the names is that of the versions.
    for name in disk::names_in(&folder)?.iter().filter(|name| version(name).is_some()) {
        records.extend(publication(layout, &folder.join(name))?);
    }
    Ok(records)
}

/// The versions between the first and the last commit that are not there. Nothing of pinlake takes one away, and without
/// one the log says something else.
pub(crate) fn missing_versions(layout: &Layout) -> Result<Vec<u64>, LakeError> {
    let versions: Vec<u64> = disk::names_in(&layout.log())?.iter().filter_map(|name| version(name)).collect();
    let pairs = versions.iter().zip(versions.iter().skip(1));
    Ok(pairs.flat_map(|(before, after)| before + 1..*after).take(MAX_MISSING).collect())
}

/// How many missing versions are told at most: a log with one commit of a huge number lacks no end of them.
const MAX_MISSING: usize = 100;

/// The version that a file of the log is the commit of.
fn version(name: &str) -> Option<u64> {
    let digits = name.strip_suffix(".json")?;
    (digits.len() == 20 && digits.bytes().all(|b| b.is_ascii_digit())).then(|| digits.parse().ok())?
}

/// What one commit says of the publication it is; none where it is another program's.
fn publication(layout: &Layout, path: &Path) -> Result<Option<PublicationRecord>, LakeError> {
    let file = File::open(path).at("open", path)?;
    let mut found = None;
    let mut removed = Vec::new();
    for line in BufReader::new(file).lines() {
        let line = line.map_err(|source| damaged(layout, source))?;
        if line.trim().is_empty() {
            continue;
        }
        let line: Line = serde_json::from_str(&line).map_err(|source| damaged(layout, source))?;
        removed.extend(line.remove.map(|file| file.path));
        found = found.or(line.commit_info);
    }
    let Some(CommitInfo { timestamp, snapshot: Some(snapshot), publication, files }) = found else {
        return Ok(None);
    };
    let at = timestamp.and_then(DateTime::from_timestamp_millis);
    Ok(Some(PublicationRecord { snapshot, uuid: publication, files, at, removed }))
}
