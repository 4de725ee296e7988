//! stdout carries results only; progress, logs and errors go to stderr; whoever closes a pipe has had enough.

use std::path::Path;

use serde_json::{Value, json};

use crate::harness::{Room, World, gzip, population};

fn room_with_rows(rows: u64) -> Room {
    let room = Room::new();
    room.write("in/a.gz", population(rows, 0.0).piece(0..rows));
    room.pinlake(&["convert", "in", "--snapshot", "s"]).succeeds();
    room
}

#[test]
fn results_go_to_stdout_and_all_else_to_stderr() {
    let room = Room::new();
    room.write("in/a.gz", gzip("{}"));
    room.write("in/notes.txt", "x");
    let ran = room.pinlake(&["convert", "in", "--snapshot", "s"]).succeeds();
    assert_eq!(ran.stdout, "s\n");
    assert!(ran.stderr.contains("converted 1 endpoints") && ran.stderr.contains("notes.txt"), "{ran}");
    let quiet = room.pinlake(&["convert", "in", "--snapshot", "t", "--quiet"]).succeeds();
    assert_eq!((quiet.stdout.as_str(), quiet.stderr.as_str()), ("t\n", ""));
    // However much is logged, a result stays a result.
    let loud = room.pinlake(&["sql", "SELECT 1 AS n", "--format", "json", "-vvv"]).succeeds();
    assert_eq!(loud.rows(), [json!({ "n": 1 })]);
}

#[test]
fn help_and_version_are_results() {
    let room = Room::new();
    assert!(room.pinlake(&["--version"]).succeeds().stdout.starts_with("pinlake 0."));
    for args in [&["--help"][..], &["convert", "-h"], &["export", "create", "--help"], &["help", "sql"]] {
        let ran = room.pinlake(args).succeeds();
        assert!(ran.stdout.contains("Usage: pinlake") && ran.stderr.is_empty(), "{ran}");
    }
}

#[test]
fn logs_are_json_on_request() {
    let world = World::with_pieces(&population(10, 0.0), 1);
    let room = Room::new();
    let url = world.url("exports/");
    let args = ["convert", &url, "--snapshot", "s", "-vv", "--log-format", "json"];
    world.fault(pinlake_local::FaultRule::s3("GetObject", pinlake_local::Fault::status(503, "SlowDown")));
    let ran = room.pinlake(&args).in_world(&world).succeeds();
    let logged: Vec<Value> = ran
        .stderr
        .lines()
        .filter(|line| line.starts_with('{'))
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert!(logged.iter().any(|line| line["level"] == json!("DEBUG")), "a request was tried again: {ran}");
}

#[test]
fn a_closed_pipe_is_a_quiet_success() {
    let room = room_with_rows(3_000);
    for args in [
        &["sql", "SELECT * FROM endpoints", "--format", "csv"][..],
        &["sql", "SELECT * FROM endpoints", "--format", "json"],
        &["sql", "SELECT * FROM endpoints"],
        &["report", "--all", "--quiet", "--format", "json"],
        &["report", "--all", "--quiet", "--format", "html"],
        &["completions", "bash"],
    ] {
        let mut running = room.pinlake(args).start();
        assert_ne!(running.line(), "");
        running.close_stdout();
        let ran = running.end();
        assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""), "{ran}");
    }
}

#[test]
fn a_full_device_is_not_a_success() {
    let room = room_with_rows(50);
    for args in [&["sql", "SELECT * FROM endpoints"][..], &["report", "--all"], &["report", "--list"]] {
        let ran = room.pinlake(args).run_into(Path::new("/dev/full"));
        assert_eq!(ran.code, Some(8), "{ran}");
        assert!(ran.stderr.contains("No space left"), "{ran}");
    }
}

