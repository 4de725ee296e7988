//! The sheet of one report: what it tells, what its checks say, its rows, its chart.

use rust_xlsxwriter::{Format, Url, Worksheet, XlsxError};

use super::super::RenderError;
use super::super::page::printable;
use super::cells::{fitting, text_width};
use super::figures::{FigureSheet, Figures};
use super::styles::Styles;
use super::table::{Table, column};
use super::{Budget, CONTENTS, charts, count, failed};
use crate::checks::{Level, Verdict};
use crate::report::Report;

/// How wide a paragraph runs, in digits, and how high a line is, in points.
const PARAGRAPH: usize = 90;
const LINE_POINTS: f64 = 15.0;
pub(super) const TITLE_POINTS: f64 = 21.0;

/// A line above the table.
enum Line<'a> {
    Back,
    Title(&'a str),
    About(&'a str),
    Parameters(String),
    Check(&'a Verdict),
}

/// Makes the sheet of a report.
pub(super) fn of_report(
    report: &Report,
    name: &str,
    styles: &Styles,
    (figures, budget): (&mut FigureSheet, &mut Budget),
) -> Result<Worksheet, RenderError> {
    let mut sheet = Worksheet::new();
    sheet.set_name(name).map_err(failed)?;
    let lines = preface(report);
    // A row between is left free, or says that the table is cut.
    let header_row = if lines.is_empty() { 0 } else { u32::try_from(lines.len()).unwrap_or(0) + 1 };
    let mut table = Table::begin(&mut sheet, &report.result.schema, header_row, styles).map_err(failed)?;
    for batch in &report.result.batches {
        budget.take(batch)?;
        table.write(&mut sheet, batch, styles)?;
    }
    let drawn = report.chart.as_ref().and_then(|chart| Some((chart, Figures::of(report, chart)?)));
    let mut finish = |sheet: &mut Worksheet| -> Result<(), XlsxError> {
        table.end(sheet, styles)?;
        for (row, line) in (0..).zip(&lines) {
            write_line(sheet, row, line, (&table, styles))?;
        }
        if let (Some(note), Some(row)) = (table.cut_note(), header_row.checked_sub(1)) {
            sheet.write_string_with_format(row, 0, note, &styles.warned)?;
        }
        if let Some((chart, drawn)) = &drawn {
            let beside = (header_row, column(report.result.schema.fields().len() + 1)?);
            charts::draw(sheet, beside, (chart, drawn), figures, styles)?;
        }
        sheet.set_landscape().set_paper_size(9).set_print_fit_to_pages(1, 0);
        sheet.set_repeat_rows(header_row, header_row)?;
        Ok(())
    };
    finish(&mut sheet).map_err(failed)?;
    Ok(sheet)
}

/// A bare query has no lines.
fn preface(report: &Report) -> Vec<Line<'_>> {
    let Some(title) = &report.title else { return Vec::new() };
    let mut lines = vec![Line::Back, Line::Title(title)];
    if !report.about.is_empty() {
        lines.push(Line::About(&report.about));
    }
    if !report.parameters.is_empty() {
        let used = report
            .parameters
            .iter()
            .map(|used| format!("{} = {}", used.name, printable(used.value.as_deref().unwrap_or("(none)"))));
        lines.push(Line::Parameters(used.collect::<Vec<_>>().join(", ")));
    }
    lines.extend(report.checks.iter().map(Line::Check));
    lines
}

fn write_line(
    sheet: &mut Worksheet,
    row: u32,
    line: &Line,
    (table, styles): (&Table, &Styles),
) -> Result<(), XlsxError> {
    match line {
        Line::Back => {
            let contents = Url::new(format!("internal:'{CONTENTS}'!A1")).set_text("← Contents");
            sheet.write_url_with_format(row, 0, contents, &styles.link)?;
        }
        Line::Title(title) => {
            sheet.set_row_height(row, TITLE_POINTS)?;
            sheet.write_string_with_format(row, 0, &*fitting(title), &styles.title)?;
        }
        Line::About(about) => write_paragraph(sheet, row, about, (table, &styles.about))?,
        Line::Parameters(used) => {
            sheet.write_string_with_format(row, 0, &*fitting(used), &styles.dim)?;
        }
        Line::Check(verdict) => {
            let (text, style) = told(verdict, styles);
            sheet.write_string_with_format(row, 0, &*fitting(&text), style)?;
        }
    }
    Ok(())
}

/// A text that runs over as many columns as it takes to be read well.
fn write_paragraph(
    sheet: &mut Worksheet,
    row: u32,
    text: &str,
    (table, style): (&Table, &Format),
) -> Result<(), XlsxError> {
    let mut last = 0;
    let mut width = table.width(0);
    while width < PARAGRAPH && last < 15 {
        last += 1;
        width += table.width(last) + 2;
    }
    // Letters are narrower than digits, and words leave ends of lines free.
    let lines = (text_width(text) * 19).div_ceil(width * 20).max(1);
    sheet.set_row_height(row, LINE_POINTS * lines as f64 + 2.0)?;
    if last == 0 {
        sheet.write_string_with_format(row, 0, &*fitting(text), style)?;
    } else {
        sheet.merge_range(row, 0, row, column(last)?, &fitting(text), style)?;
    }
    Ok(())
}

/// A verdict in words, and how it looks.
pub(super) fn told<'a>(verdict: &Verdict, styles: &'a Styles) -> (String, &'a Format) {
    if verdict.held() {
        return (format!("✓ holds: {}", verdict.check.condition), &styles.held);
    }
    let rows = format!("({} of {} rows)", count(verdict.failed_rows), count(verdict.rows));
    match verdict.check.level {
        Level::Warn => (format!("! warning: {} {rows}", verdict.text()), &styles.warned),
        Level::Error => (format!("✗ error: {} {rows}", verdict.text()), &styles.failed),
    }
}
