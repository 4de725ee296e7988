//! Rejects: lines that are no endpoint, kept whole with their place.

use std::fmt;

use base64::Engine as _;
use serde::Serialize;
use serde::ser::{SerializeStruct, Serializer};

/// Of a line longer than the limit, how many bytes are kept in its reject.
pub const OVERSIZED_RAW_BYTES: usize = 64 * 1024;

/// Why a line was rejected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The line is not valid UTF-8; the byte is the first bad one, from 0 within the line.
    NotUtf8 {
        /// Position of the first bad byte in the line.
        byte: usize,
    },
    /// The line is not JSON.
    NotJson {
        /// What the parser stumbled over.
        problem: &'static str,
        /// Position in the line, from 0.
        byte: usize,
    },
    /// The line is JSON, but not an object.
    NotAnObject {
        /// What it is instead: `array`, `string`, `number`, `boolean` or `null`.
        found: &'static str,
    },
    /// The line begins no record of CSV.
    NotCsv {
        /// What is wrong with its quotes.
        problem: &'static str,
        /// Position from the record's first byte, from 0.
        byte: usize,
    },
    /// A record of CSV has more or fewer cells than its piece has columns.
    CellCount {
        /// Number of its cells.
        cells: usize,
        /// Number of cells of the header.
        columns: usize,
    },
    /// The line is longer than the limit.
    TooLong {
        /// Length of the whole line in bytes.
        bytes: u64,
        /// The limit in force.
        limit: usize,
    },
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotUtf8 { byte } => write!(f, "not UTF-8 at byte {byte} of the line"),
            Self::NotJson { problem, byte } => write!(f, "not JSON: {problem} at byte {byte} of the line"),
            Self::NotAnObject { found } => write!(f, "not a JSON object but a JSON {found}"),
            Self::NotCsv { problem, byte } => write!(f, "not CSV: {problem} at byte {byte} of the record"),
            Self::CellCount { cells, columns } => {
                write!(f, "a record of {cells} cells, where the header has {columns}")
            }
            Self::TooLong { bytes, limit } => {
                write!(f, "line of {bytes} bytes, longer than the limit of {limit}")
            }
        }
    }
}

/// One rejected line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reject {
    /// The line's number in the piece, from 1, blank lines counted.
    pub line: u64,
    /// Position of the line's first byte in the decompressed piece, from 0.
    pub offset: u64,
    /// Why.
    pub reason: Reason,
    /// The line's bytes without its line end; of an oversized line the first [`OVERSIZED_RAW_BYTES`].
    pub raw: Vec<u8>,
}

impl Reject {
    /// The form written to `rejects.ndjson`: `piece`, `line`, `offset`, `reason`, and `raw`, or `raw_base64` where the
    /// bytes are not UTF-8.
    #[must_use]
    pub fn with_piece<'a>(&'a self, piece: &'a str) -> impl Serialize + 'a {
        RejectLine { piece, reject: self, is_raw: true }
    }

    /// The same without the text of the line.
    #[must_use]
    pub fn without_raw<'a>(&'a self, piece: &'a str) -> impl Serialize + 'a {
        RejectLine { piece, reject: self, is_raw: false }
    }
}

struct RejectLine<'a> {
    piece: &'a str,
    reject: &'a Reject,
    is_raw: bool,
}

impl Serialize for RejectLine<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut line = serializer.serialize_struct("Reject", if self.is_raw { 5 } else { 4 })?;
        line.serialize_field("piece", self.piece)?;
        line.serialize_field("line", &self.reject.line)?;
        line.serialize_field("offset", &self.reject.offset)?;
        line.serialize_field("reason", &self.reject.reason.to_string())?;
        if !self.is_raw {
            return line.end();
        }
        match std::str::from_utf8(&self.reject.raw) {
            Ok(raw) => line.serialize_field("raw", raw)?,
            Err(_) => line.serialize_field(
                "raw_base64",
                &base64::engine::general_purpose::STANDARD.encode(&self.reject.raw),
            )?,
        }
        line.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_that_are_not_text_are_kept_as_base64() {
        let reject =
            Reject { line: 3, offset: 40, reason: Reason::NotUtf8 { byte: 1 }, raw: vec![b'{', 0xff] };
        let line = serde_json::to_string(&reject.with_piece("a/b.gz")).unwrap();
        assert_eq!(
            line,
            r#"{"piece":"a/b.gz","line":3,"offset":40,"reason":"not UTF-8 at byte 1 of the line","raw_base64":"e/8="}"#
        );
        let line = serde_json::to_string(&reject.without_raw("a")).unwrap();
        assert_eq!(line, r#"{"piece":"a","line":3,"offset":40,"reason":"not UTF-8 at byte 1 of the line"}"#);
    }
}
