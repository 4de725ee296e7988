//! Publishing: the staged files move into place, then one Delta commit names them.
//!
//! The order, under the lake's publish lock:
//! 1. `run.json` is written next to the staged rejects, and a record of the intent ([`intent::Intent`]) is synced;
//! 2. the run folder moves to `runs/ID` (that of a replaced snapshot is put aside);
//! 3. the data folder moves to `endpoints/snapshot=ID`, by one rename. Where a snapshot is replaced, that folder is
//!    there, and the files move in one by one, under names of their own: the Delta log goes on naming the old ones;
//! 4. the commit is made. It is the moment of publication;
//! 5. files of a replaced snapshot are removed, and with them the record.
//!
//! Until 4 the record says how to go back, after it how to go on. Whatever interrupts, [`settle`] reads the record,
//! asks the log whether the commit is there, and does one or the other: at once after an error, or in the next
//! staging after a kill.

mod intent;

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use deltalake_core::DeltaTable;
use uuid::Uuid;

use self::intent::Intent;
use crate::catalog::{self, Catalog, Snapshot};
use crate::disk;
use crate::layout::{Layout, StagedLayout};
use crate::lock::FileLock;
use crate::log::{self, Publication, history};
use crate::manifest::FileRecord;
use crate::{DataFile, LakeError, RunManifest, SnapshotId};

/// How long a publication waits for another to end. One takes milliseconds, on a slow disk seconds.
pub(crate) const PUBLISH_PATIENCE: Duration = Duration::from_secs(30);

/// What is staged and about to be published.
pub(crate) struct Publishable<'a> {
    pub(crate) id: &'a SnapshotId,
    /// Whether a snapshot of this id may be there already.
    pub(crate) replace: bool,
    pub(crate) layout: &'a Layout,
    pub(crate) staged: &'a StagedLayout,
    pub(crate) table: &'a mut DeltaTable,
    /// Set while the publication is under way, and left set where its outcome could not be learnt.
    pub(crate) in_doubt: &'a mut bool,
}

/// A snapshot that has just become part of the lake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    /// The snapshot.
    pub snapshot: Snapshot,
    /// The version of the Delta table that has it.
    pub table_version: u64,
    /// `LAKE/runs/ID`, with its manifest and rejects.
    pub run_folder: PathBuf,
    /// Whether there was a snapshot of that id before.
    pub replaced: bool,
}

/// See [`crate::Staging::publish`].
pub(crate) async fn publish(
    staging: Publishable<'_>,
    files: Vec<DataFile>,
    mut manifest: RunManifest,
) -> Result<Published, LakeError> {
    let layout = staging.layout;
    let files = checked_files(&staging, files, &manifest)?;
    manifest.snapshot = staging.id.clone();
    manifest.files = files.iter().map(file_record).collect();

    let _lock = publish_lock(layout).await?;
    log::refresh(staging.table, layout).await?;
    let replaced = Catalog::read(staging.table, layout)?.snapshot(staging.id).is_some();
    if replaced && !staging.replace {
        return Err(LakeError::SnapshotExists { path: layout.root().to_owned(), id: staging.id.clone() });
    }
    let removals = catalog::removals(staging.table, layout, staging.id)?;
    let intent = Intent {
        uuid: Uuid::new_v4(),
        snapshot: staging.id.clone(),
        added: files.iter().map(|file| file.name().to_owned()).collect(),
        replaced: removals.iter().map(|removal| removal.path.clone()).collect(),
    };

    manifest.write(&staging.staged.manifest())?;
    disk::sync_file(&staging.staged.rejects())?;
    remove_unnamed(&staging.staged.partition(), &intent)?;
    intent.write(staging.staged)?;
    *staging.in_doubt = true;

    let publication = Publication { uuid: intent.uuid, id: staging.id, files: &files, removals };
    let committed = match intent.move_in(layout, staging.staged) {
        Ok(()) => log::commit(staging.table, layout, publication).await,
        Err(error) => Err(error),
    };
    let stands = settle(staging.table, layout, &intent).await;
    // A record that could not be settled stays for the next staging; so does the first error, which tells more.
    *staging.in_doubt = stands.is_err();
    match (committed, stands) {
        (_, Ok(true)) => {
            let version = staging.table.version();
            tracing::info!(snapshot = %staging.id, version, files = files.len(), replaced, "committed");
            published(&staging, replaced)
        }
        (Err(error), _) | (Ok(_), Err(error)) => Err(error),
        (Ok(version), Ok(false)) => Err(log::damaged(layout, format!("it has lost commit {version}"))),
    }
}

