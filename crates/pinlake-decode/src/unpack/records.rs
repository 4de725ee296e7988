//! From blocks of lines to blocks of records: the step that pieces of CSV take besides.
//!
//! Where a record ends hangs on the quotes before it, so blocks are gone through in order. A line without a quote, which is
//! nearly every one, is a record at once. A record that goes on beyond its block is kept back with all that follows
//! it and put before the next block, so that any thread may decode any block here too.
//!
//! Bounded by: one block, and a record of at most `max_line_bytes` that was kept back.

use std::sync::Arc;

use bytes::Bytes;

use super::block::{Block, BlockKind, MAX_LINE_BYTES};
use super::{UnpackError, UnpackLimits, UnpackTotals};
use crate::csv::{
    CsvHeader, CsvHeaderError, CsvRecords, Scan, Span, SpanKind, UNCLOSED, scan, without_carriage_return,
};
use crate::json::syntax::skip_space;
use crate::reject::Reason;

/// The byte order mark that some tools put at the start of a file.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Finds the records of a piece.
#[derive(Debug)]
pub(super) struct RecordFinder {
    max_line_bytes: usize,
    header: Option<Arc<CsvHeader>>,
    failure: Option<UnpackError>,
    /// Lines from the beginning of a record whose end was not seen yet.
    kept: Option<Block>,
    /// Number of blocks handed out.
    blocks: u64,
}

impl RecordFinder {
    pub(super) fn new(limits: &UnpackLimits) -> Self {
        let max_line_bytes = limits.max_line_bytes.min(MAX_LINE_BYTES);
        Self { max_line_bytes, header: None, failure: None, kept: None, blocks: 0 }
    }

    /// Takes the next block of lines. After a failure nothing is handed out.
    pub(super) fn push(&mut self, block: Block, sink: &mut dyn FnMut(Block)) {
        if let BlockKind::Oversized { limit, .. } = block.kind {
            self.settle(sink);
            if self.header.is_none() {
                self.fail(block.first_line, CsvHeaderError::TooLong { limit });
            }
            self.hand_out(block, sink);
            return;
        }
        let lines = match self.kept.take() {
            None => block,
            Some(kept) => {
                let bytes = Bytes::from([kept.bytes, block.bytes].concat());
                Block { lines: kept.lines + block.lines, bytes, ..kept }
            }
        };
        self.find(&lines, false, sink);
    }

    /// Why the piece cannot be read, where that is so.
    pub(super) fn failure(&self) -> Result<(), UnpackError> {
        self.failure.clone().map_or(Ok(()), Err)
    }

    /// The piece has ended; its totals, given those of its lines.
    pub(super) fn finish(
        &mut self,
        totals: UnpackTotals,
        sink: &mut dyn FnMut(Block),
    ) -> Result<UnpackTotals, UnpackError> {
        self.settle(sink);
        self.failure()?;
        Ok(UnpackTotals { blocks: self.blocks, ..totals })
    }

    /// Nothing follows the lines that were kept back.
    fn settle(&mut self, sink: &mut dyn FnMut(Block)) {
        if let Some(kept) = self.kept.take() {
            self.find(&kept, true, sink);
        }
    }

