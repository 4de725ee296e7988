//! Work in progress on one snapshot, under `LAKE/.staging/ID`. Nothing reads it.
//!
//! Dropping a [`Staging`] aborts: what it staged is removed, or kept for the next run of the same work as far as its
//! journal says that it is done for good ([`Staging::checkpoint`]). Publishing is explicit, so an early `?` in a caller
//! leaves the lake as it was. Of several processes one at a time can stage a snapshot of the same id.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use arrow::datatypes::SchemaRef;
use deltalake_core::DeltaTable;
use uuid::Uuid;

use crate::catalog::Catalog;
use crate::disk::{self, At as _};
use crate::journal::{Checkpoint, Journal, Journaled, RunIdentity};
use crate::layout::{Layout, REJECTS_NAME, StagedLayout};
use crate::lock::FileLock;
use crate::publish::{self, Fate, Publishable, Published};
use crate::writer::{DataFile, DataFileWriter, WriterOptions};
use crate::{LakeError, RunManifest, SnapshotId, log};

/// Another run that looks for left-overs holds the lock of each for a moment.
const LOCK_PATIENCE: Duration = Duration::from_millis(500);

/// How a snapshot is staged.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StageOptions {
    /// Publish even if the lake has a snapshot of that id, in its stead.
    pub replace: bool,
    /// What work it is. With it the staging goes on with what an interrupted run of the same work has done for good;
    /// without it, it begins anew and keeps no journal.
    pub identity: Option<RunIdentity>,
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
    /// Begun with the first line.
    journal: Option<Journal>,
    kept: Vec<Checkpoint>,
    published: Option<Published>,
    pub(crate) fate: Fate,
    // Declared last, so that it is released after the folder is gone.
    _lock: FileLock,
}

impl Staging {
    /// Takes the lock, settles what dead runs left half published, and clears the folder of what is of no use.
    pub(crate) async fn begin(
        layout: Layout,
        mut table: DeltaTable,
        file_schema: SchemaRef,
        id: SnapshotId,
        options: StageOptions,
    ) -> Result<Self, LakeError> {
        disk::make_folder(&layout.staging())?;
        let what = format!("snapshot `{id}`");
        let lock = FileLock::wait(&layout.staging_lock(&id), &what, LOCK_PATIENCE).await?;
        publish::settle_left_overs(&mut table, &layout, &id).await?;
        log::refresh(&mut table, &layout).await?;
        let staged = layout.staged(&id);
        let left = match &options.identity {
            Some(identity) => Journaled::read(&staged)?.filter(|left| left.identity == *identity),
            None => None,
        };
        let published = match left.as_ref().and_then(|left| left.publishing) {
            Some(uuid) => publish::standing(&table, &layout, &id, uuid)?,
            None => None,
        };
        if published.is_none() && !options.replace && Catalog::read(&table, &layout)?.snapshot(&id).is_some()
        {
            return Err(LakeError::SnapshotExists { path: layout.root().to_owned(), id });
        }
        let checkpoints = left.filter(|_| published.is_none()).map(|left| left.checkpoints);
        let kept = sound(&staged, checkpoints.unwrap_or_default()).await?;
        let fate = if kept.is_empty() { Fate::Remove } else { Fate::KeepForResume };
        let next_part = kept.iter().map(|checkpoint| checkpoint.files.len()).sum::<usize>();
        let staging = Self {
            id,
            options,
            layout,
            staged,
            table,
            file_schema,
            next_part: AtomicU32::new(u32::try_from(next_part).unwrap_or_default()),
            journal: None,
            kept,
            published,
            fate,
            _lock: lock,
        };
        staging.clear()?;
        tracing::debug!(snapshot = %staging.id, folder = ?staging.staged.folder(), "staging");
        Ok(staging)
    }

    /// Leaves in the folder what the checkpoints name, and makes what else is needed.
    fn clear(&self) -> Result<(), LakeError> {
        if self.published.is_some() {
            return Ok(());
        }
        if self.kept.is_empty() {
            disk::remove_folder(self.staged.folder())?;
        } else {
            disk::remove_folder(&self.staged.run())?;
            let files = self.kept.iter().flat_map(|checkpoint| &checkpoint.files);
            disk::remove_all_but(
                &self.staged.partition(),
                &files.map(|file| file.name().to_owned()).collect(),
            )?;
        }
        for folder in [self.staged.partition(), self.staged.run(), self.staged.scratch()] {
            disk::make_folder(&folder)?;
        }
        // Rejected lines are personal data as they came.
        let rejects = self.rejects();
        disk::create_new(&rejects).at("make", &rejects).map(drop)
    }

    /// The snapshot that is being made.
    #[must_use]
    pub fn id(&self) -> &SnapshotId {
        &self.id
    }

    /// What an interrupted run of the same work has done for good: whole data files, which are to be published along.
    #[must_use]
    pub fn checkpoints(&self) -> &[Checkpoint] {
        &self.kept
    }

