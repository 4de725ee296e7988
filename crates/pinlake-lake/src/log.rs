//! The Delta table: creating it, opening it, committing to it.
//!
//! The log is the one authority on which files are in the lake. It holds no personal data: of the columns' values
//! only the ends of the dates are in it. It is never cleaned up, so that it tells the order of all publications
//! (one commit each), and pinlake writes no checkpoints: they cannot be made to last through deltalake's store,
//! and a log of one small commit an export is read quickly without.

mod durable;
pub(crate) mod history;

use std::path::Path;
use std::sync::Arc;

use arrow::datatypes::{Schema, SchemaRef};
use chrono::Utc;
use deltalake_core::kernel::engine::arrow_conversion::{TryIntoArrow as _, TryIntoKernel as _};
use deltalake_core::kernel::transaction::{CommitBuilder, CommitProperties, TransactionError};
use deltalake_core::kernel::{Action, Add, Remove, StructField, StructType};
use deltalake_core::logstore::LogStoreRef;
use deltalake_core::operations::create::CreateBuilder;
use deltalake_core::protocol::{DeltaOperation, SaveMode};
use deltalake_core::{DeltaTable, DeltaTableBuilder, DeltaTableError};
use serde_json::Value;
use url::Url;

use self::durable::DurableLogStore;
use crate::disk::{self, At as _};
use crate::layout::Layout;
use crate::{DataFile, LakeError, PARTITION_COLUMN, SnapshotId};

/// One publication, as it goes into the log.
#[derive(Debug)]
pub(crate) struct Publication<'a> {
    /// What tells it from all others.
    pub(crate) uuid: uuid::Uuid,
    /// The snapshot it publishes.
    pub(crate) id: &'a SnapshotId,
    /// The files it adds; they lie in place already.
    pub(crate) files: &'a [DataFile],
    /// The removals of the files of the snapshot it replaces.
    pub(crate) removals: Vec<Remove>,
}

/// Loads the table of a lake.
pub(crate) async fn open(layout: &Layout) -> Result<DeltaTable, LakeError> {
    check_files(layout)?;
    let mut table = DeltaTable::new(log_store(layout)?);
    refresh(&mut table, layout).await?;
    Ok(table)
}

/// The log is made of files of its own. A link could lead out of the lake, and a pipe is never read to its end.
fn check_files(layout: &Layout) -> Result<(), LakeError> {
    let folder = layout.log();
    if let Some(link) = disk::link_below(layout.root(), &folder) {
        return Err(damaged(layout, format!("{} is a link, which is not followed", link.display())));
    }
    for name in disk::names_in(&folder)? {
        let path = folder.join(&name);
        let kind = match std::fs::symlink_metadata(&path) {
            // A commit that was being written has got its name, and lost the one it had before.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
            found => found.at("look at", &path)?.file_type(),
        };
        if !kind.is_file() && !kind.is_dir() {
            return Err(damaged(layout, format!("`{name}` in it is no file")));
        }
    }
    Ok(())
}

/// Brings the table up to the newest commit.
pub(crate) async fn refresh(table: &mut DeltaTable, layout: &Layout) -> Result<(), LakeError> {
    // In a task of its own, since damage that deltalake meets with a panic is damage all the same.
    let mut loading = table.clone();
    let loaded = tokio::spawn(async move {
        loading.update_state().await?;
        Ok::<_, DeltaTableError>(loading)
    });
    match loaded.await {
        Ok(Ok(loaded)) => {
            *table = loaded;
            Ok(())
        }
        Ok(Err(source)) => Err(damaged(layout, source)),
        Err(panic) => Err(damaged(layout, panic)),
    }
}

/// Takes away what commits that were cut off have left beside the log. The caller holds the publish lock.
pub(crate) fn clear_unfinished(layout: &Layout) {
    durable::clear_unfinished(&layout.log());
}

/// Creates the table with commit 0: `schema`'s columns, then the partition column.
pub(crate) async fn create(layout: &Layout, schema: &Schema) -> Result<DeltaTable, LakeError> {
    let mut fields = fields_of(layout.root(), schema)?;
    fields.push(StructField::not_null(PARTITION_COLUMN, deltalake_core::kernel::DataType::STRING));
    CreateBuilder::new()
        .with_log_store(log_store(layout)?)
        .with_table_name("endpoints")
        .with_comment("Amazon Pinpoint endpoints, one partition an export")
        .with_columns(fields)
        .with_partition_columns([PARTITION_COLUMN])
        .with_configuration([("delta.enableExpiredLogCleanup", Some("false"))])
        .with_save_mode(SaveMode::Ignore)
        .await
        .map_err(|source| table_error("create", layout, source))
}

/// Commits a publication; `table` then stands at its version, which is returned.
pub(crate) async fn commit(
    table: &mut DeltaTable,
    layout: &Layout,
    publication: Publication<'_>,
) -> Result<u64, LakeError> {
    let told = [("pinlakeFiles", Value::from(publication.files.len()))];
    let operation = DeltaOperation::Write {
        mode: if publication.removals.is_empty() { SaveMode::Append } else { SaveMode::Overwrite },
        partition_by: Some(vec![PARTITION_COLUMN.to_owned()]),
        predicate: None,
    };
    let modified_ms = Utc::now().timestamp_millis();
    let adds =
        publication.files.iter().map(|file| Action::Add(add_action(publication.id, file, modified_ms)));
    let actions = adds.chain(publication.removals.into_iter().map(Action::Remove)).collect();
    let properties = properties(publication.id, publication.uuid, &told);
    commit_actions(table, layout, actions, operation, properties).await
}

