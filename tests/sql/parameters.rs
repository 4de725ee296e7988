//! `--param` of a query that declares nothing: each value takes the type that its place in the query asks for.

use serde_json::{Value, json};

use crate::harness::Room;

fn room() -> Room {
    let room = Room::new();
    let line = |id: &str, channel: &str, date: &str, latitude: f64| {
        format!(
            "{{\"Id\":\"{id}\",\"ChannelType\":\"{channel}\",\"CreationDate\":\"{date}\",\"Location\":{{\"Latitude\":{latitude}}}}}\n"
        )
    };
    let lines = [
        line("1", "EMAIL", "2026-01-01T00:00:00Z", 1.5),
        line("2", "SMS", "2026-02-01T00:00:00Z", 2.5),
        line("3", "GCM", "2026-03-01T00:00:00Z", 3.5),
    ];
    room.write("in.json", lines.concat());
    room
}

/// The ids for which a condition holds.
fn ids(room: &Room, condition: &str, params: &[&str]) -> Vec<Value> {
    let query = format!("SELECT id FROM read_pieces('in.json') WHERE {condition} ORDER BY id");
    let params = params.iter().flat_map(|param| ["--param", param]).collect::<Vec<_>>();
    let rows = room.pinlake(&["sql", &query, "--format", "json"]).args(&params).succeeds().rows();
    rows.into_iter().map(|row| row["id"].clone()).collect()
}

#[test]
fn text_numbers_dates_and_lists_are_bound_by_their_place() {
    let room = room();
    assert_eq!(ids(&room, "channel_type = $c", &["c=SMS"]), ["2"]);
    assert_eq!(ids(&room, "line >= $n", &["n=2"]), ["2", "3"]);
    assert_eq!(ids(&room, "latitude < $x", &["x=2.5"]), ["1"]);
    assert_eq!(ids(&room, "creation_date >= $since", &["since=2026-02-01"]), ["2", "3"]);
    assert_eq!(ids(&room, "creation_date >= $since", &["since=2026-02-01T00:00:00.001Z"]), ["3"]);
    assert_eq!(ids(&room, "CAST(creation_date AS DATE) = $day", &["day=2026-01-01"]), ["1"]);
    assert_eq!(ids(&room, "array_has($channels, channel_type)", &["channels=SMS,GCM"]), ["2", "3"]);
    assert_eq!(ids(&room, "channel_type = ANY($channels)", &["channels=[\"EMAIL\"]"]), ["1"]);
    // What looks like SQL is a value.
    assert_eq!(ids(&room, "channel_type = $c", &["c=' OR 1=1 --"]), Vec::<Value>::new());
    let limited = "SELECT id FROM read_pieces('in.json') ORDER BY id LIMIT $n OFFSET $skip";
    let args = ["sql", limited, "--format", "json", "--param", "n=1", "--param", "skip=1"];
    assert_eq!(room.pinlake(&args).succeeds().rows(), [json!({ "id": "2" })]);
}

#[test]
fn a_value_that_does_not_fit_its_place_or_is_missing_is_named() {
    let room = room();
    let fails = |condition: &str, params: &[&str], named: &[&str]| {
        let query = format!("SELECT id FROM read_pieces('in.json') WHERE {condition}");
        room.pinlake(&["sql", &query]).args(params).fails(2, named);
    };
    fails("line = $n", &["--param", "n=two"], &["\"n\"", "whole number", "two"]);
    fails("creation_date > $d", &["--param", "d=2026-02-30"], &["\"d\"", "2026-02-30"]);
    fails("line = $n", &[], &["\"n\" needs a value"]);
}
