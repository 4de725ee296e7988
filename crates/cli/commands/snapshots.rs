//! `pinlake snapshots`.

mod removal;
mod verify;

use std::io::{self, Write};

use pinlake_lake::{Lake, RunManifest, SnapshotId};
use pinlake_report::{Bindings, Report};

use super::Context;
use super::analysis::OpenLake;
use super::output::Output;
use crate::args::{OutputArgs, SnapshotsCommand, chosen};
use crate::exit::CliError;
use crate::ui;

/// Lists the snapshots, or shows one.
pub(crate) async fn run(context: &Context, command: SnapshotsCommand) -> anyhow::Result<()> {
    match command {
        SnapshotsCommand::List { format } => {
            let lake = OpenLake::open_log(&context.settings.lake, &context.settings).await?;
            let query = "SELECT * FROM snapshots ORDER BY committed_at, snapshot";
            let result = lake.session.query(query, &Bindings::none()).await?;
            let args = OutputArgs { formats: vec![format], ..OutputArgs::default() };
            Output::new(&args, lake.facts())?.write(&[Report::untitled("snapshots", result)])?;
            Ok(())
        }
        SnapshotsCommand::Show { id, json } => {
            let lake = Lake::open(&context.settings.lake).await?;
            let manifest = lake.manifest(&named(&lake, &id)?)?;
            let mut out = io::stdout().lock();
            if json {
                writeln!(out, "{}", serde_json::to_string_pretty(&manifest)?)?;
            } else {
                show(&manifest, &mut out)?;
            }
            Ok(out.flush()?)
        }
        SnapshotsCommand::Verify { id, deep, json } => {
            verify::run(context, id.as_deref(), verify::Manner { deep, json }).await
        }
        SnapshotsCommand::Drop { id, vacuum } => removal::run(context, &id, vacuum).await,
    }
}

/// The snapshot that somebody named, the latest as it is now.
fn named(lake: &Lake, id: &str) -> anyhow::Result<SnapshotId> {
    if let Some(id) = chosen(Some(id))? {
        return Ok(id);
    }
    let latest = lake.latest().map(|latest| latest.id.clone());
    let missing = || CliError::usage(format!("the lake {} has no snapshot yet", lake.root().display()));
    Ok(latest.ok_or_else(missing)?)
}

/// A manifest for people.
fn show(manifest: &RunManifest, out: &mut dyn Write) -> io::Result<()> {
    let totals = &manifest.totals;
    let stored: u64 = manifest.pieces.iter().map(|piece| piece.size).sum();
    let written: u64 = manifest.files.iter().map(|file| file.bytes).sum();
    writeln!(out, "snapshot   {}", manifest.snapshot)?;
    writeln!(out, "source     {}", ui::printable(&manifest.source))?;
    if let Some(id) = manifest.job.as_ref().and_then(|job| job.get("Id")).and_then(|id| id.as_str()) {
        writeln!(out, "job        {id}")?;
    }
    writeln!(out, "tool       {}", manifest.tool)?;
    if let Some(id) = &manifest.run_id {
        writeln!(out, "run id     {id}")?;
    }
    if !manifest.redaction.is_empty() {
        let redacted: Vec<String> =
            manifest.redaction.iter().map(|(column, mode)| format!("{column} ({mode})")).collect();
        writeln!(out, "redacted   {}", redacted.join(", "))?;
    }
    let (begun, ended) = (manifest.timings.started_at, manifest.timings.finished_at);
    writeln!(out, "run        {} to {}", begun.format("%FT%TZ"), ended.format("%FT%TZ"))?;
    writeln!(out, "pieces     {} ({})", ui::count(manifest.pieces.len() as u64), ui::bytes(stored))?;
    writeln!(out, "files      {} ({})", ui::count(manifest.files.len() as u64), ui::bytes(written))?;
    writeln!(
        out,
        "lines      {}: {} rows, {} rejects, {} blank",
        ui::count(totals.lines),
        ui::count(totals.rows),
        ui::count(totals.rejects),
        ui::count(totals.blank)
    )?;
    writeln!(out, "repeated   {} rows whose id an earlier row has", ui::count(totals.duplicate_ids))?;
    writeln!(out, "\nreconciliation")?;
    for check in &manifest.reconciliation {
        let verdict = if check.ok { "holds" } else { "FAILS" };
        writeln!(
            out,
            "  {verdict}  {}: {} of {}",
            check.check,
            ui::count(check.actual),
            ui::count(check.expected)
        )?;
    }
    for (title, drift) in
        [("unknown members", &manifest.drift.members), ("odd values", &manifest.drift.values)]
    {
        if !drift.is_empty() {
            writeln!(out, "\n{title}")?;
        }
        for (member, record) in drift {
            let first = &record.first;
            writeln!(
                out,
                "  {}: {}, first in {} line {}",
                ui::printable(member),
                ui::count(record.count),
                ui::printable(&first.piece),
                first.line
            )?;
        }
    }
    if manifest.drift.unnamed > 0 {
        let unnamed = ui::count(manifest.drift.unnamed);
        writeln!(
            out,
            "\nfurther      {unnamed} values of other names, for only the first thousand names are kept"
        )?;
    }
    if !manifest.skipped.is_empty() {
        writeln!(out, "\nskipped")?;
        for skipped in &manifest.skipped {
            writeln!(out, "  {}: {}", ui::printable(&skipped.name), skipped.reason)?;
        }
    }
    Ok(())
}
