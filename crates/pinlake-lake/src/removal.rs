//! Dropping a snapshot: one Delta commit takes its files out of the table, and on request they are removed afterwards.
//!
//! Nothing is removed before the commit stands, and removing can be repeated: a run that was killed between leaves a
//! lake without the snapshot, with files that nothing names, and dropping it again removes those.

use deltalake_core::DeltaTable;
use uuid::Uuid;

use crate::catalog::{self, Catalog, Snapshot};
use crate::layout::Layout;
use crate::left_over::{self, LeftOver};
use crate::lock::FileLock;
use crate::log::history;
use crate::{LakeError, SnapshotId, disk, log, publish};

/// What dropping a snapshot came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dropped {
    /// The snapshot as it was; none if it had been dropped before.
    pub snapshot: Option<Snapshot>,
    /// What was removed from the disk.
    pub removed: LeftOver,
    /// What is left of it there: data files, manifest and rejects.
    pub left: LeftOver,
    /// The version of the Delta table that does not have it.
    pub table_version: u64,
}

/// See [`crate::Lake::drop_snapshot`].
pub(crate) async fn drop_snapshot(
    mut table: DeltaTable,
    layout: &Layout,
    id: &SnapshotId,
    vacuum: bool,
) -> Result<Dropped, LakeError> {
    disk::make_folder(&layout.staging())?;
    let _making = FileLock::take(&layout.staging_lock(id), &format!("snapshot `{id}`"))?;
    publish::settle_left_overs(&mut table, layout, id).await?;
    let _publishing = publish::publish_lock(layout).await?;
    log::refresh(&mut table, layout).await?;
    let before = Catalog::read(&table, layout)?;
    let snapshot = before.snapshot(id).cloned();
    if snapshot.is_some() {
        commit(&mut table, layout, id).await?;
    } else if !was_dropped(layout, id)? {
        let latest = before.snapshots.last().map(|snapshot| snapshot.id.clone());
        return Err(LakeError::UnknownSnapshot { path: layout.root().to_owned(), id: id.clone(), latest });
    }

    let after = Catalog::read(&table, layout)?;
    let found = left_over::measure(layout, id, &after)?;
    if vacuum {
        left_over::remove(layout, id, &after)?;
    }
    let (removed, left) = if vacuum { (found, LeftOver::default()) } else { (LeftOver::default(), found) };
    Ok(Dropped { snapshot, removed, left, table_version: table.version().unwrap_or_default() })
}

/// Makes the commit. Where it fails, the log is asked: what stands there is done, whatever was reported.
async fn commit(table: &mut DeltaTable, layout: &Layout, id: &SnapshotId) -> Result<(), LakeError> {
    let uuid = Uuid::new_v4();
    let removals = catalog::removals(table, layout, id)?;
    let Err(error) = log::commit_drop(table, layout, id, uuid, removals).await else { return Ok(()) };
    log::refresh(table, layout).await?;
    if history::has_publication(layout, uuid)? { Ok(()) } else { Err(error) }
}

/// Whether the last that the log says of a snapshot is that it was taken away.
fn was_dropped(layout: &Layout, id: &SnapshotId) -> Result<bool, LakeError> {
    Ok(history::last_publication(layout, id)?.is_some_and(|record| record.is_drop()))
}

#[cfg(test)]
mod tests;
