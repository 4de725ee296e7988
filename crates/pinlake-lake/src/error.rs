//! What can go wrong with a data set. Each variant names the place; [`LakeError::kind`] sorts them so that a
//! caller can choose an exit code or a retry without reading the text.

use std::error::Error;
use std::io;
use std::path::PathBuf;

use deltalake_core::DeltaTableError;
use parquet::errors::ParquetError;

use crate::SnapshotId;

/// What an error means to whoever called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// The request cannot be met as put: no such lake or snapshot, a bad id, the wrong folder.
    Usage,
    /// What lies on disk is damaged or does not agree with itself.
    Integrity,
    /// The disk is full, or failed to read or write.
    Disk,
    /// Another process is at the same work; the same call may succeed later.
    Conflict,
    /// None of these: a bug here or in a dependency.
    Unexpected,
}

/// An operation on a lake failed. The text names the place, the [`source`](Error::source) the cause.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LakeError {
    /// A text is not of the form of a snapshot id.
    #[error("`{text}` cannot name a snapshot: {reason}")]
    InvalidSnapshotId {
        /// What was given.
        text: String,
        /// Which rule it breaks.
        reason: &'static str,
    },

    /// A path that the Delta log cannot name.
    #[error("{} cannot be a lake: its path {problem}; name another folder", .path.display())]
    UnusablePath {
        /// The folder.
        path: PathBuf,
        /// What is in the way.
        problem: &'static str,
    },

    /// The folder holds no lake.
    #[error(
        "{lake} is not a lake: there is no Delta table in {lake}/endpoints; `pinlake convert SRC --lake {lake}` makes one",
        lake = .path.display()
    )]
    NotALake {
        /// The folder that was named as the lake.
        path: PathBuf,
    },

    /// A lake was to be made in a folder that holds something else.
    #[error("{} holds other things (`{found}` is one) and is not a lake: name an empty or a new folder", .path.display())]
    NotEmpty {
        /// The folder that was named as the lake.
        path: PathBuf,
        /// One entry that does not belong to a lake.
        found: String,
    },

    /// The table's columns are not those that are to be written.
    #[error("the columns of the lake {} differ from the ones to be written: {difference}", .path.display())]
    SchemaMismatch {
        /// The lake, or the data file being written.
        path: PathBuf,
        /// The first columns that differ, in words.
        difference: String,
    },

    /// No snapshot of that id is in the lake.
    #[error("the lake {} has no snapshot `{id}`{}", .path.display(), latest_hint(.latest.as_ref()))]
    UnknownSnapshot {
        /// The lake.
        path: PathBuf,
        /// What was asked for.
        id: SnapshotId,
        /// The latest snapshot there is, if any.
        latest: Option<SnapshotId>,
    },

    /// The id is taken, and replacing it was not asked for.
    #[error("the lake {} has a snapshot `{id}` already: name another with --snapshot, or give --replace", .path.display())]
    SnapshotExists {
        /// The lake.
        path: PathBuf,
        /// The id that is taken.
        id: SnapshotId,
    },

    /// Another process, or another task of this one, holds the lock.
    #[error("{what} is in use by {holder} (lock {})", .path.display())]
    Busy {
        /// What the lock is on.
        what: String,
        /// Who says to hold it.
        holder: String,
        /// The lock file.
        path: PathBuf,
    },

    /// Another program committed to the table in a way that excludes this commit.
    #[error("another program changed the table {} in the meantime", .path.display())]
    CommitConflict {
        /// The Delta table.
        path: PathBuf,
        /// What the commit ran into.
        #[source]
        source: Box<DeltaTableError>,
    },

    /// The Delta log cannot be read, or says what cannot be.
    #[error("the Delta log of {} is damaged", .path.display())]
    DamagedLog {
        /// The Delta table.
        path: PathBuf,
        /// What reading it ran into.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },

    /// The Delta log names something this version cannot honour.
    #[error("the Delta table {} {feature}, which pinlake does not read", .path.display())]
    Unsupported {
        /// The Delta table.
        path: PathBuf,
        /// What it uses, in words that follow the path.
        feature: String,
    },

    /// The Delta log names a data file that would lie outside of the lake.
    #[error(
        "the Delta log of {} names the file `{named}`, which lies outside of it: nothing is read or removed there",
        .path.display()
    )]
    Outside {
        /// The Delta table.
        path: PathBuf,
        /// The file, as the log has it.
        named: String,
    },

    /// The table does not hold what was published a moment ago.
    #[error(
        "snapshot `{id}` was committed to {}, but what the table now says is not what the run made: {problem}; \
         do not use the snapshot, and see `pinlake snapshots verify {id}`",
        .path.display()
    )]
    NotAsPublished {
        /// The Delta table.
        path: PathBuf,
        /// The snapshot.
        id: SnapshotId,
        /// Which figures disagree.
        problem: String,
    },

    /// A data file the log names is not there, is of another length or is none that could be read.
    #[error("the data file {} {problem}", .path.display())]
    DamagedDataFile {
        /// The data file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },

    /// A `run.json`, or a record of an unfinished publication, is missing or is no such thing.
    #[error("{} cannot be understood", .path.display())]
    DamagedRecord {
        /// The file.
        path: PathBuf,
        /// What reading it ran into.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },

    /// What is to be published contradicts its manifest.
    #[error("snapshot `{id}` does not add up: {problem}")]
    Inconsistent {
        /// The snapshot that was to be published.
        id: SnapshotId,
        /// Which figures disagree.
        problem: String,
    },

    /// The operating system refused something.
    #[error("cannot {action} {}", .path.display())]
    Io {
        /// What was tried, as a verb.
        action: &'static str,
        /// On which file or folder.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },

    /// A data file could not be written.
    #[error("cannot write the data file {}", .path.display())]
    WriteDataFile {
        /// The staged data file.
        path: PathBuf,
        /// What the Parquet writer ran into.
        #[source]
        source: ParquetError,
    },

    /// The Delta table could not be created or committed to.
    #[error("cannot {action} the Delta table {}", .path.display())]
    Table {
        /// What was tried, as a verb.
        action: &'static str,
        /// The Delta table.
        path: PathBuf,
        /// What deltalake ran into.
        #[source]
        source: Box<DeltaTableError>,
    },
}

impl LakeError {
    /// What this error means to the caller.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::InvalidSnapshotId { .. }
            | Self::UnusablePath { .. }
            | Self::NotALake { .. }
            | Self::NotEmpty { .. }
            | Self::SchemaMismatch { .. }
            | Self::UnknownSnapshot { .. }
            | Self::SnapshotExists { .. }
            | Self::Unsupported { .. } => ErrorKind::Usage,
            Self::Busy { .. } | Self::CommitConflict { .. } => ErrorKind::Conflict,
            Self::DamagedDataFile { .. }
            | Self::Inconsistent { .. }
            | Self::Outside { .. }
            | Self::NotAsPublished { .. } => ErrorKind::Integrity,
            Self::DamagedLog { source, .. } | Self::DamagedRecord { source, .. } => {
                io_cause(source.as_ref()).map_or(ErrorKind::Integrity, kind_of_read)
            }
            Self::Io { source, .. } => kind_of_io(source),
            Self::WriteDataFile { source, .. } => io_cause(source).map_or(ErrorKind::Unexpected, kind_of_io),
            Self::Table { source, .. } => io_cause(source).map_or(ErrorKind::Unexpected, kind_of_io),
        }
    }

    /// Whether the same call may succeed later with nothing done about it.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        self.kind() == ErrorKind::Conflict
    }
}

