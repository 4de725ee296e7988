//! One self-contained HTML page for a set of reports.
//!
//! No script, no network, no inline style: the page's own policy forbids them, and allows the one stylesheet by its hash. Every text is
//! escaped by the template engine, which escapes by default. Bars are SVG rectangles, because their lengths are attributes and
//! so need no style.

use std::io::Write;

use arrow::array::AsArray;
use arrow::datatypes::Int64Type;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{Environment, context};
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::page::{NONE, PageColumn, PageTable, grouped, heading, percentage, printable};
use super::{PageFacts, RenderError, RenderOptions};
use crate::checks::{Level, Verdict};
use crate::report::Report;

const TEMPLATE: &str = include_str!("html/page.html");
const STYLE: &str = include_str!("html/page.css");

/// The report whose single row makes the key figures at the page's top.
const KEY_FIGURES: &str = "audience-summary";
/// Its counts that are parts of all endpoints, and are told as percentages too.
const PARTS: [&str; 4] = ["anonymous_endpoints", "targetable", "opted_out", "inactive"];

#[derive(Serialize)]
struct Section {
    id: String,
    title: String,
    about: String,
    parameters: Vec<Named>,
    columns: Vec<Column>,
    /// One row of many columns, as names and values.
    record: Vec<Named>,
    rows: Vec<Row>,
    drawn: bool,
    checks: Vec<Judged>,
    failed: usize,
    note: Option<String>,
}

#[derive(Serialize)]
struct Named {
    name: String,
    value: String,
}

#[derive(Serialize)]
struct Figure {
    name: String,
    value: String,
    share: Option<String>,
}

#[derive(Serialize)]
struct Column {
    name: String,
    right: bool,
}

#[derive(Serialize)]
struct Row {
    cells: Vec<Cell>,
    /// The length of the bar in hundredths of the whole.
    bar: String,
}

#[derive(Serialize)]
struct Cell {
    text: String,
    right: bool,
    none: bool,
}

#[derive(Serialize)]
struct Judged {
    class: &'static str,
    mark: &'static str,
    word: &'static str,
    text: String,
    rows: String,
}

/// Writes the page.
pub(super) fn write(
    reports: &[Report],
    options: &RenderOptions,
    out: &mut (dyn Write + Send),
) -> Result<(), RenderError> {
    let sections: Vec<Section> = reports.iter().map(|report| section(report, options)).collect();
    let figures = reports.iter().find(|report| report.name == KEY_FIGURES).map(key_figures);
    let facts = shown(&options.facts);
    let page = render(&sections, &figures.unwrap_or_default(), &facts)
        .map_err(|error| RenderError::Page { message: error.to_string() })?;
    out.write_all(page.as_bytes()).map_err(RenderError::write)
}

fn render(sections: &[Section], figures: &[Figure], facts: &PageFacts) -> Result<String, minijinja::Error> {
    let mut environment = Environment::new();
    environment.set_syntax(SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build()?);
    // The ending of the name is what turns escaping on.
    environment.add_template("page.html", TEMPLATE)?;
    let style_hash = STANDARD.encode(Sha256::digest(STYLE));
    environment.get_template("page.html")?.render(context! {
        style => STYLE,
        style_hash,
        facts => Serde(facts),
        figures => Serde(figures),
        sections => Serde(sections),
    })
}

fn shown(facts: &PageFacts) -> PageFacts {
    let mut facts = facts.clone();
    if facts.title.is_empty() {
        "Audience report".clone_into(&mut facts.title);
    }
    for (name, value) in &mut facts.lines {
        (*name, *value) = (printable(name), printable(value));
    }
    facts
}

fn key_figures(report: &Report) -> Vec<Figure> {
    let table = PageTable::of(report, Some(1));
    let values = table.rows.into_iter().next().unwrap_or_default();
    let named = table.columns.iter().zip(values).filter(|(_, value)| value != NONE);
    let figure = |(column, value): (&PageColumn, String)| Figure {
        name: heading(&column.name),
        value: without_clock(value),
        share: if PARTS.contains(&column.name.as_str()) { share(report, &column.name) } else { None },
    };
    named.map(figure).collect()
}

