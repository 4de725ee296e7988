//! From pieces to rows: every column, every line, every kind of source, and the counts that prove it.

mod audience;
mod csv;
mod rejects;
mod sources;
mod values;

use serde_json::{Value, json};

use crate::harness::{Room, gzip};

/// Every column of a row that a test does not speak of: null.
const COLUMNS: [&str; 29] = [
    "id",
    "application_id",
    "channel_type",
    "endpoint_status",
    "opt_out",
    "cohort_id",
    "address",
    "request_id",
    "creation_date",
    "effective_date",
    "city",
    "region",
    "country",
    "postal_code",
    "latitude",
    "longitude",
    "app_version",
    "locale",
    "make",
    "model",
    "model_version",
    "platform",
    "platform_version",
    "timezone",
    "attributes",
    "metrics",
    "user_id",
    "user_attributes",
    "extra",
];

/// A whole row from the columns that are not null.
fn row(columns: &Value, piece: &str, line: i64) -> Value {
    let mut row: serde_json::Map<String, Value> =
        COLUMNS.iter().map(|name| ((*name).to_owned(), Value::Null)).collect();
    for (name, value) in columns.as_object().unwrap() {
        assert!(row.insert(name.clone(), value.clone()).is_some(), "no column {name}");
    }
    row.insert("piece".to_owned(), json!(piece));
    row.insert("line".to_owned(), json!(line));
    Value::Object(row)
}

/// Lines with what must be read from each, converted as one piece and compared as a whole.
fn assert_lines(cases: &[(&str, Value)]) {
    let room = Room::new();
    let lines: Vec<&str> = cases.iter().map(|(line, _)| *line).collect();
    room.write("piece.gz", gzip(lines.join("\n")));
    room.pinlake(&["convert", "piece.gz", "--snapshot", "s"]).succeeds();
    let rows = room.lake().rows("s");
    assert_eq!(rows.len(), cases.len());
    for ((line, columns), (at, found)) in cases.iter().zip(rows.iter().enumerate()) {
        let number = i64::try_from(at).unwrap() + 1;
        assert_eq!(found, &row(columns, "piece.gz", number), "{line}");
    }
}
