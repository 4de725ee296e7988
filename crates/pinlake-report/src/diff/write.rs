//! Changes in the formats that results have.

use std::io::Write;
use std::mem;
use std::sync::Arc;
use std::time::Duration;

use arrow::array::{ArrayRef, ListBuilder, RecordBatch, StringArray, StringBuilder};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};

use super::Change;
use crate::render::{Format, RenderError, RenderOptions, RowWriter, render, row_writer};
use crate::report::Report;
use crate::session::QueryResult;

/// Changes that are put together to a batch.
const BATCH_CHANGES: usize = 1_024;

/// Writes changes as they come.
pub(super) struct ChangeWriter<'a> {
    out: Out<'a>,
}

/// Where changes go.
enum Out<'a> {
    /// A line each; with `separator` in front of all but the first, an array.
    Json { out: &'a mut (dyn Write + Send), is_array: bool, is_first: bool },
    /// Batches of rows.
    Rows { writer: Box<dyn RowWriter + 'a>, pending: Vec<Change>, schema: SchemaRef },
    /// The first changes, for a page; the others are counted.
    Page(Page<'a>),
}

struct Page<'a> {
    out: &'a mut (dyn Write + Send),
    format: Format,
    options: RenderOptions,
    cap: Option<usize>,
    kept: Vec<Change>,
    further: usize,
}

impl<'a> ChangeWriter<'a> {
    pub(super) fn begin(
        format: Format,
        options: &RenderOptions,
        out: &'a mut (dyn Write + Send),
    ) -> Result<Self, RenderError> {
        let out = match format {
            Format::Ndjson => Out::Json { out, is_array: false, is_first: true },
            Format::Json => {
                out.write_all(b"[").map_err(RenderError::write)?;
                Out::Json { out, is_array: true, is_first: true }
            }
            _ if format.is_page() => {
                let (options, cap) = (options.clone(), options.rows_shown(format));
                Out::Page(Page { out, format, options, cap, kept: Vec::new(), further: 0 })
            }
            _ => {
                let schema = schema(true);
                let writer = row_writer(format, &schema, options, out)?;
                Out::Rows { writer, pending: Vec::new(), schema }
            }
        };
        Ok(Self { out })
    }

    pub(super) fn write(&mut self, change: Change) -> Result<(), RenderError> {
        match &mut self.out {
            Out::Json { out, is_array, is_first } => {
                let separator: &[u8] = match (*is_array, mem::take(is_first)) {
                    (false, _) => b"",
                    (true, true) => b"\n",
                    (true, false) => b",\n",
                };
                let mut line = separator.to_vec();
                push_json(&change, &mut line)?;
                if !*is_array {
                    line.push(b'\n');
                }
                out.write_all(&line).map_err(RenderError::write)
            }
            Out::Rows { writer, pending, schema } => {
                pending.push(change);
                if pending.len() < BATCH_CHANGES {
                    return Ok(());
                }
                writer.write(&batch(&mem::take(pending), schema)?)
            }
            Out::Page(page) => {
                if page.cap.is_none_or(|cap| page.kept.len() < cap) {
                    page.kept.push(Change { before: None, after: None, ..change });
                } else {
                    page.further += 1;
                }
                Ok(())
            }
        }
    }

    pub(super) fn finish(self) -> Result<(), RenderError> {
        match self.out {
            Out::Json { out, is_array: true, .. } => out.write_all(b"\n]\n").map_err(RenderError::write),
            Out::Json { .. } => Ok(()),
            Out::Rows { mut writer, pending, schema } => {
                writer.write(&batch(&pending, &schema)?)?;
                writer.finish()
            }
            Out::Page(page) => page.finish(),
        }
    }
}

impl Page<'_> {
    fn finish(self) -> Result<(), RenderError> {
        let schema = schema(false);
        let batches = vec![batch(&self.kept, &schema)?];
        let result = QueryResult::new(schema, batches, Duration::ZERO);
        let report = Report { further_rows: self.further, ..Report::untitled("diff", result) };
        render(&[report], self.format, &self.options, self.out)
    }
}

/// Appends a change as a JSON object.
fn push_json(change: &Change, line: &mut Vec<u8>) -> Result<(), RenderError> {
    let failed = |error: serde_json::Error| RenderError::write(error.into());
    let id = serde_json::to_string(&change.id).map_err(failed)?;
    let fields = serde_json::to_string(&change.fields).map_err(failed)?;
    let [before, after] = [&change.before, &change.after].map(|row| row.as_deref().unwrap_or("null"));
    let kind = change.kind.name();
    let object =
        format!(r#"{{"change":"{kind}","id":{id},"fields":{fields},"before":{before},"after":{after}}}"#);
    line.extend_from_slice(object.as_bytes());
    Ok(())
}

fn schema(with_rows: bool) -> SchemaRef {
    let list = DataType::List(Arc::new(Field::new_list_field(DataType::Utf8, true)));
    let mut fields = vec![
        Field::new("change", DataType::Utf8, false),
        Field::new("id", DataType::Utf8, true),
        Field::new("fields", list, false),
    ];
    if with_rows {
        fields.extend(["before", "after"].map(|name| Field::new(name, DataType::Utf8, true)));
    }
    Arc::new(Schema::new(fields))
}

fn batch(changes: &[Change], schema: &SchemaRef) -> Result<RecordBatch, RenderError> {
    let mut fields = ListBuilder::new(StringBuilder::new());
    for change in changes {
        fields.append_value(change.fields.iter().map(Some));
    }
    let kinds = StringArray::from_iter_values(changes.iter().map(|change| change.kind.name()));
    let text = |of: fn(&Change) -> Option<&str>| -> ArrayRef {
        Arc::new(changes.iter().map(of).collect::<StringArray>())
    };
    let mut columns: Vec<ArrayRef> =
        vec![Arc::new(kinds), text(|change| change.id.as_deref()), Arc::new(fields.finish())];
    if schema.fields().len() > columns.len() {
        columns.extend([text(|change| change.before.as_deref()), text(|change| change.after.as_deref())]);
    }
    RecordBatch::try_new(Arc::clone(schema), columns)
        .map_err(|error| RenderError::arrow(Format::Ndjson, error))
}
