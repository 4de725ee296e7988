//! The scratch folder of a run: files that outlive a kill and that nobody else reads. They are their owner's alone, since
//! rejected lines are personal data.

use std::collections::HashSet;
use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};

use crate::error::IngestError;

/// A folder that exists.
#[derive(Clone, Debug)]
pub(crate) struct Scratch {
    folder: PathBuf,
}

impl Scratch {
    pub(crate) fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// The path of the file of that name.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Makes a new file whose name begins with `stem`, and gives that name.
    pub(crate) fn make(&self, stem: &str) -> Result<(String, File), IngestError> {
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        // An interrupted run may have left files of the same stem.
        let mut again = 0_u64;
        loop {
            let name = if again == 0 { stem.to_owned() } else { format!("{stem}-{again}") };
            match options.open(self.path(&name)) {
                Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => again += 1,
                result => {
                    return result
                        .map(|file| (name.clone(), file))
                        .map_err(|cause| spill(&self.path(&name), cause));
                }
            }
        }
    }

    /// Makes a file last that was written and closed.
    pub(crate) fn sync(&self, name: &str) -> Result<(), IngestError> {
        let path = self.path(name);
        File::open(&path).and_then(|file| file.sync_all()).map_err(|source| spill(&path, source))
    }

    /// Removes every file but those of these names.
    pub(crate) fn keep_only(&self, names: &HashSet<String>) -> Result<(), IngestError> {
        let list = || {
            for entry in std::fs::read_dir(&self.folder)? {
                let entry = entry?;
                let is_kept = entry.file_name().to_str().is_some_and(|name| names.contains(name));
                if !is_kept {
                    std::fs::remove_file(entry.path())?;
                }
            }
            Ok(())
        };
        list().map_err(|source| spill(&self.folder, source))
    }
}

pub(crate) fn spill(path: &Path, source: std::io::Error) -> IngestError {
    IngestError::Spill { path: path.to_owned(), source }
}
