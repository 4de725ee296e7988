//! Logs: lines with the id of the run, as text or JSON, of which more `-v` tells more.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::harness::{Room, World, gzip};

/// What a command logs as JSON.
fn logged(stderr: &str) -> Vec<Value> {
    let lines = stderr.lines().filter(|line| line.starts_with('{'));
    lines.map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))).collect()
}

/// What is told, without what differs from run to run.
fn told(events: &[Value]) -> BTreeSet<(String, String)> {
    let text = |event: &Value, pointer: &str| {
        event.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    events.iter().map(|event| (text(event, "/target"), text(event, "/fields/message"))).collect()
}

#[test]
fn lines_are_json_with_the_id_of_the_run_and_more_is_told_on_request() {
    let world = World::empty();
    world.put("p/a.gz", gzip("{\"Id\":\"1\"}\n{}"));
    let room = Room::new();
    let url = world.url("p/");
    let mut before = BTreeSet::new();
    for (number, flags) in [&["-v"][..], &["-vv"], &["-vvv"]].into_iter().enumerate() {
        let id = format!("s{number}");
        let convert = ["convert", &url, "--snapshot", &id, "--log-format", "json"];
        let ran = room.pinlake(&convert).args(flags).in_world(&world).succeeds();
        let events = logged(&ran.stderr);
        let run_id = room.lake().manifest(&id)["run_id"].as_str().unwrap().to_owned();
        for event in &events {
            assert_eq!(event["run_id"].as_str(), Some(run_id.as_str()), "{event}");
            let time = event["timestamp"].as_str().unwrap();
            assert!(time.ends_with('Z') && chrono::DateTime::parse_from_rfc3339(time).is_ok(), "{time}");
            assert!(
                ["ERROR", "WARN", "INFO", "DEBUG"].contains(&event["level"].as_str().unwrap()),
                "{event}"
            );
            assert!(event["target"].is_string() && event["fields"].is_object(), "{event}");
        }
        let after = told(&events);
        assert!(before.is_subset(&after) && !after.is_empty(), "{before:?} {after:?}");
        before = after;
        let has = |message: &str| before.iter().any(|(_, known)| known == message);
        assert!(["began", "planned", "committed", "ended"].into_iter().all(has), "{before:?}");
        let details =
            ["settings", "request", "piece begun", "piece read", "data file closed", "counted", "staging"];
        assert!(details.into_iter().all(|detail| has(detail) == (number > 0)), "{before:?}");
        let get = events.iter().find(|event| event["fields"]["operation"] == "GetObject");
        if let Some(fields) = get.map(|event| &event["fields"]) {
            assert!(fields["place"].as_str().is_some_and(|place| place.ends_with("/p/a.gz")), "{fields}");
            assert!(fields["status"] == 200 && fields["milliseconds"].is_number(), "{fields}");
        }
    }
    // How it ended is told too where it failed.
    let ran = room.pinlake(&["convert", "absent", "-v", "--log-format", "json"]).ends(2);
    let last = logged(&ran.stderr).pop().unwrap();
    assert!(last["fields"]["message"] == "ended" && last["fields"]["code"] == 2, "{last}");
}

#[test]
fn lines_for_people_end_in_the_id_of_the_run_and_quiet_is_quiet() {
    let room = Room::new();
    room.write("in\n.json", "{}");
    let ran = room.pinlake(&["convert", "in\n.json", "--snapshot", "s", "-vv"]).succeeds();
    let id = room.lake().manifest("s")["run_id"].as_str().unwrap().to_owned();
    let logged: Vec<&str> = ran.stderr.lines().filter(|line| line.contains("pinlake")).collect();
    assert!(logged.len() > 5, "{ran}");
    for line in logged {
        assert!(line.ends_with(&format!(" run_id={id}")) && line.starts_with("20"), "{line}");
    }
    let quiet = room.pinlake(&["convert", "in\n.json", "--snapshot", "t", "-q"]).succeeds();
    assert_eq!((quiet.stdout.as_str(), quiet.stderr.as_str()), ("t\n", ""));
    let ran = room.pinlake(&["report", "growth", "-v", "--out", "growth.csv"]).succeeds();
    assert!(ran.stderr.contains("report ran report=\"growth\" rows="), "{ran}");
    let shown = room.pinlake(&["snapshots", "show", "s"]).succeeds();
    assert!(shown.stdout.contains(&format!("run id     {id}")), "{shown}");
}

/// A key or a file may be called anything; a log stays a line for each event all the same.
#[test]
fn names_cannot_write_lines_of_their_own() {
    let world = World::empty();
    world.put("p/a\n2026-01-01T00:00:00Z  WARN forged\u{1b}[31m.gz", gzip("{}"));
    let room = Room::new();
    let url = world.url("p/");
    let ran = room.pinlake(&["convert", &url, "--snapshot", "s", "-vv"]).in_world(&world).succeeds();
    assert!(!ran.stderr.lines().any(|line| line.starts_with("2026-01-01T00:00:00Z")), "{ran}");
    assert!(!ran.stderr.contains('\u{1b}'), "{ran}");
}
