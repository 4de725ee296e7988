//! Where things lie in a lake. Only this file joins paths.
//!
//! ```text
//! LAKE/endpoints/_delta_log/                 the Delta log
//! LAKE/endpoints/snapshot=ID/part-….parquet  data files, one folder a snapshot
//! LAKE/runs/ID/{run.json,rejects.ndjson}     what the run that made it did
//! LAKE/.staging/ID/                          work in progress: journal.ndjson, run/, snapshot=ID/, scratch/
//! LAKE/.staging/~job-…                       what `run` remembers of an export job that it created
//! LAKE/.staging/ID~lock, ~publish~lock       locks
//! ```
//!
//! `~` is no character of a snapshot id, so no id can meet the names that have one.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::{LakeError, SnapshotId, disk};

/// The name of a run's manifest, staged and published.
pub(crate) const MANIFEST_NAME: &str = "run.json";
/// The name of the file of rejected lines, staged and published.
pub(crate) const REJECTS_NAME: &str = "rejects.ndjson";

/// The paths of one lake.
#[derive(Debug, Clone)]
pub(crate) struct Layout {
    root: PathBuf,
}

impl Layout {
    /// The entries of a lake's root.
    pub(crate) const ROOT_ENTRIES: [&str; 3] = ["endpoints", "runs", ".staging"];

    /// The lake at `root`, which should be absolute.
    pub(crate) fn new(root: PathBuf) -> Self {
        Self { root }
    }

    /// The lake's folder.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// The Delta table.
    pub(crate) fn table(&self) -> PathBuf {
        self.root.join("endpoints")
    }

    /// The Delta table's log.
    pub(crate) fn log(&self) -> PathBuf {
        self.table().join("_delta_log")
    }

    /// The data files of a snapshot.
    pub(crate) fn partition(&self, id: &SnapshotId) -> PathBuf {
        self.table().join(partition_name(id))
    }

    /// The manifests and rejects of all runs.
    pub(crate) fn runs(&self) -> PathBuf {
        self.root.join("runs")
    }

    /// The manifest and rejects of the run that made a snapshot.
    pub(crate) fn run(&self, id: &SnapshotId) -> PathBuf {
        self.runs().join(id.as_str())
    }

    /// The manifest of the run that made a snapshot.
    pub(crate) fn manifest(&self, id: &SnapshotId) -> PathBuf {
        self.run(id).join(MANIFEST_NAME)
    }

    /// The rejected lines of the run that made a snapshot.
    pub(crate) fn rejects(&self, id: &SnapshotId) -> PathBuf {
        self.run(id).join(REJECTS_NAME)
    }

    /// What is kept of a run that failed.
    pub(crate) fn failed_run(&self, id: &SnapshotId) -> PathBuf {
        self.runs().join(format!("{id}~failed"))
    }

    /// All work in progress.
    pub(crate) fn staging(&self) -> PathBuf {
        self.root.join(".staging")
    }

    /// Work in progress on one snapshot.
    pub(crate) fn staged(&self, id: &SnapshotId) -> StagedLayout {
        StagedLayout { folder: self.staging().join(id.as_str()), partition_name: partition_name(id) }
    }

    /// The lock on the work on one snapshot.
    pub(crate) fn staging_lock(&self, id: &SnapshotId) -> PathBuf {
        self.staging().join(format!("{id}~lock"))
    }

    /// The snapshots that somebody works on, or worked on until it died: those with a folder, a lock or both.
    pub(crate) fn staged_ids(&self) -> Result<BTreeSet<SnapshotId>, LakeError> {
        let names = disk::names_in(&self.staging())?;
        let ids = names.iter().map(|name| name.strip_suffix("~lock").unwrap_or(name));
        Ok(ids.filter_map(|id| id.parse().ok()).collect())
    }

    /// What is remembered of an export job.
    pub(crate) fn job_note(&self, key: u64) -> PathBuf {
        self.staging().join(format!("~job-{key:016x}.json"))
    }

    /// The lock on what is remembered of an export job.
    pub(crate) fn job_lock(&self, key: u64) -> PathBuf {
        self.staging().join(format!("~job-{key:016x}~lock"))
    }

    /// The lock on the act of publishing, one for the whole lake.
    pub(crate) fn publish_lock(&self) -> PathBuf {
        self.staging().join("~publish~lock")
    }
}

/// The Hive name of a snapshot's folder, which is also how the Delta log begins its files' paths.
pub(crate) fn partition_name(id: &SnapshotId) -> String {
    format!("{}={id}", crate::PARTITION_COLUMN)
}

/// The paths of one snapshot's work in progress.
#[derive(Debug, Clone)]
pub(crate) struct StagedLayout {
    folder: PathBuf,
    partition_name: String,
}

impl StagedLayout {
    /// Everything staged.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The data files, in a folder that has its final name already.
    pub(crate) fn partition(&self) -> PathBuf {
        self.folder.join(&self.partition_name)
    }

    /// What becomes `runs/ID`.
    pub(crate) fn run(&self) -> PathBuf {
        self.folder.join("run")
    }

    /// The manifest, which is written last.
    pub(crate) fn manifest(&self) -> PathBuf {
        self.run().join(MANIFEST_NAME)
    }

    /// The rejected lines so far.
    pub(crate) fn rejects(&self) -> PathBuf {
        self.run().join(REJECTS_NAME)
    }

    /// Where the run folder of a replaced snapshot waits for the commit.
    pub(crate) fn replaced_run(&self) -> PathBuf {
        self.folder.join("replaced-run")
    }

    /// What of the work is done for good.
    pub(crate) fn journal(&self) -> PathBuf {
        self.folder.join("journal.ndjson")
    }

    /// Whatever else the work needs until it is published.
    pub(crate) fn scratch(&self) -> PathBuf {
        self.folder.join("scratch")
    }

    /// The manifest of a replaced snapshot while it waits there.
    pub(crate) fn replaced_manifest(&self) -> PathBuf {
        self.replaced_run().join(MANIFEST_NAME)
    }

    /// The record of what a publication is about to move.
    pub(crate) fn intent(&self) -> PathBuf {
        self.folder.join("publish.json")
    }
}
