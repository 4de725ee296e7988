//! Parquet: the rows with their types, zstd-compressed.
//!
//! The Arrow schema is left out of the file's metadata: readers then take the types from Parquet itself, and none of them meets Arrow's
//! string views, which only we use.

use std::io::Write;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::ArrowWriterOptions;
use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;

use super::{Format, RenderError, RowWriter};

/// A Parquet file that is being written.
pub(super) struct ParquetFile<'a> {
    writer: ArrowWriter<&'a mut (dyn Write + Send)>,
}

impl<'a> ParquetFile<'a> {
    pub(super) fn begin(schema: &SchemaRef, out: &'a mut (dyn Write + Send)) -> Result<Self, RenderError> {
        let properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(ZstdLevel::default()))
            .set_created_by("pinlake".to_owned())
            .build();
        let options = ArrowWriterOptions::new().with_properties(properties).with_skip_arrow_metadata(true);
        let writer = ArrowWriter::try_new_with_options(out, schema.clone(), options).map_err(failed)?;
        Ok(Self { writer })
    }
}

impl RowWriter for ParquetFile<'_> {
    fn write(&mut self, batch: &RecordBatch) -> Result<(), RenderError> {
        self.writer.write(batch).map_err(failed)
    }

    fn finish(self: Box<Self>) -> Result<(), RenderError> {
        self.writer.close().map(|_| ()).map_err(failed)
    }
}

fn failed(error: ParquetError) -> RenderError {
    match error {
        ParquetError::External(source) => match source.downcast::<std::io::Error>() {
            Ok(source) => RenderError::write(*source),
            Err(other) => RenderError::Value { format: Format::Parquet, message: other.to_string() },
        },
        other => RenderError::Value { format: Format::Parquet, message: other.to_string() },
    }
}
