//! From a block of lines to a record batch.
//!
//! Each line takes one of two ways. The **fast path** (`record`) reads a line once, straight into the columns, as long
//! as everything is as an export has it: known members in any order, each once, values of their column's type. At the
//! first thing that is not, it takes its half-filled row away and leaves the line to the **slow path** (`odd`), which
//! judges the line's validity, converts odd values, fills `extra`, counts drift, and is the definition of what a line
//! means. Whatever the fast path accepts, the slow path would read the same: tests hold the two against each other.

mod cells;
mod cursor;
mod odd;
mod record;

use arrow::array::{AsArray, RecordBatch};
use arrow::error::ArrowError;

use crate::columns::Columns;
use crate::drift::Drift;
use crate::json::quotes::QuoteIndex;
use crate::json::syntax::{ValueKind, check, skip_space};
use crate::json::word::{hash, word_at};
use crate::reject::{OVERSIZED_RAW_BYTES, Reason, Reject};
use crate::selection::ColumnSelection;
use crate::unpack::{Block, BlockKind, DEFAULT_MAX_LINE_BYTES};
use cells::CellDecoder;
use cursor::{Cursor, Odd};

/// The byte order mark that some tools put at the start of a file.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// How lines are decoded.
#[derive(Clone, Copy, Debug)]
pub struct DecodeOptions {
    /// The longest line; longer ones are rejects.
    pub max_line_bytes: usize,
    /// Send every line down the slow path: the definition, against which the fast path is tested.
    pub slow_path_only: bool,
    /// The columns that batches have. The others are not built; their text is still held against JSON's grammar.
    pub columns: ColumnSelection,
}

impl Default for DecodeOptions {
    fn default() -> Self {
        Self { max_line_bytes: DEFAULT_MAX_LINE_BYTES, slow_path_only: false, columns: ColumnSelection::ALL }
    }
}

/// What became of a block. `rows + rejects + blank = lines`.
#[derive(Debug)]
pub struct DecodedBlock {
    /// Which block of its piece this was, from 0.
    pub index: u64,
    /// The rows, in the order of lines; none where no line was an endpoint.
    pub batch: Option<RecordBatch>,
    /// The lines that are no endpoint, in their order.
    pub rejects: Vec<Reject>,
    /// Number of lines, blank ones included.
    pub lines: u64,
    /// Number of lines with neither: blank ones; of CSV also the header, and those that a record of several goes on over.
    pub blank: u64,
    /// Where lines departed from the form of an export. Counted where every member is read, which is to say where `extra`
    /// is selected; empty otherwise.
    pub drift: Drift,
    /// A 64-bit hash of each `id` that is not null, to count repeated ones across blocks; none where columns are left out.
    pub id_hashes: Vec<u64>,
}

impl DecodedBlock {
    /// Number of rows.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.batch.as_ref().map_or(0, |batch| batch.num_rows() as u64)
    }
}

/// Decodes blocks, one at a time; keeps its buffers from one to the next.
#[derive(Debug)]
pub struct BlockDecoder {
    options: DecodeOptions,
    columns: Columns,
    quotes: QuoteIndex,
    /// Once CSV has been met.
    cells: Option<CellDecoder>,
}

impl BlockDecoder {
    /// A decoder with empty buffers.
    #[must_use]
    pub fn new(options: DecodeOptions) -> Self {
        Self { options, columns: Columns::new(options.columns), quotes: QuoteIndex::default(), cells: None }
    }

    /// Decodes a block of the piece named `piece`, which its caller numbers `piece_index` (for [`Drift`]).
    ///
    /// # Errors
    /// Arrow's, where the columns do not make a batch, or where a block has other lines than it says: that is a fault of
    /// this crate, not of the data.
    pub fn decode(
        &mut self,
        piece: &str,
        piece_index: usize,
        block: &Block,
    ) -> Result<DecodedBlock, ArrowError> {
        self.columns.begin(usize::try_from(block.lines).unwrap_or(usize::MAX).min(block.bytes.len() + 1));
        let mut lines = Lines::new(self.options, &mut self.columns, piece_index, block);
        match &block.kind {
            BlockKind::Records(records) => {
                let cells = self.cells.get_or_insert_with(CellDecoder::new);
                lines.decode_records(records, cells, &mut self.quotes);
            }
            BlockKind::Lines => lines.decode(&mut self.quotes),
            &BlockKind::Oversized { bytes, limit } => {
                lines.reject(0, &block.bytes, Reason::TooLong { bytes, limit });
                lines.line += 1;
            }
        }
        let Lines { rejects, line, blank, drift, .. } = lines;
        if line - block.first_line != block.lines {
            let (counted, said) = (line - block.first_line, block.lines);
            return Err(ArrowError::InvalidArgumentError(format!(
                "a block said to have {said} lines has {counted}"
            )));
        }
        let batch = if self.columns.row() == 0 { None } else { Some(self.columns.finish(piece)?) };
        let is_whole = self.options.columns == ColumnSelection::ALL;
        let id_hashes = batch.as_ref().filter(|_| is_whole).map_or_else(Vec::new, hash_ids);
        Ok(DecodedBlock {
            index: block.index,
            batch,
            rejects,
            lines: line - block.first_line,
            blank,
            drift,
            id_hashes,
        })
    }
}

fn hash_ids(batch: &RecordBatch) -> Vec<u64> {
    let ids = batch.column(0).as_string::<i32>();
    let hash_id = |id: &str| hash(id.as_bytes(), word_at(id.as_bytes(), 0, id.len()));
    ids.iter().flatten().map(hash_id).collect()
}