/// Commits that a snapshot is no longer in the lake; `table` then stands at that version.
pub(crate) async fn commit_drop(
    table: &mut DeltaTable,
    layout: &Layout,
    id: &SnapshotId,
    uuid: uuid::Uuid,
    removals: Vec<Remove>,
) -> Result<u64, LakeError> {
    // An id has no character that would have to be quoted.
    let operation = DeltaOperation::Delete { predicate: Some(format!("{PARTITION_COLUMN} = '{id}'")) };
    let actions = removals.into_iter().map(Action::Remove).collect();
    commit_actions(table, layout, actions, operation, properties(id, uuid, &[])).await
}

/// What a commit says of the publication that it is; `history` reads these members back.
fn properties(id: &SnapshotId, uuid: uuid::Uuid, told: &[(&str, Value)]) -> CommitProperties {
    let own = [
        ("pinlakeSnapshot", Value::from(id.as_str())),
        ("pinlakePublication", Value::from(uuid.to_string())),
    ];
    let all = own.iter().chain(told).map(|(name, value)| ((*name).to_owned(), value.clone()));
    CommitProperties::default().with_metadata(all).with_create_checkpoint(false)
}

async fn commit_actions(
    table: &mut DeltaTable,
    layout: &Layout,
    actions: Vec<Action>,
    operation: DeltaOperation,
    properties: CommitProperties,
) -> Result<u64, LakeError> {
    let state = table.snapshot().map_err(|source| damaged(layout, source))?.clone();
    let committed = CommitBuilder::from(properties)
        .with_actions(actions)
        .build(Some(&state), table.log_store(), operation)
        .await
        .map_err(|source| commit_error(layout, source))?;
    refresh(table, layout).await?;
    Ok(committed.version())
}

/// The table's columns without the partition column, as Arrow has them.
pub(crate) fn file_schema(table: &DeltaTable, layout: &Layout) -> Result<SchemaRef, LakeError> {
    let kernel = table.snapshot().map_err(|source| damaged(layout, source))?.schema();
    let whole: Schema = kernel
        .as_ref()
        .try_into_arrow()
        .map_err(|source: arrow::error::ArrowError| damaged(layout, source))?;
    let fields = whole.fields().iter().filter(|field| field.name() != PARTITION_COLUMN).cloned();
    Ok(Arc::new(Schema::new(fields.collect::<Vec<_>>())))
}

/// Says in words where `schema` (in memory, dictionaries and all) differs from the table's columns.
pub(crate) fn difference(
    layout: &Layout,
    table: &Schema,
    schema: &Schema,
) -> Result<Option<String>, LakeError> {
    let have = fields_of(layout.root(), table)?;
    let want = fields_of(layout.root(), schema)?;
    for (position, wanted) in want.iter().enumerate() {
        match have.get(position) {
            Some(found) if found == wanted => {}
            Some(found) => return Ok(Some(format!("it has {}, not {}", describe(found), describe(wanted)))),
            None => return Ok(Some(format!("it lacks {}", describe(wanted)))),
        }
    }
    Ok(have.get(want.len()).map(|extra| format!("it has {} besides", describe(extra))))
}

fn describe(field: &StructField) -> String {
    let nullable = if field.is_nullable() { "" } else { " not null" };
    format!("`{} {}{nullable}`", field.name(), field.data_type())
}

/// Arrow columns as Delta sees them: dictionaries are their values, names inside lists and maps do not count.
fn fields_of(place: &Path, schema: &Schema) -> Result<Vec<StructField>, LakeError> {
    let kernel: StructType =
        schema.try_into_kernel().map_err(|error: arrow::error::ArrowError| LakeError::SchemaMismatch {
            path: place.to_owned(),
            difference: format!("Delta has no such type ({error})"),
        })?;
    Ok(kernel.fields().cloned().collect())
}

fn add_action(id: &SnapshotId, file: &DataFile, modified_ms: i64) -> Add {
    Add {
        path: file.table_path(),
        partition_values: [(PARTITION_COLUMN.to_owned(), Some(id.to_string()))].into(),
        size: i64::try_from(file.bytes()).unwrap_or(i64::MAX),
        modification_time: modified_ms,
        data_change: true,
        stats: Some(file.stats_json()),
        ..Add::default()
    }
}

fn log_store(layout: &Layout) -> Result<LogStoreRef, LakeError> {
    let folder = layout.table();
    // The only relative path is one that could not be made absolute, and no URL can stand for it.
    let url = Url::from_directory_path(&folder).map_err(|()| LakeError::NotALake { path: folder.clone() })?;
    let inner = DeltaTableBuilder::from_url(url)
        .and_then(|builder| builder.build_storage())
        .map_err(|source| table_error("reach", layout, source))?;
    Ok(Arc::new(DurableLogStore::new(inner, layout.log())))
}

/// Reading the log failed.
pub(crate) fn damaged(
    layout: &Layout,
    source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
) -> LakeError {
    LakeError::DamagedLog { path: layout.table(), source: source.into() }
}

fn table_error(action: &'static str, layout: &Layout, source: DeltaTableError) -> LakeError {
    LakeError::Table { action, path: layout.table(), source: Box::new(source) }
}

fn commit_error(layout: &Layout, source: DeltaTableError) -> LakeError {
    match source {
        DeltaTableError::Transaction {
            source: TransactionError::CommitConflict(_) | TransactionError::MaxCommitAttempts(_),
        } => LakeError::CommitConflict { path: layout.table(), source: Box::new(source) },
        source => table_error("commit to", layout, source),
    }
}
