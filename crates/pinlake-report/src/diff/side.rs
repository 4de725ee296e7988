//! One snapshot's endpoints in order of id, one at a time.

use std::collections::BTreeMap;

use arrow::array::{Array, AsArray, RecordBatch, StringArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, SchemaRef};
use arrow::json::LineDelimitedWriter;
use arrow::json::writer::{LineDelimited, WriterBuilder};
use arrow::row::Rows;

use super::DiffError;
use super::compare::Comparer;
use crate::parameters::Bindings;
use crate::render::{Format, RenderError};
use crate::session::{QueryStream, Session};

/// In order of id, those without one at the end; equal ids in order of where they were read.
const QUERY: &str = "SELECT * EXCEPT (snapshot) FROM all_endpoints WHERE snapshot = $snapshot \
                     ORDER BY id NULLS LAST, piece, line";

/// A snapshot's endpoints and the place of the current one.
pub(super) struct Side {
    stream: QueryStream,
    current: Option<Current>,
}

/// The batch in hand.
struct Current {
    batch: RecordBatch,
    row: usize,
    ids: StringArray,
    /// What is compared of each row, as bytes that are equal where the row is.
    comparable: Rows,
    /// Every row as a JSON object, once one of them is asked for.
    json: Option<Vec<String>>,
}

impl Side {
    pub(super) async fn open(session: &Session, snapshot: &str) -> Result<Self, DiffError> {
        let given = BTreeMap::from([("snapshot".to_owned(), snapshot.to_owned())]);
        let stream = session.stream(QUERY, &Bindings::inferred(given)).await?;
        Ok(Self { stream, current: None })
    }

    pub(super) fn schema(&self) -> SchemaRef {
        self.stream.schema()
    }

    /// Goes to the next endpoint, or behind the last.
    pub(super) async fn advance(&mut self, comparer: &Comparer) -> Result<(), DiffError> {
        if let Some(current) = &mut self.current {
            current.row += 1;
            if current.row < current.batch.num_rows() {
                return Ok(());
            }
        }
        self.current = None;
        while let Some(batch) = self.stream.next().await? {
            if batch.num_rows() > 0 {
                self.current = Some(Current::new(batch, comparer)?);
                break;
            }
        }
        Ok(())
    }

    pub(super) fn is_at_end(&self) -> bool {
        self.current.is_none()
    }

    /// The current endpoint's id, if it has one.
    pub(super) fn id_text(&self) -> Option<&str> {
        let current = self.current.as_ref()?;
        current.ids.is_valid(current.row).then(|| current.ids.value(current.row))
    }

    pub(super) fn id(&self) -> Option<String> {
        self.id_text().map(str::to_owned)
    }

    /// The batch and the row in it, and what is compared of it.
    pub(super) fn place(&self) -> Option<(&RecordBatch, usize, &Rows)> {
        let current = self.current.as_ref()?;
        Some((&current.batch, current.row, &current.comparable))
    }

    /// The current endpoint as a JSON object of all its columns, null ones included.
    pub(super) fn json(&mut self) -> Result<String, RenderError> {
        let Some(current) = &mut self.current else { return Ok("null".to_owned()) };
        if current.json.is_none() {
            current.json = Some(rows_as_json(&current.batch)?);
        }
        let row = current.json.as_ref().and_then(|rows| rows.get(current.row));
        Ok(row.cloned().unwrap_or_else(|| "null".to_owned()))
    }
}

impl Current {
    fn new(batch: RecordBatch, comparer: &Comparer) -> Result<Self, DiffError> {
        let failed = |error| RenderError::arrow(Format::Ndjson, error);
        let ids = match batch.column_by_name("id") {
            Some(ids) => cast(ids, &DataType::Utf8).map_err(failed)?.as_string::<i32>().clone(),
            None => StringArray::new_null(batch.num_rows()),
        };
        let comparable = comparer.rows(&batch).map_err(failed)?;
        Ok(Self { batch, row: 0, ids, comparable, json: None })
    }
}

/// Each row as a line of JSON has it. Text in JSON holds no line feed, so lines are rows.
fn rows_as_json(batch: &RecordBatch) -> Result<Vec<String>, RenderError> {
    let failed = |error| RenderError::arrow(Format::Ndjson, error);
    let mut lines = Vec::new();
    let mut writer: LineDelimitedWriter<_> =
        WriterBuilder::new().with_explicit_nulls(true).build::<_, LineDelimited>(&mut lines);
    writer.write(batch).map_err(failed)?;
    writer.finish().map_err(failed)?;
    drop(writer);
    Ok(String::from_utf8_lossy(&lines).lines().map(str::to_owned).collect())
}
