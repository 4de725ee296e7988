//! File operations that survive a power cut, and that name the path when they fail.
//!
//! The rules they keep: a file is synced before the rename that makes it visible, and the folder it appears in is
//! synced after. What is made is its owner's alone, since it holds personal data or lies beside it; what was there
//! keeps its mode, so that whoever runs a lake decides who shares it. No link below the lake's folder is followed.

use std::collections::BTreeSet;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

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

/// Makes a folder and those above it. Nobody else may look into those that are new.
pub(crate) fn make_folder(path: &Path) -> Result<(), LakeError> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path).at("make the folder", path)
}

/// Makes a new file that nobody else may read.
pub(crate) fn create_new(path: &Path) -> io::Result<File> {
    private(OpenOptions::new().write(true).create_new(true)).open(path)
}

/// What these options make is its owner's alone.
pub(crate) fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    options
}

/// The first part of `path` below `base` that is a link, and so may lead anywhere; none if there is none, or nothing at
/// all.
pub(crate) fn link_below(base: &Path, path: &Path) -> Option<PathBuf> {
    let mut at = base.to_owned();
    for part in path.strip_prefix(base).unwrap_or(path).components() {
        at.push(part);
        match fs::symlink_metadata(&at) {
            Ok(facts) if facts.is_symlink() => return Some(at),
            Ok(_) => {}
            // Whoever looks at the path itself is told why.
            Err(_) => return None,
        }
    }
    None
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
    let created = private(OpenOptions::new().write(true).create(true).truncate(true)).open(&temporary);
    let written = created.and_then(|file| {
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