fn latest_hint(latest: Option<&SnapshotId>) -> String {
    latest.map_or_else(|| "; it has none at all".to_owned(), |id| format!("; the latest is `{id}`"))
}

/// The operating system's error at the bottom of a chain, if that is what it comes down to.
fn io_cause<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a io::Error> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref::<io::Error>() {
            return Some(found);
        }
        next = error.source();
    }
    None
}

/// Wrong folders and missing rights are the caller's to mend; all else the system reports is the disk's.
fn kind_of_io(error: &io::Error) -> ErrorKind {
    match error.kind() {
        io::ErrorKind::PermissionDenied
        | io::ErrorKind::ReadOnlyFilesystem
        | io::ErrorKind::NotADirectory
        | io::ErrorKind::IsADirectory
        | io::ErrorKind::AlreadyExists
        | io::ErrorKind::InvalidFilename => ErrorKind::Usage,
        _ => ErrorKind::Disk,
    }
}

/// Reading what the lake must have: a file that is not there, or is cut short, is damage.
fn kind_of_read(error: &io::Error) -> ErrorKind {
    match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::UnexpectedEof | io::ErrorKind::InvalidData => {
            ErrorKind::Integrity
        }
        _ => kind_of_io(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_the_disk_however_deep_it_lies() {
        let full = || io::Error::from(io::ErrorKind::StorageFull);
        let plain = LakeError::Io { action: "write", path: "x".into(), source: full() };
        let parquet =
            LakeError::WriteDataFile { path: "x".into(), source: ParquetError::External(Box::new(full())) };
        let table = LakeError::Table {
            action: "commit to",
            path: "x".into(),
            source: Box::new(DeltaTableError::Io { source: full() }),
        };
        for error in [plain, parquet, table] {
            assert_eq!(error.kind(), ErrorKind::Disk, "{error}");
        }
    }

    #[test]
    fn a_folder_one_may_not_write_is_the_callers_to_mend() {
        let denied = LakeError::Io {
            action: "make",
            path: "/lake".into(),
            source: io::ErrorKind::PermissionDenied.into(),
        };
        assert_eq!(denied.kind(), ErrorKind::Usage);
        assert!(!denied.is_retryable());
    }

    #[test]
    fn a_missing_manifest_is_damage() {
        let error = LakeError::DamagedRecord {
            path: "run.json".into(),
            source: Box::new(io::Error::from(io::ErrorKind::NotFound)),
        };
        assert_eq!(error.kind(), ErrorKind::Integrity);
    }
}
