//! `pinlake snapshots drop`.

use std::io::{self, Write as _};

use pinlake_lake::{Dropped, Lake, LeftOver, SnapshotId};

use crate::args::chosen;
use crate::commands::Context;
use crate::exit::CliError;
use crate::ui;

/// Drops a snapshot, and tells what is left of it.
pub(super) async fn run(context: &Context, id: &str, vacuum: bool) -> anyhow::Result<()> {
    let Some(id) = chosen(Some(id))? else {
        // What is the latest may change between looking and dropping.
        return Err(CliError::usage(
            "name the snapshot to drop by its id, as `pinlake snapshots list` shows it",
        )
        .into());
    };
    let lake = Lake::open(&context.settings.lake).await?;
    let dropped = lake.drop_snapshot(&id, vacuum).await?;
    let mut out = io::stdout().lock();
    writeln!(out, "{}", told(&id, &dropped))?;
    Ok(out.flush()?)
}

fn told(id: &SnapshotId, dropped: &Dropped) -> String {
    let what = match &dropped.snapshot {
        Some(snapshot) => format!(
            "dropped snapshot `{id}`: {} rows in {} data files",
            ui::count(snapshot.rows),
            ui::count(snapshot.files)
        ),
        None => format!("snapshot `{id}` had been dropped before"),
    };
    let rest = match (dropped.removed, dropped.left) {
        (LeftOver { files: 0, .. }, LeftOver { files: 0, .. }) => "nothing of it is on the disk".to_owned(),
        (LeftOver { files: 0, .. }, left) => format!(
            "{} files of {} are still on the disk, and --vacuum removes them",
            ui::count(left.files),
            ui::bytes(left.bytes)
        ),
        (removed, _) => {
            format!(
                "{} files of {} were removed from the disk",
                ui::count(removed.files),
                ui::bytes(removed.bytes)
            )
        }
    };
    format!("{what}; {rest}")
}
