//! Tables for a terminal: aligned, fitted to the width, with bars where a chart is defined.
//!
//! A [`Grid`] is the plain table below it, which listings use too.

use std::io::{self, Write};

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::RenderOptions;
use super::page::{PageColumn, PageTable, grouped, printable};
use crate::checks::{Level, Verdict};
use crate::report::Report;

const WIDEST_BAR: usize = 20;
const NARROWEST_BAR: usize = 8;
const GAP: &str = "  ";
/// A column is not narrowed below this to fit; rather, columns at the right are left out.
const NARROWEST: usize = 6;

/// Writes reports one below the other.
pub(super) fn write(reports: &[Report], options: &RenderOptions, out: &mut dyn Write) -> io::Result<()> {
    for (place, report) in reports.iter().enumerate() {
        if place > 0 {
            writeln!(out)?;
        }
        write_report(report, options, out)?;
    }
    Ok(())
}

fn write_report(report: &Report, options: &RenderOptions, out: &mut dyn Write) -> io::Result<()> {
    let paint = Paint(options.color);
    if let Some(title) = &report.title {
        writeln!(out, "{}", paint.bold(title))?;
        let width = options.width.unwrap_or(110);
        for line in wrapped(&report.about, width) {
            writeln!(out, "{}", paint.dim(&line))?;
        }
        let given: Vec<String> = report
            .parameters
            .iter()
            .filter_map(|used| Some(format!("{} = {}", used.name, printable(used.value.as_ref()?))))
            .collect();
        if !given.is_empty() {
            writeln!(out, "{}", paint.dim(&given.join(", ")))?;
        }
        writeln!(out)?;
    }
    let table = PageTable::of(report, options.max_rows);
    let hidden = table.hidden_rows();
    if table.total_rows == 0 {
        writeln!(out, "{}", paint.dim("no rows"))?;
    } else if table.is_record() && report.title.is_some() {
        Grid::record(table).write(options, out)?;
    } else {
        Grid::of(table).write(options, out)?;
    }
    if hidden > 0 {
        let rows = if hidden == 1 { "row" } else { "rows" };
        writeln!(out, "{}", paint.dim(&format!("… {} more {rows}", grouped(&hidden.to_string()))))?;
    }
    for verdict in &report.checks {
        write_verdict(verdict, paint, out)?;
    }
    Ok(())
}

fn write_verdict(verdict: &Verdict, paint: Paint, out: &mut dyn Write) -> io::Result<()> {
    if verdict.held() {
        return writeln!(out, "{} {}", paint.green("✓"), paint.dim(&verdict.check.condition));
    }
    let rows = format!(
        "({} of {} rows)",
        grouped(&verdict.failed_rows.to_string()),
        grouped(&verdict.rows.to_string())
    );
    let (mark, word) = match verdict.check.level {
        Level::Warn => (paint.yellow("!"), "warning"),
        Level::Error => (paint.red("✗"), "error"),
    };
    writeln!(out, "{mark} {word}: {} {}", verdict.text(), paint.dim(&rows))
}

/// A table of texts.
pub(crate) struct Grid {
    columns: Vec<PageColumn>,
    rows: Vec<Vec<String>>,
    bars: Vec<f64>,
    headed: bool,
}

impl Grid {
    /// An empty table of text columns.
    pub(crate) fn texts(names: &[&str]) -> Self {
        let column = |name: &&str| PageColumn { name: (*name).to_owned(), right: false };
        Self { columns: names.iter().map(column).collect(), rows: Vec::new(), bars: Vec::new(), headed: true }
    }

    /// Adds a row with a text for each column.
    pub(crate) fn push(&mut self, row: &[String]) {
        self.rows.push(row.iter().map(|cell| printable(cell)).collect());
    }

    fn of(table: PageTable) -> Self {
        Self { columns: table.columns, rows: table.rows, bars: table.bars, headed: true }
    }

    /// One row as names and values below each other.
    fn record(table: PageTable) -> Self {
        let values = table.rows.into_iter().flatten();
        let names = table.columns.into_iter().map(|column| column.name);
        let rows = names.zip(values).map(|(name, value)| vec![name, value]).collect();
        let column = |right| PageColumn { name: String::new(), right };
        Self { columns: vec![column(false), column(true)], rows, bars: Vec::new(), headed: false }
    }

