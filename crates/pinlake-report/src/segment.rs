//! The exact members of a Pinpoint segment, from a lake.
//!
//! A [`SegmentDefinition`] is read as the API prints it, resolved with the segments that it stands on to a [`Segment`], and becomes an
//! expression over `endpoints`, which the session's engine evaluates and sorts within the session's memory. What it means is written in
//! docs/segments.md, and is what the local Pinpoint does, with which this shares no code.
//!
//! ```text
//! JSON ─▶ definition ─▶ plan (found, checked) ─▶ expression (with functions) ─▶ Session ─▶ QueryStream
//! ```

mod criteria;
mod definition;
mod error;
mod expression;
mod functions;
mod plan;
mod shapes;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use datafusion::logical_expr::ident;

pub use definition::{SegmentBook, SegmentDefinition};
pub use error::SegmentError;
use expression::Translation;
use functions::Ids;
pub use plan::Segment;

use crate::parameters::Bindings;
use crate::session::{QueryError, QueryStream, Session};

/// What of a segment's members is asked for.
#[derive(Debug, Clone)]
pub struct MembersRequest {
    /// The moment to which recency goes back from.
    pub at: DateTime<Utc>,
    /// Columns of `endpoints`; all of them where none is named.
    pub columns: Vec<String>,
}

/// The members of a segment in the session's snapshot, in order of id, piece and line.
pub async fn members(
    session: &Session,
    segment: &Segment,
    request: &MembersRequest,
) -> Result<QueryStream, SegmentError> {
    let known = session.endpoint_columns();
    if let Some(given) = request.columns.iter().find(|column| !known.contains(column)) {
        return Err(SegmentError::UnknownColumn { given: given.clone(), known });
    }
    let mut columns: Vec<&String> = Vec::new();
    for column in if request.columns.is_empty() { &known } else { &request.columns } {
        if !columns.contains(&column) {
            columns.push(column);
        }
    }
    let imported = imported(session, &segment.members).await?;
    let schema = session.table_schema("endpoints").await?;
    let translation = Translation { schema: &schema, at: request.at, members: &imported };
    let condition = translation.membership(&segment.plan);
    let order = ["id", "piece", "line"].map(|column| ident(column).sort(true, false));
    let stream = session.stream_endpoints(|endpoints| {
        let columns: Vec<_> = columns.iter().map(|column| ident(column.as_str())).collect();
        endpoints.filter(condition)?.sort(order.to_vec())?.select(columns)
    });
    Ok(stream.await?)
}

/// The members of imported segments, by the segment's id, from the snapshots that hold them. They take their part of the session's memory.
async fn imported(
    session: &Session,
    snapshots: &BTreeMap<String, String>,
) -> Result<BTreeMap<String, Arc<Ids>>, SegmentError> {
    const QUERY: &str = "SELECT id FROM all_endpoints WHERE snapshot = $snapshot";
    let mut imported = BTreeMap::new();
    for (segment, snapshot) in snapshots {
        let known = session.snapshot_ids();
        if !known.contains(snapshot) {
            return Err(SegmentError::UnknownSnapshot { given: snapshot.clone(), known });
        }
        let given = BTreeMap::from([("snapshot".to_owned(), snapshot.clone())]);
        let mut stream = session.stream(QUERY, &Bindings::inferred(given)).await?;
        let mut ids = Ids::within(&session.context().runtime_env().memory_pool);
        while let Some(batch) = stream.next().await? {
            ids.add(batch.column(0)).map_err(|error| QueryError::on_rows(&error))?;
        }
        imported.insert(segment.clone(), Arc::new(ids));
    }
    Ok(imported)
}
