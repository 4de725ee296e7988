//! JSON and NDJSON: rows as objects with every column, null ones included.
//!
//! 64-bit integers are JSON numbers, timestamps RFC 3339 text with Z, days ISO text, maps objects, NaN and infinities null.

use std::io::Write;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema};
use arrow::error::ArrowError;
use arrow::json::writer::{JsonFormat, LineDelimited, Writer, WriterBuilder};

use super::{Format, RenderError, RowWriter, loaded};
use crate::report::Report;
use crate::session::QueryResult;

/// An array with a row a line, which people can read and `git diff` can compare.
#[derive(Debug, Default)]
struct RowALine;

impl JsonFormat for RowALine {
    fn start_stream<W: Write>(&self, out: &mut W) -> Result<(), ArrowError> {
        Ok(out.write_all(b"[")?)
    }

    fn start_row<W: Write>(&self, out: &mut W, is_first_row: bool) -> Result<(), ArrowError> {
        Ok(out.write_all(if is_first_row { b"\n" } else { b",\n" })?)
    }

    fn end_stream<W: Write>(&self, out: &mut W) -> Result<(), ArrowError> {
        Ok(out.write_all(b"\n]")?)
    }
}

type Out<'a> = &'a mut (dyn Write + Send);

/// An array of rows, as they come.
pub(super) struct Rows<'a>(Writer<Out<'a>, RowALine>);

impl<'a> Rows<'a> {
    pub(super) fn begin(out: Out<'a>) -> Self {
        Self(builder().build(out))
    }

    fn end(mut self) -> Result<Out<'a>, RenderError> {
        self.0.finish().map_err(|error| RenderError::arrow(Format::Json, error))?;
        Ok(self.0.into_inner())
    }
}

impl RowWriter for Rows<'_> {
    fn write(&mut self, batch: &RecordBatch) -> Result<(), RenderError> {
        self.0.write(batch).map_err(|error| RenderError::arrow(Format::Json, error))
    }

    fn finish(self: Box<Self>) -> Result<(), RenderError> {
        self.end()?.write_all(b"\n").map_err(RenderError::write)
    }
}

/// A row a line, as they come.
pub(super) struct Lines<'a>(Writer<Out<'a>, LineDelimited>);

impl<'a> Lines<'a> {
    pub(super) fn begin(out: Out<'a>) -> Self {
        Self(builder().build(out))
    }
}

impl RowWriter for Lines<'_> {
    fn write(&mut self, batch: &RecordBatch) -> Result<(), RenderError> {
        self.0.write(batch).map_err(|error| RenderError::arrow(Format::Ndjson, error))
    }

    fn finish(mut self: Box<Self>) -> Result<(), RenderError> {
        self.0.finish().map_err(|error| RenderError::arrow(Format::Ndjson, error))
    }
}

/// One result as an array.
pub(super) fn write_rows(result: &QueryResult, out: Out) -> Result<(), RenderError> {
    let mut rows = Box::new(Rows::begin(out));
    result.batches.iter().try_for_each(|batch| rows.write(batch))?;
    rows.finish()
}

/// Several results as an object of arrays.
pub(super) fn write_named(reports: &[Report], out: Out) -> Result<(), RenderError> {
    out.write_all(b"{").map_err(RenderError::write)?;
    for (place, report) in reports.iter().enumerate() {
        let separator = if place == 0 { "" } else { "," };
        let name = serde_json::to_string(&report.name).map_err(|error| RenderError::write(error.into()))?;
        write!(out, "{separator}\n{name}: ").map_err(RenderError::write)?;
        let mut rows = Rows::begin(&mut *out);
        loaded(report)?.batches.iter().try_for_each(|batch| rows.write(batch))?;
        rows.end()?;
    }
    out.write_all(b"\n}\n").map_err(RenderError::write)
}

/// One result as lines, each with the report's name first where one is given.
pub(super) fn write_lines(result: &QueryResult, name: Option<&str>, out: Out) -> Result<(), RenderError> {
    let mut lines = Box::new(Lines::begin(out));
    for batch in &result.batches {
        match name {
            None => lines.write(batch)?,
            Some(name) => {
                let named = named(batch, name).map_err(|error| RenderError::arrow(Format::Ndjson, error))?;
                lines.write(&named)?;
            }
        }
    }
    lines.finish()
}

fn builder() -> WriterBuilder {
    WriterBuilder::new().with_explicit_nulls(true)
}

fn named(batch: &RecordBatch, name: &str) -> Result<RecordBatch, ArrowError> {
    let names: ArrayRef =
        Arc::new(StringArray::from_iter_values(std::iter::repeat_n(name, batch.num_rows())));
    let mut fields = vec![Arc::new(Field::new("report", DataType::Utf8, false))];
    fields.extend(batch.schema().fields().iter().cloned());
    let mut columns = vec![names];
    columns.extend(batch.columns().iter().cloned());
    RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)
}