    /// Writes the table within the width of the options.
    pub(crate) fn write(&self, options: &RenderOptions, out: &mut dyn Write) -> io::Result<()> {
        let paint = Paint(options.color);
        let natural: Vec<usize> = (0..self.columns.len()).map(|column| self.natural_width(column)).collect();
        let bar_width = self.bar_width(&natural, options.width);
        let beside = if bar_width > 0 { bar_width + GAP.len() } else { 0 };
        let widths = fitted(&natural, options.width.map(|width| width.saturating_sub(beside)));
        if self.headed {
            let names: Vec<String> = self.columns.iter().map(|column| printable(&column.name)).collect();
            writeln!(out, "{}", paint.bold(self.line(&names, &widths).trim_end()))?;
            let rules: Vec<String> = widths.iter().map(|width| "─".repeat(*width)).collect();
            writeln!(out, "{}", paint.dim(&rules.join(GAP)))?;
        }
        for (place, row) in self.rows.iter().enumerate() {
            let line = self.line(row, &widths);
            match self.bars.get(place) {
                Some(length) => {
                    let drawn = format!("{line}{GAP}{}", paint.cyan(&bar(*length, bar_width)));
                    writeln!(out, "{}", drawn.trim_end())?;
                }
                None => writeln!(out, "{}", line.trim_end())?,
            }
        }
        if widths.len() < self.columns.len() {
            let left_out: Vec<&str> =
                self.columns[widths.len()..].iter().map(|column| column.name.as_str()).collect();
            let note = format!("… {} more columns: {}", left_out.len(), left_out.join(", "));
            for line in wrapped(&printable(&note), options.width.unwrap_or(110)) {
                writeln!(out, "{}", paint.dim(&line))?;
            }
        }
        Ok(())
    }

    /// Bars take what the columns leave, and are shorter before a column is cut.
    fn bar_width(&self, natural: &[usize], width: Option<usize>) -> usize {
        if self.bars.is_empty() {
            return 0;
        }
        let columns = natural.iter().sum::<usize>() + GAP.len() * natural.len();
        width.map_or(WIDEST_BAR, |width| width.saturating_sub(columns).clamp(NARROWEST_BAR, WIDEST_BAR))
    }

    fn natural_width(&self, column: usize) -> usize {
        let head = if self.headed { self.columns[column].name.width() } else { 0 };
        let cells = self.rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.width());
        cells.max().unwrap_or(0).max(head)
    }

    fn line(&self, cells: &[String], widths: &[usize]) -> String {
        let mut line = String::new();
        for (place, ((cell, width), column)) in cells.iter().zip(widths).zip(&self.columns).enumerate() {
            if place > 0 {
                line.push_str(GAP);
            }
            let shown = cut(cell, *width);
            let padding = " ".repeat(width - shown.width());
            if column.right {
                line.push_str(&padding);
                line.push_str(&shown);
            } else {
                line.push_str(&shown);
                line.push_str(&padding);
            }
        }
        line
    }
}

/// The widths of the columns that are shown: the widest give way first; where that is not enough, the last are left out.
fn fitted(natural: &[usize], available: Option<usize>) -> Vec<usize> {
    let mut widths = natural.to_vec();
    let Some(available) = available else { return widths };
    let needed = |widths: &[usize]| widths.iter().sum::<usize>() + GAP.len() * widths.len().saturating_sub(1);
    while needed(&widths) > available {
        if let Some(widest) = widths.iter_mut().max()
            && *widest > NARROWEST
        {
            *widest -= 1;
        } else if widths.len() > 1 {
            // What was narrowed for the column that goes may be wide again.
            widths = natural[..widths.len() - 1].to_vec();
        } else {
            break;
        }
    }
    widths
}

/// A text cut to a width of the terminal, with `…` for what is gone.
fn cut(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut shown = String::new();
    let mut used = 0;
    for character in text.chars() {
        let wide = character.width().unwrap_or(0);
        if used + wide + 1 > width {
            break;
        }
        used += wide;
        shown.push(character);
    }
    shown.push('…');
    shown
}

fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.width() + 1 + word.width() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

/// A bar in eighths of a character. What is more than nothing shows at least an eighth.
fn bar(length: f64, width: usize) -> String {
    const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    let wanted = (length.clamp(0.0, 1.0) * (width * 8) as f64).round();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 160")]
    let eighths = (wanted as usize).max(usize::from(length > 0.0));
    format!("{}{}", "█".repeat(eighths / 8), EIGHTHS[eighths % 8])
}

/// Colours, or none.
#[derive(Clone, Copy)]
struct Paint(bool);

impl Paint {
    fn with(self, code: &str, text: &str) -> String {
        if self.0 && !text.is_empty() { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }

    fn bold(self, text: &str) -> String {
        self.with("1", text)
    }

    fn dim(self, text: &str) -> String {
        self.with("2", text)
    }

    fn cyan(self, text: &str) -> String {
        self.with("36", text)
    }

    fn green(self, text: &str) -> String {
        self.with("32", text)
    }

    fn yellow(self, text: &str) -> String {
        self.with("33", text)
    }

    fn red(self, text: &str) -> String {
        self.with("31", text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wide_columns_give_way_and_the_last_are_left_out() {
        assert_eq!(fitted(&[4, 30, 10], None), [4, 30, 10]);
        assert_eq!(fitted(&[4, 30, 10], Some(28)), [4, 10, 10]);
        assert_eq!(fitted(&[10, 10, 10], Some(16)), [7, 7]);
        assert_eq!(fitted(&[80], Some(20)), [20]);
    }

    #[test]
    fn cuts_count_columns_of_the_terminal() {
        assert_eq!(cut("München", 7), "München");
        assert_eq!(cut("富山市役所", 6), "富山…");
        assert_eq!((bar(0.0, 20), bar(0.0001, 20), bar(0.5, 3)), (String::new(), "▏".into(), "█▌".into()));
        assert_eq!(bar(1.0, WIDEST_BAR).chars().count(), WIDEST_BAR);
    }
}
