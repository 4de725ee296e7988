//! The HTML page in a real browser: nothing runs, nothing is asked for, everything is there, in light and dark, wide and on a phone.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::audience;
use crate::harness::{Browser, Page, Room};

/// The widths of a desktop and of a small phone.
const WIDTHS: [u32; 2] = [1280, 360];

/// What there must be none of.
const FAULTS: [&str; 8] = [
    "blank_charts",
    "outside",
    "faint",
    "repeated_ids",
    "repeated_regions",
    "dangling",
    "headings",
    "scripts",
];

/// What the page looks like just now, as JSON.
const LOOK: &str = include_str!("browser/look.js");

/// The page of all reports as a file, and the names of the reports on it with whether they have a chart.
fn page_of_all_reports(room: &Room) -> (String, BTreeSet<String>, BTreeSet<String>) {
    let audience = audience();
    let target = room.path("report.html");
    let args = ["report", "--all", "--format", "html", "--out", target.to_str().unwrap()];
    audience.room.pinlake(&args).succeeds();
    let listed = audience.room.pinlake(&["report", "--list", "--format", "json"]).succeeds().rows();
    let runs_unasked = |report: &&Value| {
        report["params"].as_array().unwrap().iter().all(|param| param["required"] == json!(false))
    };
    let name = |report: &Value| report["name"].as_str().unwrap().to_owned();
    let all: BTreeSet<String> = listed.iter().filter(runs_unasked).map(name).collect();
    let is_drawn = |name: &&String| {
        let path = format!("{}/queries/{name}.sql", env!("CARGO_MANIFEST_DIR"));
        let header = std::fs::read_to_string(path).unwrap();
        header.lines().any(|line| line.starts_with("-- chart:") && !line.contains("chart: table"))
    };
    let drawn = all.iter().filter(is_drawn).cloned().collect();
    (format!("file://{}", target.display()), all, drawn)
}

/// Insists that the page asked for nothing but itself, ran nothing and complained about nothing.
fn assert_quiet(page: &mut Page, url: &str) {
    for (method, params) in page.events() {
        match method.as_str() {
            "Network.requestWillBeSent" => assert_eq!(params["request"]["url"], json!(url), "{params}"),
            "Log.entryAdded"
            | "Runtime.consoleAPICalled"
            | "Runtime.exceptionThrown"
            | "Audits.issueAdded" => {
                panic!("the browser complains: {method} {params}");
            }
            "Debugger.scriptParsed" => assert_eq!(params["url"], json!(""), "a script of the page: {params}"),
            _ => {}
        }
    }
}

/// What the page looks like wide and narrow, in light and dark, held against what no page may have.
fn looks(page: &mut Page, url: &str) -> Vec<(String, Value)> {
    let mut looks = Vec::new();
    for width in WIDTHS {
        for dark in [false, true] {
            page.looks(width, dark);
            let look = page.value(LOOK);
            let place = format!("{width} pixels, dark: {dark}");
            for fault in FAULTS {
                assert_eq!(look[fault], json!([]), "{fault}, {place}");
            }
            let is_dark = look["paper"].as_f64().unwrap() < 0.2;
            assert_eq!(is_dark, dark, "the background, {place}");
            assert_quiet(page, url);
            looks.push((place, look));
        }
    }
    looks
}

fn texts(value: &Value) -> BTreeSet<String> {
    value.as_array().unwrap().iter().map(|text| text.as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_browser_shows_every_report_and_chart_and_runs_and_fetches_nothing() {
    let Some(mut browser) = Browser::start() else { return };
    let room = Room::new();
    let (url, reports, drawn) = page_of_all_reports(&room);
    let mut page = browser.page();
    page.open(&url);
    assert_quiet(&mut page, &url);
    let ids = |names: &BTreeSet<String>| -> BTreeSet<String> {
        names.iter().map(|name| format!("report-{name}")).collect()
    };
    for (place, look) in looks(&mut page, &url) {
        assert_eq!(texts(&look["sections"]), ids(&reports), "{place}");
        assert_eq!(texts(&look["charts"]), ids(&drawn), "{place}");
        assert_eq!(look["panels"], json!(4), "{place}");
    }
}

#[test]
fn a_browser_shows_every_kind_of_chart() {
    let Some(mut browser) = Browser::start() else { return };
    let audience = audience();
    let room = Room::new();
    let kinds = ["bar", "column", "line", "area", "pie", "histogram", "heatmap"];
    let target = room.path("report.html");
    let mut args = vec!["report".to_owned(), "--format".into(), "html".into(), "--out".into()];
    args.push(target.to_str().unwrap().to_owned());
    for kind in kinds {
        let columns =
            if kind == "heatmap" { "y=opt_out value=endpoints" } else { "y=endpoints series=opt_out" };
        let sql = format!(
            "-- title: A {kind}\n-- chart: {kind} x=channel_type {columns}\n\
             SELECT channel_type, opt_out, count(*) AS endpoints FROM endpoints GROUP BY 1, 2 ORDER BY 1, 2"
        );
        room.write(&format!("{kind}.sql"), sql);
        args.push(room.path(&format!("{kind}.sql")).to_str().unwrap().to_owned());
    }
    audience.room.pinlake(&args.iter().map(String::as_str).collect::<Vec<_>>()).succeeds();
    let url = format!("file://{}", target.display());
    let mut page = browser.page();
    page.open(&url);
    for (place, look) in looks(&mut page, &url) {
        let expected: BTreeSet<String> = kinds.iter().map(|kind| format!("report-{kind}")).collect();
        assert_eq!(texts(&look["charts"]), expected, "{place}");
    }
}

#[test]
fn a_browser_tells_what_charts_show_to_those_who_do_not_see_them() {
    let Some(mut browser) = Browser::start() else { return };
    let room = Room::new();
    let (url, _, drawn) = page_of_all_reports(&room);
    let mut page = browser.page();
    page.looks(1280, false);
    page.open(&url);
    let tree = page.call("Accessibility.getFullAXTree", &json!({}));
    let nodes = tree["nodes"].as_array().unwrap();
    let text = |node: &Value, member: &str| node[member]["value"].as_str().unwrap_or_default().to_owned();
    let of_role = |role: &str| -> Vec<&Value> {
        let is_shown = |node: &&Value| node["ignored"] == json!(false) && text(node, "role") == role;
        nodes.iter().filter(is_shown).collect()
    };
    let charts: Vec<&Value> =
        nodes.iter().filter(|node| ["image", "img"].contains(&text(node, "role").as_str())).collect();
    assert_eq!(charts.len(), drawn.len() + 4, "each chart once, and four on the front");
    for chart in charts {
        let (name, says) = (text(chart, "name"), text(chart, "description"));
        let is_described =
            says.contains("hart: ") || says.contains("eatmap: ") || says.contains("istogram: ");
        assert!(!name.is_empty() && is_described, "{name}: {says}");
        assert!(says.contains(|letter: char| letter.is_ascii_digit()), "{name}: {says}");
    }
    assert_eq!(of_role("main").len(), 1);
    assert_eq!(of_role("banner").len(), 1);
    assert_eq!(of_role("navigation").len(), 1);
    let tables = of_role("table");
    assert!(
        tables.len() > 10 && tables.iter().all(|table| !text(table, "name").is_empty()),
        "tables have names"
    );
}
