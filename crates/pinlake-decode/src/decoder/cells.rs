//! Records of CSV: their cells become the line of JSON that an export would have had, and that is decoded.

use super::cursor::Cursor;
use super::{Lines, record};
use crate::csv::{CellReader, CsvHeader, CsvRecords, SpanKind, cell_count};
use crate::json::quotes::QuoteIndex;
use crate::reject::Reason;

/// What decoding records needs besides; keeps its buffers.
#[derive(Debug)]
pub(super) struct CellDecoder {
    cells: CellReader,
    /// The record at hand as a JSON object.
    object: Vec<u8>,
}

impl CellDecoder {
    pub(super) fn new() -> Self {
        Self { cells: CellReader::new(), object: Vec::new() }
    }

    /// Reads a record into `object`.
    fn read(&mut self, raw: &[u8], header: &CsvHeader) -> Result<(), Reason> {
        let columns = header.columns();
        if !self.cells.read(raw, columns) {
            return Err(Reason::CellCount { cells: cell_count(raw), columns });
        }
        self.object.clear();
        header.write_object(&self.cells, &mut self.object);
        Ok(())
    }
}

impl Lines<'_> {
    /// Decodes a block of records.
    pub(super) fn decode_records(
        &mut self,
        records: &CsvRecords,
        cells: &mut CellDecoder,
        quotes: &mut QuoteIndex,
    ) {
        let block = self.block;
        for span in &records.spans {
            let raw = &block.bytes[span.start..span.end];
            match &span.what {
                SpanKind::Passed => self.blank += span.lines,
                SpanKind::Bad(reason) if raw.len() <= self.options.max_line_bytes => {
                    self.reject(span.start, raw, reason.clone());
                }
                SpanKind::Record if raw.len() <= self.options.max_line_bytes => {
                    self.decode_record(span.start, raw, &records.header, cells, quotes);
                    self.blank += span.lines - 1;
                }
                SpanKind::Bad(_) | SpanKind::Record => {
                    self.reject_too_long(span.start, raw);
                    self.blank += span.lines - 1;
                }
            }
            self.line += span.lines;
        }
    }

    fn decode_record(
        &mut self,
        start: usize,
        raw: &[u8],
        header: &CsvHeader,
        cells: &mut CellDecoder,
        quotes: &mut QuoteIndex,
    ) {
        let utf8 = if self.is_utf8 { Ok("") } else { std::str::from_utf8(raw) };
        let read = match utf8 {
            Err(error) => Err(Reason::NotUtf8 { byte: error.valid_up_to() }),
            Ok(_) => cells.read(raw, header),
        };
        if let Err(reason) = read {
            self.reject(start, raw, reason);
            return;
        }
        let object = &cells.object;
        quotes.fill(object);
        let fast = !self.options.slow_path_only
            && record::read(Cursor::new(object, quotes, 0, 0), object.len(), self.columns).is_ok();
        if fast {
            self.columns.finish_row(self.line);
        } else {
            self.decode_odd_object(object);
        }
    }
}
