//! Locks between processes: files the system has locked, and unlocks when their holder dies.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::LakeError;
use crate::disk::{self, At as _};

/// How often a lock that is waited for is tried.
const RETRY_INTERVAL: Duration = Duration::from_millis(20);
/// What is read of the holder's name at most.
const HOLDER_BYTES: u64 = 200;

/// A lock that is held until it is dropped.
#[derive(Debug)]
pub(crate) struct FileLock {
    path: PathBuf,
    // Held for its lock alone.
    _file: File,
}

impl FileLock {
    /// Takes the lock at `path` at once. `what` says what it guards, for the error.
    ///
    /// # Errors
    /// `Busy`, naming the holder, if it is taken.
    pub(crate) fn take(path: &Path, what: &str) -> Result<Self, LakeError> {
        loop {
            let mut options = OpenOptions::new();
            options.read(true).write(true).create(true).truncate(false);
            let mut file = disk::private(&mut options).open(path).at("open the lock", path)?;
            match file.try_lock() {
                Ok(()) if !is_at(&file, path) => {} // Its last holder removed the name: take the new file there.
                Ok(()) => {
                    sign(&mut file).at("write the lock", path)?;
                    tracing::debug!(?path, "locked");
                    return Ok(Self { path: path.to_owned(), _file: file });
                }
                Err(TryLockError::WouldBlock) => {
                    let holder = holder(&mut file);
                    return Err(LakeError::Busy { what: what.to_owned(), holder, path: path.to_owned() });
                }
                Err(TryLockError::Error(error)) => return Err(error).at("lock", path),
            }
        }
    }

    /// Takes the lock at `path`, waiting up to `patience` for it.
    pub(crate) async fn wait(path: &Path, what: &str, patience: Duration) -> Result<Self, LakeError> {
        let deadline = Instant::now() + patience;
        loop {
            match Self::take(path, what) {
                Err(LakeError::Busy { .. }) if Instant::now() < deadline => {
                    tokio::time::sleep(RETRY_INTERVAL).await;
                }
                result => return result,
            }
        }
    }
}

impl Drop for FileLock {
    fn drop(&mut self) {
        // The name goes while the lock is still held: whoever waits for this very file then finds the name gone.
        if let Err(error) = fs::remove_file(&self.path) {
            tracing::debug!(path = %self.path.display(), %error, "a lock file stays behind");
        }
    }
}

/// Whether nobody holds the lock at `path`.
pub(crate) fn is_free(path: &Path) -> Result<bool, LakeError> {
    match FileLock::take(path, "it") {
        Ok(_) => Ok(true),
        Err(LakeError::Busy { .. }) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Whether the file that is open is the one that `path` names now.
#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    match (file.metadata(), fs::metadata(path)) {
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

fn holder(file: &mut File) -> String {
    let mut bytes = Vec::new();
    // A holder that cannot be read is still one.
    let _ = file.take(HOLDER_BYTES).read_to_end(&mut bytes);
    let text: String = String::from_utf8_lossy(&bytes).chars().filter(|c| !c.is_control()).collect();
    if text.is_empty() { "another process".to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;

    #[test]
    fn a_lock_is_held_once_and_names_its_holder() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x~lock");
        let lock = FileLock::take(&path, "the test").unwrap();
        let error = FileLock::take(&path, "the test").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Conflict);
        assert!(error.to_string().contains(&format!("process {}", std::process::id())), "{error}");
        drop(lock);
        assert!(!path.exists());
        FileLock::take(&path, "the test").unwrap();
    }

    #[test]
    fn a_file_left_by_a_dead_process_is_no_lock() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x~lock");
        fs::write(&path, "process 1 on a machine long gone").unwrap();
        FileLock::take(&path, "the test").unwrap();
    }

    #[test]
    fn of_many_threads_one_at_a_time_holds_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x~lock");
        let held = std::sync::atomic::AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..200 {
                        if let Ok(_lock) = FileLock::take(&path, "the test") {
                            let others = held.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
                            assert_eq!(others, 0);
                            held.fetch_sub(1, std::sync::atomic::Ordering::SeqCst);
                        }
                    }
                });
            }
        });
    }
}
