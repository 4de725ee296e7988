//! What `--load` names: an archive of pieces, an import file, or a snapshot of a lake.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Instant;

use pinlake_lake::SnapshotId;
use pinlake_local::{Loaded, LocalServer};
use pinlake_source::{Filter, Location, Source};

use super::snapshot;
use crate::commands::Context;
use crate::commands::fetch::tell_skipped;
use crate::exit::CliError;
use crate::ui;

/// Files of a folder that are loaded.
const LOADED: [&str; 5] = ["*.gz", "*.json", "*.jsonl", "*.ndjson", "*.csv"];

/// What was loaded in all.
#[derive(Debug, Default)]
pub(super) struct Total {
    added: u64,
    replaced: u64,
    refused: u64,
    by_application: BTreeMap<String, u64>,
}

impl Total {
    /// The application with most endpoints, if any were loaded.
    pub(super) fn main_application(&self) -> Option<&str> {
        let most = self.by_application.iter().max_by_key(|(_, lines)| **lines);
        most.map(|(id, _)| id.as_str())
    }

    /// Adds what one file brought, and tells lines that are no endpoints: they would be missed otherwise.
    pub(super) fn add(&mut self, name: &str, loaded: &Loaded) {
        self.added += loaded.added;
        self.replaced += loaded.replaced;
        self.refused += loaded.refused;
        for (id, lines) in &loaded.by_application {
            *self.by_application.entry(id.clone()).or_default() += lines;
        }
        for refused in &loaded.first_refused {
            ui::warn(format!("{name}, line {}: {}", refused.line, refused.reason));
        }
        let further = loaded.refused.saturating_sub(loaded.first_refused.len() as u64);
        if further > 0 {
            ui::warn(format!("{name}: {} lines more are no endpoints", ui::count(further)));
        }
    }
}

/// Loads all sources, one after another.
pub(super) async fn load(
    context: &Context,
    server: &LocalServer,
    sources: &[String],
) -> anyhow::Result<Total> {
    let mut total = Total::default();
    for source in sources {
        let begun = Instant::now();
        let before = (total.added, total.replaced, total.refused);
        match lake_of(source)? {
            Some((root, id)) => {
                context.unless_stopped(snapshot::load(context, server, (&root, id), &mut total)).await?;
            }
            None => load_files(context, server, source, &mut total).await?,
        }
        server.sync()?;
        let seconds = begun.elapsed().as_secs_f64();
        let (added, replaced) = (total.added - before.0, total.replaced - before.1);
        context.ui.note(format!(
            "loaded {source}: {} endpoints, {} of them in the place of another with the same id, {} lines refused, in {seconds:.1} s ({} a second)",
            ui::count(added + replaced),
            ui::count(replaced),
            ui::count(total.refused - before.2),
            ui::count(per_second(added + replaced, seconds)),
        ));
    }
    Ok(total)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a rate of whole endpoints, never negative"
)]
fn per_second(endpoints: u64, seconds: f64) -> u64 {
    (endpoints as f64 / seconds.max(0.001)) as u64
}

/// The lake and the snapshot that `LAKE` or `LAKE@SNAPSHOT` names, if it is a lake.
fn lake_of(source: &str) -> anyhow::Result<Option<(PathBuf, Option<SnapshotId>)>> {
    let is_lake = |path: &str| Path::new(path).join("endpoints").join("_delta_log").is_dir();
    if is_lake(source) {
        return Ok(Some((PathBuf::from(source), None)));
    }
    match source.rsplit_once('@') {
        Some((root, id)) if is_lake(root) => {
            let id = id.parse().map_err(|error| CliError::usage(format!("--load {source}: {error}")))?;
            Ok(Some((PathBuf::from(root), Some(id))))
        }
        _ => Ok(None),
    }
}

/// Loads a file, or every piece and import file of a folder in the order of names.
async fn load_files(
    context: &Context,
    server: &LocalServer,
    source: &str,
    total: &mut Total,
) -> anyhow::Result<()> {
    let parsed: Source = source.parse()?;
    if parsed.is_s3() {
        let way_out = format!("`pinlake fetch {source} DIR`, then `--load DIR`");
        return Err(CliError::usage(format!("--load takes files, folders and lakes: {way_out}")).into());
    }
    let listing = parsed.list(None, &Filter::new(&LOADED, &[] as &[&str])?).await?;
    tell_skipped(context.ui, &listing.skipped);
    for piece in &listing.pieces {
        let Location::File(path) = &piece.location else { continue };
        if context.stop.is_requested() {
            return Err(CliError::Interrupted.into());
        }
        let bytes = std::fs::read(path)
            .map_err(|error| anyhow::Error::new(error).context(format!("cannot read {}", path.display())))?;
        let loaded = tokio::task::block_in_place(|| server.load(&piece.name, &bytes))?;
        total.add(&piece.name, &loaded);
    }
    Ok(())
}
