//! Bytes of pieces in, Arrow record batches and rejects out.
//!
//! A **piece** is one file of an Amazon Pinpoint endpoint export: newline-delimited JSON, one endpoint a line,
//! usually in gzip; or CSV, as Pinpoint imported it (`csv`). Its way through this crate:
//!
//! ```text
//! compressed bytes ─▶ unpack (inflate, cut at line ends) ─▶ Block ─▶ decoder ─▶ RecordBatch + rejects + drift
//! ```
//!
//! Unpacking a piece is sequential, since a gzip stream cannot be entered in the middle; decoding its blocks is not:
//! a [`Block`] knows its first line and byte, so any thread may decode any block.
//!
//! Architecture invariant: pure CPU. No files, no network, no async runtime, no threads of its own; whoever calls
//! decides where it runs. What bounds memory: a block is about [`unpack::BLOCK_BYTES`] long and at most one line longer
//! than that, and a line is at most `max_line_bytes`.

mod columns;
pub mod csv;
pub mod decoder;
pub mod drift;
pub mod extra;
mod json;
pub mod reject;
pub mod schema;
mod selection;
pub mod unpack;

pub use decoder::{BlockDecoder, DecodeOptions, DecodedBlock};
pub use drift::{Drift, DriftKind};
pub use reject::Reject;
pub use schema::endpoint_schema;
pub use selection::ColumnSelection;
pub use unpack::{Block, PieceFormat, UnpackError, UnpackLimits, Unpacker};
