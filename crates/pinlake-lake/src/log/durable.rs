//! A Delta log store whose commits survive a power cut.
//!
//! deltalake's store for local files makes a commit visible without syncing it, so that a crash can leave an empty
//! commit behind, and with it a table nobody can read. Here the bytes are synced first, then linked under the
//! commit's name (which fails where that version exists, as the protocol asks), then the folder is synced.
//! Everything else is deltalake's.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use deltalake_core::kernel::Version;
use deltalake_core::kernel::transaction::TransactionError;
use deltalake_core::logstore::{CommitOrBytes, LogStore, LogStoreConfig, LogStoreRef};
use deltalake_core::{DeltaResult, ObjectStore};
use uuid::Uuid;

use crate::disk;

/// See the module.
pub(super) struct DurableLogStore {
    inner: LogStoreRef,
    log_folder: PathBuf,
}

impl DurableLogStore {
    /// `inner` is the store of the table whose log lies in `log_folder`.
    pub(super) fn new(inner: LogStoreRef, log_folder: PathBuf) -> Self {
        Self { inner, log_folder }
    }
}

#[async_trait]
impl LogStore for DurableLogStore {
    fn name(&self) -> String {
        // The commit builder hands bytes over, rather than a temporary file, to stores of this name.
        self.inner.name()
    }

    async fn read_commit_entry(&self, version: Version) -> DeltaResult<Option<Bytes>> {
        self.inner.read_commit_entry(version).await
    }

    async fn write_commit_entry(
        &self,
        version: Version,
        commit: CommitOrBytes,
        operation_id: Uuid,
    ) -> Result<(), TransactionError> {
        let CommitOrBytes::LogBytes(bytes) = commit else {
            return self.inner.write_commit_entry(version, commit, operation_id).await;
        };
        let folder = self.log_folder.clone();
        let written = tokio::task::spawn_blocking(move || {
            disk::make_folder(&folder).map_err(io::Error::other)?;
            write_commit(&folder, version, &bytes)
        })
        .await;
        match written.unwrap_or_else(|panic| Err(io::Error::other(panic))) {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                Err(TransactionError::VersionAlreadyExists(version))
            }
            Err(error) => Err(TransactionError::LogStoreError {
                msg: format!("version {version} cannot be written"),
                source: Box::new(error),
            }),
        }
    }

    async fn abort_commit_entry(
        &self,
        version: Version,
        commit: CommitOrBytes,
        operation_id: Uuid,
    ) -> Result<(), TransactionError> {
        self.inner.abort_commit_entry(version, commit, operation_id).await
    }

    async fn get_latest_version(&self, start_version: Version) -> DeltaResult<Version> {
        self.inner.get_latest_version(start_version).await
    }

    fn object_store(&self, operation_id: Option<Uuid>) -> Arc<dyn ObjectStore> {
        self.inner.object_store(operation_id)
    }

    fn root_object_store(&self, operation_id: Option<Uuid>) -> Arc<dyn ObjectStore> {
        self.inner.root_object_store(operation_id)
    }

    fn config(&self) -> &LogStoreConfig {
        self.inner.config()
    }
}

/// What the name of a commit that is being written begins and ends with.
const UNFINISHED: (&str, &str) = (".pinlake-", ".tmp");

/// Takes away what commits that a kill cut off have left in the log's folder. The caller holds the publish lock, so that no
/// commit is being written. What cannot be taken away does no harm there.
pub(super) fn clear_unfinished(folder: &Path) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let is_unfinished =
            name.to_str().is_some_and(|name| name.starts_with(UNFINISHED.0) && name.ends_with(UNFINISHED.1));
        if is_unfinished && let Err(error) = fs::remove_file(entry.path()) {
            tracing::debug!(path = %entry.path().display(), %error, "an unfinished commit stays behind");
        }
    }
}

fn write_commit(folder: &Path, version: Version, bytes: &[u8]) -> io::Result<()> {
    // Readers of a Delta log pass over names that are no versions, so one left by a crash does no harm.
    let temporary = folder.join(format!("{}{}{}", UNFINISHED.0, Uuid::new_v4(), UNFINISHED.1));
    let linked = disk::create_new(&temporary)
        .and_then(|mut file| {
            file.write_all(bytes)?;
            file.sync_all()
        })
        .and_then(|()| fs::hard_link(&temporary, folder.join(format!("{version:020}.json"))));
    let removed = fs::remove_file(&temporary);
    linked?;
    if cfg!(unix) {
        File::open(folder)?.sync_all()?;
    }
    // The commit stands whether or not its temporary name could be taken away.
    drop(removed);
    Ok(())
}
