//! One run at a time in a destination.
//!
//! The lock is a file that the system has locked, and unlocks when its holder dies; its name is hidden, so it is no piece to
//! anyone. A file that a dead run left is no lock.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

use super::DownloadError;
use crate::error::printable;
use crate::filter::LOCK_FILE;

/// What is read of the holder's name at most.
const HOLDER_BYTES: u64 = 200;

/// A lock that is held until it is dropped.
#[derive(Debug)]
pub(super) struct FolderLock {
    path: PathBuf,
    // Held for its lock alone.
    _file: File,
}

impl FolderLock {
    /// Takes the lock of `dest`, which is there, at once.
    ///
    /// # Errors
    /// `Busy`, naming the holder, if it is taken; `InTheWay` if something that is no file has its name.
    pub(super) fn take(dest: &Path) -> Result<Self, DownloadError> {
        let path = dest.join(LOCK_FILE);
        loop {
            if fs::symlink_metadata(&path).is_ok_and(|facts| !facts.is_file()) {
                return Err(DownloadError::InTheWay { path });
            }
            let mut file = open(&path).map_err(|cause| DownloadError::Write { path: path.clone(), cause })?;
            match file.try_lock() {
                Ok(()) if !is_at(&file, &path) => {} // Its last holder removed the name: take the new file there.
                Ok(()) => {
                    sign(&mut file).map_err(|cause| DownloadError::Write { path: path.clone(), cause })?;
                    return Ok(Self { path, _file: file });
                }
                Err(TryLockError::WouldBlock) => {
                    return Err(DownloadError::Busy { dest: dest.to_owned(), holder: holder(&file) });
                }
                Err(TryLockError::Error(cause)) => return Err(DownloadError::Write { path, cause }),
            }
        }
    }
}

impl Drop for FolderLock {
    fn drop(&mut self) {
        // The name goes while the lock is still held: whoever has opened this very file then finds the name gone.
        if let Err(error) = fs::remove_file(&self.path) {
            tracing::debug!(path = %self.path.display(), %error, "a lock file stays behind");
        }
    }
}

/// Opens the file, or makes it, and follows no link.
fn open(path: &Path) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        let flags = rustix::fs::OFlags::NOFOLLOW.bits();
        options.custom_flags(i32::try_from(flags).unwrap_or_default());
    }
    options.open(path)
}

/// Whether the file that is open is the one that `path` names now.
#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    match (file.metadata(), fs::symlink_metadata(path)) {
        (Ok(open), Ok(named)) => (open.dev(), open.ino()) == (named.dev(), named.ino()),
        _ => false,
    }
}

/// Elsewhere the name of an open file cannot be taken away.
#[cfg(not(unix))]
fn is_at(_file: &File, path: &Path) -> bool {
    path.exists()
}

fn sign(file: &mut File) -> std::io::Result<()> {
    let host = fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let host = match host.trim() {
        "" => String::new(),
        host => format!(" on {host}"),
    };
    file.set_len(0)?;
    write!(file, "process {}{host}", std::process::id())
}

fn holder(file: &File) -> String {
    let mut bytes = Vec::new();
    // A holder that cannot be read is still one.
    let _ = file.take(HOLDER_BYTES).read_to_end(&mut bytes);
    let text = printable(&String::from_utf8_lossy(&bytes));
    if text.is_empty() { "another process".to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    #[test]
    fn a_folder_is_locked_once_and_the_holder_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(LOCK_FILE);
        fs::write(&path, "process 1 on a machine long gone").unwrap();
        let lock = FolderLock::take(folder.path()).unwrap();
        let error = FolderLock::take(folder.path()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Disk);
        assert!(error.to_string().contains(&format!("process {}", std::process::id())), "{error}");
        drop(lock);
        assert!(!path.exists());
    }

    #[cfg(unix)]
    #[test]
    fn a_link_in_its_place_is_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        let outside = folder.path().join("outside");
        fs::write(&outside, "kept").unwrap();
        let dest = folder.path().join("dest");
        fs::create_dir(&dest).unwrap();
        std::os::unix::fs::symlink(&outside, dest.join(LOCK_FILE)).unwrap();
        assert!(matches!(FolderLock::take(&dest), Err(DownloadError::InTheWay { .. })));
        assert_eq!(fs::read(&outside).unwrap(), b"kept");
    }
}
