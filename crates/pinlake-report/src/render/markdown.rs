//! Markdown: a heading, what the report tells, a table as GitHub renders it, the checks.

use std::io::{self, Write};

use super::RenderOptions;
use super::page::{PageTable, grouped, printable};
use crate::checks::Level;
use crate::report::Report;

/// Writes a report as a section.
pub(super) fn write(report: &Report, options: &RenderOptions, out: &mut dyn Write) -> io::Result<()> {
    if let Some(title) = &report.title {
        writeln!(out, "## {}\n", escaped(title))?;
        if !report.about.is_empty() {
            writeln!(out, "{}\n", escaped(&report.about))?;
        }
        for used in &report.parameters {
            let value = used.value.as_deref().unwrap_or("(none)");
            writeln!(out, "- {}: {}", escaped(&used.name), escaped(&printable(value)))?;
        }
        if !report.parameters.is_empty() {
            writeln!(out)?;
        }
    }
    let table = PageTable::of(report, options.page_rows);
    let names: Vec<String> = table.columns.iter().map(|column| escaped(&printable(&column.name))).collect();
    writeln!(out, "| {} |", names.join(" | "))?;
    let rules = table.columns.iter().map(|column| if column.right { "---:" } else { "---" });
    writeln!(out, "| {} |", rules.collect::<Vec<_>>().join(" | "))?;
    for row in &table.rows {
        let cells: Vec<String> = row.iter().map(|cell| escaped(cell)).collect();
        writeln!(out, "| {} |", cells.join(" | "))?;
    }
    if table.hidden_rows() > 0 {
        let shown = grouped(&table.rows.len().to_string());
        let total = grouped(&table.total_rows.to_string());
        writeln!(out, "\nThe first {shown} of {total} rows.")?;
    }
    if !report.checks.is_empty() {
        writeln!(out)?;
    }
    for verdict in &report.checks {
        let level = match verdict.check.level {
            Level::Warn => "Warning",
            Level::Error => "Error",
        };
        if verdict.held() {
            writeln!(out, "- Holds: {}", escaped(&verdict.check.condition))?;
        } else {
            let (failed, rows) = (verdict.failed_rows.to_string(), verdict.rows.to_string());
            let text = escaped(verdict.text());
            writeln!(out, "- **{level}**: {text} ({} of {} rows)", grouped(&failed), grouped(&rows))?;
        }
    }
    Ok(())
}

/// Text that is shown as it is: nothing in it makes a cell, markup, a link or a tag.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\\' | '|' | '`' | '*' | '[' | ']' => {
                safe.push('\\');
                safe.push(character);
            }
            '<' => safe.push_str("&lt;"),
            '&' => safe.push_str("&amp;"),
            other => safe.push(other),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_stay_cells() {
        assert_eq!(escaped("a|b *c* <img>"), "a\\|b \\*c\\* &lt;img>");
        assert_eq!(escaped("APNS_VOIP_SANDBOX"), "APNS_VOIP_SANDBOX");
    }
}
