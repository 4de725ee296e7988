//! The destination as it is: what may be written where.
//!
//! No symbolic link below the destination is followed. The destination itself may be one: the user named it.

use std::fs::{self, Metadata};
use std::io::ErrorKind as IoErrorKind;
use std::path::{Component, Path};

use super::DownloadError;

fn unwritable(path: &Path, cause: std::io::Error) -> DownloadError {
    DownloadError::Write { path: path.to_owned(), cause }
}

/// What is at `path` itself, not behind a link; `None` where there is nothing.
fn at(path: &Path) -> Result<Option<Metadata>, DownloadError> {
    match fs::symlink_metadata(path) {
        Ok(facts) => Ok(Some(facts)),
        Err(error) if matches!(error.kind(), IoErrorKind::NotFound | IoErrorKind::NotADirectory) => Ok(None),
        Err(error) => Err(unwritable(path, error)),
    }
}

/// The destination is a folder, or nothing yet.
pub(super) fn check_folder(dest: &Path) -> Result<(), DownloadError> {
    match fs::metadata(dest) {
        Ok(facts) if facts.is_dir() => Ok(()),
        Ok(_) => Err(DownloadError::NotAFolder { path: dest.to_owned() }),
        Err(error) if error.kind() == IoErrorKind::NotFound => Ok(()),
        Err(error) if error.kind() == IoErrorKind::NotADirectory => {
            Err(DownloadError::NotAFolder { path: dest.to_owned() })
        }
        Err(error) => Err(unwritable(dest, error)),
    }
}

/// Makes the destination, where it is not there, with the folders above it, and makes their names last.
pub(super) fn make_destination(dest: &Path) -> Result<(), DownloadError> {
    check_folder(dest)?;
    let is_new = |folder: &&Path| !folder.as_os_str().is_empty() && !folder.exists();
    let new: Vec<&Path> = dest.ancestors().take_while(is_new).collect();
    private_folders().recursive(true).create(dest).map_err(|error| unwritable(dest, error))?;
    for folder in new {
        match folder.parent() {
            Some(parent) if parent.as_os_str().is_empty() => sync_folder(Path::new("."))?,
            Some(parent) => sync_folder(parent)?,
            None => {}
        }
    }
    Ok(())
}

/// Whether something that is no file stands where `file` should be, or something that is no folder on the way
/// to it.
pub(super) fn is_blocked(dest: &Path, file: &str) -> Result<bool, DownloadError> {
    let mut path = dest.to_owned();
    let mut parts = file.split('/').peekable();
    while let Some(part) = parts.next() {
        path.push(part);
        let Some(facts) = at(&path)? else { return Ok(false) };
        let is_right = if parts.peek().is_some() { facts.is_dir() } else { facts.is_file() };
        if !is_right {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The size of a regular file; `None` where there is none.
pub(super) fn file_size(dest: &Path, file: &str) -> Result<Option<u64>, DownloadError> {
    Ok(at(&dest.join(file))?.filter(Metadata::is_file).map(|facts| facts.len()))
}

/// How folders are made: pieces are personal data, so nobody else may look into those that are new.
fn private_folders() -> fs::DirBuilder {
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder
}

/// Makes a new file that its owner alone can read.
pub(super) fn create_new(path: &Path) -> std::io::Result<fs::File> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Makes the folders on the way to `file`, following no link.
pub(super) fn make_folders(dest: &Path, file: &str) -> Result<(), DownloadError> {
    let mut path = dest.to_owned();
    let Some((folders, _)) = file.rsplit_once('/') else { return Ok(()) };
    for part in folders.split('/') {
        path.push(part);
        match private_folders().create(&path) {
            Ok(()) => {}
            Err(error) if error.kind() == IoErrorKind::AlreadyExists => {
                if !at(&path)?.is_some_and(|facts| facts.is_dir()) {
                    return Err(DownloadError::InTheWay { path });
                }
            }
            Err(error) => return Err(unwritable(&path, error)),
        }
    }
    Ok(())
}

/// Removes a file that an earlier run wrote. The name comes from an index, which anyone may have edited: only a
/// plain path to a regular file is acted upon.
pub(super) fn remove_file(dest: &Path, file: &str) -> Result<(), DownloadError> {
    let is_below = Path::new(file).components().all(|part| matches!(part, Component::Normal(_)));
    let path = dest.join(file);
    if !is_below || is_blocked(dest, file)? || at(&path)?.is_none() {
        return Ok(());
    }
    fs::remove_file(&path).map_err(|error| unwritable(&path, error))
}

/// Makes the names in a folder last. Where folders cannot be synced there is nothing to be done about it.
pub(super) fn sync_folder(folder: &Path) -> Result<(), DownloadError> {
    if cfg!(unix) {
        let synced = fs::File::open(folder).and_then(|folder| folder.sync_all());
        synced.map_err(|error| unwritable(folder, error))?;
    }
    Ok(())
}
