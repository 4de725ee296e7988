//! Work in progress on one snapshot, under `LAKE/.staging/ID`. Nothing reads it.
//!
//! Dropping a [`Staging`] aborts: what it staged is removed. Publishing is explicit, so an early `?` in a caller
//! leaves the lake as it was. Of several processes one at a time can stage a snapshot of the same id.

use std::fs::OpenOptions;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use arrow::datatypes::SchemaRef;
use deltalake_core::DeltaTable;
use uuid::Uuid;

use crate::catalog::Catalog;
use crate::disk::{self, At as _};
use crate::layout::{Layout, REJECTS_NAME, StagedLayout};
use crate::lock::FileLock;
use crate::publish::{self, Publishable, Published};
use crate::writer::{DataFile, DataFileWriter, WriterOptions};
use crate::{LakeError, RunManifest, SnapshotId, log};

/// How a snapshot is staged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct StageOptions {
    /// Publish even if the lake has a snapshot of that id, in its stead.
    pub replace: bool,
}

/// The exclusive right to make one snapshot, and the folder to make it in.
pub struct Staging {
    pub(crate) id: SnapshotId,
    pub(crate) options: StageOptions,
    pub(crate) layout: Layout,
    pub(crate) staged: StagedLayout,
    pub(crate) table: DeltaTable,
    file_schema: SchemaRef,
    next_part: AtomicU32,
    /// While a publication is under way its record must outlive this value, so that the next run can settle it.
    pub(crate) in_doubt: bool,
    // Declared last, so that it is released after the folder is gone.
    _lock: FileLock,
}

impl Staging {
    /// Takes the lock, settles what dead runs left half published, and clears the folder.
    pub(crate) async fn begin(
        layout: Layout,
        mut table: DeltaTable,
        file_schema: SchemaRef,
        id: SnapshotId,
        options: StageOptions,
    ) -> Result<Self, LakeError> {
        disk::make_folder(&layout.staging())?;
        let lock = FileLock::take(&layout.staging_lock(&id), &format!("snapshot `{id}`"))?;
        publish::settle_left_overs(&mut table, &layout, &id).await?;
        log::refresh(&mut table, &layout).await?;
        if !options.replace && Catalog::read(&table, &layout)?.snapshot(&id).is_some() {
            return Err(LakeError::SnapshotExists { path: layout.root().to_owned(), id });
        }

        let staged = layout.staged(&id);
        disk::remove_folder(staged.folder())?;
        disk::make_folder(&staged.partition())?;
        disk::make_folder(&staged.run())?;
        let staging = Self {
            id,
            options,
            layout,
            staged,
            table,
            file_schema,
            next_part: AtomicU32::new(0),
            in_doubt: false,
            _lock: lock,
        };
        make_private_file(&staging.rejects())?;
        tracing::debug!(snapshot = %staging.id, folder = ?staging.staged.folder(), "staging");
        Ok(staging)
    }

    /// The snapshot that is being made.
    #[must_use]
    pub fn id(&self) -> &SnapshotId {
        &self.id
    }

    /// Opens a new data file. Any number can be open at once, on any threads.
    pub fn writer(&self, options: &WriterOptions) -> Result<DataFileWriter, LakeError> {
        let part = self.next_part.fetch_add(1, Ordering::Relaxed);
        let name = format!("part-{part:05}-{}.parquet", Uuid::new_v4());
        let folder = self.staged.partition();
        DataFileWriter::create(&folder, name, self.id.clone(), Arc::clone(&self.file_schema), options)
    }

    /// The staged `rejects.ndjson`: an empty file that its owner alone can read, for the caller to append to.
    /// Publishing takes it along as it is then.
    #[must_use]
    pub fn rejects(&self) -> PathBuf {
        self.staged.rejects()
    }

    /// Aborts, but keeps the rejects of the failed run as `LAKE/runs/ID~failed/rejects.ndjson`, which is returned.
    /// Those of an earlier failure under the same id make way.
    pub fn keep_rejects(self) -> Result<PathBuf, LakeError> {
        disk::sync_file(&self.rejects())?;
        let kept = self.layout.failed_run(&self.id);
        disk::remove_folder(&kept)?;
        disk::make_folder(&self.layout.runs())?;
        disk::rename(&self.staged.run(), &kept)?;
        Ok(kept.join(REJECTS_NAME))
    }

    /// Makes the snapshot of `files`, which writers of this staging returned, part of the lake in one commit.
    /// The manifest's `snapshot` and `files` are set from the facts; its `totals.rows` must be theirs. Without any
    /// rows the snapshot is published without any files.
    ///
    /// This blocks its thread for a few syncs. If the future is dropped on the way, or the outcome of the commit
    /// cannot be learnt, the next staging in this lake settles it one way or the other.
    ///
    /// # Errors
    /// Nothing is published, and nothing of it lies under `endpoints/`.
    pub async fn publish(
        mut self,
        files: Vec<DataFile>,
        manifest: RunManifest,
    ) -> Result<Published, LakeError> {
        let publishable = Publishable {
            id: &self.id,
            replace: self.options.replace,
            layout: &self.layout,
            staged: &self.staged,
            table: &mut self.table,
            in_doubt: &mut self.in_doubt,
        };
        publish::publish(publishable, files, manifest).await
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        if self.in_doubt {
            return;
        }
        if let Err(error) = disk::remove_folder(self.staged.folder()) {
            tracing::warn!(%error, "staged files stay behind; the next run of this snapshot clears them");
        }
    }
}

/// Rejected lines are personal data as they came.
fn make_private_file(path: &Path) -> Result<(), LakeError> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    options.open(path).at("make", path)?;
    Ok(())
}

#[cfg(test)]
mod tests;
