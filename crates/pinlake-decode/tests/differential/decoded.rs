//! What the decoder makes of a piece, in the terms of the reference, read through Arrow's public API alone.
//!
//! Text is read whether an array is plain or a dictionary, at the top and inside maps and lists, so that the encoding of a
//! column is no part of what is compared.

use std::collections::BTreeMap;
use std::collections::HashMap;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{DataType, Float64Type, Int32Type, Int64Type, TimestampMicrosecondType};
use bytes::Bytes;
use pinlake_decode::reject::Reason;
use pinlake_decode::unpack::BufferPool;
use pinlake_decode::{BlockDecoder, DecodeOptions, DecodedBlock, PieceFormat, UnpackLimits, Unpacker};

use crate::reference::{Cell, Double, Fault, Outcome, Rejected, Row};

/// How a piece is handed to the unpacker.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Way {
    /// Bytes that are fed at once; 0 for the whole piece.
    pub(crate) chunk_bytes: usize,
    pub(crate) block_bytes: usize,
}

/// A decoder and buffers that are used for one piece after the other: nothing of one may show in the next.
#[derive(Debug)]
pub(crate) struct Session {
    max_line_bytes: usize,
    decoder: BlockDecoder,
    buffers: BufferPool,
    pieces: usize,
    id_hashes: HashMap<String, u64>,
}

impl Session {
    pub(crate) fn new(max_line_bytes: usize, slow_path_only: bool) -> Self {
        Self {
            max_line_bytes,
            decoder: BlockDecoder::new(DecodeOptions {
                max_line_bytes,
                slow_path_only,
                ..DecodeOptions::default()
            }),
            buffers: BufferPool::new(1 << 20),
            pieces: 0,
            id_hashes: HashMap::new(),
        }
    }

    /// Reads a piece as stored, which must be sound.
    pub(crate) fn read(&mut self, stored: &[u8], way: Way) -> Outcome {
        let limits = UnpackLimits {
            block_bytes: way.block_bytes,
            max_line_bytes: self.max_line_bytes,
            ..UnpackLimits::default()
        };
        let mut blocks = Vec::new();
        let mut sink = |block| blocks.push(block);
        let mut unpacker = Unpacker::new(PieceFormat::Detect, limits, &self.buffers);
        if way.chunk_bytes == 0 {
            unpacker.feed_whole(&Bytes::copy_from_slice(stored), &mut sink).expect("a sound piece");
        } else {
            for chunk in stored.chunks(way.chunk_bytes) {
                unpacker.feed(chunk, &mut sink).expect("a sound piece");
            }
        }
        let totals = unpacker.finish(&mut sink).expect("a sound piece");
        self.pieces += 1;
        let name = format!("piece-{}", self.pieces);
        let mut outcome = Outcome::default();
        for block in &blocks {
            let decoded = self.decoder.decode(&name, self.pieces, block).expect("columns that make a batch");
            assert_eq!(decoded.index, block.index);
            self.take(&name, decoded, &mut outcome);
        }
        assert_eq!(totals.lines, outcome.lines, "lines of unpacking and of decoding");
        outcome
    }

    fn take(&mut self, name: &str, decoded: DecodedBlock, outcome: &mut Outcome) {
        let rows = decoded.batch.as_ref().map_or_else(Vec::new, |batch| rows(batch, name));
        assert_eq!(decoded.lines, rows.len() as u64 + decoded.rejects.len() as u64 + decoded.blank);
        let ids = rows.iter().filter_map(|row| match row.cells.get("id") {
            Some(Cell::Text(id)) => Some(id),
            _ => None,
        });
        let mut hashes = decoded.id_hashes.iter();
        for id in ids {
            let &hash = hashes.next().expect("a hash for each id");
            assert_eq!(
                *self.id_hashes.entry(id.clone()).or_insert(hash),
                hash,
                "two hashes of the id {id:?}"
            );
        }
        assert_eq!(hashes.next(), None, "a hash without an id");
        outcome.rows.extend(rows);
        outcome.lines += decoded.lines;
        outcome.blank += decoded.blank;
        outcome.rejects.extend(decoded.rejects.into_iter().map(|reject| Rejected {
            line: reject.line,
            offset: reject.offset,
            fault: match reject.reason {
                Reason::TooLong { .. } => Fault::TooLong,
                Reason::NotCsv { .. } | Reason::CellCount { .. } => panic!("a piece of JSON lines"),
                Reason::NotUtf8 { .. } => Fault::NotUtf8,
                Reason::NotJson { .. } => Fault::NotJson,
                Reason::NotAnObject { .. } => Fault::NotAnObject,
            },
            raw: reject.raw,
        }));
    }
}

