//! A table of texts that fits a width: columns give way, numbers and words stay whole.

use std::io::{self, Write};

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::super::RenderOptions;
use super::super::page::{NONE, PageColumn, PageTable, printable};
use super::{PARAGRAPH, Paint, wrapped};

const WIDEST_BAR: usize = 20;
const NARROWEST_BAR: usize = 8;
const GAP: &str = "  ";
/// A column is not narrowed below this to fit; rather, columns at the right are left out.
const NARROWEST: usize = 6;
/// A word of a heading is cut beyond this to fit.
const WIDEST_WORD: usize = 12;

/// A table of texts.
pub(crate) struct Grid {
    columns: Vec<PageColumn>,
    rows: Vec<Vec<String>>,
    bars: Vec<f64>,
    headed: bool,
    /// Whether texts that are too long run over several lines rather than being cut.
    wraps: bool,
}

impl Grid {
    /// An empty table of text columns, whose texts are shown whole.
    pub(crate) fn texts(names: &[&str]) -> Self {
        let column = |name: &&str| PageColumn { name: (*name).to_owned(), right: false };
        let columns = names.iter().map(column).collect();
        Self { columns, rows: Vec::new(), bars: Vec::new(), headed: true, wraps: true }
    }

    /// Adds a row with a text for each column.
    pub(crate) fn push(&mut self, row: &[String]) {
        self.rows.push(row.iter().map(|cell| printable(cell)).collect());
    }

    pub(super) fn of(table: PageTable) -> Self {
        Self { columns: table.columns, rows: table.rows, bars: table.bars, headed: true, wraps: false }
    }

    /// One row as names and values below each other.
    pub(super) fn record(table: PageTable) -> Self {
        let values = table.rows.into_iter().flatten();
        let names = table.columns.into_iter().map(|column| column.name);
        let rows = names.zip(values).map(|(name, value)| vec![name, value]).collect();
        let column = |right| PageColumn { name: String::new(), right };
        let columns = vec![column(false), column(true)];
        Self { columns, rows, bars: Vec::new(), headed: false, wraps: false }
    }

    /// Writes the table within the width of the options.
    pub(crate) fn write(&self, options: &RenderOptions, out: &mut dyn Write) -> io::Result<()> {
        let paint = Paint(options.color);
        let (widths, bar_width) = self.layout(options.width);
        if self.headed {
            for names in self.headings(&widths) {
                let line = self.line(&names, &widths, Paint(false));
                writeln!(out, "{}", paint.bold(line.trim_end()))?;
            }
            let rules: Vec<String> = widths.iter().map(|width| "─".repeat(*width)).collect();
            writeln!(out, "{}", paint.dim(&rules.join(GAP)))?;
        }
        if self.wraps {
            for row in self.rows.iter().flat_map(|row| wrapped_row(row, &widths)) {
                writeln!(out, "{}", self.line(&row, &widths, paint).trim_end())?;
            }
            return Ok(());
        }
        for (place, row) in self.rows.iter().enumerate() {
            let line = self.line(row, &widths, paint);
            match self.bars.get(place).filter(|_| bar_width > 0) {
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
            let columns = if left_out.len() == 1 { "column" } else { "columns" };
            let note = format!("… {} more {columns}: {}", left_out.len(), left_out.join(", "));
            for line in wrapped(&printable(&note), options.width.unwrap_or(PARAGRAPH)) {
                writeln!(out, "{}", paint.dim(&line))?;
            }
        }
        Ok(())
    }

    /// The widths of the columns that are shown, and of the bars beside them. Bars go before a column does.
    fn layout(&self, width: Option<usize>) -> (Vec<usize>, usize) {
        let natural: Vec<usize> = (0..self.columns.len()).map(|column| self.natural_width(column)).collect();
        let least: Vec<usize> = (0..self.columns.len()).map(|column| self.least_width(column)).collect();
        let bar_width = self.bar_width(&natural, width);
        let beside = if bar_width > 0 { bar_width + GAP.len() } else { 0 };
        let widths = fitted(&natural, &least, width.map(|width| width.saturating_sub(beside)));
        if bar_width > 0 && widths.len() < natural.len() {
            let without_bars = fitted(&natural, &least, width);
            if without_bars.len() > widths.len() {
                return (without_bars, 0);
            }
        }
        (widths, bar_width)
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
        self.cell_width(column).max(head)
    }

    fn cell_width(&self, column: usize) -> usize {
        let cells = self.rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.width());
        cells.max().unwrap_or(0)
    }

    /// Text may be cut; half a number would be another number, and a heading is cut between its words.
    fn least_width(&self, column: usize) -> usize {
        let words = words(&self.columns[column].name).map(UnicodeWidthStr::width);
        let word = if self.headed { words.max().unwrap_or(0).min(WIDEST_WORD) } else { 0 };
        let number = if self.columns[column].right { self.cell_width(column) } else { 0 };
        number.max(word).max(NARROWEST)
    }

    /// The headings in lines, those of fewer lines at the bottom.
    fn headings(&self, widths: &[usize]) -> Vec<Vec<String>> {
        let broken = |(column, width): (&PageColumn, &usize)| {
            let mut lines = vec![String::new()];
            for word in words(&printable(&column.name)) {
                let at = lines.len() - 1;
                if !lines[at].is_empty() && lines[at].width() + word.width() > *width {
                    lines.push(word.to_owned());
                } else {
                    lines[at].push_str(word);
                }
            }
            lines
        };
        let broken: Vec<Vec<String>> = self.columns.iter().zip(widths).map(broken).collect();
        let height = broken.iter().map(Vec::len).max().unwrap_or(0);
        let at = |lines: &Vec<String>, line: usize| {
            (line + lines.len()).checked_sub(height).map(|line| lines[line].clone()).unwrap_or_default()
        };
        (0..height).map(|line| broken.iter().map(|lines| at(lines, line)).collect()).collect()
    }