#[test]
fn progress_is_json_on_request() {
    let world = World::with_audience(
        pinlake_local::PopulationOptions { endpoints: 300, ..pinlake_local::PopulationOptions::default() },
        20,
    );
    let room = Room::new();
    let pinlake = |args: &[&str]| room.pinlake(args).args(&["--progress", "json"]).in_world(&world);
    let role = "arn:aws:iam::123456789012:role/r";
    let url = world.url("p/");
    let create = ["export", "create", "--s3-url-prefix", &url, "--role-arn", role];
    let created = pinlake(&create).succeeds().json();
    let job = created["ExportJobResponse"]["Id"].as_str().unwrap().to_owned();
    let events = |ran: &crate::harness::Ran| -> Vec<Value> {
        let lines = ran.stderr.lines().filter(|line| line.starts_with('{'));
        lines.map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    for (ran, phase, unit, total) in [
        (pinlake(&["export", "wait", "--job-id", &job]).succeeds(), "export", "pieces", Some(15)),
        (pinlake(&["fetch", &url, "dest"]).succeeds(), "fetch", "bytes", None),
        (
            {
                room.pinlake(&["convert", "dest", "--snapshot", "s"]).succeeds();
                pinlake(&["report", "targetable", "growth", "devices", "--out", "r"]).succeeds()
            },
            "reports",
            "reports",
            Some(3),
        ),
    ] {
        let events = events(&ran);
        let last = events.last().unwrap_or_else(|| panic!("no progress: {ran}"));
        for event in &events {
            assert_eq!(
                (&event["event"], &event["phase"], &event["unit"]),
                (&json!("progress"), &json!(phase), &json!(unit))
            );
            assert!(event["done"].as_u64() <= event["total"].as_u64(), "{event}");
        }
        if let Some(total) = total {
            assert_eq!(last["total"], json!(total), "{last}");
        }
    }
    // Nothing of it where nobody asked and nobody watches.
    let ran = room.pinlake(&["report", "--all", "--out", "r"]).succeeds();
    assert!(!ran.stderr.contains("progress"), "{ran}");
}

#[test]
fn queries_come_from_an_argument_a_file_or_stdin() {
    let room = room_with_rows(7);
    room.write("count.sql", "SELECT count(*) AS n FROM endpoints");
    let expected = [json!({ "n": 7 })];
    let json = ["--format", "json"];
    let query = "SELECT count(*) AS n FROM endpoints";
    assert_eq!(room.pinlake(&["sql", query]).args(&json).succeeds().rows(), expected);
    assert_eq!(room.pinlake(&["sql", "-f", "count.sql"]).args(&json).succeeds().rows(), expected);
    assert_eq!(room.pinlake(&["sql", "-f", "-"]).args(&json).stdin(query).succeeds().rows(), expected);
    assert_eq!(room.pinlake(&["sql"]).args(&json).stdin(query).succeeds().rows(), expected);
}

/// Personal data and secrets appear only where they were asked for.
#[test]
fn logs_and_errors_quote_no_data_and_no_secret() {
    let world = World::empty();
    world.put(
        "p/a.gz",
        gzip("{\"Id\":\"1\",\"Address\":\"canary@example.com\"}\n{\"Address\":\"canary@example.com\""),
    );
    let secret = world.server.credentials().secret_access_key.clone();
    let room = Room::new();
    let url = world.url("p/");
    for args in [
        vec!["convert", &url, "-vvv"],
        vec!["convert", &url, "-vvv", "--max-rejects", "1", "--snapshot", "s"],
        vec!["sql", "SELECT CAST(address AS DATE) FROM endpoints", "-vvv"],
        vec!["report", "--all", "-vvv"],
        vec!["snapshots", "show", "-vvv"],
    ] {
        let ran = room.pinlake(&args).in_world(&world).env("AWS_SESSION_TOKEN", "canary-token").run();
        let told = format!("{}{}", ran.stderr, if args[0] == "report" { "" } else { &ran.stdout });
        assert!(!told.contains("canary") && !told.contains(&secret), "{ran}");
    }
    assert!(!room.lake().manifest("s").to_string().contains("canary"));
}
