//! An independent reading of a piece: what the contract says about each line, in plain and slow code.
//!
//! It is the oracle of `differential.rs` and of the fuzz target `decode`, and shares no code with `pinlake-decode`: JSON is
//! `serde_json`'s affair, numbers are the standard library's, dates are counted by hand. It takes the decompressed bytes
//! of a whole piece and knows neither blocks nor buffers nor paths. Drift is left out.
//!
//! Where the contract is silent, the slow path of the decoder is followed, and a comment says so.

mod date;
mod json;
mod row;

use std::collections::BTreeMap;

/// Of a line beyond the limit, how many bytes its reject keeps at most.
const OVERSIZED_RAW_BYTES: usize = 64 * 1024;

/// The deepest nesting of objects and arrays that is no reject. `serde_json` has the same number but counts otherwise: it
/// gives up on the 128th level when it recurses, and never when it skips a value or takes it as a `RawValue`.
const MAX_DEPTH: usize = 128;

/// A double that is equal to another only if all bits are, so that -0.0 and 0.0 differ.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Double(pub(crate) f64);

impl PartialEq for Double {
    fn eq(&self, other: &Self) -> bool {
        self.0.to_bits() == other.0.to_bits()
    }
}

/// What a column holds in a row, where it is not null.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Cell {
    /// Text, whatever its encoding; `extra` too.
    Text(String),
    Number(Double),
    /// Microseconds since 1970-01-01T00:00:00Z.
    Micros(i64),
    /// A map of lists of text, in order.
    Lists(Vec<(String, Vec<Option<String>>)>),
    /// A map of numbers, in order.
    Numbers(Vec<(String, Double)>),
}

/// A line that is an endpoint.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Row {
    pub(crate) line: u64,
    /// The columns that are not null, by name.
    pub(crate) cells: BTreeMap<String, Cell>,
}

/// Why a line is no endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    TooLong,
    NotUtf8,
    /// Nesting beyond the limit is one of these.
    NotJson,
    NotAnObject,
}

/// A line that is no endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Rejected {
    /// From 1, blank lines counted.
    pub(crate) line: u64,
    /// Of its first byte in the decompressed piece, from 0.
    pub(crate) offset: u64,
    pub(crate) fault: Fault,
    /// Its bytes without the newline; a carriage return and a byte order mark are part of them.
    pub(crate) raw: Vec<u8>,
}

/// What became of a piece.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Outcome {
    pub(crate) rows: Vec<Row>,
    pub(crate) rejects: Vec<Rejected>,
    pub(crate) lines: u64,
    pub(crate) blank: u64,
}

/// Reads the decompressed bytes of a whole piece.
pub(crate) fn read(piece: &[u8], max_line_bytes: usize) -> Outcome {
    let mut outcome = Outcome::default();
    let mut offset = 0;
    for ended in piece.split_inclusive(|&byte| byte == b'\n') {
        let raw = ended.strip_suffix(b"\n").unwrap_or(ended);
        outcome.lines += 1;
        let is_first = offset == 0;
        match meaning(raw, is_first, max_line_bytes) {
            Meaning::Blank => outcome.blank += 1,
            Meaning::Endpoint(cells) => outcome.rows.push(Row { line: outcome.lines, cells }),
            Meaning::Reject(fault) => outcome.rejects.push(Rejected {
                line: outcome.lines,
                offset,
                fault,
                raw: match fault {
                    Fault::TooLong => raw[..raw.len().min(OVERSIZED_RAW_BYTES)].to_vec(),
                    _ => raw.to_vec(),
                },
            }),
        }
        offset += ended.len() as u64;
    }
    outcome
}

enum Meaning {
    Blank,
    Endpoint(BTreeMap<String, Cell>),
    Reject(Fault),
}

/// What a line means, given without its newline.
fn meaning(raw: &[u8], is_first: bool, max_line_bytes: usize) -> Meaning {
    // The contract does not say what counts: as in the decoder it is every byte but the newline, blank or not.
    if raw.len() > max_line_bytes {
        return Meaning::Reject(Fault::TooLong);
    }
    let line = if is_first { raw.strip_prefix("\u{feff}".as_bytes()).unwrap_or(raw) } else { raw };
    // "White space" is JSON's, as in the slow path: a line of form feeds is a reject.
    if line.iter().all(|byte| matches!(byte, b' ' | b'\t' | b'\r')) {
        return Meaning::Blank;
    }
    let Ok(line) = std::str::from_utf8(line) else { return Meaning::Reject(Fault::NotUtf8) };
    let Some(value) = json::whole_value(line) else { return Meaning::Reject(Fault::NotJson) };
    if json::depth(value) > MAX_DEPTH {
        return Meaning::Reject(Fault::NotJson);
    }
    if json::Kind::of(value) != json::Kind::Object {
        return Meaning::Reject(Fault::NotAnObject);
    }
    Meaning::Endpoint(row::read(value))
}
