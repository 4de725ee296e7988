//! What changed between two snapshots, endpoint by endpoint: what a system that is kept in step with an audience needs.
//!
//! Both snapshots are read in order of id and merged, so memory is bounded by the session's sort, which spills. The n-th
//! endpoint of an id in one snapshot is held against the n-th of that id in the other, in order of piece and line. Two endpoints are
//! equal if every column is but `piece`, `line` and `snapshot`; in maps the order of entries does not matter.

mod compare;
mod side;
mod write;

use std::cmp::Ordering;
use std::io::Write;

use compare::Comparer;
use side::Side;
use write::ChangeWriter;

use crate::kind::ErrorKind;
use crate::render::{Format, RenderError, RenderOptions};
use crate::session::{QueryError, Session};

/// Columns that say where a row was read, and are no fields of an endpoint.
const PROVENANCE: [&str; 3] = ["piece", "line", "snapshot"];

/// Which snapshots are compared, and how.
#[derive(Debug, Clone, Default)]
pub struct DiffRequest {
    /// The id of the older snapshot.
    pub from: String,
    /// The id of the newer one.
    pub to: String,
    /// Columns whose changes do not count.
    pub ignored: Vec<String>,
}

/// How many endpoints changed, and how.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DiffTotals {
    /// Endpoints of the newer snapshot alone.
    pub added: u64,
    /// Endpoints of the older snapshot alone.
    pub removed: u64,
    /// Endpoints of both that differ.
    pub changed: u64,
    /// Endpoints of both that do not.
    pub unchanged: u64,
}

/// Why two snapshots cannot be compared.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DiffError {
    /// There is no such snapshot.
    #[error("there is no snapshot {given:?}; the lake has {}", listed(.known))]
    UnknownSnapshot {
        /// What was asked for.
        given: String,
        /// The snapshots of the lake.
        known: Vec<String>,
    },
    /// A column that is to be ignored does not exist, or never counts.
    #[error("no change of {given:?} could be ignored; the columns that count are {}", .known.join(", "))]
    UnknownColumn {
        /// What was asked for.
        given: String,
        /// The columns that are compared.
        known: Vec<String>,
    },
    /// A snapshot cannot be read.
    #[error(transparent)]
    Query(#[from] QueryError),
    /// The changes cannot be written.
    #[error(transparent)]
    Render(#[from] RenderError),
}

impl DiffError {
    /// What kind of failure it is.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::UnknownSnapshot { .. } | Self::UnknownColumn { .. } => ErrorKind::Usage,
            Self::Query(error) => error.kind(),
            Self::Render(error) => error.kind(),
        }
    }
}

fn listed(known: &[String]) -> String {
    if known.is_empty() { "none yet".to_owned() } else { known.join(", ") }
}

/// How an endpoint changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Added,
    Removed,
    Changed,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Removed => "removed",
            Self::Changed => "changed",
        }
    }
}

/// One endpoint that changed, with its rows as JSON objects.
struct Change {
    kind: Kind,
    id: Option<String>,
    /// The columns that differ; of a map, `COLUMN.ENTRY` for each entry that does.
    fields: Vec<String>,
    before: Option<String>,
    after: Option<String>,
}

/// Writes every endpoint that changed, in order of id with those without one at the end, and returns how many there were.
///
/// NDJSON and JSON have a row each: `{"change","id","fields","before","after"}`, with the endpoint's columns in `before` and `after`;
/// CSV, XLSX and Parquet the same with `before` and `after` as JSON text. Pages leave these two out.
pub async fn diff(
    session: &Session,
    request: &DiffRequest,
    format: Format,
    options: &RenderOptions,
    out: &mut (dyn Write + Send),
) -> Result<DiffTotals, DiffError> {
    for given in [&request.from, &request.to] {
        let known = session.snapshot_ids();
        if !known.contains(given) {
            return Err(DiffError::UnknownSnapshot { given: given.clone(), known });
        }
    }
    let counted = counted_columns(session, &request.ignored)?;
    let mut before = Side::open(session, &request.from).await?;
    let mut after = Side::open(session, &request.to).await?;
    let comparer = Comparer::new(&before.schema(), &counted)?;
    let mut writer = ChangeWriter::begin(format, options, out)?;
    let mut totals = DiffTotals::default();
    before.advance(&comparer).await?;
    after.advance(&comparer).await?;
    while let Some(order) = order(&before, &after) {
        let change = match order {
            Ordering::Less => {
                totals.removed += 1;
                let (id, row) = (before.id(), before.json()?);
                Some(Change { kind: Kind::Removed, id, fields: Vec::new(), before: Some(row), after: None })
            }
            Ordering::Greater => {
                totals.added += 1;
                let (id, row) = (after.id(), after.json()?);
                Some(Change { kind: Kind::Added, id, fields: Vec::new(), before: None, after: Some(row) })
            }
            Ordering::Equal => match comparer.fields(&before, &after) {
                fields if fields.is_empty() => {
                    totals.unchanged += 1;
                    None
                }
                fields => {
                    totals.changed += 1;
                    let (id, rows) = (after.id(), (Some(before.json()?), Some(after.json()?)));
                    Some(Change { kind: Kind::Changed, id, fields, before: rows.0, after: rows.1 })
                }
            },
        };
        if let Some(change) = change {
            writer.write(change)?;
        }
        if order.is_le() {
            before.advance(&comparer).await?;
        }
        if order.is_ge() {
            after.advance(&comparer).await?;
        }
    }
    writer.finish()?;
    Ok(totals)
}

/// Which side's row comes first; `None` when both are at their end.
fn order(before: &Side, after: &Side) -> Option<Ordering> {
    match (before.is_at_end(), after.is_at_end()) {
        (true, true) => None,
        (true, false) => Some(Ordering::Greater),
        (false, true) => Some(Ordering::Less),
        (false, false) => Some(match (before.id_text(), after.id_text()) {
            (Some(before), Some(after)) => before.as_bytes().cmp(after.as_bytes()),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => Ordering::Equal,
        }),
    }
}

/// The columns whose changes count.
fn counted_columns(session: &Session, ignored: &[String]) -> Result<Vec<String>, DiffError> {
    let columns = session.endpoint_columns().into_iter();
    let known: Vec<String> = columns.filter(|name| !PROVENANCE.contains(&name.as_str())).collect();
    if let Some(given) = ignored.iter().find(|name| !known.contains(name)) {
        return Err(DiffError::UnknownColumn { given: given.clone(), known });
    }
    Ok(known.into_iter().filter(|name| !ignored.contains(name)).collect())
}

#[cfg(test)]
mod tests;
