//! `pinlake diff`: what changed between two snapshots, and the report that counts it.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::harness::{Room, lines_piece};

/// Two exports of one small audience: one endpoint went, one came, two changed, one is as it was.
fn room() -> Room {
    let room = Room::new();
    room.write(
        "before/part-0.gz",
        lines_piece(&[
            r#"{"Id":"gone","ChannelType":"SMS","Address":"+4912345"}"#,
            r#"{"Id":"same","ChannelType":"EMAIL","Attributes":{"a":["1"],"b":["2"]}}"#,
            r#"{"Id":"out","ChannelType":"EMAIL","OptOut":"NONE","Location":{"City":"Toyama"}}"#,
            r#"{"Id":"grown","ChannelType":"EMAIL","Attributes":{"plan":["free"]},"Metrics":{"n":1}}"#,
        ]),
    );
    room.write(
        "after/part-9.gz",
        lines_piece(&[
            r#"{"Id":"grown","ChannelType":"EMAIL","Attributes":{"plan":["paid"]},"Metrics":{"n":1.0}}"#,
            r#"{"Id":"come","ChannelType":"EMAIL"}"#,
            r#"{"Attributes":{"b":["2"],"a":["1"]},"Id":"same","ChannelType":"EMAIL"}"#,
            r#"{"Id":"out","ChannelType":"EMAIL","OptOut":"ALL"}"#,
        ]),
    );
    room.pinlake(&["convert", "before", "--snapshot", "1"]).succeeds();
    room.pinlake(&["convert", "after", "--snapshot", "2"]).succeeds();
    room
}

#[test]
fn each_endpoint_that_changed_is_a_line_with_before_and_after() {
    let room = room();
    let ran = room.pinlake(&["diff", "1", "latest", "--out", "changes.ndjson"]).succeeds();
    assert!(
        ran.stdout.is_empty() && ran.stderr.contains("1 added, 1 removed, 2 changed, 1 unchanged"),
        "{ran}"
    );
    let lines: Vec<Value> =
        room.read("changes.ndjson").lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let told: Vec<Value> =
        lines.iter().map(|line| json!([line["change"], line["id"], line["fields"]])).collect();
    assert_eq!(
        json!(told),
        json!([
            ["added", "come", []],
            ["removed", "gone", []],
            ["changed", "grown", ["attributes.plan"]],
            ["changed", "out", ["opt_out", "city"]],
        ])
    );
    assert_eq!(lines[0]["before"], Value::Null);
    assert_eq!(lines[2]["before"]["attributes"], json!({"plan": ["free"]}));
    assert_eq!(lines[2]["after"]["attributes"], json!({"plan": ["paid"]}));
    assert_eq!(
        (&lines[3]["before"]["opt_out"], &lines[3]["after"]["opt_out"]),
        (&json!("NONE"), &json!("ALL"))
    );
    assert_eq!(room.names().iter().filter(|name| name.contains("partial")).count(), 0);
}

#[test]
fn the_report_counts_what_diff_lists() {
    let room = room();
    let lines = room.pinlake(&["diff", "1", "2", "--format", "ndjson"]).succeeds().json_lines();
    let mut counted: BTreeMap<(String, String), i64> = BTreeMap::new();
    for line in &lines {
        let change = line["change"].as_str().unwrap().to_owned();
        let fields = line["fields"].as_array().unwrap();
        if fields.is_empty() {
            *counted.entry((change.clone(), String::new())).or_default() += 1;
        }
        for field in fields {
            let column = field.as_str().unwrap().split('.').next().unwrap().to_owned();
            *counted.entry((change.clone(), column)).or_default() += 1;
        }
    }
    let report = ["report", "snapshot-diff", "--param", "from=1", "--param", "to=2", "--format", "json"];
    let reported: BTreeMap<(String, String), i64> = room
        .pinlake(&report)
        .succeeds()
        .rows()
        .iter()
        .map(|row| {
            let text = |key: &str| row[key].as_str().unwrap_or_default().to_owned();
            ((text("change"), text("field")), row["endpoints"].as_i64().unwrap())
        })
        .collect();
    assert_eq!(reported, counted);
}

#[test]
fn ignored_columns_do_not_count_and_wrong_names_are_told() {
    let room = room();
    let ran = room.pinlake(&["diff", "1", "2", "--ignore", "opt_out,city,attributes"]).succeeds();
    assert!(ran.stderr.contains("1 added, 1 removed, 0 changed, 3 unchanged"), "{ran}");
    room.pinlake(&["diff", "1", "3"]).fails(2, &["3", "1, 2"]);
    room.pinlake(&["diff", "1", "2", "--ignore", "snapshot"]).fails(2, &["snapshot", "opt_out"]);
    room.pinlake(&["diff", "1", "2", "--out", "nowhere/changes.ndjson"]).fails(2, &["nowhere"]);
    Room::new().pinlake(&["diff", "1", "2"]).fails(2, &["lake"]);
}
