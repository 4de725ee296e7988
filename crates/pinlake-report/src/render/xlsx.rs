//! XLSX: a workbook a run, for Excel and whatever else reads Office Open XML.
//!
//! First a sheet of contents with links, then a sheet a report: what it tells, what its checks say, its rows in typed cells
//! under a frozen header, and its chart as a native one. The figures that charts are drawn from lie on a hidden sheet at the
//! end. Nothing becomes a formula, whatever it begins with; what a cell cannot hold exactly is text.
//!
//! A workbook is built in memory, each cell of it, before its first byte is written: [`Budget`] holds it within the memory
//! limit. The same rows give the same bytes: the properties tell a fixed time instead of now.

mod cells;
mod charts;
mod contents;
mod figures;
mod names;
mod sheet;
mod styles;
mod table;

use std::io::Write;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use chrono::NaiveDate;
use rust_xlsxwriter::{DocProperties, Workbook, Worksheet, XlsxError};

use self::figures::FigureSheet;
use self::styles::Styles;
use self::table::Table;
use super::page::grouped;
use super::{Format, PageFacts, RenderError, RenderOptions, RowWriter, whole};
use crate::report::Report;

/// The name of the first sheet.
const CONTENTS: &str = "Contents";

/// What a cell takes in memory until the workbook is written, its text aside: 226 bytes were measured on 2026-11-25 with
/// 900,000 numbers (peak of the process, the archive's own bytes included).
const CELL_BYTES: usize = 240;

/// Writes a workbook of reports.
pub(super) fn write(
    reports: &[Report],
    options: &RenderOptions,
    out: &mut dyn Write,
) -> Result<(), RenderError> {
    let mut budget = Budget::new(options.memory_limit_bytes);
    let styles = Styles::new();
    let mut figures = FigureSheet::new();
    let names = names::of_sheets(reports.iter().map(|report| report.name.as_str()));
    let mut sheets = Vec::with_capacity(reports.len());
    for (report, name) in reports.iter().zip(&names) {
        sheets.push(sheet::of_report(&*whole(report)?, name, &styles, (&mut figures, &mut budget))?);
    }
    let mut workbook = workbook(&options.facts);
    if !matches!(reports, [Report { title: None, .. }]) {
        let listed: Vec<_> = reports.iter().zip(names.iter().map(String::as_str)).collect();
        workbook.push_worksheet(contents::sheet(&listed, &options.facts, &styles).map_err(failed)?);
    }
    for sheet in sheets {
        workbook.push_worksheet(sheet);
    }
    if let Some(hidden) = figures.into_sheet().map_err(failed)? {
        workbook.push_worksheet(hidden);
    }
    save(workbook, out)
}

fn workbook(facts: &PageFacts) -> Workbook {
    // A file's properties would tell the time of writing. This is the day that a ZIP archive's entries have without a date.
    let epoch = NaiveDate::from_ymd_opt(1980, 1, 1).unwrap_or_default();
    let properties = DocProperties::new()
        .set_title(contents::title(facts))
        .set_comment("Written by pinlake")
        .set_creation_datetime(&epoch);
    let mut workbook = Workbook::new();
    workbook.set_properties(&properties);
    workbook
}

/// Into memory first, so that an error of writing is the output's own and not one of the archive.
fn save(mut workbook: Workbook, out: &mut dyn Write) -> Result<(), RenderError> {
    let bytes = workbook.save_to_buffer().map_err(failed)?;
    out.write_all(&bytes).map_err(RenderError::write)
}

fn failed(error: XlsxError) -> RenderError {
    match error {
        XlsxError::IoError(source) | XlsxError::TempFileError(_, source) => RenderError::write(source),
        other => RenderError::Value { format: Format::Xlsx, message: other.to_string() },
    }
}

/// How much memory the cells may still take.
struct Budget {
    limit_bytes: Option<usize>,
    used_bytes: usize,
}

impl Budget {
    fn new(limit_bytes: Option<usize>) -> Self {
        Self { limit_bytes, used_bytes: 0 }
    }

    /// Takes the cells of a batch, before they are made.
    fn take(&mut self, batch: &RecordBatch) -> Result<(), RenderError> {
        let cells = batch.num_rows() * batch.num_columns();
        self.used_bytes += cells * CELL_BYTES + batch.get_array_memory_size();
        match self.limit_bytes {
            Some(limit_bytes) if self.used_bytes > limit_bytes => {
                Err(RenderError::TooLarge { format: Format::Xlsx, limit_bytes })
            }
            _ => Ok(()),
        }
    }
}

/// The rows of a query on one sheet, header in the first row. Rows are taken as they come and kept until the last.
pub(super) struct QuerySheet<'a> {
    out: &'a mut (dyn Write + Send),
    sheet: Worksheet,
    table: Table,
    styles: Styles,
    budget: Budget,
    facts: PageFacts,
}

impl<'a> QuerySheet<'a> {
    pub(super) fn begin(
        schema: &SchemaRef,
        options: &RenderOptions,
        out: &'a mut (dyn Write + Send),
    ) -> Result<Self, RenderError> {
        let styles = Styles::new();
        let mut sheet = Worksheet::new();
        sheet.set_name("query").map_err(failed)?;
        let table = Table::begin(&mut sheet, schema, 0, &styles).map_err(failed)?;
        let budget = Budget::new(options.memory_limit_bytes);
        Ok(Self { out, sheet, table, styles, budget, facts: options.facts.clone() })
    }
}

impl RowWriter for QuerySheet<'_> {
    fn write(&mut self, batch: &RecordBatch) -> Result<(), RenderError> {
        if self.table.has_room() {
            self.budget.take(batch)?;
        }
        self.table.write(&mut self.sheet, batch, &self.styles)
    }

    fn finish(mut self: Box<Self>) -> Result<(), RenderError> {
        self.table.end(&mut self.sheet, &self.styles).map_err(failed)?;
        let mut workbook = workbook(&self.facts);
        workbook.push_worksheet(self.sheet);
        // The rows fill the sheet to its last one then, so the sentence needs another.
        if let Some(note) = self.table.cut_note() {
            let mut sheet = Worksheet::new();
            sheet
                .set_name("Rows left out")
                .and_then(|sheet| sheet.write_string(0, 0, note))
                .map_err(failed)?;
            workbook.push_worksheet(sheet);
        }
        save(workbook, self.out)
    }
}

/// A count for eyes.
fn count(number: usize) -> String {
    grouped(&number.to_string())
}

#[cfg(test)]
mod tests;
