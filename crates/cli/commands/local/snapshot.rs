//! A snapshot of a lake back to lines of an export: what `extra` holds goes back to its place.

use std::io::{self, Write};
use std::path::PathBuf;

use pinlake_lake::SnapshotId;
use pinlake_local::{LocalError, LocalServer};
use pinlake_report::{Bindings, Format, RenderOptions, render_stream};
use serde_json::{Map, Value};

use super::sources::Total;
use crate::commands::Context;
use crate::commands::analysis::OpenLake;

/// Bytes of lines that are loaded at a time.
const BATCH_BYTES: usize = 32 << 20;

/// Columns and the members that they came from.
const MEMBERS: [(&str, &[&str]); 28] = [
    ("channel_type", &["ChannelType"]),
    ("address", &["Address"]),
    ("endpoint_status", &["EndpointStatus"]),
    ("opt_out", &["OptOut"]),
    ("city", &["Location", "City"]),
    ("country", &["Location", "Country"]),
    ("latitude", &["Location", "Latitude"]),
    ("longitude", &["Location", "Longitude"]),
    ("postal_code", &["Location", "PostalCode"]),
    ("region", &["Location", "Region"]),
    ("app_version", &["Demographic", "AppVersion"]),
    ("locale", &["Demographic", "Locale"]),
    ("make", &["Demographic", "Make"]),
    ("model", &["Demographic", "Model"]),
    ("model_version", &["Demographic", "ModelVersion"]),
    ("platform", &["Demographic", "Platform"]),
    ("platform_version", &["Demographic", "PlatformVersion"]),
    ("timezone", &["Demographic", "Timezone"]),
    ("effective_date", &["EffectiveDate"]),
    ("attributes", &["Attributes"]),
    ("metrics", &["Metrics"]),
    ("user_id", &["User", "UserId"]),
    ("user_attributes", &["User", "UserAttributes"]),
    ("application_id", &["ApplicationId"]),
    ("id", &["Id"]),
    ("creation_date", &["CreationDate"]),
    ("cohort_id", &["CohortId"]),
    ("request_id", &["RequestId"]),
];

/// Loads a snapshot, the latest where none is named, in the order of pieces and lines.
pub(super) async fn load(
    context: &Context,
    server: &LocalServer,
    (root, id): (&PathBuf, Option<SnapshotId>),
    total: &mut Total,
) -> anyhow::Result<()> {
    let lake = OpenLake::open(root, id, &context.settings).await?;
    let columns: Vec<&str> = MEMBERS.iter().map(|(column, _)| *column).collect();
    let query = format!("select {}, extra from endpoints order by piece, line", columns.join(", "));
    let stream = lake.session.stream(&query, &Bindings::default()).await?;
    let mut sink = Sink { server, root, total, rows: Vec::new(), lines: Vec::new(), failure: None };
    let written = render_stream(stream, Format::Ndjson, &RenderOptions::default(), &mut sink).await;
    // The server's own error says more than that of the writer that it was seen as.
    if let Some(failure) = sink.failure.take() {
        return Err(failure.into());
    }
    written?;
    Ok(sink.load()?)
}

/// Takes rows as NDJSON, and loads them as lines of an export.
struct Sink<'a> {
    server: &'a LocalServer,
    root: &'a PathBuf,
    total: &'a mut Total,
    /// Bytes of rows that are not complete yet.
    rows: Vec<u8>,
    lines: Vec<u8>,
    failure: Option<LocalError>,
}

impl Write for Sink<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.rows.extend_from_slice(bytes);
        let Some(end) = self.rows.iter().rposition(|byte| *byte == b'\n') else { return Ok(bytes.len()) };
        let rest = self.rows.split_off(end + 1);
        let rows = std::mem::replace(&mut self.rows, rest);
        for row in rows.split(|byte| *byte == b'\n').filter(|row| !row.is_empty()) {
            let Value::Object(row) = serde_json::from_slice(row)? else { continue };
            serde_json::to_writer(&mut self.lines, &line_of(row))?;
            self.lines.push(b'\n');
        }
        if self.lines.len() >= BATCH_BYTES
            && let Err(error) = self.load()
        {
            self.failure = Some(error);
            return Err(io::Error::other("the endpoints could not be loaded"));
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Sink<'_> {
    fn load(&mut self) -> Result<(), LocalError> {
        let lines = std::mem::take(&mut self.lines);
        let name = self.root.display().to_string();
        let loaded = tokio::task::block_in_place(|| self.server.load(&name, &lines))?;
        self.total.add(&name, &loaded);
        Ok(())
    }
}

/// The line that a row was read from, as far as it is known: members that were absent or null stay absent.
fn line_of(mut row: Map<String, Value>) -> Value {
    let mut line = Map::new();
    for (column, path) in MEMBERS {
        match row.remove(column) {
            None | Some(Value::Null) => {}
            Some(value) => put(&mut line, path, value),
        }
    }
    if let Some(Value::String(extra)) = row.remove("extra")
        && let Ok(Value::Object(extra)) = serde_json::from_str(&extra)
    {
        merge(&mut line, extra);
    }
    Value::Object(line)
}

fn put(line: &mut Map<String, Value>, path: &[&str], value: Value) {
    match path {
        [member] => {
            line.insert((*member).to_owned(), value);
        }
        [member, rest @ ..] => {
            let inner = line.entry((*member).to_owned()).or_insert_with(|| Value::Object(Map::new()));
            if let Value::Object(inner) = inner {
                put(inner, rest, value);
            }
        }
        [] => {}
    }
}

/// Puts what had no column beside what had one, at any depth.
fn merge(line: &mut Map<String, Value>, extra: Map<String, Value>) {
    for (name, value) in extra {
        match (line.get_mut(&name), value) {
            (Some(Value::Object(there)), Value::Object(further)) => merge(there, further),
            (_, value) => {
                line.insert(name, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_row_becomes_the_line_that_it_was_read_from() {
        let row = json!({
            "id": "e", "city": "Oslo", "user_id": null, "attributes": {"a": ["x"]}, "metrics": {},
            "extra": "{\"Location\":{\"Altitude\":12},\"Attributes\":{\"b\":{\"c\":1}},\"Zip\":null}",
        });
        let Value::Object(row) = row else { unreachable!("it is an object") };
        let expected = json!({
            "Id": "e", "Location": {"City": "Oslo", "Altitude": 12}, "Attributes": {"a": ["x"], "b": {"c": 1}},
            "Metrics": {}, "Zip": null,
        });
        assert_eq!(line_of(row), expected);
    }
}
