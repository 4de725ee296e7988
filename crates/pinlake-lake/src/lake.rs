//! The lake itself: opening it, making it, asking what is in it.

use std::fs;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use deltalake_core::DeltaTable;

use crate::catalog::{Catalog, DataFileRef, Snapshot};
use crate::data_file;
use crate::disk::{self, At as _};
use crate::journal::{Journaled, RunIdentity};
use crate::layout::Layout;
use crate::lock::{FileLock, is_free};
use crate::publish::{self, PUBLISH_PATIENCE};
use crate::removal::{self, Dropped};
use crate::staging::{StageOptions, Staging};
use crate::verify::{self, Verification, VerifyOptions};
use crate::{LakeError, PARTITION_COLUMN, RunManifest, SnapshotId, log};

/// A lake as it was when it was opened or last [refreshed](Self::refresh). Reading it takes no lock and changes
/// nothing on disk.
#[derive(Debug, Clone)]
pub struct Lake {
    layout: Layout,
    table: DeltaTable,
    /// The table's columns without the partition column.
    table_schema: SchemaRef,
    /// The same as writers take them, dictionaries and all.
    file_schema: SchemaRef,
    catalog: Catalog,
}

impl Lake {
    /// Opens the lake in the folder `root`.
    ///
    /// # Errors
    /// `NotALake` if there is none; `DamagedLog` or `Unsupported` if it cannot be read.
    pub async fn open(root: &Path) -> Result<Self, LakeError> {
        let layout = absolute_layout(root)?;
        if !has_table(&layout)? {
            return Err(LakeError::NotALake { path: root.to_owned() });
        }
        Self::load(layout, None).await
    }

    /// Opens the lake in the folder `root`, or makes one there if the folder is empty or absent.
    /// `schema` has the columns of its data files, which are all but the partition column `snapshot`.
    ///
    /// # Errors
    /// `NotEmpty` if the folder holds anything else; `SchemaMismatch` if its table has other columns.
    pub async fn open_or_create(root: &Path, schema: SchemaRef) -> Result<Self, LakeError> {
        let layout = absolute_layout(root)?;
        if !has_table(&layout)? {
            create(root, &layout, &schema).await?;
        }
        Self::load(layout, Some(schema)).await
    }

    /// Opens the lake in the folder `root`; none where there is none yet and one could be made. Makes nothing itself.
    ///
    /// # Errors
    /// Those of [`Lake::open`] and [`Lake::open_or_create`], but for `NotALake`.
    pub async fn open_if_any(root: &Path) -> Result<Option<Self>, LakeError> {
        let layout = absolute_layout(root)?;
        if has_table(&layout)? {
            return Self::load(layout, None).await.map(Some);
        }
        match foreign_entry(&layout)? {
            Some(found) => Err(LakeError::NotEmpty { path: root.to_owned(), found }),
            None => Ok(None),
        }
    }

    async fn load(layout: Layout, schema: Option<SchemaRef>) -> Result<Self, LakeError> {
        for folder in [layout.runs(), layout.staging()] {
            no_link(&layout, &folder)?;
        }
        let table = log::open(&layout).await?;
        check_partitioning(&table, &layout)?;
        let table_schema = log::file_schema(&table, &layout)?;
        let file_schema = match schema {
            None => Arc::clone(&table_schema),
            Some(schema) => match log::difference(&layout, &table_schema, &schema)? {
                None => schema,
                Some(difference) => {
                    return Err(LakeError::SchemaMismatch { path: layout.root().to_owned(), difference });
                }
            },
        };
        let catalog = Catalog::read(&table, &layout)?;
        Ok(Self { layout, table, table_schema, file_schema, catalog })
    }

    /// Takes up what was committed since.
    pub async fn refresh(&mut self) -> Result<(), LakeError> {
        log::refresh(&mut self.table, &self.layout).await?;
        self.catalog = Catalog::read(&self.table, &self.layout)?;
        Ok(())
    }

    /// The lake's folder, absolute.
    #[must_use]
    pub fn root(&self) -> &Path {
        self.layout.root()
    }

    /// The version of the Delta table that is being looked at.
    #[must_use]
    pub fn table_version(&self) -> u64 {
        self.table.version().unwrap_or_default()
    }

    /// All columns as readers of the table see them: no dictionaries, `snapshot` last.
    #[must_use]
    pub fn schema(&self) -> SchemaRef {
        let mut fields: Vec<_> = self.table_schema.fields().iter().cloned().collect();
        fields.push(Arc::new(Field::new(PARTITION_COLUMN, DataType::Utf8, false)));
        Arc::new(Schema::new(fields))
    }

    /// The columns of a data file, as writers take them: those the lake was opened with.
    #[must_use]
    pub fn file_schema(&self) -> SchemaRef {
        Arc::clone(&self.file_schema)
    }

    /// All snapshots in the order of their commits; a replaced one stands where its replacement does.
    #[must_use]
    pub fn snapshots(&self) -> &[Snapshot] {
        &self.catalog.snapshots
    }

