//! A whole population through S3: every field of every row is what the oracle says.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::harness::{Room, World, population, row_of};

const ENDPOINTS: u64 = 1_500;

/// Converts an audience from S3 and holds every row against the oracle.
fn assert_every_field(odd_share: f64) -> Vec<Value> {
    let audience = population(ENDPOINTS, odd_share);
    let world = World::with_pieces(&audience, 7);
    let room = Room::new();
    let (url, count) = (world.url("exports/"), ENDPOINTS.to_string());
    let args = ["convert", &url, "--snapshot", "s", "--expect-rows", &count];
    room.pinlake(&args).in_world(&world).succeeds();
    assert_eq!((world.requests("GetObject"), world.requests("ListObjectsV2")), (7, 1));
    room.lake().assert_sound();

    // Piece and line say which endpoint a row is, even where ids repeat.
    let mut indexes = BTreeMap::new();
    for (number, range) in audience.pieces(7).into_iter().enumerate() {
        for (line, index) in range.enumerate() {
            indexes.insert((format!("exports/part-{number:05}.gz"), line as u64 + 1), index);
        }
    }
    let rows = room.lake().rows("s");
    assert_eq!(rows.len(), indexes.len());
    for row in &rows {
        let place = (row["piece"].as_str().unwrap().to_owned(), row["line"].as_u64().unwrap());
        let index = indexes.remove(&place).unwrap_or_else(|| panic!("{place:?} twice"));
        assert_eq!(plain(row), row_of(&audience.endpoint(index)), "endpoint {index} at {place:?}");
    }
    assert!(indexes.is_empty());
    rows
}

/// A row without its place, and with `extra` as the object it holds.
fn plain(row: &Value) -> Value {
    let mut row = row.as_object().unwrap().clone();
    row.remove("piece");
    row.remove("line");
    if let Some(Value::String(extra)) = row.get("extra") {
        let parsed: Value = serde_json::from_str(extra).unwrap();
        row.insert("extra".to_owned(), parsed);
    }
    Value::Object(row)
}

#[test]
fn a_regular_audience_arrives_field_by_field() {
    let rows = assert_every_field(0.0);
    assert!(rows.iter().all(|row| row["extra"].is_null()));
}

#[test]
fn an_audience_of_odd_records_arrives_field_by_field() {
    let rows = assert_every_field(0.5);
    assert!(rows.iter().filter(|row| !row["extra"].is_null()).count() > 100);
}

/// The oracle says what must be read; this says from the lines themselves that nothing of them was lost.
#[test]
fn every_value_of_an_odd_line_is_in_a_column_or_in_extra() {
    let audience = population(400, 1.0);
    let room = Room::new();
    let mut lines = Vec::new();
    for index in 0..400 {
        audience.write_line(index, &mut lines);
        lines.push(b'\n');
    }
    room.write("odd.ndjson", &lines);
    room.pinlake(&["convert", "odd.ndjson", "--snapshot", "s"]).succeeds();
    let rows = room.lake().rows("s");
    for (line, row) in String::from_utf8(lines).unwrap().lines().zip(&rows) {
        let mut held = Vec::new();
        leaves(&plain(row), &mut held);
        let mut told = Vec::new();
        leaves(&serde_json::from_str(line).unwrap(), &mut told);
        for value in told {
            assert!(held.contains(&value), "{value} of {line} is not in {row}");
        }
    }
}

/// Every scalar in a value but null, as a text that does not tell `6`, `6.0` and `"6"` apart; dates as they are in UTC.
fn leaves(value: &Value, into: &mut Vec<String>) {
    match value {
        Value::Null => {}
        Value::Array(items) => items.iter().for_each(|item| leaves(item, into)),
        Value::Object(members) => members.values().for_each(|member| leaves(member, into)),
        Value::String(text) => {
            let number = text.parse::<f64>().ok().map(|number| number.to_string());
            let date = chrono::DateTime::parse_from_rfc3339(text)
                .ok()
                .map(|date| date.timestamp_micros().to_string());
            into.push(number.or(date).unwrap_or_else(|| text.clone()));
        }
        Value::Number(number) => into.push(json!(number).as_f64().unwrap().to_string()),
        Value::Bool(truth) => into.push(truth.to_string()),
    }
}
