//! Writing one data file. A writer returns facts ([`DataFile`]); putting the file into the lake is a separate act
//! ([`crate::Staging::publish`]).
//!
//! A writer holds one row group in memory, encoded; [`DataFileWriter::buffered_bytes`] says how much that is now.
//! Each is used by one thread at a time; for more cores, open more writers.

mod encode;
mod file;
mod hashing;
mod properties;
mod stats;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, FieldRef, Schema, SchemaRef};
use arrow::record_batch::RecordBatch;
use parquet::errors::ParquetError;
use serde::{Deserialize, Serialize};

use self::encode::Limits;
use self::file::{ParquetFile, Prepared};
use self::hashing::HashingFile;
pub use self::properties::{Compression, UnknownCompression, WriterOptions};
use self::stats::FileStats;
use crate::disk::{self, At as _};
use crate::layout::partition_name;
use crate::{LakeError, SnapshotId};

/// A finished data file: what it is called and what is in it. It is staged, and part of no snapshot yet.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DataFile {
    name: String,
    snapshot: SnapshotId,
    rows: u64,
    bytes: u64,
    sha256: String,
    stats: FileStats,
}

impl DataFile {
    /// The file's name in its snapshot's folder.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The snapshot it was written for.
    #[must_use]
    pub fn snapshot(&self) -> &SnapshotId {
        &self.snapshot
    }

    /// Rows in it.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Its length.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// SHA-256 of all its bytes, in lower-case hex.
    #[must_use]
    pub fn sha256(&self) -> &str {
        &self.sha256
    }

    /// Where it will lie once published, relative to the lake, with `/` between the parts.
    #[must_use]
    pub fn path(&self) -> String {
        format!("endpoints/{}", self.table_path())
    }

    /// Where it will lie once published, relative to the table: its path in the Delta log.
    pub(crate) fn table_path(&self) -> String {
        format!("{}/{}", partition_name(&self.snapshot), self.name)
    }

    /// Whether the file of this name in `folder` has the bytes that were written.
    pub(crate) fn is_whole_in(&self, folder: &Path) -> bool {
        hashing::sha256_of(&folder.join(&self.name))
            .is_ok_and(|found| found == (self.bytes, self.sha256.clone()))
    }

    /// The statistics of the Delta log.
    pub(crate) fn stats_json(&self) -> String {
        self.stats.to_json(self.rows)
    }
}

/// Writes batches into one Parquet file. Dropped without [`close`](Self::close), it leaves a file that no
/// publication takes along.
pub struct DataFileWriter {
    file: ParquetFile,
    schema: SchemaRef,
    /// That of the last batch, which was found to be alike.
    accepted: SchemaRef,
    path: PathBuf,
    name: String,
    snapshot: SnapshotId,
    rows: u64,
}

impl DataFileWriter {
    /// Opens `folder`/`name`, which must not exist yet.
    pub(crate) fn create(
        folder: &Path,
        name: String,
        snapshot: SnapshotId,
        schema: SchemaRef,
        options: &WriterOptions,
    ) -> Result<Self, LakeError> {
        let path = folder.join(&name);
        // Readers see plain Parquet types: no Arrow schema goes along, with which some would bring dictionaries back.
        let prepared = Prepared::new(&schema, options, Limits::default())
            .map_err(|source| write_error(&path, source))?;
        let file = disk::create_new(&path).at("make the data file", &path)?;
        let begun = prepared.begin(HashingFile::new(file));
        let file = begun.map_err(|source| write_error(&path, source))?;
        Ok(Self { file, accepted: Arc::clone(&schema), schema, path, name, snapshot, rows: 0 })
    }

    /// Appends the rows of `batch`, which must have the columns the lake was opened with; text may come plain or by
    /// dictionary, at any depth.
    ///
    /// # Errors
    /// `SchemaMismatch` for other columns; `WriteDataFile` where the disk fails. After the latter the writer is of
    /// no further use.
    pub fn write(&mut self, batch: &RecordBatch) -> Result<(), LakeError> {
        if !Arc::ptr_eq(batch.schema_ref(), &self.accepted) {
            if let Some(difference) = column_difference(&self.schema, batch.schema_ref()) {
                return Err(LakeError::SchemaMismatch { path: self.path.clone(), difference });
            }
            self.accepted = batch.schema();
        }
        self.file.append(batch).map_err(|source| write_error(&self.path, source))?;
        self.rows += batch.num_rows() as u64;
        Ok(())
    }

    /// Rows written so far.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Bytes that have gone to the file so far; the row group in memory is not among them.
    #[must_use]
    pub fn written_bytes(&self) -> u64 {
        self.file.bytes()
    }

    /// Bytes of memory held for the row group in progress.
    #[must_use]
    pub fn buffered_bytes(&self) -> usize {
        self.file.buffered_bytes()
    }

    /// Writes what is buffered and the footer, and syncs the file and its folder.
    pub fn close(self) -> Result<DataFile, LakeError> {
        let finished = self.file.finish().map_err(|source| write_error(&self.path, source));
        let (mut file, metadata) = finished?;
        let (bytes, sha256) = file.finish().at("sync the data file", &self.path)?;
        if let Some(folder) = self.path.parent() {
            disk::sync_folder(folder)?;
        }
        tracing::debug!(file = ?self.path, rows = self.rows, bytes, "data file closed");
        Ok(DataFile {
            name: self.name,
            snapshot: self.snapshot,
            rows: self.rows,
            bytes,
            sha256,
            stats: FileStats::of(&self.schema, &metadata),
        })
    }
}

fn write_error(path: &Path, source: ParquetError) -> LakeError {
    LakeError::WriteDataFile { path: path.to_owned(), source }
}

/// The first column in which two schemas differ by name, type or nullability. Metadata does not count, and neither does
/// whether text is held plain or by dictionary.
fn column_difference(expected: &Schema, found: &Schema) -> Option<String> {
    if expected.fields().len() != found.fields().len() {
        let (want, have) = (expected.fields().len(), found.fields().len());
        return Some(format!("the batch has {have} columns, not {want}"));
    }
    let pairs = expected.fields().iter().zip(found.fields());
    let mut different =
        pairs.filter(|(expected, found)| !undictionaried(expected).contains(&undictionaried(found)));
    different.next().map(describe)
}

fn describe((expected, found): (&FieldRef, &FieldRef)) -> String {
    format!(
        "the batch has `{} {}`, not `{} {}`",
        found.name(),
        found.data_type(),
        expected.name(),
        expected.data_type()
    )
}

/// The field with plain text in place of dictionaries of text, at every depth.
fn undictionaried(field: &Field) -> Field {
    let inner = |field: &FieldRef| Arc::new(undictionaried(field));
    let of = match field.data_type() {
        DataType::Dictionary(key, value) if **key == DataType::Int32 && **value == DataType::Utf8 => {
            DataType::Utf8
        }
        DataType::List(item) => DataType::List(inner(item)),
        DataType::Map(entries, sorted) => DataType::Map(inner(entries), *sorted),
        DataType::Struct(fields) => DataType::Struct(fields.iter().map(inner).collect()),
        other => other.clone(),
    };
    field.clone().with_data_type(of)
}

#[cfg(test)]
mod tests;
