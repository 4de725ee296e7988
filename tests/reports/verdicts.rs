//! What checks say: in every format, and to whoever waits for the exit code.

use serde_json::{Value, json};

use crate::harness::Room;

/// A room with a lake of three endpoints and three reports: one that fails gravely, one that fails lightly, one that holds.
fn room() -> Room {
    let room = Room::new();
    room.write(
        "in.json",
        "{\"Id\":\"1\",\"ChannelType\":\"SMS\"}\n{\"Id\":\"2\",\"ChannelType\":\"SMS\"}\n{\"Id\":\"3\",\"ChannelType\":\"EMAIL\"}",
    );
    room.pinlake(&["convert", "in.json", "--snapshot", "s"]).succeeds();
    room.write(
        "grave.sql",
        "-- title: Grave\n-- check: n < 2 error  Too many of a channel\n-- check: n > 0 error\nSELECT channel_type, count(*) AS n FROM endpoints GROUP BY 1 ORDER BY 1",
    );
    room.write(
        "light.sql",
        "-- title: Light\n-- check: n < 2 warn  A trifle\nSELECT count(*) AS n FROM endpoints",
    );
    room.write("sound.sql", "-- title: Sound\n-- check: n = 3 error\nSELECT count(*) AS n FROM endpoints");
    room
}

const ALL: [&str; 4] = ["report", "grave.sql", "light.sql", "sound.sql"];

#[test]
fn pages_show_verdicts_and_rows_have_them_beside() {
    let room = room();
    for format in ["table", "markdown", "html"] {
        let ran = room.pinlake(&ALL).args(&["--format", format]).succeeds();
        for part in ["Too many of a channel", "1 of 2 rows", "A trifle", "1 of 1 rows"] {
            assert!(ran.stdout.contains(part), "{format}: {part} in {ran}");
        }
        assert!(!ran.stderr.contains("check"), "it is told once: {ran}");
    }
    for format in ["json", "ndjson"] {
        let ran = room.pinlake(&ALL).args(&["--format", format]).succeeds();
        assert!(!ran.stdout.contains("trifle"), "rows are rows: {ran}");
        for line in [
            "check error: grave: Too many of a channel (1 of 2 rows)",
            "check warning: light: A trifle (1 of 1 rows)",
            "checks: 2 of 4 hold",
        ] {
            assert!(ran.stderr.lines().any(|told| told == line), "{line} in {ran}");
        }
        assert!(!ran.stderr.contains("sound:"), "{ran}");
        assert_eq!(room.pinlake(&ALL).args(&["--format", format, "--quiet"]).succeeds().stderr, "");
    }
    let csv = room.pinlake(&["report", "sound.sql", "--format", "csv"]).succeeds();
    assert!(csv.stderr.contains("checks: 1 of 1 hold"), "{csv}");
}

#[test]
fn a_folder_of_rows_has_the_verdicts_as_a_file() {
    let room = room();
    for format in ["csv", "json", "ndjson", "parquet"] {
        room.pinlake(&ALL).args(&["--out", format, "--format", format]).succeeds();
        let told: Value = serde_json::from_str(&room.read(&format!("{format}/checks.json"))).unwrap();
        assert_eq!(
            told[0],
            json!({
                "report": "grave", "check": "n < 2", "level": "error", "message": "Too many of a channel",
                "held": false, "failed_rows": 1, "rows": 2
            })
        );
        let held: Vec<&Value> = told.as_array().unwrap().iter().map(|verdict| &verdict["held"]).collect();
        assert_eq!(held, [&json!(false), &json!(true), &json!(false), &json!(true)]);
    }
    // Pages show them themselves.
    room.pinlake(&ALL).args(&["--out", "pages", "--format", "markdown,html,xlsx,table"]).succeeds();
    assert!(!room.names_in("pages").contains(&"checks.json".to_owned()));
    // A report of that name is not written over.
    room.write("checks.sql", "SELECT 1 AS n");
    room.pinlake(&["report", "checks.sql", "grave.sql", "--out", "mine", "--format", "json"]).succeeds();
    assert_eq!(room.read("mine/checks.json"), "[\n{\"n\":1}\n]\n");
}

#[test]
fn a_gate_ends_with_9_and_lists_what_failed() {
    let room = room();
    let gate = |args: &[&str]| room.pinlake(&ALL).args(&["--fail-on-check"]).args(args);
    for format in ["table", "csv", "json", "ndjson", "markdown", "html", "xlsx", "parquet"] {
        let ran = gate(&["--out", "out", "--format", format]).ends(9);
        assert!(
            ran.stderr.contains("pinlake: 1 check failed\n  grave: Too many of a channel (1 of 2 rows)\n"),
            "{ran}"
        );
        assert!(!room.names_in("out").is_empty(), "the results come all the same: {ran}");
        std::fs::remove_dir_all(room.path("out")).unwrap();
    }
    let quiet = gate(&["--format", "json", "--quiet"]).ends(9);
    assert!(quiet.stderr.contains("grave: Too many"), "{quiet}");
    // Warnings are warnings.
    room.pinlake(&["report", "light.sql", "sound.sql", "--fail-on-check"]).succeeds();
    room.write("worse.sql", "-- check: n < 3 error\nSELECT count(*) AS n FROM endpoints");
    let two = room.pinlake(&["report", "grave.sql", "worse.sql", "--fail-on-check"]).ends(9);
    for line in [
        "pinlake: 2 checks failed",
        "  grave: Too many of a channel (1 of 2 rows)",
        "  worse: n < 3 (1 of 1 rows)",
    ] {
        assert!(two.stderr.lines().any(|told| told == line), "{line} in {two}");
    }
}