/// What part of all endpoints a count is.
fn share(report: &Report, column: &str) -> Option<String> {
    let batch = report.result.batches.first()?;
    let count = |name: &str| Some(batch.column_by_name(name)?.as_primitive_opt::<Int64Type>()?.value(0));
    let (part, all) = (count(column)?, count("endpoints")?);
    (all > 0).then(|| percentage(part as f64 / all as f64))
}

/// A key figure tells a day; the minute stands in the report itself.
fn without_clock(value: String) -> String {
    match value.split_once(' ') {
        Some((day, clock)) if day.len() == 10 && clock.len() == 8 => day.to_owned(),
        _ => value,
    }
}

fn section(report: &Report, options: &RenderOptions) -> Section {
    let mut table = PageTable::of(report, options.page_rows);
    let note = (table.hidden_rows() > 0).then(|| {
        let (shown, total) = (table.rows.len().to_string(), table.total_rows.to_string());
        format!("The first {} of {} rows.", grouped(&shown), grouped(&total))
    });
    let record = if table.is_record() { record(&mut table) } else { Vec::new() };
    let right: Vec<bool> = table.columns.iter().map(|column| column.right).collect();
    let drawn = !table.bars.is_empty();
    let rows = table.rows.into_iter().enumerate().map(|(place, cells)| Row {
        cells: cells
            .into_iter()
            .zip(&right)
            .map(|(text, right)| Cell { none: text == NONE, text, right: *right })
            .collect(),
        bar: table.bars.get(place).map(|length| format!("{:.2}", length * 100.0)).unwrap_or_default(),
    });
    Section {
        id: anchor(&report.name),
        title: report.title.clone().unwrap_or_else(|| heading(&report.name)),
        about: report.about.clone(),
        parameters: parameters(report),
        rows: rows.collect(),
        columns: table
            .columns
            .iter()
            .map(|column| Column { name: heading(&printable(&column.name)), right: column.right })
            .collect(),
        record,
        drawn,
        failed: report.checks.iter().filter(|verdict| !verdict.held()).count(),
        checks: report.checks.iter().map(judged).collect(),
        note,
    }
}

fn record(table: &mut PageTable) -> Vec<Named> {
    let values = std::mem::take(&mut table.rows).into_iter().flatten();
    let named = table.columns.iter().zip(values);
    named.map(|(column, value)| Named { name: heading(&printable(&column.name)), value }).collect()
}

fn parameters(report: &Report) -> Vec<Named> {
    let used = report
        .parameters
        .iter()
        .filter_map(|used| Some(Named { name: used.name.clone(), value: printable(used.value.as_ref()?) }));
    used.collect()
}

fn judged(verdict: &Verdict) -> Judged {
    let (failed, total) = (verdict.failed_rows.to_string(), verdict.rows.to_string());
    let rows = format!("{} of {} rows", grouped(&failed), grouped(&total));
    let (class, mark, word) = match (verdict.held(), verdict.check.level) {
        (true, _) => ("held", "✓", "Holds"),
        (false, Level::Warn) => ("warn", "!", "Warning"),
        (false, Level::Error) => ("error", "✗", "Error"),
    };
    if verdict.held() {
        return Judged { class, mark, word, text: verdict.check.condition.clone(), rows: String::new() };
    }
    Judged { class, mark, word, text: verdict.text().to_owned(), rows }
}

/// A name as an anchor: what is no letter, digit or dash becomes a dash.
fn anchor(name: &str) -> String {
    let plain = |character: char| if character.is_ascii_alphanumeric() { character } else { '-' };
    format!("report-{}", name.chars().map(plain).collect::<String>())
}
