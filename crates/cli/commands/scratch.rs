//! A folder to work in that goes away again, however the command ends.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;

/// How often removal is tried, and the pause between two tries: threads that were told to stop may still make files.
const TRIES: usize = 100;
const PAUSE: Duration = Duration::from_millis(20);

/// A new folder, removed with everything in it when this is dropped.
#[derive(Debug)]
pub(super) struct Scratch {
    path: PathBuf,
}

impl Scratch {
    /// Makes a folder of its own in `parent`, which must be there.
    pub(super) fn in_folder(parent: &Path) -> anyhow::Result<Self> {
        let process = std::process::id();
        for number in 0..u16::MAX {
            let path = parent.join(format!("pinlake-{process}-{number}"));
            match make_private(&path) {
                Ok(()) => return Ok(Self { path }),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => {
                    return Err(error).with_context(|| format!("cannot make the folder {}", path.display()));
                }
            }
        }
        anyhow::bail!("{} is full of folders of other runs", parent.display())
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

/// Makes a folder that nobody else may look into: endpoints are personal data.
fn make_private(path: &Path) -> io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt as _;
        builder.mode(0o700);
    }
    builder.create(path)
}

impl Drop for Scratch {
    fn drop(&mut self) {
        for _ in 0..TRIES {
            match std::fs::remove_dir_all(&self.path) {
                Ok(()) => return,
                Err(error) if error.kind() == io::ErrorKind::NotFound => return,
                Err(error) => tracing::debug!(path = %self.path.display(), %error, "not removed yet"),
            }
            std::thread::sleep(PAUSE);
        }
        tracing::warn!(path = %self.path.display(), "the scratch folder could not be removed");
    }
}
