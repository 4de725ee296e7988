//! One data file: where it lies, how long it is, what its footer counts; and on request every byte and every value.

use std::fs::File;
use std::io::{self, Read as _};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use arrow::datatypes::SchemaRef;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use sha2::{Digest as _, Sha256};

use super::tally::Tally;
use crate::catalog::DataFileRef;
use crate::layout::Layout;
use crate::{LakeError, data_file, log};

/// Rows that are decoded at a time.
const BATCH_ROWS: usize = 4096;
/// Bytes that are hashed at a time.
const STEP_BYTES: usize = 256 * 1024;

/// A data file to look at.
pub(super) struct Task {
    pub(super) layout: Layout,
    pub(super) file: DataFileRef,
    /// Its hash by the manifest, if there is one to be had.
    pub(super) sha256: Option<String>,
    /// The table's columns.
    pub(super) schema: SchemaRef,
    pub(super) deep: bool,
    /// Where the rows of each piece are counted.
    pub(super) tally: Option<Arc<Mutex<Tally>>>,
}

/// What came of looking at a data file.
#[derive(Debug, Default)]
pub(super) struct Looked {
    /// What is wrong with it, in words that follow its path.
    pub(super) problems: Vec<String>,
    /// Whether every row of it was read and counted.
    pub(super) is_read: bool,
}

impl Looked {
    /// Says what is wrong too.
    fn with(mut self, problem: String) -> Self {
        self.problems.push(problem);
        self
    }
}

/// Looks at a data file. Blocks its thread.
pub(super) fn check(task: &Task) -> Looked {
    let file = &task.file;
    let mut looked = Looked::default();
    match data_file::check(task.layout.root(), &file.path, file.bytes, &task.schema) {
        Ok(rows) if rows == file.rows => {}
        Ok(rows) => looked.problems.push(data_file::rows_differ(rows, file.rows)),
        Err(LakeError::DamagedDataFile { problem, .. }) => return looked.with(problem),
        Err(error) => return looked.with(cannot_be_read(&error)),
    }
    if task.deep
        && let Some(expected) = &task.sha256
    {
        match sha256(&file.path) {
            Ok(found) if found == *expected => {}
            // The bytes are not those that were written, and the readers are not made to be handed any others.
            Ok(found) => return looked.with(format!("has the SHA-256 {found}; run.json says {expected}")),
            Err(error) => return looked.with(cannot_be_read(&error)),
        }
    }
    // arrow and parquet meet some damage with a panic rather than an error. It is damage of the file all the same, and
    // all that the panic leaves behind is this file's reader, which nobody uses again.
    match catch_unwind(AssertUnwindSafe(|| read(task))) {
        Ok(Ok(None)) => looked,
        Ok(Ok(Some(rows))) => {
            looked.is_read = true;
            if rows == file.rows {
                looked
            } else {
                looked.with(format!("holds {rows} rows; the Delta log says {}", file.rows))
            }
        }
        Ok(Err(problem)) => looked.with(problem),
        Err(_) => looked.with("cannot be decoded".to_owned()),
    }
}

/// Opens the file as Parquet, and in a deep look reads every column of every row; returns how many there are.
fn read(task: &Task) -> Result<Option<u64>, String> {
    let path = &task.file.path;
    let file = File::open(path).map_err(|error| cannot_be_read(&error))?;
    // What the parquet crate says may quote values, which are personal data.
    let builder = ParquetRecordBatchReaderBuilder::try_new(file)
        .map_err(|_| "has a footer that cannot be read".to_owned())?;
    match log::difference(&task.layout, &task.schema, builder.schema()) {
        Ok(None) => {}
        Ok(Some(difference)) => return Err(format!("has other columns than the table: {difference}")),
        Err(_) => return Err("has columns of types that no Delta table has".to_owned()),
    }
    if !task.deep {
        return Ok(None);
    }
    let batches = builder.with_batch_size(BATCH_ROWS).build().map_err(|_| "cannot be decoded".to_owned())?;
    let mut rows: u64 = 0;
    for batch in batches {
        let batch = batch.map_err(|_| format!("cannot be decoded behind row {rows}"))?;
        rows += batch.num_rows() as u64;
        if let Some(tally) = &task.tally {
            tally.lock().unwrap_or_else(PoisonError::into_inner).add(&batch);
        }
    }
    Ok(Some(rows))
}

/// The hash of a file, in lower-case hex.
fn sha256(path: &Path) -> io::Result<String> {
    let mut file = File::open(path)?;
    let mut hash = Sha256::new();
    let mut step = vec![0; STEP_BYTES];
    loop {
        match file.read(&mut step)? {
            0 => break,
            read => hash.update(&step[..read]),
        }
    }
    Ok(hash.finalize().iter().flat_map(|byte| [byte >> 4, byte & 15]).filter_map(hex_digit).collect())
}

fn hex_digit(nibble: u8) -> Option<char> {
    char::from_digit(u32::from(nibble), 16)
}

fn cannot_be_read(error: &dyn std::error::Error) -> String {
    match error.source() {
        Some(cause) => format!("cannot be read ({cause})"),
        None => format!("cannot be read ({error})"),
    }
}
