//! The forms of results: the same rows in every format, to stdout, a file or a folder.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::audience;
use super::contract::{BUILTIN, given, unasked};
use crate::harness::{Room, parquet_rows};

/// CSV read back: records of cells, where `None` is an empty cell without quotes.
fn csv(text: &str) -> Vec<Vec<Option<String>>> {
    let (mut records, mut record) = (Vec::new(), Vec::new());
    let mut rest = text;
    while !rest.is_empty() {
        let (cell, behind) = if let Some(quoted) = rest.strip_prefix('"') {
            let mut cell = String::new();
            let mut tail = quoted;
            loop {
                let (part, after) = tail.split_once('"').expect("a quote without an end");
                cell.push_str(part);
                tail = after;
                let Some(more) = tail.strip_prefix('"') else { break };
                cell.push('"');
                tail = more;
            }
            (Some(cell), tail)
        } else {
            let end = rest.find([',', '\r']).unwrap_or(rest.len());
            ((end > 0).then(|| rest[..end].to_owned()), &rest[end..])
        };
        record.push(cell);
        rest = if let Some(next) = behind.strip_prefix("\r\n") {
            records.push(std::mem::take(&mut record));
            next
        } else {
            behind.strip_prefix(',').expect("a comma or the end of a record")
        };
    }
    records
}

/// A JSON value as a CSV cell shows it.
fn cell(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

/// The lines of several reports by name, which is their leading member.
fn by_name(lines: Vec<Value>) -> BTreeMap<String, Vec<Value>> {
    let mut rows: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for mut line in lines {
        let name = line.as_object_mut().unwrap().remove("report").unwrap();
        rows.entry(name.as_str().unwrap().to_owned()).or_default().push(line);
    }
    rows
}

/// Whether a cell of CSV holds the value of JSON.
fn is_same(found: Option<&String>, value: &Value) -> bool {
    match (value, found) {
        (Value::Number(number), Some(text)) => {
            let (told, expected) = (text.parse::<f64>(), number.as_f64());
            told.is_ok_and(|told| expected.is_some_and(|expected| (told - expected).abs() < 1e-12))
        }
        _ => found.cloned() == cell(value),
    }
}

#[test]
fn every_report_has_its_columns_in_order_and_the_same_rows_in_csv_json_ndjson_and_parquet() {
    let audience = audience();
    let object = audience.rows();
    let lines = by_name(audience.every_report(&["--format", "ndjson"]).json_lines());
    let out = Room::new();
    for format in ["csv", "parquet"] {
        audience.every_report(&["--format", format, "--out", out.path(format).to_str().unwrap()]);
    }
    for (name, columns) in &BUILTIN {
        let rows = object[name].as_array().unwrap();
        assert!(!rows.is_empty(), "{name}");
        assert_eq!(&lines[*name], rows, "{name}");
        assert_eq!(&parquet_rows(&out.path(&format!("parquet/{name}.parquet"))), rows, "{name}");
        let records = csv(&out.read(&format!("csv/{name}.csv")));
        let header: Vec<&str> = records[0].iter().flatten().map(String::as_str).collect();
        assert_eq!(header[..columns.len()], **columns, "{name}");
        assert_eq!(records.len(), rows.len() + 1, "{name}");
        for (record, row) in records[1..].iter().zip(rows) {
            for (column, found) in header.iter().zip(record) {
                let value = &row[column];
                assert!(is_same(found.as_ref(), value), "{name}, {column}: {found:?} instead of {value}");
            }
        }
    }
}

/// The cells of a page that are words: not numbers, dates, or what a page has to escape.
fn words<'a>(cells: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let is_word = |cell: &&str| {
        cell.starts_with(|first: char| first.is_ascii_alphabetic())
            && cell.chars().all(|letter| letter.is_ascii_alphanumeric())
    };
    cells.filter(is_word).collect()
}

/// A value as a page shows it, if that is but one text.
fn shown(value: &Value) -> Option<&str> {
    match value {
        Value::String(text) => Some(text),
        Value::Bool(holds) => Some(if *holds { "yes" } else { "no" }),
        Value::Array(items) if items.len() == 1 => shown(&items[0]),
        _ => None,
    }
}

