//! The record of a publication that is about to move files, and the moves themselves, there and back.
//!
//! Every step can be repeated and can be met half done, since a kill may come between any two.

use std::collections::BTreeSet;
use std::path::Path;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::layout::{Layout, StagedLayout};
use crate::left_over;
use crate::manifest::{read_record, write_record};
use crate::{LakeError, SnapshotId, disk};

/// What is about to happen. While its file is there the publication is unfinished.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Intent {
    /// The commit that makes it happen carries this.
    pub(super) uuid: Uuid,
    /// The snapshot to be published.
    pub(super) snapshot: SnapshotId,
    /// Names of the new data files in the snapshot's folder.
    pub(super) added: BTreeSet<String>,
    /// Paths, relative to the table, of the data files to be removed once the commit stands.
    pub(super) replaced: Vec<String>,
}

impl Intent {
    /// Reads the record of a run that was interrupted.
    pub(super) fn read(staged: &StagedLayout) -> Result<Self, LakeError> {
        read_record(&staged.intent())
    }

    /// Makes the record last.
    pub(super) fn write(&self, staged: &StagedLayout) -> Result<(), LakeError> {
        write_record(&staged.intent(), self)?;
        disk::sync_folder(staged.folder())
    }

    /// Moves run and data into place.
    pub(super) fn move_in(&self, layout: &Layout, staged: &StagedLayout) -> Result<(), LakeError> {
        let run = layout.run(&self.snapshot);
        // What is moved must not leave the lake.
        for place in [&run, &layout.partition(&self.snapshot)] {
            if let Some(link) = disk::link_below(layout.root(), place) {
                let problem = "is a link, which is not followed; remove it first".to_owned();
                return Err(LakeError::DamagedDataFile { path: link, problem });
            }
        }
        disk::make_folder(&layout.runs())?;
        if run.exists() {
            disk::rename(&run, &staged.replaced_run())?;
        }
        disk::rename(&staged.run(), &run)?;

        let partition = layout.partition(&self.snapshot);
        if self.added.is_empty() {
            return Ok(());
        }
        if !partition.exists() {
            return disk::rename(&staged.partition(), &partition);
        }
        self.move_files(&staged.partition(), &partition)
    }

    /// Puts everything back to where it was staged; nothing then lies under `endpoints/` that the log does not
    /// name. The staged files are left for the caller to use or to remove.
    pub(super) fn move_out(&self, layout: &Layout, staged: &StagedLayout) -> Result<(), LakeError> {
        let partition = layout.partition(&self.snapshot);
        if partition.exists() {
            disk::make_folder(&staged.partition())?;
            self.move_files(&partition, &staged.partition())?;
            remove_if_empty(&partition)?;
        }
        let run = layout.run(&self.snapshot);
        if !staged.run().exists() && run.exists() {
            disk::rename(&run, &staged.run())?;
        }
        if staged.replaced_run().exists() {
            disk::rename(&staged.replaced_run(), &run)?;
        }
        disk::remove_file(&staged.intent())
    }

    /// Removes what the publication replaced. The record goes last.
    pub(super) fn finish(&self, layout: &Layout, staged: &StagedLayout) -> Result<(), LakeError> {
        for path in &self.replaced {
            left_over::remove_data_file(layout, path)?;
        }
        if self.added.is_empty() {
            remove_if_empty(&layout.partition(&self.snapshot))?;
        }
        disk::remove_folder(&staged.replaced_run())?;
        disk::remove_file(&staged.intent())
    }

    fn move_files(&self, from: &Path, to: &Path) -> Result<(), LakeError> {
        for name in disk::names_in(from)? {
            if self.added.contains(&name) {
                disk::rename(&from.join(&name), &to.join(&name))?;
            }
        }
        Ok(())
    }
}

/// Removes a folder that nothing is in; it need not be there.
fn remove_if_empty(path: &Path) -> Result<(), LakeError> {
    if path.is_dir() && disk::names_in(path)?.is_empty() { disk::remove_folder(path) } else { Ok(()) }
}
