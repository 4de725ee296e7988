//! What the local Pinpoint remembers: documents of applications, segments and jobs, and endpoints, kept by redb in memory or
//! in a file.
//!
//! Contract: a call that returns has been committed, and to a file it has been synced, except for [`State::add_endpoints`],
//! which says so. Readers see the state as it was when they began. One process at a time has a folder open.

mod endpoints;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use redb::backends::InMemoryBackend;
use redb::{Database, DatabaseError, ReadableDatabase, TableDefinition, WriteTransaction};
use serde::Serialize;
use serde::de::DeserializeOwned;
use thiserror::Error;

pub(crate) use endpoints::Endpoints;

/// JSON by kind, owner and key.
const DOCUMENTS: TableDefinition<(&str, &str, &str), &[u8]> = TableDefinition::new("documents");

/// The file in a data folder.
const FILE: &str = "pinpoint.redb";

/// Pages kept in memory. In memory mode they are there anyway, and a cache would hold them twice.
const CACHE_BYTES: usize = 128 << 20;

/// What the cache has in memory mode: pages under change only.
const MEMORY_CACHE_BYTES: usize = 16 << 20;

/// Why the state could not be read or changed.
#[derive(Debug, Error)]
pub enum StateError {
    /// The folder could not be made or secured.
    #[error("cannot use the folder {}", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// Another server has the folder.
    #[error("{} is in use by another local server", path.display())]
    InUse {
        /// The file that is locked.
        path: PathBuf,
    },
    /// The file is none of ours, or damaged.
    #[error("cannot open {}", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// What the store said.
        #[source]
        source: Box<DatabaseError>,
    },
    /// The store failed: a disk that is full or gives errors, or a damaged file.
    #[error("the state cannot be read or written")]
    Store {
        /// What the store said.
        #[source]
        source: Box<redb::Error>,
    },
    /// A document is not what this version writes.
    #[error("a {kind} in the state cannot be read")]
    Document {
        /// Its kind.
        kind: &'static str,
        /// What the reader said.
        #[source]
        source: serde_json::Error,
    },
}

/// Makes the store's own errors ours.
fn store_error(error: impl Into<redb::Error>) -> StateError {
    StateError::Store { source: Box::new(error.into()) }
}

/// What kind of document it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// An application; it has no owner.
    Application,
    /// An export job of an application.
    ExportJob,
    /// An import job of an application.
    ImportJob,
    /// One version of a segment.
    Segment,
    /// Some of the ids that an imported segment holds.
    SegmentMembers,
}

impl Kind {
    /// All kinds that an application owns.
    const OWNED: [Kind; 4] = [Kind::ExportJob, Kind::ImportJob, Kind::Segment, Kind::SegmentMembers];

    fn name(self) -> &'static str {
        match self {
            Kind::Application => "application",
            Kind::ExportJob => "export job",
            Kind::ImportJob => "import job",
            Kind::Segment => "segment",
            Kind::SegmentMembers => "segment members",
        }
    }
}

/// The state. Clones share it.
#[derive(Debug, Clone)]
pub(crate) struct State {
    database: Arc<Database>,
}

impl State {
    /// An empty state that ends with the process.
    pub(crate) fn in_memory() -> Result<Self, StateError> {
        let database = Database::builder()
            .set_cache_size(MEMORY_CACHE_BYTES)
            .create_with_backend(InMemoryBackend::new())
            .map_err(store_error)?;
        Self::with_tables(database)
    }

    /// The state in a folder, which is made where it does not exist, for its owner alone.
    pub(crate) fn open(folder: &Path) -> Result<Self, StateError> {
        let path = folder.join(FILE);
        secure_folder(folder)
            .and_then(|()| secure_file(&path))
            .map_err(|source| StateError::Folder { path: folder.to_owned(), source })?;
        let database =
            Database::builder().set_cache_size(CACHE_BYTES).create(&path).map_err(|error| match error {
                DatabaseError::DatabaseAlreadyOpen => StateError::InUse { path: path.clone() },
                source => StateError::Open { path: path.clone(), source: Box::new(source) },
            })?;
        Self::with_tables(database)
    }

    /// Makes the tables, so that readers find them.
    fn with_tables(database: Database) -> Result<Self, StateError> {
        let state = State { database: Arc::new(database) };
        let transaction = state.begin_write()?;
        transaction.open_table(DOCUMENTS).map_err(store_error)?;
        endpoints::make_table(&transaction)?;
        transaction.commit().map_err(store_error)?;
        Ok(state)
    }

    fn begin_write(&self) -> Result<WriteTransaction, StateError> {
        self.database.begin_write().map_err(store_error)
    }

    /// Puts a document in the place of the one that has its key.
    pub(crate) fn put<T: Serialize>(
        &self,
        kind: Kind,
        owner: &str,
        key: &str,
        document: &T,
    ) -> Result<(), StateError> {
        let json = serde_json::to_vec(document)
            .map_err(|source| StateError::Document { kind: kind.name(), source })?;
        let transaction = self.begin_write()?;
        {
            let mut documents = transaction.open_table(DOCUMENTS).map_err(store_error)?;
            documents.insert((kind.name(), owner, key), json.as_slice()).map_err(store_error)?;
        }
        transaction.commit().map_err(store_error)
    }