/// Fails where the decoder read something else than the reference.
pub(crate) fn expect_same(expected: &Outcome, mut actual: Outcome, how: &str) {
    for (expected, actual) in expected.rejects.iter().zip(&mut actual.rejects) {
        // How much is kept of a line beyond the limit depends on how it came; at most what the reference keeps.
        if actual.fault == Fault::TooLong && expected.raw.starts_with(&actual.raw) {
            actual.raw.clone_from(&expected.raw);
        }
    }
    for (expected, actual) in expected.rows.iter().zip(&actual.rows) {
        assert_eq!(expected, actual, "a row, reference and decoder: {how}");
    }
    assert_eq!(*expected, actual, "the piece, reference and decoder: {how}");
}

fn rows(batch: &RecordBatch, piece: &str) -> Vec<Row> {
    assert_eq!(batch.schema(), pinlake_decode::endpoint_schema());
    (0..batch.num_rows()).map(|at| row(batch, at, piece)).collect()
}

fn row(batch: &RecordBatch, at: usize, piece: &str) -> Row {
    let mut line = 0;
    let mut cells = BTreeMap::new();
    for (field, column) in batch.schema().fields().iter().zip(batch.columns()) {
        if field.name() == "line" {
            line = column.as_primitive::<Int64Type>().value(at).unsigned_abs();
        } else if field.name() == "piece" {
            assert_eq!(text(column, at).as_deref(), Some(piece));
        } else if let Some(cell) = cell(column, at) {
            cells.insert(field.name().clone(), cell);
        }
    }
    Row { line, cells }
}

fn cell(column: &dyn Array, at: usize) -> Option<Cell> {
    if column.is_null(at) {
        return None;
    }
    Some(match column.data_type() {
        DataType::Float64 => Cell::Number(Double(column.as_primitive::<Float64Type>().value(at))),
        DataType::Timestamp(..) => Cell::Micros(column.as_primitive::<TimestampMicrosecondType>().value(at)),
        DataType::Map(..) => map(column, at),
        _ => return text(column, at).map(Cell::Text),
    })
}

fn map(column: &dyn Array, at: usize) -> Cell {
    let entries = column.as_map().value(at);
    let (keys, values) = (entries.column(0), entries.column(1));
    let key = |at| text(keys, at).expect("a key is never null");
    if let Some(numbers) = values.as_primitive_opt::<Float64Type>() {
        assert_eq!(numbers.null_count(), 0, "a metric is never null");
        return Cell::Numbers((0..keys.len()).map(|at| (key(at), Double(numbers.value(at)))).collect());
    }
    let lists = values.as_list::<i32>();
    assert_eq!(lists.null_count(), 0, "a list is never null");
    let list = |at| {
        let items = lists.value(at);
        (0..items.len()).map(|at| text(&items, at)).collect()
    };
    Cell::Lists((0..keys.len()).map(|at| (key(at), list(at))).collect())
}

/// The text at a position, of a plain or of a dictionary array.
fn text(array: &dyn Array, at: usize) -> Option<String> {
    if array.is_null(at) {
        return None;
    }
    if let Some(plain) = array.as_string_opt::<i32>() {
        return Some(plain.value(at).to_owned());
    }
    let dictionary = array.as_dictionary_opt::<Int32Type>().expect("text, plain or in a dictionary");
    text(dictionary.values(), usize::try_from(dictionary.keys().value(at)).expect("a key from 0"))
}
