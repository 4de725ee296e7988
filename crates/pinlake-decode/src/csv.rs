//! CSV as Pinpoint imports it and as its console exported segments.
//!
//! A **header** names the member that each column fills, by its dotted path (`Location.Country`,
//! `User.UserAttributes.Plan`). A **record** is one endpoint: a line, or several where a quoted cell holds line breaks.
//! Its cells become the JSON object that an export would have had on its line (`CsvHeader::write_object`), which is decoded
//! like any other line: one definition of what a value means serves both.
//!
//! Two steps, as with JSON: `unpack::records` finds the ends of records, in order; the decoder reads their cells, in any
//! order. Both are stricter than CSV readers are: text behind a closing quote, a quote that nothing closes, and a
//! record with another number of cells than the header are rejects. Where a record of several lines is not sound, only
//! its first line is one, and the next line begins a record: a stray quote costs the line that it is on and none behind.

mod cells;
mod header;
mod scan;

pub(crate) use cells::CellReader;
pub use header::CsvHeader;
pub(crate) use scan::{Scan, UNCLOSED, cell_count, scan, without_carriage_return};

use std::sync::Arc;

use crate::reject::Reason;

/// The records of a block, as [`crate::unpack`] found them.
#[derive(Clone, Debug)]
pub struct CsvRecords {
    /// What the cells of the piece fill.
    pub(crate) header: Arc<CsvHeader>,
    /// All lines of the block, in order.
    pub(crate) spans: Vec<Span>,
}

/// Some lines that belong together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    /// Where the text begins in the block.
    pub(crate) start: usize,
    /// Where it ends, without its line end.
    pub(crate) end: usize,
    /// Number of lines.
    pub(crate) lines: u64,
    pub(crate) what: SpanKind,
}

/// What some lines are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum SpanKind {
    /// A record whose quotes are sound.
    Record,
    /// No row: blank lines, the header.
    Passed,
    /// A line that begins no sound record.
    Bad(Reason),
}

/// Why a header cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CsvHeaderError {
    /// It is not UTF-8.
    #[error("it is not UTF-8")]
    NotUtf8,
    /// Its quotes are not sound.
    #[error("{0}")]
    Quotes(Reason),
    /// It is longer than a line may be.
    #[error("it is longer than {limit} bytes, the limit for a line")]
    TooLong {
        /// The limit in force.
        limit: usize,
    },
    /// It has more columns than any endpoint could fill.
    #[error("it has more than {limit} columns")]
    TooManyColumns {
        /// The limit.
        limit: usize,
    },
    /// None of its names is a member of an endpoint.
    #[error(
        "no column is named for a member of an endpoint, such as Address or User.UserId (names are exact, and separated by commas)"
    )]
    NoMember,
    /// One column's name is the beginning of another's path.
    #[error("column {column} is named for a value, and another column for a member of it")]
    ValueAndObject {
        /// The column, from 1.
        column: usize,
    },
}
