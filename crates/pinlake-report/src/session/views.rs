//! The views of the contract, each a statement over `all_endpoints` and the snapshot's own files.
//!
//! `endpoints` is a table of its own over the selected snapshot's files, so that nothing of other snapshots is planned or opened.
//! Maps are exploded by unnesting keys and values side by side: a null or empty map gives no rows. In the views
//! on lists each value is a row: a null element is a row with a null value, an empty list gives none.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use datafusion::common::Result;
use datafusion::datasource::MemTable;
use datafusion::prelude::SessionContext;

use super::fault::OutsideError;
use super::lake_table::{LakeTable, TextForm};
use super::missing::MissingTable;
use super::{LakeTables, SnapshotFact, calling_codes, countries, run_tables, timezones};

/// Every table and view of a session.
pub(super) const NAMES: &[&str] = &[
    "endpoints",
    "all_endpoints",
    "attributes",
    "user_attributes",
    "metrics",
    "users",
    "snapshots",
    "pieces",
    "reconciliation",
    "countries",
    "country_codes",
    "calling_codes",
    "timezones",
];

const ATTRIBUTES: &str = "
    CREATE VIEW attributes AS
    SELECT id, name, unnest(items) AS value
    FROM (
        SELECT id, unnest(map_keys(attributes)) AS name, unnest(map_values(attributes)) AS items
        FROM endpoints
    )";

const USER_ATTRIBUTES: &str = "
    CREATE VIEW user_attributes AS
    SELECT user_id, id, name, unnest(items) AS value
    FROM (
        SELECT user_id, id, unnest(map_keys(user_attributes)) AS name,
               unnest(map_values(user_attributes)) AS items
        FROM endpoints
    )";

const METRICS: &str = "
    CREATE VIEW metrics AS
    SELECT id, unnest(map_keys(metrics)) AS name, unnest(map_values(metrics)) AS value
    FROM endpoints";

// Grouped twice, first by user and channel: aggregates without DISTINCT or ORDER BY keep their state in columns, so a
// million users cost no million little sets.
const USERS: &str = "
    CREATE VIEW users AS
    SELECT
        user_id,
        sum(endpoints) AS endpoints,
        array_sort(array_agg(channel_type) FILTER (WHERE channel_type IS NOT NULL)) AS channels,
        sum(targetable) AS targetable,
        sum(opted_out) AS opted_out,
        min(first_created) AS first_created,
        max(last_effective) AS last_effective
    FROM (
        SELECT
            user_id,
            channel_type,
            count(*) AS endpoints,
            count(*) FILTER (
                WHERE endpoint_status = 'ACTIVE' AND coalesce(opt_out, 'NONE') <> 'ALL' AND address <> ''
            ) AS targetable,
            count(*) FILTER (WHERE opt_out = 'ALL') AS opted_out,
            min(creation_date) AS first_created,
            max(effective_date) AS last_effective
        FROM endpoints
        WHERE user_id IS NOT NULL
        GROUP BY user_id, channel_type
    )
    GROUP BY user_id";

/// Registers every table and view.
pub(super) async fn register(context: &SessionContext, tables: &LakeTables, text: TextForm) -> Result<()> {
    let chosen = |snapshot: &str| tables.selected.as_deref() == Some(snapshot);
    let selected = tables.files.iter().filter(|file| chosen(&file.snapshot)).cloned().collect();
    let all = tables.files.clone();
    context.register_table("endpoints", Arc::new(LakeTable::new(&tables.schema, selected, text)))?;
    context.register_table("all_endpoints", Arc::new(LakeTable::new(&tables.schema, all, text)))?;
    context.register_table("snapshots", Arc::new(in_memory(snapshots(&tables.snapshots)?)?))?;
    context.register_table("pieces", Arc::new(in_memory(run_tables::pieces(&tables.run.pieces)?)?))?;
    let reconciliation = run_tables::reconciliation(&tables.run.reconciliation)?;
    context.register_table("reconciliation", Arc::new(in_memory(reconciliation)?))?;
    register_others(context).await
}

/// The same for a lake that is not there: whatever stands on its files is the error that says so.
pub(super) async fn register_missing(
    context: &SessionContext,
    schema: &SchemaRef,
    reason: &OutsideError,
) -> Result<()> {
    for (name, schema) in [
        ("endpoints", schema),
        ("all_endpoints", schema),
        ("snapshots", &snapshots(&[])?.schema()),
        ("pieces", &run_tables::pieces(&[])?.schema()),
        ("reconciliation", &run_tables::reconciliation(&[])?.schema()),
    ] {
        let schema = Arc::clone(schema);
        context.register_table(name, Arc::new(MissingTable { schema, reason: reason.clone() }))?;
    }
    register_others(context).await
}

/// The tables that need no lake, and the views.
async fn register_others(context: &SessionContext) -> Result<()> {
    context.register_table("countries", Arc::new(in_memory(countries::countries()?)?))?;
    context.register_table("country_codes", Arc::new(in_memory(countries::codes()?)?))?;
    context.register_table("calling_codes", Arc::new(in_memory(calling_codes::calling_codes()?)?))?;
    context.register_table("timezones", Arc::new(in_memory(timezones::timezones()?)?))?;
    for view in [ATTRIBUTES, USER_ATTRIBUTES, METRICS, USERS] {
        context.sql(view).await?;
    }
    Ok(())
}

fn in_memory(batch: RecordBatch) -> Result<MemTable> {
    MemTable::try_new(batch.schema(), vec![vec![batch]])
}

fn snapshots(facts: &[SnapshotFact]) -> Result<RecordBatch> {
    let counted = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
    let committed = facts.iter().map(|fact| fact.committed_at.map(|time| time.timestamp_micros()));
    let columns: Vec<ArrayRef> = vec![
        Arc::new(StringArray::from_iter_values(facts.iter().map(|fact| &fact.snapshot))),
        Arc::new(Int64Array::from_iter_values(facts.iter().map(|fact| counted(fact.rows)))),
        Arc::new(Int64Array::from_iter_values(facts.iter().map(|fact| counted(fact.files)))),
        Arc::new(Int64Array::from_iter_values(facts.iter().map(|fact| counted(fact.bytes)))),
        Arc::new(committed.collect::<TimestampMicrosecondArray>().with_timezone("UTC")),
    ];
    let utc = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
    let schema = Schema::new(vec![
        Field::new("snapshot", DataType::Utf8, false),
        Field::new("rows", DataType::Int64, false),
        Field::new("files", DataType::Int64, false),
        Field::new("bytes", DataType::Int64, false),
        Field::new("committed_at", utc, true),
    ]);
    Ok(RecordBatch::try_new(Arc::new(schema), columns)?)
}
