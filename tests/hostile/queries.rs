//! Queries and report files that are long, deep, wide or no text at all: an error with the contract's code, and never the end of the process.

use std::fmt::Write as _;

use crate::harness::Room;

fn room_with_a_lake() -> Room {
    let room = Room::new();
    room.write("a.json", "{\"Id\":\"1\"}");
    room.pinlake(&["convert", "a.json", "--snapshot", "s"]).succeeds();
    room
}

#[test]
fn queries_that_are_deep_or_wide_are_refused_and_the_stack_holds() {
    let room = room_with_a_lake();
    let chained = |operand: &str, operator: &str, count: usize| vec![operand; count].join(operator);
    let select = |expression: String| format!("SELECT {expression}");
    let with = |count: usize, tables: &str| {
        let mut text = "WITH t0 AS (SELECT 1 AS a)".to_owned();
        for at in 1..=count {
            let before = at - 1;
            write!(text, ", t{at} AS (SELECT 1 AS a FROM {})", tables.replace('#', &format!("t{before}")))
                .unwrap();
        }
        format!("{text} SELECT * FROM t{count}")
    };
    for (name, query) in [
        ("sum", select(chained("1", "+", 10_000))),
        ("or", select(chained("1=1", " OR ", 10_000))),
        ("parentheses", select(format!("{}1{}", "(".repeat(100_000), ")".repeat(100_000)))),
        ("not", select(format!("{}true", "NOT ".repeat(100_000)))),
        ("minus", select(format!("{}1", "- ".repeat(100_000)))),
        ("case", select(format!("{}1{}", "CASE WHEN true THEN ".repeat(10_000), " END".repeat(10_000)))),
        ("subscripts", select(format!("make_array(1){}", "[1]".repeat(50_000)))),
        ("explain", format!("{}SELECT 1", "EXPLAIN ".repeat(100_000))),
        ("union", chained("SELECT 1", " UNION ALL ", 10_000)),
        ("queries", format!("{}SELECT 1{}", "SELECT * FROM (".repeat(10_000), ")".repeat(10_000))),
        ("with", with(60, "# AS a, # AS b")),
        ("tables", format!("SELECT 1 FROM {}", chained("snapshots", " CROSS JOIN ", 1_000))),
        ("long", format!("SELECT '{}'", "x".repeat(2 << 20))),
        ("nul", "SELECT \u{0}".to_owned()),
    ] {
        room.write("query.sql", query);
        let failed = room.pinlake(&["sql", "-f", "query.sql"]).run();
        assert_eq!(failed.code, Some(2), "{name}: {}", &failed.stderr[..failed.stderr.len().min(500)]);
    }
    // What is not refused is planned, and has the stack that it needs.
    for (name, query) in [
        ("sum", select(chained("1", "+", 900))),
        ("or", select(chained("true", " OR ", 900))),
        ("union", chained("SELECT 1", " UNION ALL ", 900)),
        ("with", with(100, "#")),
        ("list", format!("SELECT 1 IN ({})", chained("1", ",", 50_000))),
    ] {
        room.write("query.sql", query);
        let ran = room.pinlake(&["sql", "-f", "query.sql", "--format", "csv"]).run();
        assert_eq!(ran.code, Some(0), "{name}: {}", &ran.stderr[..ran.stderr.len().min(500)]);
        // The same as a report, which runs elsewhere than a query.
        let ran = room.pinlake(&["report", "query.sql", "--format", "csv"]).run();
        assert_eq!(ran.code, Some(0), "report {name}: {}", &ran.stderr[..ran.stderr.len().min(500)]);
    }
}

#[test]
fn report_files_that_are_none() {
    let room = room_with_a_lake();
    room.write("mine/good.sql", "-- title: Good\nSELECT 1 AS n");
    room.write("mine/binary.sql", [0xff, 0, 0x80, b'\n'].repeat(1_000));
    room.write("mine/long.sql", format!("SELECT 1 --{}", "x".repeat(3 << 20)));
    room.write("mine/deep.sql", format!("SELECT {}1", "1+".repeat(20_000)));
    room.write("mine/check.sql", format!("-- check: {}n > 0 error\nSELECT 1 AS n", "n + ".repeat(20_000)));
    room.write("mine/param.sql", format!("-- param: {} text = x\nSELECT 1", "p".repeat(100_000)));
    room.write("mine/nul.sql", "-- title: a\u{0}b\nSELECT 1 AS n");
    std::fs::create_dir_all(room.path("mine/folder.sql")).unwrap();
    std::os::unix::fs::symlink("loop.sql", room.path("mine/loop.sql")).unwrap();
    std::os::unix::fs::symlink("/dev/zero", room.path("mine/zero.sql")).unwrap();
    let made = std::process::Command::new("mkfifo").arg(room.path("mine/pipe.sql")).status().unwrap();
    assert!(made.success());
    let good = ["report", "good", "--queries", "mine", "--format", "csv"];
    assert_eq!(room.pinlake(&good).succeeds().stdout, "n\r\n1\r\n");
    for name in ["binary", "long", "deep", "check"] {
        room.pinlake(&["report", name, "--queries", "mine"]).fails(2, &[&format!("{name}.sql")]);
    }
    for name in ["loop.sql", "zero.sql", "pipe.sql", "folder.sql"] {
        room.pinlake(&["report", &format!("mine/{name}")]).fails(2, &[name]);
    }
    room.pinlake(&["report", "--list", "--queries", "mine"]).succeeds();
    // All others run, and the broken ones are named.
    let all = ["report", "--all", "--queries", "mine", "--format", "json", "--out", "all.json"];
    let ran = room.pinlake(&all).ends(2);
    for name in ["binary", "long", "deep", "check"] {
        assert!(ran.stderr.contains(name), "{name}: {ran}");
    }
    assert!(room.read("all.json").contains("\"good\""));
}
