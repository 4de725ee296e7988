//! docs/reports.md: every built-in report as it reads on the sample pieces, written by the program itself.
//!
//! The test fails when the page is stale; with `PINLAKE_WRITE_DOCS=1`, which `just docs` sets, it writes the page in place of comparing.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::harness::Room;

/// Rows shown of each report.
const ROWS: usize = 8;

/// What is asked of reports whose parameters have no default.
const REQUIRED: [(&str, &[&str]); 4] = [
    ("attribute-values", &["name=interests"]),
    ("geo-radius", &["latitude=52.5", "longitude=13.4", "km=500"]),
    ("snapshot-diff", &["from=2026-10-28", "to=2026-10-29"]),
    ("subject-lookup", &["user_id=u-57"]),
];

const FRONT: &str = "\
# The reports

Every built-in report on the sample pieces of [data-samples](../data-samples), each cut after eight rows. The page is written by
`just docs`, and a test holds it to what the program prints.

    pinlake report --list                            every report with its parameters
    pinlake report NAME --param name=value           one report on the latest snapshot
    pinlake report --all --out report.html           all that need no parameter, as one page
    pinlake report --all --out DIR --format html,xlsx,csv

Each is one file in [queries/](../queries): a header and one SQL statement. Copy one, change it, and run it by its path, or put it into a
folder for `--queries DIR`, where it joins the built-in ones and replaces the one of its name.
";

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// A lake of two snapshots: the export as it is, and with other records added.
fn lake() -> Room {
    let room = Room::new();
    // Copied, so that the names of pieces do not tell where this tree lies.
    for folder in ["export", "odd-values"] {
        for entry in std::fs::read_dir(root().join("data-samples").join(folder)).unwrap() {
            let entry = entry.unwrap();
            let name = format!("{folder}/{}", entry.file_name().to_string_lossy());
            room.write(&name, std::fs::read(entry.path()).unwrap());
        }
    }
    room.pinlake(&["convert", "export", "--snapshot", "2026-10-28"]).succeeds();
    room.pinlake(&["convert", "export", "odd-values", "--snapshot", "2026-10-29"]).succeeds();
    room
}

#[test]
fn the_gallery_of_reports_is_what_the_program_prints() {
    let page = gallery(&lake());
    let path = root().join("docs/reports.md");
    if std::env::var_os("PINLAKE_WRITE_DOCS").is_some() {
        std::fs::write(&path, &page).unwrap();
        return;
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    let stale = kept.lines().zip(page.lines()).position(|(kept, now)| kept != now);
    assert!(
        kept == page,
        "docs/reports.md is stale from line {}: run `just docs`",
        stale.unwrap_or_else(|| kept.lines().count().min(page.lines().count())) + 1
    );
}

fn gallery(room: &Room) -> String {
    let listed = room.pinlake(&["report", "--list", "--format", "json"]).succeeds().rows();
    let mut page = FRONT.to_owned();
    page.push_str("\n| report | question |\n| --- | --- |\n");
    for report in &listed {
        let (name, about) = (text(report, "name"), text(report, "about"));
        let question = about.split_inclusive(['?', '.']).next().unwrap_or_default();
        writeln!(page, "| [{name}](#{name}) | {question} |").unwrap();
    }
    for report in &listed {
        section(&mut page, report, room);
    }
    page
}

fn section(page: &mut String, report: &Value, room: &Room) {
    let name = text(report, "name");
    let given = REQUIRED.iter().find(|(known, _)| *known == name).map_or(&[][..], |(_, given)| given);
    writeln!(page, "\n## {name}\n\n**{}.** {}\n", text(report, "title"), text(report, "about")).unwrap();
    writeln!(page, "SQL: [queries/{name}.sql](../queries/{name}.sql)").unwrap();
    let params = report["params"].as_array().unwrap();
    if !params.is_empty() {
        page.push_str("\n| parameter | type | default | |\n| --- | --- | --- | --- |\n");
    }
    for param in params {
        let default = match &param["default"] {
            Value::Null if param["required"] == true => "required".to_owned(),
            Value::Null => String::new(),
            Value::String(text) => format!("`{text}`"),
            other => format!("`{other}`"),
        };
        let row = ["name", "type", "about"].map(|key| text(param, key).replace('|', "\\|"));
        writeln!(page, "| `{}` | {} | {default} | {} |", row[0], row[1], row[2]).unwrap();
    }
    let mut args = vec!["report", &name, "--format", "markdown"];
    for value in given {
        args.extend(["--param", value]);
    }
    let shown: Vec<String> = given.iter().map(|value| format!(" --param {value}")).collect();
    writeln!(page, "\n    pinlake report {name}{}\n", shown.concat()).unwrap();
    let rendered = room.pinlake(&args).succeeds().stdout;
    page.push_str(&cut(&rendered));
}

/// The tables of a rendering, each after some rows, and what else stands there but the title and the about text.
fn cut(rendered: &str) -> String {
    let mut kept = String::new();
    let mut rows = 0;
    let mut further = 0;
    let is_row = |line: &str| line.starts_with('|');
    let body = rendered.lines().skip_while(|line| !is_row(line));
    for line in body {
        rows = if is_row(line) { rows + 1 } else { 0 };
        // A header and a rule stand above the rows.
        if rows > ROWS + 2 {
            further += 1;
            continue;
        }
        if !is_row(line) && further > 0 {
            writeln!(kept, "\n… and {further} more rows.").unwrap();
            further = 0;
        }
        kept.push_str(line);
        kept.push('\n');
    }
    if further > 0 {
        writeln!(kept, "\n… and {further} more rows.").unwrap();
    }
    if kept.is_empty() { "No rows.\n".to_owned() } else { kept }
}

fn text(object: &Value, key: &str) -> String {
    object[key].as_str().unwrap_or_default().to_owned()
}

/// The gallery is part of the tree that the README points to.
#[test]
fn the_readme_points_to_the_gallery() {
    let readme = std::fs::read_to_string(root().join("README.md")).unwrap();
    assert!(readme.contains("docs/reports.md") && Path::new(&root().join("docs/reports.md")).exists());
}
