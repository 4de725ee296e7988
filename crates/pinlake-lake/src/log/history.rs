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
}

/// One line of a commit; other actions have no member of that name.
#[derive(Deserialize)]
struct Line {
    #[serde(rename = "commitInfo")]
    commit_info: Option<CommitInfo>,
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
    for name in disk::names_in(&folder)?.iter().filter(|name| is_commit(name)) {
        let Some(info) = commit_info(layout, &folder.join(name))? else { continue };
        let Some(snapshot) = info.snapshot else { continue };
        records.push(PublicationRecord {
            snapshot,
            uuid: info.publication,
            files: info.files,
            at: info.timestamp.and_then(DateTime::from_timestamp_millis),
        });
    }
    Ok(records)
}

fn is_commit(name: &str) -> bool {
    name.strip_suffix(".json")
        .is_some_and(|stem| stem.len() == 20 && stem.bytes().all(|b| b.is_ascii_digit()))
}

fn commit_info(layout: &Layout, path: &Path) -> Result<Option<CommitInfo>, LakeError> {
    let file = File::open(path).at("open", path)?;
    for line in BufReader::new(file).lines() {
        let line = line.map_err(|source| damaged(layout, source))?;
        if line.trim().is_empty() {
            continue;
        }
        let line: Line = serde_json::from_str(&line).map_err(|source| damaged(layout, source))?;
        if line.commit_info.is_some() {
            return Ok(line.commit_info);
        }
    }
    Ok(None)
}
