//! Files among a user's reports that are none, or whose SQL does not run.

use serde_json::{Value, json};

use super::contract::unasked;
use crate::harness::Room;

/// A room with a lake, and a folder of reports of which some are broken.
fn room() -> Room {
    let room = Room::new();
    room.write("in.json", "{\"Id\":\"1\"}\n{\"Id\":\"2\"}");
    room.pinlake(&["convert", "in.json", "--snapshot", "s"]).succeeds();
    room.write("mine/header.sql", "-- title: Header\n-- param: since dat = 1970-01-01  A slip\nSELECT 1");
    room.write("mine/sound.sql", "SELECT count(*) AS n FROM endpoints");
    room.write("mine/sql.sql", "-- title: SQL\nSELECT\n  idd\nFROM endpoints");
    room.write("mine/check.sql", "-- check: size > 1 error\nSELECT 1 AS n");
    room.write("mine/chart.sql", "-- chart: bar x=n y=size\nSELECT 1 AS n");
    room.write("mine/growth.sql", "-- title: a\n-- title: b\nSELECT 1");
    room
}

/// What is told of the header, with its place.
const HEADER: [&str; 3] = ["header.sql", "line 2, column 17", "-- param: since dat = 1970-01-01"];

#[test]
fn the_list_names_what_is_broken_and_lists_the_rest() {
    let room = room();
    let ran = room.pinlake(&["report", "--list", "--queries", "mine", "--format", "json"]).succeeds();
    let listed = ran.rows();
    let names: Vec<&str> = listed.iter().map(|report| report["name"].as_str().unwrap()).collect();
    assert!(names.contains(&"sound") && names.contains(&"sql"), "{names:?}");
    // The user's own report took the place of the one that came along, so it is not there for it.
    assert!(!names.contains(&"header") && !names.contains(&"growth"), "{names:?}");
    for part in HEADER.iter().chain(&["warning: ", "growth.sql", "a report has one title"]) {
        assert!(ran.stderr.contains(part), "{part} in {ran}");
    }
}

#[test]
fn all_others_run_and_are_written_before_the_end_with_2() {
    let room = room();
    let all = ["report", "--all", "--queries", "mine", "--format", "json"];
    let ran = room.pinlake(&all).args(&["--out", "all.json"]).ends(2);
    let written: Value = serde_json::from_str(&room.read("all.json")).unwrap();
    assert_eq!(written["sound"], json!([{ "n": 2 }]));
    for name in unasked().filter(|name| *name != "growth") {
        assert!(written.get(name).is_some(), "{name}");
    }
    for name in ["header", "sql", "check", "chart", "growth"] {
        assert!(written.get(name).is_none(), "{name}");
    }
    for part in HEADER.iter().chain(&["sql.sql", "line 3, column 3", "  idd", "check.sql", "chart.sql"]) {
        assert!(ran.stderr.contains(part), "{part} in {ran}");
    }
    let last = ran.stderr.lines().last().unwrap();
    assert!(last.starts_with("pinlake: ") && last.ends_with("chart, check, sql, growth, header"), "{last}");
}

#[test]
fn only_a_broken_report_fails_by_its_name() {
    let room = room();
    let run = |names: &[&str]| room.pinlake(&["report"]).args(names).args(&["--queries", "mine"]);
    run(&["header"]).fails(2, &HEADER);
    run(&["growth"]).fails(2, &["growth.sql", "one title"]);
    run(&["sql"]).fails(2, &["sql.sql", "line 3, column 3"]);
    run(&["sound", "header"]).fails(2, &HEADER);
    room.pinlake(&["report", "--describe", "header", "--queries", "mine"]).fails(2, &HEADER);
    let sound = run(&["sound", "audience-summary"]).succeeds();
    assert!(!sound.stderr.contains("header.sql"), "nobody asked for it: {sound}");
    // A value that was given is another's fault than the file's.
    room.write("mine/asking.sql", "-- param: n integer = 1\nSELECT $n AS n");
    room.pinlake(&["report", "--all", "--queries", "mine", "--param", "n=many"])
        .fails(2, &["many", "asking"]);
}