    /// Removes an application with all that it owns.
    pub(crate) fn remove_application(&self, id: &str, number: u32) -> Result<(), StateError> {
        let transaction = self.begin_write()?;
        {
            let mut documents = transaction.open_table(DOCUMENTS).map_err(store_error)?;
            documents.remove((Kind::Application.name(), "", id)).map_err(store_error)?;
            for kind in Kind::OWNED {
                let owned = (kind.name(), id, "")..=(kind.name(), id, LAST_KEY);
                documents.retain_in(owned, |_, _| false).map_err(store_error)?;
            }
            endpoints::remove_all(&transaction, number)?;
        }
        transaction.commit().map_err(store_error)
    }

    /// Removes the documents of a kind and owner whose keys begin like this.
    pub(crate) fn remove(&self, kind: Kind, owner: &str, key_prefix: &str) -> Result<(), StateError> {
        let transaction = self.begin_write()?;
        {
            let mut documents = transaction.open_table(DOCUMENTS).map_err(store_error)?;
            let last = format!("{key_prefix}{LAST_KEY}");
            let range = (kind.name(), owner, key_prefix)..=(kind.name(), owner, last.as_str());
            documents.retain_in(range, |_, _| false).map_err(store_error)?;
        }
        transaction.commit().map_err(store_error)
    }

    /// All documents of a kind that have this owner, by key.
    pub(crate) fn all<T: DeserializeOwned>(&self, kind: Kind, owner: &str) -> Result<Vec<T>, StateError> {
        self.with_prefix(kind, owner, "")
    }

    /// The documents of a kind and owner whose keys begin like this, by key.
    pub(crate) fn with_prefix<T: DeserializeOwned>(
        &self,
        kind: Kind,
        owner: &str,
        key_prefix: &str,
    ) -> Result<Vec<T>, StateError> {
        let transaction = self.database.begin_read().map_err(store_error)?;
        let documents = transaction.open_table(DOCUMENTS).map_err(store_error)?;
        let last = format!("{key_prefix}{LAST_KEY}");
        let range = (kind.name(), owner, key_prefix)..=(kind.name(), owner, last.as_str());
        documents
            .range(range)
            .map_err(store_error)?
            .map(|entry| {
                let (_, json) = entry.map_err(store_error)?;
                serde_json::from_slice(json.value())
                    .map_err(|source| StateError::Document { kind: kind.name(), source })
            })
            .collect()
    }
}

/// Greater than any key: keys are ids and numbers.
const LAST_KEY: &str = "\u{10ffff}";

/// Makes the folder, for its owner alone.
fn secure_folder(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// Makes the file, where there is none, for its owner alone: an audience will be in it.
fn secure_file(path: &Path) -> io::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.create(true).append(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_are_there_after_a_restart_and_go_with_their_application()
    -> Result<(), Box<dyn std::error::Error>> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("data");
        {
            let state = State::open(&path)?;
            state.put(Kind::Application, "", "a", &"first")?;
            state.put(Kind::Application, "", "b", &"second")?;
            for (owner, job) in [("a", "1"), ("a", "2"), ("b", "3")] {
                state.put(Kind::ExportJob, owner, job, &job)?;
            }
            state.put(Kind::ExportJob, "a", "2", &"two")?;
            assert!(matches!(State::open(&path), Err(StateError::InUse { .. })));
        }
        let state = State::open(&path)?;
        assert_eq!(state.all::<String>(Kind::Application, "")?, ["first", "second"]);
        assert_eq!(state.all::<String>(Kind::ExportJob, "a")?, ["1", "two"]);
        state.remove_application("a", 0)?;
        assert_eq!(state.all::<String>(Kind::Application, "")?, ["second"]);
        assert_eq!(state.all::<String>(Kind::ExportJob, "a")?, [""; 0]);
        assert_eq!(state.all::<String>(Kind::ExportJob, "b")?, ["3"]);
        Ok(())
    }

    #[cfg(unix)]
    #[test]
    fn the_owner_alone_can_read_it() -> Result<(), Box<dyn std::error::Error>> {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("data");
        let _state = State::open(&path)?;
        assert_eq!(fs::metadata(&path)?.permissions().mode() & 0o777, 0o700);
        assert_eq!(fs::metadata(path.join(FILE))?.permissions().mode() & 0o777, 0o600);
        Ok(())
    }

    #[test]
    fn a_file_of_something_else_is_refused() -> Result<(), Box<dyn std::error::Error>> {
        let folder = tempfile::tempdir()?;
        fs::write(folder.path().join(FILE), b"not a database".repeat(1_000))?;
        assert!(matches!(State::open(folder.path()), Err(StateError::Open { .. })));
        Ok(())
    }
}
