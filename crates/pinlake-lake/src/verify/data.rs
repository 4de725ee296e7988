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

/// What is wrong with it, in words that follow its path. Blocks its thread.
pub(super) fn check(task: &Task) -> Vec<String> {
    let file = &task.file;
    let mut problems = Vec::new();
    match data_file::check(task.layout.root(), &file.path, file.bytes) {
        Ok(rows) if rows == file.rows => {}
        Ok(rows) => problems.push(format!("counts {rows} rows; the Delta log says {}", file.rows)),
        Err(LakeError::DamagedDataFile { problem, .. }) => return vec![problem],
        Err(error) => return vec![cannot_be_read(&error)],
    }
    if task.deep
        && let Some(expected) = &task.sha256
    {
        match sha256(&file.path) {
            Ok(found) if found == *expected => {}
            // The bytes are not those that were written, and the readers are not made to be handed any others.
            Ok(found) => {
                problems.push(format!("has the SHA-256 {found}; run.json says {expected}"));
                return problems;
            }
            Err(error) => {
                problems.push(cannot_be_read(&error));
                return problems;
            }
        }
    }
    // arrow and parquet meet some damage with a panic rather than an error. It is damage of the file all the same, and
    // all that the panic leaves behind is this file's reader, which nobody uses again.
    let read = catch_unwind(AssertUnwindSafe(|| read(task)));
    match read {
        Ok(found) => problems.extend(found),
        Err(_) => problems.push("cannot be decoded".to_owned()),
    }
    problems
}

/// Opens the file as Parquet, and in a deep look reads every column of every row.
fn read(task: &Task) -> Vec<String> {
    let path = &task.file.path;
    let opened = File::open(path).map_err(|error| cannot_be_read(&error)).and_then(|file| {
        // What the parquet crate says may quote values, which are personal data.
        ParquetRecordBatchReaderBuilder::try_new(file).map_err(|_| "has a footer that cannot be read".to_owned())
    });
    let builder = match opened {
        Ok(builder) => builder,
        Err(problem) => return vec![problem],
    };
    match log::difference(&task.layout, &task.schema, builder.schema()) {
        Ok(None) => {}
        Ok(Some(difference)) => return vec![format!("has other columns than the table: {difference}")],
        Err(_) => return vec!["has columns of types that no Delta table has".to_owned()],
    }
    if !task.deep {
        return Vec::new();
    }
    let Ok(batches) = builder.with_batch_size(BATCH_ROWS).build() else {
        return vec!["cannot be decoded".to_owned()];
    };
    let mut rows: u64 = 0;
    for batch in batches {
        let Ok(batch) = batch else { return vec![format!("cannot be decoded behind row {rows}")] };
        rows += batch.num_rows() as u64;
        if let Some(tally) = &task.tally {
            tally.lock().unwrap_or_else(PoisonError::into_inner).add(&batch);
        }
    }
    if rows == task.file.rows {
        Vec::new()
    } else {
        vec![format!("holds {rows} rows; the Delta log says {}", task.file.rows)]
    }
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
    Ok(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}

fn cannot_be_read(error: &dyn std::error::Error) -> String {
    match error.source() {
        Some(cause) => format!("cannot be read ({cause})"),
        None => format!("cannot be read ({error})"),
    }
}