    /// The snapshot committed last; `None` in a lake that has none yet.
    #[must_use]
    pub fn latest(&self) -> Option<&Snapshot> {
        self.catalog.snapshots.last()
    }

    /// The snapshot of that id.
    ///
    /// # Errors
    /// `UnknownSnapshot`, which names the latest.
    pub fn snapshot(&self, id: &SnapshotId) -> Result<&Snapshot, LakeError> {
        self.catalog.snapshot(id).ok_or_else(|| LakeError::UnknownSnapshot {
            path: self.layout.root().to_owned(),
            id: id.clone(),
            latest: self.latest().map(|snapshot| snapshot.id.clone()),
        })
    }

    /// Exactly the data files the Delta log names, of one snapshot or of all: each is there, in the lake itself, has its
    /// recorded length, rows and columns, and a footer that a reader can be trusted with. No row is read.
    ///
    /// # Errors
    /// `UnknownSnapshot`; `DamagedDataFile` if one is missing, or is not what the log says.
    pub fn data_files(&self, id: Option<&SnapshotId>) -> Result<Vec<DataFileRef>, LakeError> {
        if let Some(id) = id {
            self.snapshot(id)?;
        }
        let named = self.catalog.files.iter().filter(|file| id.is_none_or(|id| file.snapshot == *id));
        let root = self.layout.root();
        let checked =
            |file: &DataFileRef| match data_file::check(root, &file.path, file.bytes, &self.table_schema)? {
                rows if rows == file.rows => Ok(file.clone()),
                rows => Err(LakeError::DamagedDataFile {
                    path: file.path.clone(),
                    problem: data_file::rows_differ(rows, file.rows),
                }),
            };
        named.map(checked).collect()
    }

    /// The manifest of the run that made a snapshot.
    ///
    /// # Errors
    /// `UnknownSnapshot`; `DamagedRecord` if it cannot be read.
    pub fn manifest(&self, id: &SnapshotId) -> Result<RunManifest, LakeError> {
        self.snapshot(id)?;
        let path = self.manifest_path(id)?;
        match RunManifest::read(&path) {
            // It was put aside, or back, in the meantime.
            Err(_) if !path.exists() => RunManifest::read(&self.manifest_path(id)?),
            read => read,
        }
    }

    /// Where the manifest is of the snapshot as the log has it: put aside while a run replaces it, and where a kill cut that off.
    fn manifest_path(&self, id: &SnapshotId) -> Result<PathBuf, LakeError> {
        let (unfinished, _) = publish::unfinished(&self.layout)?;
        let aside = unfinished.into_iter().find(|it| it.snapshot == *id).map(|it| it.manifest);
        let path = aside.unwrap_or_else(|| self.layout.manifest(id));
        no_link(&self.layout, &path)?;
        Ok(path)
    }

    /// The rejected lines of the run that made a snapshot.
    #[must_use]
    pub fn rejects_path(&self, id: &SnapshotId) -> PathBuf {
        self.layout.rejects(id)
    }

    /// The snapshots that interrupted runs of the same work were making, as far as anything of it is done for good, in the order
    /// of their ids.
    pub fn interrupted_runs(&self, identity: &RunIdentity) -> Result<Vec<SnapshotId>, LakeError> {
        let mut found = Vec::new();
        for id in self.layout.staged_ids()? {
            let Some(left) = Journaled::read(&self.layout.staged(&id))? else { continue };
            if left.identity == *identity && left.is_of_use() && is_free(&self.layout.staging_lock(&id))? {
                found.push(id);
            }
        }
        Ok(found)
    }

    /// Whether a run works on a snapshot of that id, or has left something of it.
    pub fn is_staged(&self, id: &SnapshotId) -> Result<bool, LakeError> {
        Ok(self.layout.staged_ids()?.contains(id))
    }

    /// Takes a snapshot out of the lake, in one commit. Its files, its manifest and its rejects stay on the disk, for
    /// readers of older versions of the table, unless they are to be removed as well (`vacuum`): at once, or for one
    /// that was dropped before. Dropping one twice is no error.
    ///
    /// # Errors
    /// `UnknownSnapshot`, which names the latest; `Busy` if a run makes a snapshot of this id.
    pub async fn drop_snapshot(&self, id: &SnapshotId, vacuum: bool) -> Result<Dropped, LakeError> {
        removal::drop_snapshot(self.table.clone(), &self.layout, id, vacuum).await
    }

    /// Holds one snapshot, or the whole lake, against everything that is known of it. Damage is what is found, and no
    /// error. What is committed meanwhile is taken up.
    ///
    /// # Errors
    /// `UnknownSnapshot`; those of opening a lake, if its log cannot be read any more; `Io`.
    pub async fn verify(
        &self,
        id: Option<&SnapshotId>,
        options: VerifyOptions,
    ) -> Result<Verification, LakeError> {
        if let Some(id) = id {
            self.snapshot(id)?;
        }
        verify::verify(&mut self.table.clone(), &self.layout, &self.table_schema, id, options).await
    }