    /// Hands out `lines` as records. The last is kept back where it may go on behind them, unless that is the end.
    fn find(&mut self, lines: &Block, is_end: bool, sink: &mut dyn FnMut(Block)) {
        let bytes = lines.bytes.clone();
        let (mut spans, mut at, mut found) = (Vec::new(), 0, 0);
        while at < bytes.len() && self.failure.is_none() {
            let mark = if lines.offset == 0 && at == 0 && bytes.starts_with(BYTE_ORDER_MARK) {
                BYTE_ORDER_MARK.len()
            } else {
                0
            };
            let text = &bytes[at + mark..];
            let length = memchr::memchr(b'\n', text);
            let mut line = &text[..length.unwrap_or(text.len())];
            if line.len() <= self.max_line_bytes {
                // What is too long is told as it is.
                line = without_carriage_return(line);
            }
            let next = length.map_or(text.len(), |length| length + 1);
            let first_line = Found { end: line.len(), next, lines: 1 };
            let place = lines.first_line + found;
            let (span, what) = if skip_space(line, 0) == line.len() {
                (first_line, SpanKind::Passed)
            } else {
                match self.record(text, first_line) {
                    Ok(record) if self.header.is_none() && record.end > self.max_line_bytes => {
                        self.fail(place, CsvHeaderError::TooLong { limit: self.max_line_bytes });
                        break;
                    }
                    Err(Reason::NotCsv { problem: UNCLOSED, .. })
                        if !is_end && text.len() <= self.max_line_bytes =>
                    {
                        self.keep(lines, at, found);
                        break;
                    }
                    Ok(record) if self.header.is_none() => {
                        self.begin(&text[..record.end], place);
                        (record, SpanKind::Passed)
                    }
                    Err(reason) if self.header.is_none() => {
                        self.fail(place, CsvHeaderError::Quotes(reason));
                        break;
                    }
                    Ok(record) => (record, SpanKind::Record),
                    Err(reason) => (first_line, SpanKind::Bad(reason)),
                }
            };
            let start = at + mark;
            spans.push(Span { start, end: start + span.end, lines: span.lines, what });
            at = start + span.next;
            found += span.lines;
        }
        if at == 0 {
            return;
        }
        let kind = match &self.header {
            // Blank lines before any header.
            None => BlockKind::Lines,
            Some(header) => BlockKind::Records(Arc::new(CsvRecords { header: Arc::clone(header), spans })),
        };
        self.hand_out(Block { lines: found, bytes: bytes.slice(..at), kind, ..lines.clone() }, sink);
    }

    /// The record at the beginning of `text`, given the line that it begins with. Of several lines it may be as long as a
    /// line; nothing is made of what is further on, so that it does not matter how much more is at hand.
    fn record(&self, text: &[u8], first_line: Found) -> Result<Found, Reason> {
        let most = self.max_line_bytes;
        if first_line.end > most || memchr::memchr(b'"', &text[..first_line.end]).is_none() {
            return Ok(first_line);
        }
        let unclosed = |byte| Err(Reason::NotCsv { problem: UNCLOSED, byte });
        let opened = memchr::memchr(b'"', text).unwrap_or_default();
        match scan(&text[..text.len().min(most + 2)]) {
            Scan::Record { end, .. } if end > most => unclosed(opened),
            Scan::Bad(Reason::NotCsv { byte, .. }) if byte > most => unclosed(opened),
            Scan::Record { end, next, lines, cells } => match &self.header {
                // Those of one line are counted when they are read.
                Some(header) if lines > 1 && cells != header.columns() => {
                    Err(Reason::CellCount { cells, columns: header.columns() })
                }
                _ => Ok(Found { end, next, lines }),
            },
            Scan::Open(byte) => unclosed(byte),
            Scan::Bad(reason) => Err(reason),
        }
    }

    /// Keeps back what begins at byte `at` and behind line `found` of `lines`.
    fn keep(&mut self, lines: &Block, at: usize, found: u64) {
        self.kept = Some(Block {
            first_line: lines.first_line + found,
            lines: lines.lines - found,
            offset: lines.offset + at as u64,
            bytes: lines.bytes.slice(at..),
            ..lines.clone()
        });
    }

    /// Takes the header, which is the record in this line.
    fn begin(&mut self, record: &[u8], line: u64) {
        match CsvHeader::read(record) {
            Ok(header) => self.header = Some(Arc::new(header)),
            Err(error) => self.fail(line, error),
        }
    }

    fn fail(&mut self, line: u64, source: CsvHeaderError) {
        self.failure.get_or_insert(UnpackError::CsvHeader { line, source });
    }

    fn hand_out(&mut self, block: Block, sink: &mut dyn FnMut(Block)) {
        if self.failure.is_none() {
            sink(Block { index: self.blocks, ..block });
            self.blocks += 1;
        }
    }
}

/// A line or a record, from the beginning of some text.
#[derive(Clone, Copy, Debug)]
struct Found {
    /// Where its text ends.
    end: usize,
    /// Where the next begins.
    next: usize,
    lines: u64,
}