#[test]
fn pages_have_the_same_rows_in_the_same_order() {
    let audience = audience();
    let object = audience.rows();
    let html = audience.page();
    let out = Room::new();
    audience.every_report(&["--format", "markdown", "--out", out.path("pages").to_str().unwrap()]);
    for (name, _) in &BUILTIN {
        let rows = object[name].as_array().unwrap();
        if rows.len() == 1 {
            continue; // A single row stands upright: names and values.
        }
        let whole = rows.len().min(200);
        let page = out.read(&format!("pages/{name}.md"));
        let mut lines = page.lines().filter_map(|line| line.strip_prefix("| ")?.strip_suffix(" |"));
        let header: Vec<&str> = lines.next().unwrap().split(" | ").collect();
        let lines: Vec<&str> = lines.skip(1).collect();
        assert_eq!(lines.len(), whole, "{name}");
        for (line, row) in lines.iter().zip(rows) {
            let expected = header.iter().filter_map(|column| shown(&row[column]));
            assert_eq!(words(line.split(" | ")), words(expected), "{name}: {line}");
        }
        let (_, section) = html.split_once(&format!("id=\"report-{name}\"")).unwrap();
        let (section, _) = section.split_once("</section>").unwrap();
        assert_eq!(section.matches("<tr><td").count(), whole, "{name}");
    }
}

#[test]
fn all_reports_are_one_object_or_named_lines() {
    let audience = audience();
    let object = audience.room.pinlake(&["report", "--all", "--format", "json"]).succeeds().json();
    let mut found: Vec<&String> = object.as_object().unwrap().keys().collect();
    found.sort();
    let mut expected: Vec<&str> = unasked().collect();
    expected.sort_unstable();
    assert_eq!(found, expected);
    for name in unasked().filter(|name| given(name).is_empty()) {
        assert_eq!(object[name], audience.rows()[name], "{name}");
    }

    // Several names are like all.
    let two = |format: &str| {
        audience.room.pinlake(&["report", "targetable", "opt-out", "--format", format]).succeeds()
    };
    let expected = json!({ "targetable": object["targetable"], "opt-out": object["opt-out"] });
    assert_eq!(two("json").json(), expected);
    let ran = two("ndjson");
    assert!(ran.stdout.lines().all(|line| line.starts_with("{\"report\":")), "the report's name leads");
    assert_eq!(json!(by_name(ran.json_lines())), expected);
}

#[test]
fn a_folder_takes_a_file_for_each_report_or_one_page() {
    let audience = audience();
    let out = Room::new();
    let folder = |name: &str| out.path(name).to_str().unwrap().to_owned();
    let write = |reports: &[&str], format: &str| {
        let args = ["--out", &folder(format), "--format", format];
        audience.room.pinlake(&["report"]).args(reports).args(&args).succeeds();
        out.names_in(format)
    };
    let mut expected: Vec<String> = unasked().map(|name| format!("{name}.csv")).collect();
    // Rows alone tell nothing of the checks.
    expected.push("checks.json".to_owned());
    expected.sort();
    assert_eq!(write(&["--all"], "csv"), expected);
    let printed = audience.room.pinlake(&["report", "growth", "--format", "csv"]).succeeds().stdout;
    assert_eq!(out.read("csv/growth.csv"), printed);
    let two = ["targetable", "channel-mix"];
    assert_eq!(write(&two, "html"), ["report.html"]);
    assert_eq!(write(&two, "xlsx"), ["report.xlsx"]);
    assert_eq!(write(&two, "parquet"), ["channel-mix.parquet", "checks.json", "targetable.parquet"]);
    assert_eq!(parquet_rows(&out.path("parquet/channel-mix.parquet")), audience.report("channel-mix", &[]));

    // CSV and Parquet hold one result each, so that several need a folder.
    for format in ["csv", "parquet"] {
        audience.room.pinlake(&["report", "--format", format]).args(&two).fails(2, &[format]);
    }
    // The ending of --out says the format.
    let file = folder("one.json");
    let ran = audience.room.pinlake(&["report", "growth", "--out", &file]).succeeds();
    assert_eq!(ran.stdout, "");
    assert!(ran.stderr.contains("one.json"), "{ran}");
    let rows: Value = serde_json::from_str(&out.read("one.json")).unwrap();
    assert_eq!(rows, json!(audience.report("growth", &[])));
}