/// About how many bytes of lines are indexed before they are read: their text, its index and what is read from them stay
/// in a core's first caches. Measured 2026-11-24: from 16 to 128 KiB it makes no difference, 512 KiB costs 3 %.
const WINDOW_BYTES: usize = 64 * 1024;

/// The walk over the lines of one block.
struct Lines<'a> {
    options: DecodeOptions,
    columns: &'a mut Columns,
    piece_index: usize,
    block: &'a Block,
    /// Whether the whole block is UTF-8, so that no line need be looked at.
    is_utf8: bool,
    /// Number of the line being read, from 1 in the piece.
    line: u64,
    rejects: Vec<Reject>,
    blank: u64,
    drift: Drift,
}

impl<'a> Lines<'a> {
    fn new(options: DecodeOptions, columns: &'a mut Columns, piece_index: usize, block: &'a Block) -> Self {
        Self {
            options,
            columns,
            piece_index,
            block,
            is_utf8: simdutf8::basic::from_utf8(&block.bytes).is_ok(),
            line: block.first_line,
            rejects: Vec::new(),
            blank: 0,
            drift: Drift::default(),
        }
    }

    fn decode(&mut self, quotes: &mut QuoteIndex) {
        let block: &'a [u8] = &self.block.bytes;
        let mut start = 0;
        while start < block.len() {
            let end = window_end(block, start);
            quotes.fill(&block[start..end]);
            self.decode_window(start, &block[start..end], quotes);
            start = end;
        }
    }

    /// Decodes whole lines, which begin at `offset` of the block.
    fn decode_window(&mut self, offset: usize, window: &[u8], quotes: &QuoteIndex) {
        let mut start = 0;
        let mut quote = 0;
        let open_line = window.last().is_some_and(|&byte| byte != b'\n').then_some(window.len());
        for end in quotes.line_feeds().iter().map(|&end| end as usize).chain(open_line) {
            let cursor = Cursor::new(window, quotes, start, quote);
            quote = self.decode_line(offset, cursor, end);
            start = end + 1;
        }
    }

    /// Decodes the line from `cursor` to `end` of a window that begins at `offset` of the block; the number of the next
    /// line's first quote.
    fn decode_line(&mut self, offset: usize, mut cursor: Cursor<'_>, end: usize) -> usize {
        let raw = &cursor.text[cursor.at..end];
        let start = offset + cursor.at;
        let is_first_of_piece = self.block.offset == 0 && start == 0;
        let line = match raw.strip_prefix(BYTE_ORDER_MARK) {
            Some(rest) if is_first_of_piece => rest,
            _ => raw,
        };
        cursor.at += raw.len() - line.len();
        let is_too_long = raw.len() > self.options.max_line_bytes;
        // Told here, since the fast path would look for its object on all the lines behind: with nothing but line feeds that takes
        // time with the square of the window (8 MB of them: 42 s; 2026-11-25).
        if !is_too_long && line.first().is_none_or(|&byte| byte <= b' ') && skip_space(line, 0) == line.len()
        {
            self.blank += 1;
            self.line += 1;
            return cursor.first_quote_from(end);
        }
        let fast = !self.options.slow_path_only && self.is_utf8 && !is_too_long;
        let read = if fast { record::read(cursor, end, self.columns) } else { Err(Odd) };
        if read.is_ok() {
            self.columns.finish_row(self.line);
        } else if is_too_long {
            self.reject_too_long(start, raw);
        } else {
            self.decode_odd_line(start, raw, line);
        }
        self.line += 1;
        read.unwrap_or_else(|Odd| cursor.first_quote_from(end))
    }

    fn decode_odd_line(&mut self, start: usize, raw: &[u8], line: &[u8]) {
        if let Err(reason) = judge(line) {
            self.columns.abandon_row();
            self.reject(start, raw, reason);
            return;
        }
        self.decode_odd_object(line);
    }

    /// Decodes an object, of which the row being filled may hold a part.
    fn decode_odd_object(&mut self, object: &[u8]) {
        self.columns.abandon_row();
        odd::read(object, self.columns, &mut |member, kind| {
            self.drift.count(member, kind, self.piece_index, self.line);
        });
        self.columns.finish_row(self.line);
    }

    fn reject_too_long(&mut self, start: usize, raw: &[u8]) {
        let reason = Reason::TooLong { bytes: raw.len() as u64, limit: self.options.max_line_bytes };
        self.reject(start, &raw[..raw.len().min(OVERSIZED_RAW_BYTES)], reason);
    }

    fn reject(&mut self, start: usize, raw: &[u8], reason: Reason) {
        self.rejects.push(Reject {
            line: self.line,
            offset: self.block.offset + start as u64,
            reason,
            raw: raw.to_vec(),
        });
    }
}

/// Where a window of whole lines ends that begins at `start`: behind the last line that fits, or behind a longer one.
fn window_end(block: &[u8], start: usize) -> usize {
    let most = block.len().min(start + WINDOW_BYTES);
    if most == block.len() {
        return most;
    }
    memchr::memrchr(b'\n', &block[start..most])
        .map(|end| start + end + 1)
        .or_else(|| memchr::memchr(b'\n', &block[most..]).map(|end| most + end + 1))
        .unwrap_or(block.len())
}

/// Whether a line that is not blank is an endpoint.
fn judge(line: &[u8]) -> Result<(), Reason> {
    if let Err(error) = std::str::from_utf8(line) {
        return Err(Reason::NotUtf8 { byte: error.valid_up_to() });
    }
    match check(line) {
        Ok(ValueKind::Object) => Ok(()),
        Ok(other) => Err(Reason::NotAnObject { found: other.name() }),
        Err(error) => Err(Reason::NotJson { problem: error.problem, byte: error.byte }),
    }
}

#[cfg(test)]
mod tests;
