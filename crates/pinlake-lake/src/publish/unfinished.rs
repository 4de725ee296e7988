//! Publications that are under way or were interrupted, for whoever looks at the lake without taking part.

use std::collections::BTreeSet;
use std::path::PathBuf;

use uuid::Uuid;

use super::intent::Intent;
use crate::layout::{Layout, partition_name};
use crate::log::history;
use crate::{LakeError, SnapshotId, disk};

/// A publication whose record is there: its run is at it, or the next run settles it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unfinished {
    /// The snapshot that it is of.
    pub(crate) snapshot: SnapshotId,
    /// What tells it from all others.
    uuid: Uuid,
    /// Data files that may lie in place though the log does not name them (any more), as paths below the table.
    pub(crate) files: BTreeSet<PathBuf>,
    /// The manifest of the snapshot as the log has it: that of a replaced one is put aside before the commit.
    pub(crate) manifest: PathBuf,
}

/// All unfinished publications, and the errors of those whose record cannot be read.
pub(crate) fn unfinished(layout: &Layout) -> Result<(Vec<Unfinished>, Vec<LakeError>), LakeError> {
    let (mut found, mut damaged) = (Vec::new(), Vec::new());
    for name in disk::names_in(&layout.staging())? {
        let Ok(id) = name.parse::<SnapshotId>() else { continue };
        let staged = layout.staged(&id);
        if !staged.intent().exists() {
            continue;
        }
        let intent = match Intent::read(&staged) {
            Ok(intent) => intent,
            // A living run has just removed it.
            Err(_) if !staged.intent().exists() => continue,
            Err(error) => {
                damaged.push(error);
                continue;
            }
        };
        let stands = history::has_publication(layout, intent.uuid)?;
        let aside = staged.replaced_manifest();
        let manifest = if !stands && aside.exists() { aside } else { layout.manifest(&id) };
        let folder = PathBuf::from(partition_name(&id));
        let added = intent.added.iter().map(|name| folder.join(name));
        let files = added.chain(intent.replaced.iter().map(PathBuf::from)).collect();
        found.push(Unfinished { snapshot: id, uuid: intent.uuid, files, manifest });
    }
    Ok((found, damaged))
}
