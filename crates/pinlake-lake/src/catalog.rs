//! What is in the lake: snapshots and data files, as the Delta log has them.
//!
//! A snapshot is in the lake if the log has files for it, or if its last publication had none (an export of nobody
//! is a snapshot too). The order of snapshots is that of their commits; files that another program committed, with
//! no word on publications, come first by their times.

use std::collections::{BTreeMap, HashMap};
use std::path::{Component, Path, PathBuf};

use chrono::{DateTime, Utc};
use deltalake_core::DeltaTable;
use deltalake_core::kernel::{LogicalFileView, Remove};
use serde::{Deserialize, Serialize};

use crate::data_file;
use crate::layout::Layout;
use crate::log;
use crate::log::history::{self, PublicationRecord};
use crate::{LakeError, PARTITION_COLUMN, SnapshotId};

/// One export in the lake.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    /// Its name.
    pub id: SnapshotId,
    /// Rows in all its data files.
    pub rows: u64,
    /// Data files; none if the export had no endpoints.
    pub files: u64,
    /// Bytes of all its data files.
    pub bytes: u64,
    /// When the commit that published it was made, by the clock of the machine that made it.
    pub committed_at: DateTime<Utc>,
}

/// One data file of the lake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataFileRef {
    /// Where it lies, absolute.
    pub path: PathBuf,
    /// The snapshot it belongs to.
    pub snapshot: SnapshotId,
    /// Its rows.
    pub rows: u64,
    /// Its length.
    pub bytes: u64,
}

/// What the log says at one version.
#[derive(Debug, Clone, Default)]
pub(crate) struct Catalog {
    /// In the order of their commits.
    pub(crate) snapshots: Vec<Snapshot>,
    /// In the order of the snapshots, then by path.
    pub(crate) files: Vec<DataFileRef>,
}

impl Catalog {
    /// Reads the catalog from a loaded table.
    pub(crate) fn read(table: &DeltaTable, layout: &Layout) -> Result<Self, LakeError> {
        let publications = last_publications(history::publications(layout)?);
        let mut files: BTreeMap<SnapshotId, Vec<(DataFileRef, i64)>> = BTreeMap::new();
        for view in views(table, layout)? {
            let file = data_file_ref(&view, layout)?;
            files.entry(file.snapshot.clone()).or_default().push((file, view.modification_time()));
        }
        for (id, (_, publication)) in &publications {
            if publication.files == Some(0) {
                files.entry(id.clone()).or_default();
            }
        }

        let mut ordered: Vec<_> = files.into_iter().collect();
        ordered.sort_by_key(|(id, files)| {
            let commit = publications.get(id).map(|(commit, _)| *commit);
            (commit, newest_ms(files))
        });
        let mut catalog = Self::default();
        for (id, files) in ordered {
            let committed_at = publications
                .get(&id)
                .and_then(|(_, publication)| publication.at)
                .or_else(|| DateTime::from_timestamp_millis(newest_ms(&files)))
                .unwrap_or_default();
            catalog.push(id, committed_at, files.into_iter().map(|(file, _)| file).collect());
        }
        Ok(catalog)
    }

    fn push(&mut self, id: SnapshotId, committed_at: DateTime<Utc>, mut files: Vec<DataFileRef>) {
        files.sort_by(|a, b| a.path.cmp(&b.path));
        self.snapshots.push(Snapshot {
            id,
            // A log that was tampered with may claim any number.
            rows: files.iter().map(|file| file.rows).fold(0, u64::saturating_add),
            files: files.len() as u64,
            bytes: files.iter().map(|file| file.bytes).fold(0, u64::saturating_add),
            committed_at,
        });
        self.files.extend(files);
    }

    /// The snapshot of that id.
    pub(crate) fn snapshot(&self, id: &SnapshotId) -> Option<&Snapshot> {
        self.snapshots.iter().find(|snapshot| snapshot.id == *id)
    }
}

/// The removals of all files of a snapshot, with their paths in the table.
pub(crate) fn removals(
    table: &DeltaTable,
    layout: &Layout,
    id: &SnapshotId,
) -> Result<Vec<Remove>, LakeError> {
    let mut removals = Vec::new();
    for view in views(table, layout)? {
        if data_file_ref(&view, layout)?.snapshot == *id {
            removals.push(view.remove_action(true));
        }
    }
    Ok(removals)
}

fn views(table: &DeltaTable, layout: &Layout) -> Result<impl Iterator<Item = LogicalFileView>, LakeError> {
    let state = table.snapshot().map_err(|source| log::damaged(layout, source))?;
    Ok(state.log_data().into_iter())
}

/// The last publication of each snapshot, with its place in the order of all.
fn last_publications(records: Vec<PublicationRecord>) -> HashMap<SnapshotId, (usize, PublicationRecord)> {
    records.into_iter().enumerate().map(|numbered| (numbered.1.snapshot.clone(), numbered)).collect()
}

fn newest_ms(files: &[(DataFileRef, i64)]) -> i64 {
    files.iter().map(|(_, modified_ms)| *modified_ms).max().unwrap_or_default()
}

fn data_file_ref(view: &LogicalFileView, layout: &Layout) -> Result<DataFileRef, LakeError> {
    let named = view.path();
    if named.len() > MAX_PATH_BYTES {
        return Err(log::damaged(layout, format!("it names a file by {} bytes", named.len())));
    }
    if !stays_inside(Path::new(named.as_ref())) || has_scheme(&named) {
        let named = named.chars().take(MAX_SHOWN).filter(|c| !c.is_control()).collect();
        return Err(LakeError::Outside { path: layout.table(), named });
    }
    if view.deletion_vector_descriptor().is_some() {
        let feature = "has deletion vectors".to_owned();
        return Err(LakeError::Unsupported { path: layout.table(), feature });
    }
    let partition = view.partition_values_map().remove(PARTITION_COLUMN).flatten();
    let snapshot = partition
        .as_deref()
        .unwrap_or_default()
        .parse()
        .map_err(|source: LakeError| log::damaged(layout, source))?;
    let path = layout.table().join(named.as_ref());
    let rows = match view.num_records() {
        Some(rows) => rows as u64,
        // Other programs may commit files without counting their rows in the log.
        None => data_file::rows(layout.root(), &path)?,
    };
    if i64::try_from(rows).is_err() {
        return Err(log::damaged(layout, format!("it claims {rows} rows in one file")));
    }
    let bytes = u64::try_from(view.size()).map_err(|source| log::damaged(layout, source))?;
    Ok(DataFileRef { path, snapshot, rows, bytes })
}

/// The longest path that a file of the table can have; operating systems take no longer ones.
const MAX_PATH_BYTES: usize = 4096;

/// How much of a path from the log an error shows.
const MAX_SHOWN: usize = 200;

/// Whether the log means a URL, such as `s3://bucket/x` or `file:/x`; a name with a colon behind a `/` is none.
fn has_scheme(named: &str) -> bool {
    let first = named.split('/').next().unwrap_or_default();
    named.contains("://") || first.ends_with(':')
}

fn stays_inside(path: &Path) -> bool {
    path.components().all(|component| matches!(component, Component::Normal(_)))
}
