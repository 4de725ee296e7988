//! Reports for a terminal: titles, aligned tables fitted to the width with bars where a chart is defined, verdicts.
//!
//! A [`Grid`] is the plain table below it, which listings use too.

mod grid;

use std::io::{self, Write};

use unicode_width::UnicodeWidthStr;

pub(crate) use self::grid::Grid;
use super::RenderOptions;
use super::page::{PageTable, grouped, printable};
use crate::checks::{Level, Verdict};
use crate::report::Report;

/// Lines of text that are longer are hard to read.
const PARAGRAPH: usize = 110;

/// Writes a report.
pub(super) fn write(report: &Report, options: &RenderOptions, out: &mut dyn Write) -> io::Result<()> {
    let paint = Paint(options.color);
    if let Some(title) = &report.title {
        write_heading(title, &report.about, options, out)?;
        let given: Vec<String> = report
            .parameters
            .iter()
            .filter_map(|used| Some(format!("{} = {}", used.name, printable(used.value.as_ref()?))))
            .collect();
        for line in wrapped(&given.join(", "), options.width.unwrap_or(usize::MAX)) {
            writeln!(out, "{}", paint.dim(&line))?;
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
        write_verdict(verdict, options, out)?;
    }
    Ok(())
}

/// A title, and what it tells in lines that fit.
pub(crate) fn write_heading(
    title: &str,
    about: &str,
    options: &RenderOptions,
    out: &mut dyn Write,
) -> io::Result<()> {
    let paint = Paint(options.color);
    writeln!(out, "{}", paint.bold(&printable(title)))?;
    for line in wrapped(&printable(about), options.width.unwrap_or(PARAGRAPH).min(PARAGRAPH)) {
        writeln!(out, "{}", paint.dim(&line))?;
    }
    Ok(())
}

/// A mark, and what it stands for in lines that fit.
fn write_verdict(verdict: &Verdict, options: &RenderOptions, out: &mut dyn Write) -> io::Result<()> {
    let paint = Paint(options.color);
    let (mark, text) = if verdict.held() {
        (paint.green("✓"), verdict.check.condition.clone())
    } else {
        let count = |rows: usize| grouped(&rows.to_string());
        let (mark, word) = match verdict.check.level {
            Level::Warn => (paint.yellow("!"), "warning"),
            Level::Error => (paint.red("✗"), "error"),
        };
        let rows = format!("({} of {} rows)", count(verdict.failed_rows), count(verdict.rows));
        (mark, format!("{word}: {} {rows}", verdict.text()))
    };
    let width = options.width.map_or(usize::MAX, |width| width.saturating_sub(2));
    for (place, line) in wrapped(&printable(&text), width).iter().enumerate() {
        let line = if verdict.held() { paint.dim(line) } else { line.clone() };
        writeln!(out, "{} {line}", if place == 0 { &mark } else { " " })?;
    }
    Ok(())
}

/// A text in lines of at most a width, broken between words.
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