#[test]
fn pages_are_for_eyes() {
    let audience = audience();
    let run = |args: &[&str]| audience.room.pinlake(args).succeeds().stdout;
    let rows = audience.report("geography", &[]);

    let table = run(&["report", "geography"]);
    assert!(table.starts_with("Geography\n") && table.contains("(none)") && table.contains('%'), "{table}");
    assert!(!table.contains('\u{1b}'), "no colour but on a terminal");
    assert!(table.lines().count() > rows.len(), "a pipe gets every row");

    let markdown = run(&["report", "audience-summary", "--format", "markdown"]);
    assert!(markdown.contains("Audience summary") && markdown.contains("| endpoints |"), "{markdown}");
    assert!(markdown.contains("3,000"), "{markdown}");

    let page = audience.page();
    assert!(page.starts_with("<!doctype html>"));
    for title in ["Audience summary", "Opt-out by channel and country", "Completeness"] {
        assert!(page.contains(title), "{title}");
    }
    assert!(page.contains("Content-Security-Policy") && page.contains("<svg"));
    for loaded in ["<script", "src=\"http", "<link", "@import", "url(http"] {
        assert!(!page.contains(loaded), "the page must stand alone: {loaded}");
    }
    // The same data gives the same bytes, however many threads look at them.
    assert_eq!(audience.every_report(&["--format", "html", "--threads", "4"]).stdout, page);
}

#[test]
fn typed_values_have_their_json_forms() {
    let room = Room::new();
    room.write(
        "in.json",
        r#"{"Id":"=1+1","CreationDate":"2026-10-29T12:00:00.5Z","Attributes":{"b":["x",null],"a":[]},"Metrics":{"m":2}}"#,
    );
    room.pinlake(&["convert", "in.json", "--snapshot", "s"]).succeeds();
    let query = "SELECT id, 9007199254740993 AS large, creation_date, CAST(creation_date AS DATE) AS day, \
                 attributes, metrics, user_id, 0.25 AS share, true AS truth FROM endpoints";
    let expected = "[\n{\"id\":\"=1+1\",\"large\":9007199254740993,\"creation_date\":\"2026-10-29T12:00:00.500Z\",\
                    \"day\":\"2026-10-29\",\"attributes\":{\"b\":[\"x\",null],\"a\":[]},\"metrics\":{\"m\":2.0},\
                    \"user_id\":null,\"share\":0.25,\"truth\":true}\n]\n";
    let run = |format: &[&str]| room.pinlake(&["sql", query]).args(format).succeeds().stdout;
    assert_eq!(run(&["--format", "json"]), expected);
    assert!(
        run(&["--format", "csv"]).contains("\r\n=1+1,9007199254740993,2026-10-29T12:00:00.500Z,2026-10-29,")
    );
    assert!(run(&["--format", "csv", "--csv-safe"]).contains("\r\n\"'=1+1\","));
}

#[test]
fn what_is_in_the_data_does_nothing_to_a_page() {
    let room = Room::new();
    let line = json!({ "Id": "1", "ChannelType": "</script><script>alert(1)</script>", "Location": { "City": "a|b\n<b>" } });
    room.write("in.json", line.to_string());
    room.pinlake(&["convert", "in.json", "--snapshot", "s"]).succeeds();
    let html = room.pinlake(&["report", "--all", "--format", "html"]).succeeds().stdout;
    assert!(
        !html.contains("<script") && html.contains("&lt;script&gt;") && !html.contains("<b>\n"),
        "{html}"
    );
    let markdown =
        room.pinlake(&["sql", "SELECT city FROM endpoints", "--format", "markdown"]).succeeds().stdout;
    let row = markdown.lines().find(|line| line.contains("a\\|b")).unwrap_or_else(|| panic!("{markdown}"));
    assert!(row.ends_with('|') && !row.contains("<b>"), "{markdown}");
}
