//! File operations that survive a power cut, and that name the path when they fail.
//!
//! The rule they keep: a file is synced before the rename that makes it visible, and the folder it appears in is
//! synced after.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

use crate::LakeError;

/// Names the place of an operating system's error.
pub(crate) trait At<T> {
    /// `action` is a verb that fits between "cannot" and the path.
    fn at(self, action: &'static str, path: &Path) -> Result<T, LakeError>;
}

impl<T> At<T> for io::Result<T> {
    fn at(self, action: &'static str, path: &Path) -> Result<T, LakeError> {
        self.map_err(|source| LakeError::Io { action, path: path.to_owned(), source })
    }
}

/// Makes a folder and those above it.
pub(crate) fn make_folder(path: &Path) -> Result<(), LakeError> {
    fs::create_dir_all(path).at("make the folder", path)
}

/// Removes a folder with all that is in it; it need not be there.
pub(crate) fn remove_folder(path: &Path) -> Result<(), LakeError> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        result => result.at("remove", path),
    }
}

/// Removes a file; it need not be there.
pub(crate) fn remove_file(path: &Path) -> Result<(), LakeError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        result => result.at("remove", path),
    }
}

/// Renames a file or folder within the lake and makes both ends of the move last.
pub(crate) fn rename(from: &Path, to: &Path) -> Result<(), LakeError> {
    fs::rename(from, to).at("move to", to)?;
    let (left, entered) = (from.parent(), to.parent());
    for folder in left.filter(|_| left != entered).into_iter().chain(entered) {
        sync_folder(folder)?;
    }
    Ok(())
}

/// Makes a file that exists last.
pub(crate) fn sync_file(path: &Path) -> Result<(), LakeError> {
    File::open(path).and_then(|file| file.sync_all()).at("sync", path)
}

/// Makes the names in a folder last.
pub(crate) fn sync_folder(path: &Path) -> Result<(), LakeError> {
    // Elsewhere a folder cannot be opened as a file, and a rename is made to last by the file system.
    if cfg!(unix) { sync_file(path) } else { Ok(()) }
}

/// Writes a whole file under a name next to its own, syncs it and renames it: readers see all of it or nothing.
pub(crate) fn write_whole(
    path: &Path,
    fill: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<(), LakeError> {
    let temporary = path.with_extension("tmp");
    let written = File::create(&temporary).and_then(|file| {
        let mut buffered = io::BufWriter::new(file);
        fill(&mut buffered)?;
        buffered.into_inner()?.sync_all()
    });
    if let Err(error) = written {
        // The first error is the one to tell; a half file left behind is cleared with the staging folder.
        let _ = fs::remove_file(&temporary);
        return Err(error).at("write", path);
    }
    rename(&temporary, path)
}

/// Removes what a folder holds besides the files of these names.
pub(crate) fn remove_all_but(path: &Path, kept: &BTreeSet<String>) -> Result<(), LakeError> {
    for name in names_in(path)? {
        if !kept.contains(&name) {
            remove_file(&path.join(name))?;
        }
    }
    Ok(())
}

/// The names in a folder, sorted; none if it is not there.
pub(crate) fn names_in(path: &Path) -> Result<Vec<String>, LakeError> {
    let entries = match fs::read_dir(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        result => result.at("list", path)?,
    };
    let mut names = Vec::new();
    for entry in entries {
        names.push(entry.at("list", path)?.file_name().to_string_lossy().into_owned());
    }
    names.sort_unstable();
    Ok(names)
}
