//! A Parquet file being written: row groups one behind the other, then the footer.

use std::io::Write as _;
use std::sync::Arc;

use arrow::datatypes::Schema;
use arrow::record_batch::RecordBatch;
use parquet::arrow::ArrowSchemaConverter;
use parquet::basic::ColumnOrder;
use parquet::errors::Result;
use parquet::file::metadata::{FileMetaData, ParquetMetaData, ParquetMetaDataWriter, RowGroupMetaData};
use parquet::schema::types::{SchemaDescPtr, SchemaDescriptor};

use super::encode::{Limits, RowGroupEncoder};
use super::hashing::HashingFile;
use super::properties::WriterOptions;

/// The first and the last bytes of a Parquet file.
const MAGIC: &[u8] = b"PAR1";
/// The version of the format in footers: data pages of version 1.
const FORMAT_VERSION: i32 = 1;
/// Who wrote a file, in the form that readers look for known faults in.
const CREATED_BY: &str = concat!("pinlake version ", env!("CARGO_PKG_VERSION"));

/// Encodes batches into row groups of equal length and appends these to a file.
pub(super) struct ParquetFile {
    file: HashingFile,
    encoder: RowGroupEncoder,
    descriptor: SchemaDescPtr,
    row_groups: Vec<RowGroupMetaData>,
    row_group_rows: usize,
    row_group_bytes: usize,
}

/// The Parquet form of an Arrow schema and an encoder for it; what can fail before there is a file.
pub(super) struct Prepared {
    descriptor: SchemaDescPtr,
    encoder: RowGroupEncoder,
    row_group_rows: usize,
    row_group_bytes: usize,
}

impl Prepared {
    pub(super) fn new(schema: &Schema, options: &WriterOptions, limits: Limits) -> Result<Self> {
        let descriptor = Arc::new(ArrowSchemaConverter::new().convert(schema)?);
        let encoder = RowGroupEncoder::new(schema, Arc::clone(&descriptor), options.compression, limits)?;
        let (row_group_rows, row_group_bytes) = (options.row_group_rows.max(1), options.row_group_bytes);
        Ok(Self { descriptor, encoder, row_group_rows, row_group_bytes })
    }

    /// Begins the file, which is empty.
    pub(super) fn begin(self, mut file: HashingFile) -> Result<ParquetFile> {
        file.write_all(MAGIC)?;
        let Self { descriptor, encoder, row_group_rows, row_group_bytes } = self;
        let row_groups = Vec::new();
        Ok(ParquetFile { file, encoder, descriptor, row_groups, row_group_rows, row_group_bytes })
    }
}

impl ParquetFile {
    /// Appends rows. Row groups are written as they become full.
    pub(super) fn append(&mut self, batch: &RecordBatch) -> Result<()> {
        self.make_room(batch)?;
        let mut start = 0;
        while start < batch.num_rows() {
            // In steps, so that pages keep to their size whatever the batch's is.
            let left = self.row_group_rows - self.encoder.rows();
            let rows = (batch.num_rows() - start).min(left).min(MAX_STEP_ROWS);
            if rows == batch.num_rows() {
                self.encoder.append(batch)?;
            } else {
                self.encoder.append(&batch.slice(start, rows))?;
            }
            start += rows;
            if rows == left || self.encoder.buffered_bytes() >= self.row_group_bytes {
                self.end_row_group()?;
            }
        }
        Ok(())
    }

    /// Ends the row group where a large batch would take it far beyond its bytes, unless there is little in it: rows that are long one by one
    /// come in batches that are as large as a row group is to be.
    fn make_room(&mut self, batch: &RecordBatch) -> Result<()> {
        let batch_bytes = batch.get_array_memory_size();
        if batch_bytes < LARGE_BATCH_BYTES || self.encoder.rows() == 0 {
            return Ok(());
        }
        let held_bytes = self.encoder.buffered_bytes();
        let is_much = held_bytes >= self.row_group_bytes / 8;
        if is_much && held_bytes + batch_bytes > self.row_group_bytes { self.end_row_group() } else { Ok(()) }
    }

    fn end_row_group(&mut self) -> Result<()> {
        let offset = self.file.bytes();
        let group = self.encoder.finish(&mut self.file, offset, self.row_groups.len())?;
        self.row_groups.push(group);
        Ok(())
    }

    /// The length of the file so far.
    pub(super) fn bytes(&self) -> u64 {
        self.file.bytes()
    }

    /// Bytes that wait for their row group's end.
    pub(super) fn buffered_bytes(&self) -> usize {
        self.encoder.buffered_bytes()
    }

    /// Writes what is buffered and the footer; the file behind it is to be synced yet.
    pub(super) fn finish(mut self) -> Result<(HashingFile, ParquetMetaData)> {
        if self.encoder.rows() > 0 {
            self.end_row_group()?;
        }
        let rows = self.row_groups.iter().map(RowGroupMetaData::num_rows).sum();
        let by = Some(CREATED_BY.to_owned());
        let orders = Some(column_orders(&self.descriptor));
        let footer = FileMetaData::new(FORMAT_VERSION, rows, by, None, self.descriptor, orders);
        let metadata = ParquetMetaData::new(footer, self.row_groups);
        // By way of memory: the crate's writer has a buffer of its own, and ends without a word where flushing it fails.
        let mut bytes = Vec::new();
        ParquetMetaDataWriter::new(&mut bytes, &metadata).finish()?;
        self.file.write_all(&bytes)?;
        Ok((self.file, metadata))
    }
}

/// No batch of usual rows is as large.
const LARGE_BATCH_BYTES: usize = 6 << 20;

/// Rows that are encoded at a time, column by column.
const MAX_STEP_ROWS: usize = 8_192;

/// Statistics are ordered as the types are.
fn column_orders(descriptor: &SchemaDescriptor) -> Vec<ColumnOrder> {
    let order = |column: &parquet::schema::types::ColumnDescPtr| {
        let (logical, converted) = (column.logical_type_ref(), column.converted_type());
        let order = ColumnOrder::sort_order_for_type(logical, converted, column.physical_type());
        ColumnOrder::TYPE_DEFINED_ORDER(order)
    };
    descriptor.columns().iter().map(order).collect()
}
