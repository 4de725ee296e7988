//! What the run that made the selected snapshot noted about it, as the tables `pieces` and `reconciliation`.
//!
//! `pieces(piece, size, etag, sha256, lines, rows, rejects, blank)` has a row per piece that was read, sizes in bytes as stored;
//! `reconciliation(check, expected, actual, ok)` a row per comparison of counts. Both are empty where the run's manifest is not at hand.

use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema};
use datafusion::common::Result;

/// What a run noted; nothing in here is looked for on disk.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RunFacts {
    /// The pieces that were read, in the order of the source.
    pub pieces: Vec<PieceFact>,
    /// The counts that were compared.
    pub reconciliation: Vec<CountFact>,
}

/// One piece, as the table `pieces` shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PieceFact {
    /// Its name, as in the column `piece` of `endpoints`.
    pub piece: String,
    /// Its bytes as stored.
    pub size: u64,
    /// Its `ETag`, where it came from S3.
    pub etag: Option<String>,
    /// SHA-256 of its bytes as stored, in lower-case hex.
    pub sha256: String,
    /// Its lines.
    pub lines: u64,
    /// Those that became rows.
    pub rows: u64,
    /// Those that were rejected.
    pub rejects: u64,
    /// Those that were blank.
    pub blank: u64,
}

/// One comparison of counts, as the table `reconciliation` shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CountFact {
    /// What was compared.
    pub check: String,
    /// What it had to be.
    pub expected: u64,
    /// What it was.
    pub actual: u64,
    /// Whether the two agree.
    pub ok: bool,
}

/// The table `pieces`.
pub(super) fn pieces(facts: &[PieceFact]) -> Result<RecordBatch> {
    let text = |of: fn(&PieceFact) -> Option<&str>| -> ArrayRef {
        Arc::new(facts.iter().map(of).collect::<StringArray>())
    };
    let count = |of: fn(&PieceFact) -> u64| -> ArrayRef {
        Arc::new(facts.iter().map(|fact| of(fact).cast_signed()).collect::<Int64Array>())
    };
    batch([
        ("piece", text(|fact| Some(&fact.piece)), false),
        ("size", count(|fact| fact.size), false),
        ("etag", text(|fact| fact.etag.as_deref()), true),
        ("sha256", text(|fact| Some(&fact.sha256)), false),
        ("lines", count(|fact| fact.lines), false),
        ("rows", count(|fact| fact.rows), false),
        ("rejects", count(|fact| fact.rejects), false),
        ("blank", count(|fact| fact.blank), false),
    ])
}

/// The table `reconciliation`.
pub(super) fn reconciliation(facts: &[CountFact]) -> Result<RecordBatch> {
    let checks: StringArray = facts.iter().map(|fact| Some(fact.check.as_str())).collect();
    let count = |of: fn(&CountFact) -> u64| -> ArrayRef {
        Arc::new(facts.iter().map(|fact| of(fact).cast_signed()).collect::<Int64Array>())
    };
    let ok: BooleanArray = facts.iter().map(|fact| Some(fact.ok)).collect();
    batch([
        ("check", Arc::new(checks), false),
        ("expected", count(|fact| fact.expected), false),
        ("actual", count(|fact| fact.actual), false),
        ("ok", Arc::new(ok), false),
    ])
}

fn batch<const COLUMNS: usize>(columns: [(&str, ArrayRef, bool); COLUMNS]) -> Result<RecordBatch> {
    let field = |(name, array, nullable): &(&str, ArrayRef, bool)| -> Field {
        let of: &DataType = array.data_type();
        Field::new(*name, of.clone(), *nullable)
    };
    let schema = Schema::new(columns.iter().map(field).collect::<Vec<_>>());
    let arrays = columns.into_iter().map(|(_, array, _)| array).collect();
    Ok(RecordBatch::try_new(Arc::new(schema), arrays)?)
}
