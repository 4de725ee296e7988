//! What lies under `endpoints/` and `runs/` that nothing in the log has: damage, a publication under way, or what a dropped
//! snapshot left.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::{Expected, Verification};
use crate::disk::{self, At as _};
use crate::layout::partition_name;
use crate::{LakeError, PARTITION_COLUMN, SnapshotId, left_over};

/// Looks at the folders of one snapshot or of all.
pub(super) fn check(
    expected: &Expected<'_>,
    id: Option<&SnapshotId>,
    verification: &mut Verification,
) -> Result<(), LakeError> {
    let layout = expected.layout;
    let root = id.map_or_else(|| layout.table(), |id| layout.partition(id));
    for stray in strays(expected, &root)? {
        judge(expected, stray, verification)?;
    }
    if id.is_none() {
        check_runs(expected, verification)?;
    }
    for unfinished in expected.unfinished.iter().filter(|it| id.is_none_or(|id| it.snapshot == *id)) {
        let path = layout.staged(&unfinished.snapshot).intent();
        let problem =
            "is of a publication that is not finished: its run is at it, or the next run settles it";
        verification.note(Some(&unfinished.snapshot), path, problem.to_owned());
    }
    let dropped: BTreeSet<&SnapshotId> =
        expected.publications.iter().map(|record| &record.snapshot).collect();
    for id in dropped.into_iter().filter(|dropped| id.is_none() && expected.is_dropped(dropped)) {
        let left = left_over::measure(layout, id, &expected.catalog)?;
        if left.files > 0 {
            let problem = format!(
                "was dropped and left {} files of {} bytes; `pinlake snapshots drop {id} --vacuum` removes them",
                left.files, left.bytes
            );
            verification.note(Some(id), layout.partition(id), problem);
        }
    }
    Ok(())
}

/// A file or link that the log does not name.
struct Stray {
    path: PathBuf,
    is_link: bool,
}

/// Everything below a folder of the table that is no data file of the log and that a reader could take for one.
fn strays(expected: &Expected<'_>, root: &Path) -> Result<Vec<Stray>, LakeError> {
    let named: BTreeSet<&Path> = expected.catalog.files.iter().map(|file| file.path.as_path()).collect();
    let log = expected.layout.log();
    let mut found = Vec::new();
    let mut waiting = vec![root.to_owned()];
    while let Some(path) = waiting.pop() {
        if path == log {
            continue;
        }
        let facts = match fs::symlink_metadata(&path) {
            Ok(facts) => facts,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
            Err(error) => return Err(error).at("look at", &path),
        };
        if facts.is_dir() {
            for entry in fs::read_dir(&path).at("list", &path)? {
                waiting.push(entry.at("list", &path)?.path());
            }
        } else if !named.contains(path.as_path()) && (facts.is_symlink() || is_read_by_others(&path)) {
            found.push(Stray { is_link: facts.is_symlink(), path });
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(found)
}

/// Readers of plain folders pass over names that begin with these two.
fn is_read_by_others(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    !name.starts_with(['.', '_']) || name.ends_with(".parquet")
}

fn judge(expected: &Expected<'_>, stray: Stray, verification: &mut Verification) -> Result<(), LakeError> {
    let table = expected.layout.table();
    let below = stray.path.strip_prefix(&table).unwrap_or(&stray.path);
    if expected.unfinished.iter().any(|unfinished| unfinished.files.contains(below)) {
        return Ok(());
    }
    let folder = below.iter().next().unwrap_or_default().to_string_lossy();
    let id = folder
        .strip_prefix(PARTITION_COLUMN)
        .and_then(|rest| rest.strip_prefix('='))
        .and_then(|id| id.parse::<SnapshotId>().ok())
        .filter(|id| partition_name(id) == folder);
    if let Some(id) = id.as_ref().filter(|id| expected.is_dropped(id)) {
        let dropped = left_over::dropped_files(expected.layout, id, &expected.catalog)?;
        if dropped.contains(below.to_string_lossy().as_ref()) {
            // Told with the others of its snapshot.
            return Ok(());
        }
    }
    let problem =
        if stray.is_link { "is a link, and not in the Delta log" } else { "is not in the Delta log" };
    verification.add(id.as_ref(), stray.path, problem.to_owned());
    Ok(())
}

/// The runs of snapshots that are not in the lake.
fn check_runs(expected: &Expected<'_>, verification: &mut Verification) -> Result<(), LakeError> {
    for name in disk::names_in(&expected.layout.runs())? {
        // What is kept of a run that failed has a name that is no id.
        let Ok(id) = name.parse::<SnapshotId>() else { continue };
        let is_known = expected.catalog.snapshot(&id).is_some()
            || expected.is_dropped(&id)
            || expected.unfinished(&id).is_some();
        if !is_known {
            let problem = "is of a run whose snapshot the Delta log does not have".to_owned();
            verification.add(Some(&id), expected.layout.run(&id), problem);
        }
    }
    Ok(())
}
