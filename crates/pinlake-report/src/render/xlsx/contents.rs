//! The first sheet: what the workbook stands on, whether the counts add up, and a linked list of reports with their verdicts.

use rust_xlsxwriter::{Format, Url, Worksheet, XlsxError};

use super::super::PageFacts;
use super::super::page::printable;
use super::cells::{fitting, text_width};
use super::sheet::{TITLE_POINTS, told};
use super::styles::Styles;
use super::{CONTENTS, count};
use crate::checks::Level;
use crate::report::Report;

/// Bounds of a column's width, in digits.
const NARROWEST: usize = 8;
const WIDEST: usize = 70;

/// The workbook's heading.
pub(super) fn title(facts: &PageFacts) -> String {
    if facts.title.is_empty() { "Audience report".to_owned() } else { printable(&facts.title) }
}

/// A sheet that is written row by row and knows how wide its columns must be.
struct Rows<'a> {
    sheet: Worksheet,
    row: u32,
    widths: [usize; 4],
    styles: &'a Styles,
}

/// Makes the sheet from the reports with the names of their sheets.
pub(super) fn sheet(
    reports: &[(&Report, &str)],
    facts: &PageFacts,
    styles: &Styles,
) -> Result<Worksheet, XlsxError> {
    let mut rows = Rows { sheet: Worksheet::new(), row: 0, widths: [NARROWEST; 4], styles };
    rows.sheet.set_name(CONTENTS)?;
    rows.sheet.set_row_height(0, TITLE_POINTS)?;
    rows.sheet.write_string_with_format(0, 0, &*fitting(&title(facts)), &styles.title)?;
    rows.row = 2;
    for (name, value) in &facts.lines {
        rows.text(0, &printable(name), &styles.bold)?;
        // Left out of the widths: a long source runs over the empty cells beside it.
        let value = printable(value);
        rows.sheet.write_string(rows.row, 1, &*fitting(&value))?;
        rows.row += 1;
    }
    rows.text(0, "Times", &styles.bold)?;
    rows.sheet.write_string(rows.row, 1, "UTC")?;
    rows.row += 2;
    rows.reconciliation(facts)?;
    rows.reports(reports)?;
    rows.failed_checks(reports)?;
    for (column, width) in (0..).zip(rows.widths) {
        rows.sheet.set_column_width(column, width.min(WIDEST) as f64 + 2.0)?;
    }
    rows.sheet.set_landscape().set_paper_size(9).set_print_fit_to_pages(1, 0);
    Ok(rows.sheet)
}

impl Rows<'_> {
    fn text(&mut self, column: u16, text: &str, style: &Format) -> Result<(), XlsxError> {
        let width = &mut self.widths[usize::from(column)];
        *width = text_width(text).max(*width);
        self.sheet.write_string_with_format(self.row, column, &*fitting(text), style)?;
        Ok(())
    }

    fn header(&mut self, names: [&str; 4]) -> Result<(), XlsxError> {
        let styles = self.styles;
        for (column, name) in (0..).zip(names) {
            let style = if column == 2 || name == "Expected" { &styles.header_right } else { &styles.header };
            self.text(column, name, style)?;
        }
        self.row += 1;
        Ok(())
    }

    fn reconciliation(&mut self, facts: &PageFacts) -> Result<(), XlsxError> {
        let styles = self.styles;
        if facts.reconciliation.is_empty() {
            return Ok(());
        }
        self.header(["Counts", "Expected", "Actual", "Verdict"])?;
        for check in &facts.reconciliation {
            self.text(0, &printable(&check.check), &styles.dim)?;
            self.text(1, &printable(&check.expected), &styles.digits)?;
            self.text(2, &printable(&check.actual), &styles.digits)?;
            let (word, style) =
                if check.ok { ("✓ holds", &styles.held) } else { ("✗ fails", &styles.failed) };
            self.text(3, word, style)?;
            self.row += 1;
        }
        self.row += 1;
        Ok(())
    }

    fn reports(&mut self, reports: &[(&Report, &str)]) -> Result<(), XlsxError> {
        let styles = self.styles;
        self.header(["Report", "Title", "Rows", "Checks"])?;
        for (report, sheet) in reports {
            let link = Url::new(format!("internal:{}!A1", quoted(sheet))).set_text(*sheet);
            self.widths[0] = self.widths[0].max(text_width(sheet));
            self.sheet.write_url_with_format(self.row, 0, link, &styles.link)?;
            let title = report.title.as_deref().unwrap_or(&report.name);
            self.widths[1] = self.widths[1].max(text_width(title));
            self.sheet.write_string(self.row, 1, &*fitting(title))?;
            let rows = report.result.rows();
            self.sheet.write_number_with_format(self.row, 2, rows as f64, &styles.integer)?;
            self.widths[2] = self.widths[2].max(count(rows).len());
            let (summary, style) = summary(report, styles);
            self.text(3, &summary, style)?;
            self.row += 1;
        }
        Ok(())
    }

    /// What did not hold, in one place: the first thing that a gate's reader looks for.
    fn failed_checks(&mut self, reports: &[(&Report, &str)]) -> Result<(), XlsxError> {
        let styles = self.styles;
        let mut is_first = true;
        for (report, sheet) in reports {
            for verdict in report.checks.iter().filter(|verdict| !verdict.held()) {
                if std::mem::take(&mut is_first) {
                    self.row += 1;
                    self.text(0, "Failed checks", &styles.header)?;
                    self.text(1, "", &styles.header)?;
                    self.row += 1;
                }
                let link = Url::new(format!("internal:{}!A1", quoted(sheet))).set_text(*sheet);
                self.sheet.write_url_with_format(self.row, 0, link, &styles.link)?;
                let (text, style) = told(verdict, styles);
                self.sheet.write_string_with_format(self.row, 1, &*fitting(&text), style)?;
                self.row += 1;
            }
        }
        Ok(())
    }
}

fn summary<'a>(report: &Report, styles: &'a Styles) -> (String, &'a Format) {
    let all = report.checks.len();
    let failed = |level| report.failed(level).count();
    match (failed(Level::Error), failed(Level::Warn)) {
        (0, 0) if all == 0 => ("none".to_owned(), &styles.dim),
        (0, 0) => (format!("✓ {all} of {all} hold"), &styles.held),
        (0, warnings) => (format!("! {warnings} of {all} failed"), &styles.warned),
        (errors, warnings) => (format!("✗ {} of {all} failed", errors + warnings), &styles.failed),
    }
}

/// A sheet's name as a link has it. Quotes are never wrong there.
fn quoted(sheet: &str) -> String {
    format!("'{}'", sheet.replace('\'', "''"))
}
