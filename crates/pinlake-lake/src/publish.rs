//! Publishing: the staged files move into place, then one Delta commit names them.
//!
//! The order, under the lake's publish lock:
//! 1. `run.json` is written next to the staged rejects, and a record of the intent ([`intent::Intent`]) is synced;
//! 2. the run folder moves to `runs/ID` (that of a replaced snapshot is put aside);
//! 3. the data folder moves to `endpoints/snapshot=ID`, by one rename. Where a snapshot is replaced, that folder is
//!    there, and the files move in one by one, under names of their own: the Delta log goes on naming the old ones;
//! 4. the commit is made. It is the moment of publication;
//! 5. files of a replaced snapshot are removed, and with them the record;
//! 6. what the table then says of the snapshot is read back and held against `run.json`.
//!
//! Until 4 the record says how to go back, after it how to go on. Whatever interrupts, [`settle`] reads the record,
//! asks the log whether the commit is there, and does one or the other: at once after an error, or in the next
//! staging after a kill.

mod intent;
mod unfinished;

use std::collections::HashSet;
use std::path::PathBuf;
use std::time::Duration;

use deltalake_core::DeltaTable;
use uuid::Uuid;

use self::intent::Intent;
pub(crate) use self::unfinished::{Unfinished, unfinished};
use crate::agreement;
use crate::catalog::{self, Catalog, Snapshot};
use crate::disk;
use crate::journal::Journaled;
use crate::layout::{Layout, StagedLayout};
use crate::left_over;
use crate::lock::FileLock;
use crate::log::{self, Publication, history};
use crate::manifest::FileRecord;
use crate::{DataFile, LakeError, RunManifest, SnapshotId};

/// How long a publication waits for another to end. One takes milliseconds, on a slow disk seconds.
pub(crate) const PUBLISH_PATIENCE: Duration = Duration::from_secs(30);

/// What a dead run has done is kept for so long for the same command to take up again.
const KEPT_FOR: Duration = Duration::from_hours(14 * 24);

/// What is staged and about to be published.
pub(crate) struct Publishable<'a> {
    /// What tells this publication from all others.
    pub(crate) uuid: Uuid,
    pub(crate) id: &'a SnapshotId,
    /// Whether a snapshot of this id may be there already.
    pub(crate) replace: bool,
    pub(crate) layout: &'a Layout,
    pub(crate) staged: &'a StagedLayout,
    pub(crate) table: &'a mut DeltaTable,
    /// In doubt while the publication is under way, and left so where its outcome could not be learnt.
    pub(crate) fate: &'a mut Fate,
}

/// What becomes of a staging's folder when the staging is dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It goes.
    Remove,
    /// It stays for the next run of the same work.
    KeepForResume,
    /// A publication is under way, whose record must outlive this value, so that the next run can settle it.
    InDoubt,
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
    let catalog = Catalog::read(staging.table, layout)?;
    let replaced = catalog.snapshot(staging.id).is_some();
    if replaced && !staging.replace {
        return Err(LakeError::SnapshotExists { path: layout.root().to_owned(), id: staging.id.clone() });
    }
    let removals = catalog::removals(staging.table, layout, staging.id)?;
    let intent = Intent {
        uuid: staging.uuid,
        snapshot: staging.id.clone(),
        added: files.iter().map(|file| file.name().to_owned()).collect(),
        // Those of a snapshot of this id that was dropped before lie in the same folder, and make way too.
        replaced: removals
            .iter()
            .map(|removal| removal.path.clone())
            .chain(left_over::dropped_files(layout, staging.id, &catalog)?)
            .collect(),
    };

    manifest.write(&staging.staged.manifest())?;
    disk::sync_file(&staging.staged.rejects())?;
    // Those of writers that were dropped, and those without rows.
    disk::remove_all_but(&staging.staged.partition(), &intent.added)?;
    disk::sync_folder(&staging.staged.partition())?;
    intent.write(staging.staged)?;
    *staging.fate = Fate::InDoubt;

    let publication = Publication { uuid: intent.uuid, id: staging.id, files: &files, removals };
    let committed = match intent.move_in(layout, staging.staged) {
        Ok(()) => log::commit(staging.table, layout, publication).await,
        Err(error) => Err(error),
    };
    let stands = settle(staging.table, layout, &intent).await;
    // A record that could not be settled stays for the next staging; so does the first error, which tells more.
    if stands.is_ok() {
        *staging.fate = Fate::Remove;
    }
    match (committed, stands) {
        (_, Ok(true)) => {
            let version = staging.table.version();
            tracing::info!(snapshot = %staging.id, version, files = files.len(), replaced, "committed");
            published(staging.table, layout, &manifest, replaced)
        }
        (Ok(_), Err(error)) => {
            tracing::warn!(%error, "the snapshot is published; the next run clears what could not be put away");
            published(staging.table, layout, &manifest, replaced)
        }
        (Err(error), _) => Err(error),
        (Ok(version), Ok(false)) => Err(log::damaged(layout, format!("it has lost commit {version}"))),
    }
}

