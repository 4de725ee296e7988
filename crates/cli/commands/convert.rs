//! `pinlake convert`, and the conversion that `run` and `demo` share with it.

use std::io::{self, Write as _};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use pinlake_ingest::{ConvertRequest, IngestError, Outcome, Plan, Progress, Redaction, convert};
use pinlake_lake::WriterOptions;
use pinlake_source::{Aws, DownloadOptions, ExportJob, Filter, Source};

use super::export::completed_job;
use super::fetch::{fetch_listing, tell_skipped};
use super::{Context, export, redaction};
use crate::args::values::Switch;
use crate::args::{ConvertArgs, ConvertOptions, JobArgs};
use crate::exit::CliError;
use crate::settings::choose;
use crate::ui::{self, Ui, Unit};

/// Converts sources to one snapshot and prints its id.
pub(crate) async fn run(context: &Context, args: &ConvertArgs) -> anyhow::Result<()> {
    let wanted = Wanted::new(context, &args.options)?;
    let mut sources: Vec<Source> = args.src.iter().map(|word| word.parse()).collect::<Result<_, _>>()?;
    let aws = if args.job_id.is_some() || sources.iter().any(Source::is_s3) {
        let options = context.settings.aws_options(args.request.timeout, args.request.retry_for);
        Some(Aws::connect(&options).await)
    } else {
        None
    };
    let job = match (&args.job_id, &aws) {
        (Some(id), Some(aws)) => {
            let application_id = Some(export::application(context, args.application_id.as_deref())?);
            let job = JobArgs { application_id, job_id: id.clone() };
            Some(completed_job(context, aws.clone(), &job).await?)
        }
        _ => None,
    };
    if sources.is_empty() {
        sources.push(place_of(job.as_ref())?);
    }
    let request = request(context, wanted, sources, aws, job)?;
    let Some(outcome) = convert_request(context, request, &args.options).await? else { return Ok(()) };
    tell(context.ui, &outcome, &context.settings.lake);
    writeln!(io::stdout(), "{}", outcome.published.snapshot.id)?;
    outcome.told();
    Ok(())
}

/// Where a job says that it wrote.
fn place_of(job: Option<&ExportJob>) -> anyhow::Result<Source> {
    let definition = job.and_then(|job| job.definition.as_ref());
    match definition.and_then(|definition| definition.s3_url_prefix.as_deref()) {
        Some(url) => Ok(url.parse()?),
        None => Err(CliError::usage("the job does not say where it wrote: name the S3 prefix").into()),
    }
}

/// What flags and config ask of a conversion, once it is known to make sense: before a job is made or anything is read.
pub(super) struct Wanted<'a> {
    pub(super) options: &'a ConvertOptions,
    redaction: Redaction,
    rejects_raw: bool,
}

impl<'a> Wanted<'a> {
    pub(super) fn new(context: &Context, options: &'a ConvertOptions) -> anyhow::Result<Self> {
        let config = context.settings.config.rejects_raw.as_deref();
        let rejects_raw = choose(options.rejects_raw, config, "rejects-raw")? == Switch::On;
        Ok(Self { options, redaction: redaction::wanted(context, options)?, rejects_raw })
    }
}

/// A request in the terms of the flags.
pub(super) fn request(
    context: &Context,
    wanted: Wanted<'_>,
    sources: Vec<Source>,
    aws: Option<Aws>,
    job: Option<ExportJob>,
) -> anyhow::Result<ConvertRequest> {
    let Wanted { options, redaction, rejects_raw } = wanted;
    let mut limits = context.settings.limits();
    limits.unpack.max_line_bytes = options.max_line;
    limits.unpack.max_ratio = options.max_ratio;
    limits.unpack.max_piece_bytes = options.max_piece;
    Ok(ConvertRequest {
        tool: concat!("pinlake ", env!("CARGO_PKG_VERSION")).to_owned(),
        sources,
        aws,
        filter: Filter::converted()?,
        lake: context.settings.lake.clone(),
        snapshot: options.snapshot.clone(),
        replace: options.replace,
        job,
        expect_rows: options.expect_rows,
        max_rejects: options.max_rejects,
        checkpoint_bytes: options.checkpoint.map(|bytes| bytes as u64),
        redaction,
        rejects_raw,
        run_id: Some(context.settings.run_id.to_string()),
        writer: WriterOptions { compression: options.compression, ..WriterOptions::default() },
        limits,
    })
}

