//! CSV as RFC 4180 has it: a header line, CRLF, quotes where a cell needs them.
//!
//! Null is an empty cell, empty text a quoted one, so the two stay apart for readers that care. Lists, maps and structs are JSON
//! text. With `safe`, text that a spreadsheet would run as a formula gets a `'` in front.

use std::io::Write;

use arrow::array::{Array, RecordBatch};
use arrow::datatypes::{DataType, FieldRef, SchemaRef};
use arrow::json::writer::{EncoderOptions, NullableEncoder, make_encoder};
use arrow::util::display::{ArrayFormatter, FormatOptions};

use super::{Format, RenderError, RowWriter};

/// A CSV file that is being written.
pub(super) struct CsvWriter<'a> {
    out: &'a mut (dyn Write + Send),
    fields: Vec<FieldRef>,
    safe: bool,
}

/// How the cells of one column become text.
enum Cells<'a> {
    Plain(ArrayFormatter<'a>),
    Json(NullableEncoder<'a>),
}

impl<'a> CsvWriter<'a> {
    pub(super) fn begin(
        schema: &SchemaRef,
        safe: bool,
        out: &'a mut (dyn Write + Send),
    ) -> Result<Self, RenderError> {
        let fields = schema.fields().to_vec();
        let mut line = Vec::new();
        for (place, field) in fields.iter().enumerate() {
            separate(place, &mut line);
            push_text(field.name(), safe, &mut line);
        }
        line.extend_from_slice(b"\r\n");
        out.write_all(&line).map_err(RenderError::write)?;
        Ok(Self { out, fields, safe })
    }

    fn push_cell(
        &self,
        array: &dyn Array,
        cells: &mut Cells,
        row: usize,
        line: &mut Vec<u8>,
    ) -> Result<(), RenderError> {
        if array.is_null(row) {
            return Ok(());
        }
        match cells {
            Cells::Plain(formatter) => {
                let text = formatter.value(row).try_to_string().map_err(failed)?;
                if is_text(array.data_type()) {
                    push_text(&text, self.safe, line);
                } else {
                    line.extend_from_slice(text.as_bytes());
                }
            }
            Cells::Json(encoder) => {
                let mut json = Vec::new();
                encoder.encode(row, &mut json);
                push_text(&String::from_utf8_lossy(&json), false, line);
            }
        }
        Ok(())
    }
}

impl RowWriter for CsvWriter<'_> {
    fn write(&mut self, batch: &RecordBatch) -> Result<(), RenderError> {
        let plain = FormatOptions::default().with_display_error(false);
        let nested = EncoderOptions::default().with_explicit_nulls(true);
        let mut columns = Vec::with_capacity(batch.num_columns());
        for (field, array) in self.fields.iter().zip(batch.columns()) {
            columns.push(if array.data_type().is_nested() {
                Cells::Json(make_encoder(field, array.as_ref(), &nested).map_err(failed)?)
            } else {
                Cells::Plain(ArrayFormatter::try_new(array.as_ref(), &plain).map_err(failed)?)
            });
        }
        let mut lines = Vec::new();
        for row in 0..batch.num_rows() {
            for (place, (array, cells)) in batch.columns().iter().zip(&mut columns).enumerate() {
                separate(place, &mut lines);
                self.push_cell(array.as_ref(), cells, row, &mut lines)?;
            }
            lines.extend_from_slice(b"\r\n");
        }
        self.out.write_all(&lines).map_err(RenderError::write)
    }

    fn finish(self: Box<Self>) -> Result<(), RenderError> {
        self.out.flush().map_err(RenderError::write)
    }
}

fn is_text(data_type: &DataType) -> bool {
    match data_type {
        DataType::Dictionary(_, values) => is_text(values),
        other => matches!(other, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View),
    }
}

fn separate(place: usize, line: &mut Vec<u8>) {
    if place > 0 {
        line.push(b',');
    }
}

fn push_text(text: &str, safe: bool, line: &mut Vec<u8>) {
    let formula = safe && text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let quoted = text.is_empty()
        || text.contains(['"', ',', '\r', '\n'])
        || text.starts_with(char::is_whitespace)
        || text.ends_with(char::is_whitespace);
    if !quoted && !formula {
        line.extend_from_slice(text.as_bytes());
        return;
    }
    line.push(b'"');
    if formula {
        line.push(b'\'');
    }
    for byte in text.bytes() {
        if byte == b'"' {
            line.push(b'"');
        }
        line.push(byte);
    }
    line.push(b'"');
}

fn failed(error: arrow::error::ArrowError) -> RenderError {
    RenderError::arrow(Format::Csv, error)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cell(text: &str, safe: bool) -> String {
        let mut line = Vec::new();
        push_text(text, safe, &mut line);
        String::from_utf8(line).expect("text stays text")
    }

    #[test]
    fn cells_are_quoted_where_they_must_be() {
        assert_eq!(cell("plain", false), "plain");
        assert_eq!(cell("a,b", false), "\"a,b\"");
        assert_eq!(cell("say \"hi\"\r\n", false), "\"say \"\"hi\"\"\r\n\"");
        assert_eq!(cell("", false), "\"\"");
        assert_eq!(cell("=HYPERLINK(1)", false), "=HYPERLINK(1)");
        assert_eq!(cell("=HYPERLINK(1)", true), "\"'=HYPERLINK(1)\"");
        assert_eq!(cell("+8190", true), "\"'+8190\"");
    }
}
