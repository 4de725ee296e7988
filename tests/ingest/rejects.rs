//! Lines that are no endpoint: listed with their place, and only as many as are allowed.

use std::os::unix::fs::PermissionsExt as _;

use serde_json::{Value, json};

use crate::harness::{Room, gzip};

/// Ten lines, four of which are rejects and two blank.
const MIXED: &[u8] = b"\xef\xbb\xbf{\"Id\":\"1\"}\r\n\n{\"Id\":\"2\"} trailing\n[1]\n{\"Id\":\"3\"}\n  \t\r\n{\"Id\":\"\xff\"}\n{\"Id\":\"4\"}\n\xef\xbb\xbf{\"Id\":\"5\"}\n{\"Id\":\"6\"}";

/// Place and beginning of the reason of each reject in [`MIXED`].
const REJECTED: [(i64, i64, &str); 4] =
    [(3, 16, "not JSON"), (4, 36, "not a JSON object"), (7, 56, "not UTF-8"), (9, 78, "not JSON")];

fn assert_rejected(found: &[Value], piece: &str) {
    assert_eq!(found.len(), REJECTED.len());
    for (reject, (line, offset, reason)) in found.iter().zip(REJECTED) {
        assert_eq!(reject["piece"], json!(piece));
        assert_eq!((&reject["line"], &reject["offset"]), (&json!(line), &json!(offset)), "{reject}");
        assert!(reject["reason"].as_str().unwrap().starts_with(reason), "{reject}");
    }
    let raw: Vec<&Value> = found.iter().map(|reject| &reject["raw"]).collect();
    assert_eq!(raw[..2], [&json!("{\"Id\":\"2\"} trailing"), &json!("[1]")]);
    assert_eq!((raw[2], &found[2]["raw_base64"]), (&Value::Null, &json!("eyJJZCI6Iv8ifQ==")));
    assert_eq!(raw[3], &json!("\u{feff}{\"Id\":\"5\"}"));
}

#[test]
fn one_reject_too_many_publishes_nothing_and_keeps_the_list() {
    let room = Room::new();
    room.write("ok.gz", gzip("{}"));
    room.pinlake(&["convert", "ok.gz", "--snapshot", "before"]).succeeds();
    room.write("in/mixed.gz", gzip(MIXED));
    let before = room.lake().visible();
    for most in ["0", "3", "49.9%"] {
        let args = ["convert", "in", "--snapshot", "s", "--max-rejects", most];
        let failed = room.pinlake(&args).fails(5, &["mixed.gz", "line 3", "--max-rejects", "4 of 8"]);
        let path = failed.stderr.split_whitespace().find(|word| word.ends_with("rejects.ndjson")).unwrap();
        let text = std::fs::read_to_string(path).unwrap();
        let found: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_rejected(&found, "mixed.gz");
        // Rejected lines are personal data: their owner alone may read them.
        assert_eq!(std::fs::metadata(path).unwrap().permissions().mode() & 0o077, 0);
        assert_eq!(room.lake().visible(), before);
        room.lake().assert_sound();
    }
    for most in ["4", "50%"] {
        let args = ["convert", "in", "--snapshot", most.trim_end_matches('%'), "--max-rejects", most];
        room.pinlake(&args).succeeds();
    }
}

#[test]
fn allowed_rejects_are_listed_beside_the_rows_and_add_up() {
    let room = Room::new();
    room.write("mixed.gz", gzip(MIXED));
    let args = ["convert", "mixed.gz", "--snapshot", "s", "--max-rejects", "4", "--expect-rows", "8"];
    room.pinlake(&args).succeeds();
    let lake = room.lake();
    assert_rejected(&lake.rejects("s"), "mixed.gz");
    let rows: Vec<_> = lake.rows("s").iter().map(|row| (row["id"].clone(), row["line"].clone())).collect();
    let expected = [("1", 1), ("3", 5), ("4", 8), ("6", 10)];
    assert_eq!(rows, expected.map(|(id, line)| (json!(id), json!(line))));
    let manifest = lake.manifest("s");
    let counts = json!({ "lines": 10, "rows": 4, "rejects": 4, "blank": 2 });
    for (count, expected) in counts.as_object().unwrap() {
        assert_eq!(&manifest["pieces"][0][count], expected, "{count}");
        assert_eq!(&manifest["totals"][count], expected, "{count}");
    }
}

#[test]
fn without_rejects_the_list_is_there_and_empty() {
    let room = Room::new();
    room.write("ok.json", "{}");
    room.pinlake(&["convert", "ok.json", "--snapshot", "s"]).succeeds();
    assert_eq!(room.lake().rejects("s"), Vec::<Value>::new());
}

#[test]
fn every_kind_of_line_that_is_no_json_object_is_a_reject() {
    let deep = |depth: usize| format!("{{\"a\":{}{}}}", "[".repeat(depth - 1), "]".repeat(depth - 1));
    let (deepest, too_deep) = (deep(128), deep(129));
    let rejected = [
        "null",
        "true",
        "1",
        "\"x\"",
        "[]",
        "{",
        "}",
        "{}{}",
        "{},",
        "{\"a\"}",
        "{\"a\":}",
        "{\"a\":1,}",
        "{a:1}",
        "{'a':1}",
        "{\"a\":NaN}",
        "{\"a\":Infinity}",
        "{\"a\":-}",
        "{\"a\":01}",
        "{\"a\":1.}",
        "{\"a\":.5}",
        "{\"a\":\"\u{1}\"}",
        "{\"a\":\"\\x\"}",
        "{\"a\":\"\\u12\"}",
        "{\"a\":tru}",
        "// {}",
        "\u{0}",
        &too_deep,
    ];
    let rows = ["{}", "{\"a\":1e400}", "{\"a\":\"\\ud800\"}", "{\"a\":-0}", &deepest];
    let room = Room::new();
    let lines = [&rejected[..], &rows[..]].concat();
    room.write("lines.json", lines.join("\n"));
    room.pinlake(&["convert", "lines.json", "--snapshot", "s", "--max-rejects", "100%"]).succeeds();
    let found: Vec<i64> =
        room.lake().rejects("s").iter().map(|reject| reject["line"].as_i64().unwrap()).collect();
    let expected: Vec<i64> = (1..=i64::try_from(rejected.len()).unwrap()).collect();
    assert_eq!(found, expected);
    assert_eq!(room.lake().rows("s").len(), rows.len());
}

#[test]
fn a_line_beyond_the_limit_is_a_reject_and_the_next_one_a_row() {
    let room = Room::new();
    let long = format!("{{\"Id\":\"{}\"}}", "x".repeat(5_000));
    room.write("long.gz", gzip(format!("{{\"Id\":\"1\"}}\n{long}\n{{\"Id\":\"2\"}}")));
    let args = ["convert", "long.gz", "--snapshot", "s", "--max-line", "1KiB", "--max-rejects", "1"];
    room.pinlake(&args).succeeds();
    assert_eq!(room.lake().ids("s"), ["1", "2"]);
    let rejects = room.lake().rejects("s");
    assert_eq!((&rejects[0]["line"], &rejects[0]["offset"]), (&json!(2), &json!(11)));
    assert!(rejects[0]["reason"].as_str().unwrap().contains("1024"), "{}", rejects[0]);
    room.pinlake(&["convert", "long.gz", "--snapshot", "t"]).succeeds();
    assert_eq!(room.lake().rows("t").len(), 3);
}
