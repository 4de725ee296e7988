//! Writing one data file. A writer returns facts ([`DataFile`]); putting the file into the lake is a separate act
//! ([`crate::Staging::publish`]).
//!
//! A writer holds one row group in memory, encoded; [`DataFileWriter::buffered_bytes`] says how much that is now.
//! Each is used by one thread at a time; for more cores, open more writers.

mod hashing;
mod properties;
mod stats;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::datatypes::{Schema, SchemaRef};
use arrow::record_batch::RecordBatch;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::ArrowWriterOptions;
use parquet::errors::ParquetError;

use self::hashing::HashingFile;
pub use self::properties::{Compression, UnknownCompression, WriterOptions};
use self::stats::FileStats;
use crate::disk::{self, At as _};
use crate::layout::partition_name;
use crate::{LakeError, SnapshotId};

/// A finished data file: what it is called and what is in it. It is staged, and part of no snapshot yet.
#[derive(Debug, Clone, PartialEq)]
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

    /// The statistics of the Delta log.
    pub(crate) fn stats_json(&self) -> String {
        self.stats.to_json(self.rows)
    }
}

/// Writes batches into one Parquet file. Dropped without [`close`](Self::close), it leaves a file that no
/// publication takes along.
pub struct DataFileWriter {
    writer: ArrowWriter<HashingFile>,
    schema: SchemaRef,
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
        let file = File::create_new(&path).at("make the data file", &path)?;
        // Readers see plain Parquet types: with the Arrow schema inside, some would bring the dictionaries back.
        let arrow_options = ArrowWriterOptions::new()
            .with_properties(properties::properties(&schema, options))
            .with_skip_arrow_metadata(true);
        let opened =
            ArrowWriter::try_new_with_options(HashingFile::new(file), Arc::clone(&schema), arrow_options);
        let writer = opened.map_err(|source| write_error(&path, source))?;
        Ok(Self { writer, schema, path, name, snapshot, rows: 0 })
    }

    /// Appends the rows of `batch`, which must have the columns the lake was opened with.
    ///
    /// # Errors
    /// `SchemaMismatch` for other columns; `WriteDataFile` where the disk fails. After the latter the writer is of
    /// no further use.
    pub fn write(&mut self, batch: &RecordBatch) -> Result<(), LakeError> {
        if !Arc::ptr_eq(batch.schema_ref(), &self.schema)
            && let Some(difference) = column_difference(&self.schema, batch.schema_ref())
        {
            return Err(LakeError::SchemaMismatch { path: self.path.clone(), difference });
        }
        self.writer.write(batch).map_err(|source| write_error(&self.path, source))?;
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
        self.writer.bytes_written() as u64
    }

    /// Bytes of memory held for the row group in progress.
    #[must_use]
    pub fn buffered_bytes(&self) -> usize {
        self.writer.memory_size()
    }

    /// Writes what is buffered and the footer, and syncs the file and its folder.
    pub fn close(mut self) -> Result<DataFile, LakeError> {
        let metadata = self.writer.finish().map_err(|source| write_error(&self.path, source))?;
        let (bytes, sha256) = self.writer.inner_mut().finish().at("sync the data file", &self.path)?;
        if let Some(folder) = self.path.parent() {
            disk::sync_folder(folder)?;
        }
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

/// The first column in which two schemas differ by name, type or nullability; metadata does not count.
fn column_difference(expected: &Schema, found: &Schema) -> Option<String> {
    if expected.fields().len() != found.fields().len() {
        let (want, have) = (expected.fields().len(), found.fields().len());
        return Some(format!("the batch has {have} columns, not {want}"));
    }
    let pairs = expected.fields().iter().zip(found.fields());
    pairs.filter(|(expected, found)| !expected.contains(found)).map(describe).next()
}

fn describe((expected, found): (&Arc<arrow::datatypes::Field>, &Arc<arrow::datatypes::Field>)) -> String {
    format!(
        "the batch has `{} {}`, not `{} {}`",
        found.name(),
        found.data_type(),
        expected.name(),
        expected.data_type()
    )
}

#[cfg(test)]
mod tests;
