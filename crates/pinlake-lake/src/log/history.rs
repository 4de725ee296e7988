//! What the commits say about publications, read from the log's files themselves.
//!
//! deltalake has a history too, but finds nothing where the lake's path has a space or a percent sign in it, and
//! whether a commit is there decides between going on and going back.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde::de::DeserializeOwned;
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

impl PublicationRecord {
    /// Whether it took its snapshot out of the lake.
    pub(crate) fn is_drop(&self) -> bool {
        self.files.is_none()
    }
}

/// One line of a commit; other actions have no member of that name.
#[derive(Deserialize)]
struct Line {
    #[serde(rename = "commitInfo")]
    commit_info: Option<CommitInfo>,
}

/// The same of one that takes a data file out.
#[derive(Deserialize)]
struct RemovalLine {
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
    let mut records = Vec::new();
    for path in commits(layout)? {
        records.extend(publication(layout, &path)?);
    }
    Ok(records)
}

/// Whether the log has that publication.
pub(crate) fn has_publication(layout: &Layout, uuid: Uuid) -> Result<bool, LakeError> {
    Ok(publications(layout)?.iter().any(|record| record.uuid == Some(uuid)))
}

/// The last that the log says of a snapshot.
pub(crate) fn last_publication(
    layout: &Layout,
    id: &SnapshotId,
) -> Result<Option<PublicationRecord>, LakeError> {
    Ok(publications(layout)?.into_iter().rfind(|record| record.snapshot == *id))
}

/// The data files that were taken away when the snapshot was dropped, however often, as paths below the table.
pub(crate) fn removed_by_drops(layout: &Layout, id: &SnapshotId) -> Result<Vec<String>, LakeError> {
    let mut removed = Vec::new();
    for path in commits(layout)? {
        let is_drop = |record: PublicationRecord| record.is_drop() && record.snapshot == *id;
        if !publication(layout, &path)?.is_some_and(is_drop) {
            continue;
        }
        for line in lines::<RemovalLine>(layout, &path)? {
            removed.extend(line?.remove.map(|file| file.path));
        }
    }
    Ok(removed)
}

/// The commits. Twenty digits each, so the order of the names is that of the versions.
fn commits(layout: &Layout) -> Result<impl Iterator<Item = PathBuf>, LakeError> {
    let folder = layout.log();
    let names = disk::names_in(&folder)?.into_iter().filter(|name| version(name).is_some());
    Ok(names.map(move |name| folder.join(name)))
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

/// What one commit says of the publication it is; none where it is another program's. It is read no further than that.
fn publication(layout: &Layout, path: &Path) -> Result<Option<PublicationRecord>, LakeError> {
    for line in lines::<Line>(layout, path)? {
        if let Some(CommitInfo { timestamp, snapshot, publication, files }) = line?.commit_info {
            let at = timestamp.and_then(DateTime::from_timestamp_millis);
            return Ok(snapshot.map(|snapshot| PublicationRecord { snapshot, uuid: publication, files, at }));
        }
    }
    Ok(None)
}

/// The lines of a commit.
fn lines<T: DeserializeOwned>(
    layout: &Layout,
    path: &Path,
) -> Result<impl Iterator<Item = Result<T, LakeError>>, LakeError> {
    let file = File::open(path).at("open", path)?;
    let read = |line: std::io::Result<String>| {
        let line = line.map_err(|source| damaged(layout, source))?;
        if line.trim().is_empty() {
            return Ok(None);
        }
        serde_json::from_str(&line).map(Some).map_err(|source| damaged(layout, source))
    };
    Ok(BufReader::new(file).lines().filter_map(move |line| read(line).transpose()))
}
