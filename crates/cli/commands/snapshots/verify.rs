//! `pinlake snapshots verify`.

use std::io::{self, Write as _};
use std::path::Path;

use pinlake_lake::{Finding, Lake, Verification, VerifyOptions};
use serde_json::{Value, json};

use super::named;
use crate::commands::Context;
use crate::exit::CliError;
use crate::ui;

/// How closely to look, and how to tell of it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Manner {
    pub(super) deep: bool,
    pub(super) json: bool,
}

/// Tells what was found. Damage is an error that lists all of it; as JSON it is on stdout too.
pub(super) async fn run(context: &Context, id: Option<&str>, manner: Manner) -> anyhow::Result<()> {
    let lake = Lake::open(&context.settings.lake).await?;
    let id = match id {
        None => None,
        Some(id) => Some(named(&lake, id)?),
    };
    let options = VerifyOptions { deep: manner.deep, threads: context.settings.threads };
    let found = lake.verify(id.as_ref(), options).await?;
    let mut out = io::stdout().lock();
    if manner.json {
        writeln!(out, "{}", serde_json::to_string_pretty(&as_json(&found, lake.root()))?)?;
    }
    if !found.findings.is_empty() {
        out.flush()?;
        let told = found.findings.iter().map(|finding| told(finding, lake.root())).collect();
        return Err(CliError::Damaged(told).into());
    }
    if !manner.json {
        writeln!(out, "{}", summary(&found))?;
        for note in &found.notes {
            writeln!(out, "  note: {}", told(note, lake.root()))?;
        }
    }
    Ok(out.flush()?)
}

fn summary(found: &Verification) -> String {
    let how = if found.deep {
        "every byte and value was read"
    } else {
        "--deep reads every byte and value of them too"
    };
    format!(
        "sound: {} snapshots, {} data files, {} rows, {}; {how}",
        ui::count(found.snapshots),
        ui::count(found.files),
        ui::count(found.rows),
        ui::bytes(found.bytes)
    )
}

fn told(finding: &Finding, lake: &Path) -> String {
    format!("{} {}", place(finding, lake), finding.problem)
}

/// The file or folder, relative to the lake.
fn place(finding: &Finding, lake: &Path) -> String {
    finding.path.strip_prefix(lake).unwrap_or(&finding.path).display().to_string()
}

fn as_json(found: &Verification, lake: &Path) -> Value {
    let list = |findings: &[Finding]| -> Vec<Value> {
        let one = |finding: &Finding| {
            json!({
                "snapshot": finding.snapshot.as_ref().map(ToString::to_string),
                "path": place(finding, lake),
                "problem": finding.problem,
            })
        };
        findings.iter().map(one).collect()
    };
    json!({
        "sound": found.findings.is_empty(),
        "deep": found.deep,
        "snapshots": found.snapshots,
        "files": found.files,
        "rows": found.rows,
        "bytes": found.bytes,
        "findings": list(&found.findings),
        "notes": list(&found.notes),
    })
}
