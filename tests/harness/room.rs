//! A folder of a test's own, which goes away with it. Commands run in it, so that the default lake is `lake` there.

use std::path::{Path, PathBuf};

use serde_json::Value;
use tempfile::TempDir;

use super::{LakeFolder, Pinlake};

/// A folder to work in.
pub(crate) struct Room {
    folder: TempDir,
}

impl Room {
    pub(crate) fn new() -> Self {
        let folder = tempfile::Builder::new().prefix("room").tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        Self { folder }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file, and the folders above it.
    pub(crate) fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap_or(Path::new("/"))).unwrap();
        std::fs::write(&path, bytes).unwrap();
        path
    }

    pub(crate) fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// Names of everything that lies right in the room, sorted.
    pub(crate) fn names(&self) -> Vec<String> {
        self.names_in("")
    }

    /// Names of everything that lies right in a folder of the room, sorted.
    pub(crate) fn names_in(&self, folder: &str) -> Vec<String> {
        let entries = std::fs::read_dir(self.path(folder)).unwrap();
        let mut names: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    /// A command in this room.
    pub(crate) fn pinlake(&self, args: &[&str]) -> Pinlake {
        Pinlake::new(self.folder.path(), args)
    }

    /// A command in this room, started by a shell's line.
    pub(crate) fn pinlake_in_shell(&self, line: &str, args: &[&str]) -> Pinlake {
        Pinlake::in_shell(self.folder.path(), line, args)
    }

    /// The default lake of commands in this room.
    pub(crate) fn lake(&self) -> LakeFolder {
        LakeFolder::new(self.path("lake"))
    }

    /// The rows of a query on the room's lake.
    pub(crate) fn sql(&self, query: &str) -> Vec<Value> {
        self.pinlake(&["sql", query, "--format", "json"]).succeeds().rows()
    }
}