/// Plans and carries out a conversion. `None` after a dry run, which has printed the plan.
pub(super) async fn convert_request(
    context: &Context,
    request: ConvertRequest,
    options: &ConvertOptions,
) -> anyhow::Result<Option<Outcome>> {
    let mut plan = Plan::make(request).await?;
    if options.dry_run {
        print_plan(&plan)?;
        return Ok(None);
    }
    tell_skipped(context.ui, &plan.skipped);
    if let Some(folder) = &options.keep_pieces {
        keep_pieces(context, &mut plan, folder).await?;
    }
    let progress = Arc::new(Progress::default());
    let watch = watch(context.ui, Arc::clone(&progress));
    if plan.is_resumed {
        context.ui.note(format!("going on with snapshot {}, which an interrupted run began", plan.snapshot));
    }
    // Showing progress never ends by itself, so what ends this is the conversion.
    let result: Result<Outcome, IngestError> = tokio::select! {
        result = convert(plan, progress, context.stop.clone()) => result,
        () = watch => Err(IngestError::Stopped),
    };
    Ok(Some(result?))
}

/// Downloads the pieces first and converts the copies; they keep their names, so rows still say where they came from.
async fn keep_pieces(context: &Context, plan: &mut Plan, folder: &Path) -> anyhow::Result<()> {
    let [listing] = plan.listings.as_slice() else {
        return Err(CliError::usage("--keep-pieces takes one source").into());
    };
    let Some(aws) = plan.request.aws.clone() else {
        return Err(CliError::usage("--keep-pieces is for pieces in S3; these are files already").into());
    };
    let options = DownloadOptions { dry_run: false, limits: plan.request.limits.fetch };
    let summary = fetch_listing(context.ui, aws, listing, folder, &options).await?;
    plan.read_copies(summary.files.into_iter().map(|file| (file.name, folder.join(file.file))));
    Ok(())
}

/// Shows the counters of a conversion until dropped.
async fn watch(ui: Ui, progress: Arc<Progress>) {
    let mut meter = ui.meter("convert", Unit::Bytes);
    loop {
        tokio::time::sleep(Duration::from_millis(100)).await;
        let now = progress.snapshot();
        let note = format!(
            "{} of {} pieces · {} rows",
            ui::count(now.pieces_done),
            ui::count(now.pieces),
            ui::count(now.rows)
        );
        meter.show(now.bytes_done, now.bytes, &note);
    }
}

fn print_plan(plan: &Plan) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    for piece in plan.pieces.iter() {
        writeln!(out, "read\t{}\t{}", piece.size, piece.name)?;
    }
    for skipped in &plan.skipped {
        writeln!(out, "skip\t{}\t{}\t{}", skipped.size, skipped.name, skipped.reason)?;
    }
    for (column, mode) in plan.request.redaction.modes() {
        writeln!(out, "redact\t{mode}\t{column}")?;
    }
    let lake = &plan.request.lake;
    writeln!(
        out,
        "write\tsnapshot {} from {} pieces ({}) into {}",
        plan.snapshot,
        ui::count(plan.pieces.len() as u64),
        ui::bytes(plan.total_bytes()),
        lake.display()
    )?;
    Ok(out.flush()?)
}

/// The summary at the end.
pub(super) fn tell(ui: Ui, outcome: &Outcome, lake: &Path) {
    let totals = &outcome.manifest.totals;
    let published = &outcome.published.snapshot;
    if outcome.is_found {
        let (id, lake) = (&published.id, lake.display());
        ui.note(format!(
            "snapshot {id} is in {lake} already: an interrupted run of the same command published it"
        ));
        return;
    }
    let seconds = outcome.seconds.max(0.001);
    if outcome.resumed_pieces > 0 {
        let (done, all) = (outcome.resumed_pieces as u64, outcome.manifest.pieces.len() as u64);
        ui.note(format!(
            "{} of {} pieces were done by an interrupted run and not read again",
            ui::count(done),
            ui::count(all)
        ));
    }
    ui.note(format!(
        "converted {} endpoints from {} pieces ({}) in {}: {} a second",
        ui::count(totals.rows),
        ui::count(outcome.manifest.pieces.len() as u64),
        ui::bytes(outcome.stored_bytes),
        ui::duration(Duration::from_secs_f64(seconds)),
        ui::count(rate(totals.rows, seconds)),
    ));
    if totals.rejects > 0 {
        let rejects = outcome.published.run_folder.join("rejects.ndjson");
        ui.note(format!("rejected {} lines, listed in {}", ui::count(totals.rejects), rejects.display()));
    }
    let checks = &outcome.manifest.reconciliation;
    ui.note(format!("all {} checks of the counts hold", checks.len()));
    ui.note(format!(
        "snapshot {} is in {}: {} files, {}",
        published.id,
        lake.display(),
        published.files,
        ui::bytes(published.bytes)
    ));
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a rate shown to people is far below 2^53 and not negative"
)]
pub(super) fn rate(amount: u64, seconds: f64) -> u64 {
    (amount as f64 / seconds) as u64
}
