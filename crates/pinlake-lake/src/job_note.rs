//! What a run remembers of an export job that it created, so that the same command, given again after it died, takes the
//! job up again and does not export everything a second time.

use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest as _, Sha256};

use crate::lake::absolute_layout;
use crate::layout::Layout;
use crate::lock::FileLock;
use crate::manifest::{read_record, write_record};
use crate::{LakeError, disk};

/// A note and the exclusive right to it. What is in it is the caller's.
#[derive(Debug)]
pub struct JobNote {
    layout: Layout,
    path: PathBuf,
    /// Whether the lake's folder was made for the note: it goes again if nothing comes into it.
    is_folder_new: bool,
    lock: Option<FileLock>,
}

impl JobNote {
    /// What is remembered, in the lake at `root`, of the export job that this request, in any form of the caller's, led to. The lake
    /// need not be there yet.
    ///
    /// # Errors
    /// `Busy` while another run holds it.
    pub fn take(root: &Path, request: &str) -> Result<Self, LakeError> {
        let layout = absolute_layout(root)?;
        let is_folder_new = !layout.root().exists();
        disk::make_folder(&layout.staging())?;
        // Digits that tell requests apart; the name of a file must not quote them.
        let digest = Sha256::digest(request.as_bytes());
        let key = digest[..8].iter().fold(0, |key, byte| key << 8 | u64::from(*byte));
        let lock = FileLock::take(&layout.job_lock(key), "the same export")?;
        Ok(Self { path: layout.job_note(key), layout, is_folder_new, lock: Some(lock) })
    }

    /// What is noted. `None` where nothing is, and where what is there cannot be read: a note that is lost costs an export.
    #[must_use]
    pub fn read<T: DeserializeOwned>(&self) -> Option<T> {
        let note = self.path.exists().then(|| read_record(&self.path))?;
        note.inspect_err(|error| tracing::warn!(%error, "what was noted of an export job is passed over"))
            .ok()
    }

    /// Notes it for good, in place of what was there.
    pub fn write<T: Serialize>(&self, note: &T) -> Result<(), LakeError> {
        write_record(&self.path, note)
    }

    /// Forgets it.
    pub fn forget(&self) -> Result<(), LakeError> {
        disk::remove_file(&self.path)
    }
}

impl Drop for JobNote {
    fn drop(&mut self) {
        drop(self.lock.take());
        if self.is_folder_new {
            // Neither is removed while there is anything in it.
            let _ = std::fs::remove_dir(self.layout.staging())
                .and_then(|()| std::fs::remove_dir(self.layout.root()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;

    #[test]
    fn a_note_is_one_runs_at_a_time_and_outlives_it() {
        let folder = tempfile::tempdir().unwrap();
        let lake = folder.path().join("lake");
        let note = JobNote::take(&lake, "this export").unwrap();
        assert_eq!(note.read::<String>(), None);
        note.write(&"job 7").unwrap();
        assert_eq!(JobNote::take(&lake, "this export").unwrap_err().kind(), ErrorKind::Conflict);
        assert_eq!(JobNote::take(&lake, "that export").unwrap().read::<String>(), None);
        drop(note);
        let note = JobNote::take(&lake, "this export").unwrap();
        assert_eq!(note.read::<String>().as_deref(), Some("job 7"));
        note.forget().unwrap();
        assert_eq!(note.read::<String>(), None);
    }

    #[test]
    fn nothing_stays_behind_where_nothing_came_of_it() {
        let folder = tempfile::tempdir().unwrap();
        let lake = folder.path().join("lake");
        let note = JobNote::take(&lake, "this export").unwrap();
        note.write(&"job 7").unwrap();
        note.forget().unwrap();
        drop(note);
        assert!(!lake.exists());
    }
}