/// Settles every publication that a dead run left unfinished, and removes what dead runs left that is of no use to
/// anybody. The caller holds the staging lock of `own`; what living runs have staged is left to them.
pub(crate) async fn settle_left_overs(
    table: &mut DeltaTable,
    layout: &Layout,
    own: &SnapshotId,
) -> Result<(), LakeError> {
    let mut publish_guard = None;
    for id in layout.staged_ids()? {
        let staged = layout.staged(&id);
        let _staging_guard = match (id != *own).then(|| FileLock::take(&layout.staging_lock(&id), "it")) {
            None => None,
            Some(Ok(guard)) => Some(guard),
            Some(Err(LakeError::Busy { .. })) => continue,
            Some(Err(error)) => return Err(error),
        };
        if staged.intent().exists() {
            if publish_guard.is_none() {
                publish_guard = Some(publish_lock(layout).await?);
            }
            let intent = Intent::read(&staged)?;
            let stands = settle(table, layout, &intent).await?;
            tracing::info!(snapshot = %id, published = stands, "settled the publication of a run that was interrupted");
        }
        if id != *own && !is_of_use(&staged)? {
            disk::remove_folder(staged.folder())?;
        }
    }
    Ok(())
}

/// Whether a dead run's work can be taken up again, by its own command and within a reasonable time.
fn is_of_use(staged: &StagedLayout) -> Result<bool, LakeError> {
    let age = std::fs::metadata(staged.journal()).and_then(|file| file.modified());
    let is_old = age.is_ok_and(|age| age.elapsed().is_ok_and(|age| age > KEPT_FOR));
    Ok(!is_old && Journaled::read(staged)?.is_some_and(|left| left.is_of_use()))
}

/// The snapshot as that publication made it, if it stands and no other came after it.
pub(crate) fn standing(
    table: &DeltaTable,
    layout: &Layout,
    id: &SnapshotId,
    uuid: Uuid,
) -> Result<Option<Published>, LakeError> {
    match history::last_publication(layout, id)? {
        Some(record) if record.uuid == Some(uuid) => {
            let manifest = RunManifest::read(&layout.manifest(id))?;
            published(table, layout, &manifest, false).map(Some)
        }
        _ => Ok(None),
    }
}

/// Goes on from the commit if the log has it, and back to the staged state if not; which, is the answer.
async fn settle(table: &mut DeltaTable, layout: &Layout, intent: &Intent) -> Result<bool, LakeError> {
    log::refresh(table, layout).await?;
    log::clear_unfinished(layout);
    let staged = layout.staged(&intent.snapshot);
    let stands = history::has_publication(layout, intent.uuid)?;
    if stands {
        intent.finish(layout, &staged)?;
    } else {
        intent.move_out(layout, &staged)?;
    }
    Ok(stands)
}

pub(crate) async fn publish_lock(layout: &Layout) -> Result<FileLock, LakeError> {
    FileLock::wait(&layout.publish_lock(), "publishing to the lake", PUBLISH_PATIENCE).await
}

/// What was published, read back from the table. A writer or a log that does not do what it was told would otherwise be
/// noticed by nobody: `run.json` was written before the commit, from what the run knew.
fn published(
    table: &DeltaTable,
    layout: &Layout,
    manifest: &RunManifest,
    replaced: bool,
) -> Result<Published, LakeError> {
    let catalog = Catalog::read(table, layout)?;
    let snapshot = as_published(&catalog, layout, &manifest.snapshot, manifest)?;
    Ok(Published {
        snapshot,
        table_version: table.version().unwrap_or_default(),
        run_folder: layout.run(&manifest.snapshot),
        replaced,
    })
}

/// The snapshot as the table has it, if that is what its manifest says.
fn as_published(
    catalog: &Catalog,
    layout: &Layout,
    id: &SnapshotId,
    manifest: &RunManifest,
) -> Result<Snapshot, LakeError> {
    let wrong = |problem: String| LakeError::NotAsPublished { path: layout.table(), id: id.clone(), problem };
    let files: Vec<_> = catalog.files.iter().filter(|file| file.snapshot == *id).collect();
    let problems = agreement::with_log(layout, id, manifest, &files);
    let snapshot = catalog.snapshot(id).cloned();
    match (problems.is_empty(), snapshot) {
        (true, Some(snapshot)) => Ok(snapshot),
        (true, None) => Err(wrong("it has no such snapshot".to_owned())),
        (false, _) => {
            let shown = problems.iter().take(MAX_SHOWN).cloned().collect::<Vec<_>>().join("; ");
            Err(wrong(format!("its run.json {shown}")))
        }
    }
}

/// How many differences an error shows.
const MAX_SHOWN: usize = 3;

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

#[cfg(test)]
mod tests;