/// Settles every publication that a dead run left unfinished. The caller holds the staging lock of `own`; what
/// living runs have staged is left to them.
pub(crate) async fn settle_left_overs(
    table: &mut DeltaTable,
    layout: &Layout,
    own: &SnapshotId,
) -> Result<(), LakeError> {
    let mut publish_guard = None;
    for name in disk::names_in(&layout.staging())? {
        let Ok(id) = name.parse::<SnapshotId>() else { continue };
        let staged = layout.staged(&id);
        if !staged.intent().exists() {
            continue;
        }
        let _staging_guard = match (id != *own).then(|| FileLock::take(&layout.staging_lock(&id), "it")) {
            None => None,
            Some(Ok(guard)) => Some(guard),
            Some(Err(LakeError::Busy { .. })) => continue,
            Some(Err(error)) => return Err(error),
        };
        if publish_guard.is_none() {
            publish_guard = Some(publish_lock(layout).await?);
        }
        let intent = Intent::read(&staged)?;
        let stands = settle(table, layout, &intent).await?;
        tracing::info!(snapshot = %id, published = stands, "settled the publication of a run that was interrupted");
        if stands {
            disk::remove_folder(staged.folder())?;
        }
    }
    Ok(())
}

/// Goes on from the commit if the log has it, and back to the staged state if not; which, is the answer.
async fn settle(table: &mut DeltaTable, layout: &Layout, intent: &Intent) -> Result<bool, LakeError> {
    log::refresh(table, layout).await?;
    let staged = layout.staged(&intent.snapshot);
    let stands = history::publications(layout)?.iter().any(|record| record.uuid == Some(intent.uuid));
    if stands {
        intent.finish(layout, &staged)?;
    } else {
        intent.move_out(layout, &staged)?;
    }
    Ok(stands)
}

async fn publish_lock(layout: &Layout) -> Result<FileLock, LakeError> {
    FileLock::wait(&layout.publish_lock(), "publishing to the lake", PUBLISH_PATIENCE).await
}

fn published(staging: &Publishable<'_>, replaced: bool) -> Result<Published, LakeError> {
    let catalog = Catalog::read(staging.table, staging.layout)?;
    let snapshot = catalog.snapshot(staging.id).cloned().ok_or_else(|| LakeError::UnknownSnapshot {
        path: staging.layout.root().to_owned(),
        id: staging.id.clone(),
        latest: None,
    })?;
    Ok(Published {
        snapshot,
        table_version: staging.table.version().unwrap_or_default(),
        run_folder: staging.layout.run(staging.id),
        replaced,
    })
}

/// The files with rows, if they are this staging's and have the manifest's rows.
fn checked_files(
    staging: &Publishable<'_>,
    files: Vec<DataFile>,
    manifest: &RunManifest,
) -> Result<Vec<DataFile>, LakeError> {
    let inconsistent = |problem: String| LakeError::Inconsistent { id: staging.id.clone(), problem };
    let mut names = HashSet::new();
    for file in &files {
        let staged = staging.staged.partition().join(file.name());
        if file.snapshot() != staging.id || !staged.is_file() {
            return Err(inconsistent(format!("the file `{}` was not staged for it", file.name())));
        }
        if !names.insert(file.name()) {
            return Err(inconsistent(format!("the file `{}` is given twice", file.name())));
        }
    }
    let rows: u64 = files.iter().map(DataFile::rows).sum();
    if rows != manifest.totals.rows {
        let expected = manifest.totals.rows;
        return Err(inconsistent(format!("the files have {rows} rows, the manifest {expected}")));
    }
    Ok(files.into_iter().filter(|file| file.rows() > 0).collect())
}

fn file_record(file: &DataFile) -> FileRecord {
    FileRecord { path: file.path(), rows: file.rows(), bytes: file.bytes(), sha256: file.sha256().to_owned() }
}

/// Takes away what the folder holds besides the files of the publication: those of writers that were dropped, and
/// those without rows.
fn remove_unnamed(folder: &Path, intent: &Intent) -> Result<(), LakeError> {
    for name in disk::names_in(folder)? {
        if !intent.added.contains(&name) {
            disk::remove_file(&folder.join(name))?;
        }
    }
    disk::sync_folder(folder)
}

#[cfg(test)]
mod tests;
