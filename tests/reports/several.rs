//! Several formats of one run.

use serde_json::json;

use super::audience;
use super::contract::unasked;
use crate::harness::Room;

#[test]
fn one_run_writes_every_format_that_was_named() {
    let audience = audience();
    let out = Room::new();
    let folder = out.path("out").to_str().unwrap().to_owned();
    let args = ["report", "--all", "--out", &folder, "--format", "html,xlsx,csv,csv", "--progress", "json"];
    let ran = audience.room.pinlake(&args).succeeds();
    let mut expected: Vec<String> = unasked().map(|name| format!("{name}.csv")).collect();
    expected.extend(["checks.json", "report.html", "report.xlsx"].map(str::to_owned));
    expected.sort();
    assert_eq!(out.names_in("out"), expected);
    // Each report ran once, whatever the number of formats.
    let shown = ran.stderr.lines().filter(|line| line.starts_with('{'));
    let done: Vec<u64> = shown
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["done"].as_u64().unwrap())
        .collect();
    assert!(done.is_sorted(), "{done:?}");
    // Every format holds what it holds alone.
    let alone = |format: &str, file: &str| {
        let args = ["report", "--all", "--out", file, "--format", format];
        audience.room.pinlake(&args).succeeds();
    };
    let html = out.path("alone.html").to_str().unwrap().to_owned();
    alone("html", &html);
    assert_eq!(out.read("alone.html"), out.read("out/report.html"));
    let xlsx = out.path("alone.xlsx").to_str().unwrap().to_owned();
    audience.room.pinlake(&["report", "--all", "--out", &xlsx]).succeeds();
    let bytes = |name: &str| std::fs::read(out.path(name)).unwrap();
    assert!(bytes("alone.xlsx").starts_with(b"PK"));
    assert!(bytes("alone.xlsx") == bytes("out/report.xlsx"), "the same data gives the same bytes");
    let growth = audience.room.pinlake(&["report", "growth", "--format", "csv"]).succeeds().stdout;
    assert_eq!(out.read("out/growth.csv"), growth);
}

#[test]
fn several_formats_need_a_folder() {
    let audience = audience();
    let room = &audience.room;
    let formats = ["--format", "json,csv"];
    room.pinlake(&["report", "growth"]).args(&formats).fails(2, &["--out DIR"]);
    room.pinlake(&["report", "growth", "--out", "x.csv"]).args(&formats).fails(2, &["x.csv", "folder"]);
    room.pinlake(&["sql", "SELECT 1", "--out", "x"]).args(&formats).fails(2, &["one format"]);
    room.pinlake(&["report", "--list"]).args(&formats).fails(2, &["--out DIR"]);
    room.pinlake(&["report", "growth", "--format", "json,docx"]).ends(2);
    let out = Room::new();
    let folder = out.path("2026.11").to_str().unwrap().to_owned();
    room.pinlake(&["report", "growth", "--out", &folder]).args(&formats).succeeds();
    assert_eq!(out.names_in("2026.11"), ["checks.json", "growth.csv", "growth.json"]);
}

#[test]
fn a_query_is_a_workbook_too_within_the_memory_limit() {
    let audience = audience();
    let out = Room::new();
    let file = out.path("rows.xlsx").to_str().unwrap().to_owned();
    let sql = |query: &str| ["sql", query, "--out", &file].map(str::to_owned);
    let run = |args: &[String]| audience.room.pinlake(&args.iter().map(String::as_str).collect::<Vec<_>>());
    run(&sql("SELECT * FROM endpoints")).succeeds();
    assert!(std::fs::read(&file).unwrap().starts_with(b"PK"));
    std::fs::remove_file(&file).unwrap();
    let series = "SELECT value AS a, value AS b, value AS c, value AS d FROM generate_series(1, 100000)";
    run(&sql(series)).args(&["--memory-limit", "20MB"]).fails(8, &["xlsx", "--memory-limit"]);
    assert_eq!(out.names(), Vec::<String>::new(), "nothing half is left");
}

#[test]
fn the_ending_of_a_file_says_the_format() {
    let audience = audience();
    let out = Room::new();
    for (file, begins) in [
        ("r.csv", "period,"),
        ("r.json", "[\n{"),
        ("r.ndjson", "{\"period\""),
        ("r.jsonl", "{\"period\""),
        ("r.md", "## Growth"),
        ("r.txt", "Growth"),
        ("r.html", "<!doctype html>"),
        ("r.htm", "<!doctype html>"),
        ("r.xlsx", "PK"),
        ("r.parquet", "PAR1"),
    ] {
        let path = out.path(file).to_str().unwrap().to_owned();
        audience.room.pinlake(&["report", "growth", "--out", &path]).succeeds();
        let bytes = std::fs::read(out.path(file)).unwrap();
        assert!(bytes.starts_with(begins.as_bytes()), "{file}");
    }
    // What was said outright counts more.
    let path = out.path("odd.csv").to_str().unwrap().to_owned();
    audience.room.pinlake(&["report", "growth", "--out", &path, "--format", "json"]).succeeds();
    let rows: serde_json::Value = serde_json::from_str(&out.read("odd.csv")).unwrap();
    assert_eq!(rows, json!(audience.report("growth", &[])));
}
