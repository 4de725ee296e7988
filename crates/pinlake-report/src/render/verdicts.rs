//! What the checks of reports say, as JSON: for formats that hold rows alone, and for gates that read verdicts.

use std::io::Write;

use serde::Serialize;

use super::RenderError;
use crate::checks::Level;
use crate::report::Report;

#[derive(Serialize)]
struct Told<'a> {
    report: &'a str,
    check: &'a str,
    level: Level,
    message: &'a str,
    held: bool,
    failed_rows: usize,
    rows: usize,
}

/// Writes every check of every report as JSON, in their order:
/// `[{"report","check","level","message","held","failed_rows","rows"}]`.
pub fn render_checks(reports: &[Report], out: &mut (dyn Write + Send)) -> Result<(), RenderError> {
    let verdicts =
        reports.iter().flat_map(|report| report.checks.iter().map(move |verdict| (report, verdict)));
    let told: Vec<Told> = verdicts
        .map(|(report, verdict)| Told {
            report: &report.name,
            check: &verdict.check.condition,
            level: verdict.check.level,
            message: &verdict.check.message,
            held: verdict.held(),
            failed_rows: verdict.failed_rows,
            rows: verdict.rows,
        })
        .collect();
    let text = serde_json::to_string_pretty(&told).map_err(|error| RenderError::write(error.into()))?;
    writeln!(out, "{text}").map_err(RenderError::write)
}
