//! The rows of one query: in memory, or put aside on the disk until a format asks for them.
//!
//! A run of many reports has all their results before the first is written. One that takes more than a small part of the session's
//! memory ([`HELD_PART`]) is written to a file of the session's spill folder and read again by each format, so that what
//! is held in memory is the small ones and one large one. The file goes when the last copy of the result does.

use std::borrow::Cow;
use std::fmt;
use std::fs::File;
use std::io::{self, BufReader, BufWriter};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::datatypes::{DataType, SchemaRef};
use arrow::error::ArrowError;
use arrow::ipc::reader::StreamReader;
use arrow::ipc::writer::StreamWriter;
use datafusion::common::Result;
use datafusion::execution::SpillFile;
use datafusion::execution::runtime_env::RuntimeEnv;

/// A result may take so small a part of the operators' memory and stay in memory: half of it is what thirty-two of them take.
const HELD_PART: usize = 64;

/// All rows of one query.
#[derive(Debug, Clone)]
pub struct QueryResult {
    /// The columns; valid for a result without rows too. Text may be `Utf8View`, which Arrow's kernels take as they take `Utf8`.
    pub schema: SchemaRef,
    /// The rows in order, every batch with that schema; none where they were put aside, see [`Self::loaded`].
    pub batches: Vec<RecordBatch>,
    /// From the start of planning to the last row.
    pub elapsed: Duration,
    aside: Option<Aside>,
}

/// Rows on the disk.
#[derive(Clone)]
struct Aside {
    /// Deleted with the last of its owners.
    file: Arc<dyn SpillFile>,
    rows: usize,
}

impl fmt::Debug for Aside {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} rows in {:?}", self.rows, self.file.path())
    }
}

impl QueryResult {
    /// Rows in memory; every batch has the schema.
    #[must_use]
    pub fn new(schema: SchemaRef, batches: Vec<RecordBatch>, elapsed: Duration) -> Self {
        Self { schema, batches, elapsed, aside: None }
    }

    /// The number of rows, wherever they are.
    #[must_use]
    pub fn rows(&self) -> usize {
        match &self.aside {
            Some(aside) => aside.rows,
            None => self.batches.iter().map(RecordBatch::num_rows).sum(),
        }
    }

    /// The result with its rows in memory.
    ///
    /// # Errors
    /// Where rows were put aside and the disk does not give them back.
    pub fn loaded(&self) -> io::Result<Cow<'_, Self>> {
        let Some(aside) = &self.aside else { return Ok(Cow::Borrowed(self)) };
        let path = aside.file.path().unwrap_or(Path::new(""));
        let batches = read(path).map_err(io::Error::other)?;
        Ok(Cow::Owned(Self::new(Arc::clone(&self.schema), batches, self.elapsed)))
    }

    /// Puts the rows aside where they take more than a small part of `limit_bytes`.
    pub(super) fn put_aside(&mut self, limit_bytes: usize, runtime: &RuntimeEnv) -> Result<()> {
        let taken_bytes: usize = self.batches.iter().map(RecordBatch::get_array_memory_size).sum();
        if taken_bytes <= limit_bytes / HELD_PART || !runtime.disk_manager.tmp_files_enabled() {
            return Ok(());
        }
        let file = runtime.disk_manager.create_tmp_file("the rows of a result")?;
        let Some(path) = file.path() else { return Ok(()) };
        write(path, &self.schema, &self.batches)?;
        self.aside = Some(Aside { rows: self.rows(), file });
        self.batches = Vec::new();
        Ok(())
    }
}

fn write(path: &Path, schema: &SchemaRef, batches: &[RecordBatch]) -> Result<(), ArrowError> {
    let mut writer = StreamWriter::try_new(BufWriter::new(File::create(path)?), schema)?;
    batches.iter().try_for_each(|batch| writer.write(batch))?;
    writer.finish()
}

fn read(path: &Path) -> Result<Vec<RecordBatch>, ArrowError> {
    StreamReader::try_new(BufReader::new(File::open(path)?), None)?.collect()
}

/// A batch that takes no more memory than its rows need. Rows that were picked from others (sorted, joined, filtered) may be views into the
/// text of all of these.
pub(super) fn compact(batch: RecordBatch) -> Result<RecordBatch, ArrowError> {
    if !batch.columns().iter().any(is_view) {
        return Ok(batch);
    }
    let columns = batch.columns().iter().map(|column| match column.data_type() {
        DataType::Utf8View => Arc::new(column.as_string_view().gc()) as ArrayRef,
        DataType::BinaryView => Arc::new(column.as_binary_view().gc()),
        _ => Arc::clone(column),
    });
    RecordBatch::try_new(batch.schema(), columns.collect())
}

fn is_view(column: &ArrayRef) -> bool {
    matches!(column.data_type(), DataType::Utf8View | DataType::BinaryView)
}
