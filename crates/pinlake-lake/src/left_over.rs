//! What dropped snapshots leave on the disk: files that the log has named and does not name any more.
//!
//! Everything here stays inside the lake and follows no link, whatever the log says and whatever became of the folders.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Component, Path, PathBuf};

use crate::catalog::Catalog;
use crate::disk::{self, At as _};
use crate::layout::Layout;
use crate::log::history;
use crate::{LakeError, SnapshotId};

/// Files that belong to nothing in the lake.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LeftOver {
    /// How many.
    pub files: u64,
    /// Their length together.
    pub bytes: u64,
}

/// The data files of a snapshot that commits took away when they dropped it, as paths below the table; they may lie
/// there still. None of them is in the lake now.
pub(crate) fn dropped_files(
    layout: &Layout,
    id: &SnapshotId,
    catalog: &Catalog,
) -> Result<BTreeSet<String>, LakeError> {
    let live: BTreeSet<PathBuf> = catalog.files.iter().map(|file| file.path.clone()).collect();
    let removed = history::removed_by_drops(layout, id)?.into_iter();
    Ok(removed.filter(|path| !live.contains(&layout.table().join(path))).collect())
}

/// Where what is left of a dropped snapshot may lie: data files, its folder if nothing else is in it, its run.
fn places(layout: &Layout, id: &SnapshotId, catalog: &Catalog) -> Result<Vec<PathBuf>, LakeError> {
    let partition = layout.partition(id);
    let mut places = vec![layout.run(id)];
    let is_shared = catalog.files.iter().any(|file| file.path.starts_with(&partition));
    for path in dropped_files(layout, id, catalog)? {
        let file = layout.table().join(&path);
        // Those in the folder are counted and removed with it.
        if is_plain(Path::new(&path)) && (is_shared || !file.starts_with(&partition)) {
            places.push(file);
        }
    }
    if !is_shared {
        places.push(partition);
    }
    Ok(places)
}

/// What is left of a dropped snapshot.
pub(crate) fn measure(layout: &Layout, id: &SnapshotId, catalog: &Catalog) -> Result<LeftOver, LakeError> {
    let mut left = LeftOver::default();
    for place in places(layout, id, catalog)? {
        if let Some(place) = inside(layout, &place) {
            left.add(place)?;
        }
    }
    Ok(left)
}

/// Removes it.
pub(crate) fn remove(layout: &Layout, id: &SnapshotId, catalog: &Catalog) -> Result<(), LakeError> {
    for place in places(layout, id, catalog)? {
        let Some(place) = inside(layout, &place) else { continue };
        match fs::symlink_metadata(place) {
            Ok(facts) if facts.is_dir() => disk::remove_folder(place)?,
            Ok(_) => disk::remove_file(place)?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
            Err(error) => return Err(error).at("look at", place),
        }
        if let Some(folder) = place.parent().filter(|folder| folder.is_dir()) {
            disk::sync_folder(folder)?;
        }
    }
    Ok(())
}

/// Removes a data file that the log does not name any more. The log may name files anywhere, and a folder of the lake
/// may have been made a link; what is removed must be the table's own.
pub(crate) fn remove_data_file(layout: &Layout, path: &str) -> Result<(), LakeError> {
    if !is_plain(Path::new(path)) {
        return Ok(());
    }
    let path = layout.table().join(path);
    inside(layout, &path).map_or(Ok(()), disk::remove_file)
}

fn is_plain(path: &Path) -> bool {
    path.components().all(|part| matches!(part, Component::Normal(_)))
}

/// The place, if no link is on the way to it. It may be a link itself: what is removed then is the link.
fn inside<'a>(layout: &Layout, place: &'a Path) -> Option<&'a Path> {
    let folder = place.parent().unwrap_or(place);
    disk::link_below(layout.root(), folder).is_none().then_some(place)
}

impl LeftOver {
    /// Counts a file, or all files of a folder.
    fn add(&mut self, path: &Path) -> Result<(), LakeError> {
        let mut waiting = vec![path.to_owned()];
        while let Some(next) = waiting.pop() {
            match fs::symlink_metadata(&next) {
                Ok(facts) if facts.is_dir() => {
                    let names = disk::names_in(&next)?;
                    waiting.extend(names.iter().map(|name| next.join(name)));
                }
                Ok(facts) => {
                    self.files += 1;
                    self.bytes += facts.len();
                }
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                Err(error) => return Err(error).at("look at", &next),
            }
        }
        Ok(())
    }
}
