//! `pinlake fetch`.

use std::io::{self, Write as _};
use std::path::Path;
use std::time::{Duration, Instant};

use pinlake_source::{
    Aws, DownloadOptions, DownloadSummary, Filter, Listing, Source, SourceError, download, printable,
};

use super::Context;
use super::convert::rate;
use crate::args::FetchArgs;
use crate::exit::CliError;
use crate::ui::{self, Ui, Unit};

/// Downloads every piece under a prefix.
pub(crate) async fn run(context: &Context, args: &FetchArgs) -> anyhow::Result<()> {
    let clock = Instant::now();
    let source: Source = args.src.parse()?;
    if !source.is_s3() {
        let message = format!("`{}` is not an S3 URL: fetch downloads from s3://bucket/prefix/", args.src);
        return Err(CliError::usage(message).into());
    }
    let options = context.settings.aws_options(args.request.timeout, args.request.retry_for);
    let aws = Aws::connect(&options).await;
    let filter = Filter::new(&args.include, &[])?;
    let listing = source.list(Some(&aws), &filter).await?;
    let options = DownloadOptions { dry_run: args.dry_run, limits: context.settings.limits().fetch };
    let summary = fetch_listing(context.ui, aws, &listing, &args.dest, &options).await?;
    if args.dry_run {
        return print_plan(&summary, &args.dest);
    }
    tell(context.ui, &summary, &args.dest, clock.elapsed());
    tell_skipped(context.ui, &listing.skipped);
    for warning in &summary.warnings {
        context.ui.note(format!("warning: {warning}"));
    }
    Ok(())
}

/// Downloads a listing and shows how far it is.
pub(super) async fn fetch_listing(
    ui: Ui,
    aws: Aws,
    listing: &Listing,
    dest: &Path,
    options: &DownloadOptions,
) -> Result<DownloadSummary, SourceError> {
    let mut meter = ui.meter("fetch", Unit::Bytes);
    download(Some(aws), listing, dest, options, |progress| {
        let note = format!("{} of {} pieces", progress.pieces_done, progress.pieces_total);
        meter.show(progress.bytes_done, progress.bytes_total, &note);
    })
    .await
}

fn print_plan(summary: &DownloadSummary, dest: &Path) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    for file in &summary.files {
        let verb = if file.is_unchanged { "keep" } else { "fetch" };
        let (name, path) = (printable(&file.name), dest.join(&file.file));
        writeln!(out, "{verb}\t{}\t{name}\t{}", file.size, printable(&path.to_string_lossy()))?;
    }
    Ok(out.flush()?)
}

fn tell(ui: Ui, summary: &DownloadSummary, dest: &Path, time: Duration) {
    ui.note(format!(
        "fetched {} pieces ({}) into {} in {}: {} a second; {} were there already",
        ui::count(summary.fetched as u64),
        ui::bytes(summary.fetched_bytes),
        dest.display(),
        ui::duration(time),
        ui::bytes(rate(summary.fetched_bytes, time.as_secs_f64().max(0.001))),
        ui::count(summary.unchanged as u64),
    ));
}

/// Names the first few of what was passed over, and counts the rest.
pub(super) fn tell_skipped(ui: Ui, skipped: &[pinlake_source::Skipped]) {
    const SHOWN: usize = 5;
    if skipped.is_empty() {
        return;
    }
    ui.note(format!("skipped {}:", ui::count(skipped.len() as u64)));
    for skip in skipped.iter().take(SHOWN) {
        ui.note(format!("  {}: {}", printable(&skip.name), skip.reason));
    }
    if skipped.len() > SHOWN {
        ui.note(format!("  … and {} more", skipped.len() - SHOWN));
    }
}