    fn line(&self, cells: &[String], widths: &[usize], paint: Paint) -> String {
        let mut line = String::new();
        for (place, ((cell, width), column)) in cells.iter().zip(widths).zip(&self.columns).enumerate() {
            if place > 0 {
                line.push_str(GAP);
            }
            let shown = cut(cell, *width);
            let padding = " ".repeat(width - shown.width());
            let shown = if shown == NONE { paint.dim(&shown) } else { shown };
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

/// The widths of the columns that are shown: the widest give way first, none beyond its least; where that is not enough, the
/// last are left out.
fn fitted(natural: &[usize], least: &[usize], available: Option<usize>) -> Vec<usize> {
    let mut widths = natural.to_vec();
    let Some(available) = available else { return widths };
    let needed = |widths: &[usize]| widths.iter().sum::<usize>() + GAP.len() * widths.len().saturating_sub(1);
    while needed(&widths) > available {
        let widest = widths.iter_mut().zip(least).filter(|(width, least)| **width > **least).max();
        if let Some((widest, _)) = widest {
            *widest -= 1;
        } else if widths.len() > 1 {
            // What was narrowed for the column that goes may be wide again.
            widths = natural[..widths.len() - 1].to_vec();
        } else {
            widths = vec![available.max(1)];
            break;
        }
    }
    widths
}

/// The words of a column's name, each with the `_` behind it.
fn words(name: &str) -> impl Iterator<Item = &str> {
    name.split_inclusive('_')
}

/// A row whose texts run over as many lines as the longest needs.
fn wrapped_row(row: &[String], widths: &[usize]) -> Vec<Vec<String>> {
    let broken: Vec<Vec<String>> =
        row.iter().zip(widths).map(|(text, width)| wrapped(text, *width)).collect();
    let height = broken.iter().map(Vec::len).max().unwrap_or(0).max(1);
    let at = |lines: &Vec<String>, line: usize| lines.get(line).cloned().unwrap_or_default();
    (0..height).map(|line| broken.iter().map(|lines| at(lines, line)).collect()).collect()
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

/// A bar in eighths of a character. What is more than nothing shows at least an eighth.
fn bar(length: f64, width: usize) -> String {
    const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    let wanted = (length.clamp(0.0, 1.0) * (width * 8) as f64).round();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 160")]
    let eighths = (wanted as usize).max(usize::from(length > 0.0));
    format!("{}{}", "█".repeat(eighths / 8), EIGHTHS[eighths % 8])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wide_columns_give_way_and_the_last_are_left_out() {
        let least = [NARROWEST; 3];
        assert_eq!(fitted(&[4, 30, 10], &least, None), [4, 30, 10]);
        assert_eq!(fitted(&[4, 30, 10], &least, Some(28)), [4, 10, 10]);
        assert_eq!(fitted(&[10, 10, 10], &least, Some(16)), [7, 7]);
        assert_eq!(fitted(&[80], &least, Some(20)), [20]);
        // A number is not cut: text gives way, or the column goes whole.
        assert_eq!(fitted(&[20, 12], &[NARROWEST, 12], Some(24)), [10, 12]);
        assert_eq!(fitted(&[20, 19, 19], &[NARROWEST, 19, 19], Some(40)), [19, 19]);
        assert_eq!(fitted(&[19], &[19], Some(10)), [10]);
    }

    #[test]
    fn bars_go_before_a_column_does() {
        let column = |name: &str, right| PageColumn { name: name.to_owned(), right };
        let grid = Grid {
            columns: vec![column("channel", false), column("endpoints", true), column("share", true)],
            rows: vec![vec!["EMAIL".into(), "1,234,567".into(), "40.0%".into()]],
            bars: vec![1.0],
            headed: true,
            wraps: false,
        };
        assert_eq!(grid.layout(Some(60)), (vec![7, 9, 5], 20));
        assert_eq!(grid.layout(Some(30)), (vec![7, 9, 5], 0));
    }

    #[test]
    fn headings_break_between_words_and_listings_wrap() {
        let options = RenderOptions { width: Some(34), ..RenderOptions::default() };
        let column = |name: &str, right| PageColumn { name: name.to_owned(), right };
        let grid = Grid {
            columns: vec![column("name", false), column("distinct_values", true), column("max_length", true)],
            rows: vec![vec!["interests".into(), "1,234".into(), "11".into()]],
            bars: Vec::new(),
            headed: true,
            wraps: false,
        };
        let text = |grid: &Grid| {
            let mut out = Vec::new();
            grid.write(&options, &mut out).expect("writes");
            String::from_utf8(out).expect("is text")
        };
        let expected = "             distinct_
name            values  max_length
─────────  ───────────  ──────────
interests        1,234          11
";
        assert_eq!(text(&grid), expected);
        let mut listed = Grid::texts(&["parameter", "about"]);
        listed.push(&["since".into(), "Count only endpoints created on or after this day".into()]);
        let expected = "\
parameter  about
─────────  ───────────────────────
since      Count only endpoints
           created on or after
           this day
";
        assert_eq!(text(&listed), expected);
    }

    #[test]
    fn cuts_count_columns_of_the_terminal() {
        assert_eq!(cut("München", 7), "München");
        assert_eq!(cut("富山市役所", 6), "富山…");
        assert_eq!((bar(0.0, 20), bar(0.0001, 20), bar(0.5, 3)), (String::new(), "▏".into(), "█▌".into()));
        assert_eq!(bar(1.0, WIDEST_BAR).chars().count(), WIDEST_BAR);
    }
}
