//! A report as a section of the page: about, parameters, chart, checks, table.

use serde::Serialize;

use super::super::chart::{self, Picture};
use super::super::page::{NONE, PageTable, beginning, grouped, heading, printable};
use super::{Named, RenderError, RenderOptions, anchor};
use crate::checks::{Level, Verdict};
use crate::report::Report;

/// Rows that are shown at once; the others are behind a line to open, so that a page of all reports can be leafed through.
const ROWS_AT_ONCE: usize = 15;
/// Characters of a cell that a page shows: a value may be as long as a line of an export.
const LONGEST_CELL: usize = 400;
/// A few rows more are not worth a click.
const FEW_MORE: usize = 5;

/// A section.
#[derive(Debug, Serialize)]
pub(super) struct Section {
    pub(super) id: String,
    pub(super) name: String,
    title: String,
    about: String,
    parameters: Vec<Named>,
    chart: Option<Picture>,
    checks: Vec<Judged>,
    failed: usize,
    columns: Vec<Column>,
    /// One row of many columns, as names and values.
    record: Vec<Named>,
    rows: Vec<Vec<Cell>>,
    /// The rows that are not shown at once.
    further: Vec<Vec<Cell>>,
    /// How many those are, in words.
    further_label: String,
    note: String,
    /// Where its place in the page is known, the number of the section.
    pub(super) number: usize,
}

#[derive(Debug, Serialize)]
struct Column {
    name: String,
    right: bool,
}

#[derive(Debug, Serialize)]
struct Cell {
    text: String,
    /// Its class, where it has one.
    class: &'static str,
}

/// A check's verdict as pages show it.
#[derive(Debug, Serialize)]
pub(super) struct Judged {
    pub(super) class: &'static str,
    mark: &'static str,
    word: &'static str,
    text: String,
    rows: String,
}

impl Section {
    /// The section of a report.
    pub(super) fn of(report: &Report, options: &RenderOptions) -> Result<Self, RenderError> {
        let mut table = PageTable::of(report, options.page_rows);
        let mut note = Vec::new();
        if table.hidden_rows() > 0 {
            let (shown, total) = (table.rows.len().to_string(), table.total_rows.to_string());
            note.push(format!("The first {} of {} rows.", grouped(&shown), grouped(&total)));
        }
        if cut(&mut table) {
            note.push("Long values are cut; other formats have them whole.".to_owned());
        }
        let record = if table.is_record() { record(&mut table) } else { Vec::new() };
        for (column, field) in table.columns.iter_mut().zip(report.result.schema.fields()) {
            // Days are names here, and names stand to the left.
            column.right &= !field.data_type().is_temporal();
        }
        let mut rows = cells(&mut table);
        let at_once = if rows.len() > ROWS_AT_ONCE + FEW_MORE { ROWS_AT_ONCE } else { rows.len() };
        let further = rows.split_off(at_once);
        let column = |name: &str| heading(&printable(name));
        let id = anchor(&report.name);
        let chart = chart::draw(report, &id).map_err(|error| RenderError::chart(&report.name, &error))?;
        Ok(Self {
            title: report.title.clone().unwrap_or_else(|| heading(&report.name)),
            name: report.name.clone(),
            about: report.about.clone(),
            parameters: parameters(report),
            columns: table
                .columns
                .iter()
                .map(|held| Column { name: column(&held.name), right: held.right })
                .collect(),
            record,
            rows,
            further_label: format!("{} further rows", grouped(&further.len().to_string())),
            further,
            failed: report.checks.iter().filter(|verdict| !verdict.held()).count(),
            checks: report.checks.iter().map(Judged::of).collect(),
            note: note.join(" "),
            chart,
            id,
            number: 0,
        })
    }
}

/// Shortens values that are too long; whether there are any.
fn cut(table: &mut PageTable) -> bool {
    let mut is_cut = false;
    for cell in table.rows.iter_mut().flatten() {
        if let Some(shorter) = beginning(cell, LONGEST_CELL) {
            *cell = shorter;
            is_cut = true;
        }
    }
    is_cut
}

fn record(table: &mut PageTable) -> Vec<Named> {
    let values = std::mem::take(&mut table.rows).into_iter().flatten();
    let named = table.columns.iter().zip(values);
    named.map(|(column, value)| Named { name: heading(&printable(&column.name)), value }).collect()
}

fn cells(table: &mut PageTable) -> Vec<Vec<Cell>> {
    let right: Vec<bool> = table.columns.iter().map(|column| column.right).collect();
    let cell = |(text, right): (String, &bool)| {
        let class = match (*right, text == NONE) {
            (true, true) => "n none",
            (true, false) => "n",
            (false, true) => "none",
            (false, false) => "",
        };
        Cell { text, class }
    };
    let rows = std::mem::take(&mut table.rows).into_iter();
    rows.map(|row| row.into_iter().zip(&right).map(cell).collect()).collect()
}

fn parameters(report: &Report) -> Vec<Named> {
    let used = report
        .parameters
        .iter()
        .filter_map(|used| Some(Named { name: used.name.clone(), value: printable(used.value.as_ref()?) }));
    used.collect()
}

impl Judged {
    /// The verdict in words.
    pub(super) fn of(verdict: &Verdict) -> Self {
        let (failed, total) = (verdict.failed_rows.to_string(), verdict.rows.to_string());
        let rows = format!("{} of {} rows", grouped(&failed), grouped(&total));
        let (class, mark, word) = match (verdict.held(), verdict.check.level) {
            (true, _) => ("held", "✓", "Holds"),
            (false, Level::Warn) => ("warn", "!", "Warning"),
            (false, Level::Error) => ("error", "✗", "Error"),
        };
        if verdict.held() {
            return Self { class, mark, word, text: verdict.check.condition.clone(), rows: String::new() };
        }
        Self { class, mark, word, text: verdict.text().to_owned(), rows }
    }
}
