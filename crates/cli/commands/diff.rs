//! `pinlake diff`: what changed between two snapshots.

use std::io::{self, BufWriter, Write as _};

use pinlake_report::{DiffRequest, DiffTotals, diff};

use super::Context;
use super::analysis::{OpenLake, rendering_bytes};
use super::output::{Output, PartialFile};
use crate::args::{DiffArgs, OutputArgs, chosen};
use crate::exit::CliError;
use crate::settings::Settings;
use crate::ui;

/// What two sorts that are merged hold beside the memory of operators, more than a query with one: within 256 MiB the peak was 285 MiB without
/// this, and within 232 it was 263 (1,000,000 endpoints a side, 2026-11-25).
const HELD_BYTES: usize = 24 << 20;

/// Writes the changes, and tells how many there are.
pub(crate) async fn run(context: &Context, args: &DiffArgs) -> anyhow::Result<()> {
    let limit = context.settings.memory_limit_bytes.map(|bytes| bytes.saturating_sub(HELD_BYTES));
    let settings = Settings { memory_limit_bytes: limit, ..context.settings.clone() };
    let lake = OpenLake::open(&settings.lake, None, &settings).await?;
    let request = DiffRequest {
        from: snapshot(&lake, &args.from)?,
        to: snapshot(&lake, &args.to)?,
        ignored: args.ignore.clone(),
    };
    let output = Output::new(
        &OutputArgs {
            formats: args.format.into_iter().collect(),
            out: args.out.clone(),
            max_rows: args.max_rows,
            csv_safe: args.csv_safe,
            ..OutputArgs::default()
        },
        lake.facts(),
    )?
    .within(rendering_bytes(&context.settings));
    output.check()?;
    let format = output.one_format("a difference")?;
    let (session, options) = (&lake.session, &output.options);
    let totals = match output.stream_target("diff", format)? {
        None => {
            let mut out = BufWriter::new(io::stdout());
            let totals = diff(session, &request, format, options, &mut out).await?;
            out.flush()?;
            totals
        }
        Some(path) => {
            let mut file = PartialFile::create(path)?;
            let totals = diff(session, &request, format, options, &mut file).await?;
            context.ui.note(format!("wrote {}", file.keep()?.display()));
            totals
        }
    };
    context.ui.note(summary(&totals));
    Ok(())
}

/// A snapshot as it was named: an id, or `latest`.
fn snapshot(lake: &OpenLake, named: &str) -> anyhow::Result<String> {
    match chosen(Some(named))? {
        Some(id) => Ok(id.to_string()),
        None => match &lake.snapshot {
            Some(latest) => Ok(latest.to_string()),
            None => Err(CliError::usage("the lake has no snapshot yet").into()),
        },
    }
}

fn summary(totals: &DiffTotals) -> String {
    format!(
        "{} added, {} removed, {} changed, {} unchanged",
        ui::count(totals.added),
        ui::count(totals.removed),
        ui::count(totals.changed),
        ui::count(totals.unchanged)
    )
}