    /// Begins to make a snapshot. A publication that a dead run left half done, of this or any id, is first brought
    /// to its end or undone; what a dead run staged under this id is removed, unless it was the same work: then it is
    /// gone on with.
    ///
    /// # Errors
    /// `SnapshotExists` unless it may be replaced, or an interrupted run of the same work made it; `Busy` if another run makes a
    /// snapshot of this id.
    pub async fn stage(&self, id: SnapshotId, options: StageOptions) -> Result<Staging, LakeError> {
        Staging::begin(self.layout.clone(), self.table.clone(), self.file_schema(), id, options).await
    }
}

/// A link below the lake's folder could lead anywhere, and is neither read nor written through.
fn no_link(layout: &Layout, path: &Path) -> Result<(), LakeError> {
    match disk::link_below(layout.root(), path) {
        None => Ok(()),
        Some(path) => {
            Err(LakeError::DamagedRecord { path, source: "it is a link, which is not followed".into() })
        }
    }
}

/// The layout under the one true path of `root`: absolute, without `..` and links as far as it exists.
pub(crate) fn absolute_layout(root: &Path) -> Result<Layout, LakeError> {
    let absolute = std::path::absolute(root).at("find", root)?;
    let there = absolute.ancestors().find(|ancestor| ancestor.exists()).unwrap_or(&absolute);
    let mut resolved = fs::canonicalize(there).at("find", root)?;
    for part in absolute.strip_prefix(there).unwrap_or(Path::new("")).components() {
        match part {
            Component::ParentDir => drop(resolved.pop()),
            part => resolved.push(part),
        }
    }
    match unusable(&resolved) {
        Some(problem) => Err(LakeError::UnusablePath { path: resolved, problem }),
        None => Ok(Layout::new(resolved)),
    }
}

/// Why the Delta log could not name this path: it writes paths as URLs, and its libraries do not agree on how these
/// characters are to be escaped.
fn unusable(path: &Path) -> Option<&'static str> {
    match path.to_str() {
        None => Some("is not UTF-8"),
        Some(text) if text.contains('\\') => Some("has a `\\` in it"),
        Some(text) if has_escape(text) => Some("has a `%` before two hex digits in it"),
        Some(text) if text.chars().any(char::is_control) => Some("has a control character in it"),
        Some(_) => None,
    }
}

/// Whether the log's folder has anything in it. A damaged log is one too, and opening it says so.
fn has_table(layout: &Layout) -> Result<bool, LakeError> {
    let log = layout.log();
    if !log.is_dir() {
        return Ok(false);
    }
    let names = disk::names_in(&log)?;
    // A hidden file is a commit that never came about.
    Ok(names.iter().any(|name| !name.starts_with('.')))
}

/// Whether something in `text` could be taken for a URL's escape.
fn has_escape(text: &str) -> bool {
    let is_escape = |window: &[u8]| window[0] == b'%' && window[1..].iter().all(u8::is_ascii_hexdigit);
    text.as_bytes().windows(3).any(is_escape)
}

async fn create(named: &Path, layout: &Layout, schema: &Schema) -> Result<(), LakeError> {
    if let Some(found) = foreign_entry(layout)? {
        return Err(LakeError::NotEmpty { path: named.to_owned(), found });
    }
    for folder in [layout.table(), layout.runs(), layout.staging()] {
        disk::make_folder(&folder)?;
    }
    let _lock = FileLock::wait(&layout.publish_lock(), "making the lake", PUBLISH_PATIENCE).await?;
    if !has_table(layout)? {
        log::create(layout, schema).await?;
    }
    disk::sync_folder(&layout.table())?;
    disk::sync_folder(layout.root())
}

/// An entry of the folder, or of its `endpoints`, that a lake in the making would not have.
fn foreign_entry(layout: &Layout) -> Result<Option<String>, LakeError> {
    let root = layout.root();
    if root.exists() && !fs::metadata(root).at("look at", root)?.is_dir() {
        return Ok(Some("a file of that name".to_owned()));
    }
    let in_root =
        disk::names_in(root)?.into_iter().find(|name| !Layout::ROOT_ENTRIES.contains(&name.as_str()));
    let in_table = disk::names_in(&layout.table())?.into_iter().find(|name| name != "_delta_log");
    Ok(in_root.or(in_table.map(|name| format!("endpoints/{name}"))))
}

fn check_partitioning(table: &DeltaTable, layout: &Layout) -> Result<(), LakeError> {
    let state = table.snapshot().map_err(|source| log::damaged(layout, source))?;
    let metadata = state.metadata();
    let unsupported =
        |feature: &str| LakeError::Unsupported { path: layout.table(), feature: feature.to_owned() };
    if *metadata.partition_columns() != [PARTITION_COLUMN] {
        return Err(unsupported("is not partitioned by `snapshot` alone"));
    }
    let mapping = metadata.configuration().get("delta.columnMapping.mode");
    if mapping.is_some_and(|mode| mode != "none") {
        return Err(unsupported("maps its columns to other names"));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