    /// Lets go of checkpoints that are of no use after all.
    pub fn retain_checkpoints(&mut self, is_of_use: impl FnMut(&Checkpoint) -> bool) {
        self.kept.retain(is_of_use);
    }

    /// What an interrupted run of the same work has published, where it came as far as that. Nothing is left to do then.
    #[must_use]
    pub fn earlier_publication(&self) -> Option<&Published> {
        self.published.as_ref()
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

    /// A folder for what else the caller needs until it has published. Files in it outlive a kill.
    #[must_use]
    pub fn scratch(&self) -> PathBuf {
        self.staged.scratch()
    }

    /// Where everything is staged.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.staged.folder()
    }

    /// Notes that these closed data files and the synced files that `notes` speaks of are done for good. A staging without an
    /// identity keeps no journal, and nothing happens.
    pub fn checkpoint(&mut self, files: Vec<DataFile>, notes: serde_json::Value) -> Result<(), LakeError> {
        disk::sync_folder(&self.staged.scratch())?;
        if self.note(|journal| journal.checkpoint(Checkpoint { files, notes }))? {
            self.fate = Fate::KeepForResume;
        }
        Ok(())
    }

    /// Writes to the journal; `false` where none is kept.
    fn note(&mut self, write: impl FnOnce(&mut Journal) -> Result<(), LakeError>) -> Result<bool, LakeError> {
        let Some(identity) = &self.options.identity else { return Ok(false) };
        let journal = match &mut self.journal {
            Some(journal) => journal,
            place => place.insert(Journal::begin(&self.staged, identity.clone(), &self.kept)?),
        };
        write(journal).map(|()| true)
    }

    /// Aborts, and keeps nothing for another run.
    pub fn discard(mut self) {
        self.fate = Fate::Remove;
    }

    /// Aborts, but keeps the rejects of the failed run as `LAKE/runs/ID~failed/rejects.ndjson`, which is returned.
    /// Those of an earlier failure under the same id make way.
    pub fn keep_rejects(mut self) -> Result<PathBuf, LakeError> {
        disk::sync_file(&self.rejects())?;
        let kept = self.layout.failed_run(&self.id);
        disk::remove_folder(&kept)?;
        disk::make_folder(&self.layout.runs())?;
        disk::rename(&self.staged.run(), &kept)?;
        self.fate = Fate::Remove;
        Ok(kept.join(REJECTS_NAME))
    }

    /// Makes the snapshot of `files`, which writers of this staging returned, part of the lake in one commit.
    /// The manifest's `snapshot` and `files` are set from the facts; its `totals.rows` must be theirs. Without any
    /// rows the snapshot is published without any files.
    ///
    /// This blocks its thread for a few syncs. If the future is dropped on the way, or the outcome of the commit
    /// cannot be learnt, the next staging in this lake settles it one way or the other. Afterwards the staging should be held until
    /// whoever asked for the snapshot has been told: should the process die before, the same work begun again finds it
    /// ([`Staging::earlier_publication`]).
    ///
    /// # Errors
    /// Nothing is published, and nothing of it lies under `endpoints/`.
    pub async fn publish(
        &mut self,
        files: Vec<DataFile>,
        manifest: RunManifest,
    ) -> Result<Published, LakeError> {
        let before = self.fate;
        let uuid = Uuid::new_v4();
        self.note(|journal| journal.publishing(uuid))?;
        let publishable = Publishable {
            uuid,
            id: &self.id,
            replace: self.options.replace,
            layout: &self.layout,
            staged: &self.staged,
            table: &mut self.table,
            fate: &mut self.fate,
        };
        let published = publish::publish(publishable, files, manifest).await;
        if self.fate != Fate::InDoubt {
            self.fate = if published.is_ok() { Fate::Remove } else { before };
        }
        published
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        if self.fate != Fate::Remove {
            return;
        }
        if let Err(error) = disk::remove_folder(self.staged.folder()) {
            tracing::warn!(%error, "staged files stay behind; the next run of this snapshot clears them");
        }
    }
}

/// The checkpoints whose files are as they were. What a damaged one names is not relied upon, and done again.
async fn sound(staged: &StagedLayout, checkpoints: Vec<Checkpoint>) -> Result<Vec<Checkpoint>, LakeError> {
    if checkpoints.is_empty() {
        return Ok(checkpoints);
    }
    let partition = staged.partition();
    let checked = tokio::task::spawn_blocking(move || {
        let is_sound = |checkpoint: &Checkpoint| {
            let damaged = checkpoint.files.iter().find(|file| !file.is_whole_in(&partition));
            if let Some(file) = damaged {
                tracing::warn!(
                    file = file.name(),
                    "a staged file is not as it was written: its pieces are read again"
                );
            }
            damaged.is_none()
        };
        checkpoints.into_iter().filter(is_sound).collect()
    });
    checked.await.map_err(|panic| LakeError::Io {
        action: "check",
        path: staged.partition(),
        source: std::io::Error::other(panic),
    })
}

#[cfg(test)]
mod tests;
