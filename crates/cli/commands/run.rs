//! `pinlake run`: export, wait, fetch, convert and report in one go.

mod job;

use std::collections::BTreeMap;
use std::path::Path;

use chrono::Utc;
use pinlake_ingest::{IngestError, Outcome};
use pinlake_lake::{Lake, LakeError};
use pinlake_report::{Catalogue, PageFacts, Report, Template};
use pinlake_source::{Aws, ExportJob, ExportJobs, ExportRequest, S3Url, WaitOptions};

use super::Context;
use super::analysis::OpenLake;
use super::convert::{Wanted, convert_request, request, tell};
use super::export::{await_job, export_request};
use super::output::Output;
use super::report::run_all;
use crate::args::{OutputArgs, RunArgs};
use crate::exit::CliError;

/// The reports that give an overview in the terminal.
const OVERVIEW: [&str; 2] = ["audience-summary", "targetable"];

/// Carries out the whole pipeline against AWS, or whatever `--endpoint-url` names.
pub(crate) async fn run(context: &Context, args: &RunArgs) -> anyhow::Result<()> {
    let asked = export_request(context, &args.target)?;
    let wanted = Wanted::new(context, &args.options)?;
    if args.options.dry_run {
        return print_plan(context, &asked, args.exact_prefix);
    }
    check_destinations(context, args).await?;
    let aws = Aws::connect(&context.settings.aws_options(None, args.retry_for)).await;
    let exported = context.unless_stopped(Box::pin(job::export(context, &aws, args, asked))).await?;
    let (job, request) = (exported.job.clone(), &exported.request);
    let converted = convert_export(context, aws, job, request, wanted).await;
    if converted.as_ref().is_err_and(is_final) {
        exported.forget()?;
    }
    let Some(outcome) = converted? else { return Ok(()) };
    tell(context.ui, &outcome, &context.settings.lake);
    context.unless_stopped(Box::pin(report(context, &context.settings.lake, args.out.as_deref()))).await?;
    exported.forget()?;
    outcome.told();
    Ok(())
}

/// Whether the same job would come to the same end again.
fn is_final(error: &anyhow::Error) -> bool {
    use pinlake_ingest::ErrorKind::{Counts, Integrity, Rejects};
    let ingest = error.downcast_ref::<IngestError>().map(IngestError::kind);
    matches!(ingest, Some(Counts | Integrity | Rejects))
}

/// Looks at everything that could fail at the end before a job is created that nobody wants then.
async fn check_destinations(context: &Context, args: &RunArgs) -> anyhow::Result<()> {
    let lake = Lake::open_if_any(&context.settings.lake).await?;
    if let Some(lake) = lake
        && let Some(id) = args.options.snapshot.clone().filter(|_| !args.options.replace)
        && lake.snapshot(&id).is_ok()
        // What an interrupted run of this command published is found when its work is taken up.
        && !lake.is_staged(&id)?
    {
        return Err(LakeError::SnapshotExists { path: context.settings.lake.clone(), id }.into());
    }
    match &args.out {
        Some(out) => Output::new(
            &OutputArgs { out: Some(out.clone()), ..OutputArgs::default() },
            PageFacts::default(),
        )?
        .check(),
        None => Ok(()),
    }
}

/// Creates a job and waits for its end. Its id is told first, so that an interrupted wait can be taken up again.
pub(super) async fn export_and_wait(
    context: &Context,
    aws: &Aws,
    export: &ExportRequest,
    wait: &WaitOptions,
) -> anyhow::Result<ExportJob> {
    let jobs = ExportJobs::new(aws.clone());
    let created = jobs.create(export).await?;
    let id = told_id(context, created, export)?;
    Ok(await_job(context.ui, &jobs, (&export.application_id, &id), wait).await?)
}

/// The id of a job, which is told before anybody waits for it.
fn told_id(context: &Context, job: ExportJob, export: &ExportRequest) -> anyhow::Result<String> {
    let id = job.id.ok_or_else(|| anyhow::anyhow!("Pinpoint created an export job without an id"))?;
    context.ui.note(format!("export job {id} writes to {}", export.s3_url_prefix));
    Ok(id)
}

/// Converts what a completed job wrote.
pub(super) async fn convert_export(
    context: &Context,
    aws: Aws,
    job: ExportJob,
    export: &ExportRequest,
    wanted: Wanted<'_>,
) -> anyhow::Result<Option<Outcome>> {
    let sources = vec![export.s3_url_prefix.parse()?];
    let options = wanted.options;
    let request = request(context, wanted, sources, Some(aws), Some(job))?;
    convert_request(context, request, options).await
}

/// Shows the overview, and writes all reports to `out`.
pub(super) async fn report(context: &Context, lake: &Path, out: Option<&Path>) -> anyhow::Result<()> {
    let lake = OpenLake::open(lake, None, &context.settings).await?;
    let catalogue = Catalogue::builtin()?;
    let all: Vec<Template> =
        catalogue.list().iter().filter(|template| template.runs_unasked()).cloned().collect();
    let wanted: Vec<Template> = match out {
        Some(_) => all,
        None => all.into_iter().filter(|template| is_overview(&template.name)).collect(),
    };
    let reports = run_all(context, &lake, &wanted, &BTreeMap::new()).await?;
    let overview: Vec<Report> = reports.iter().filter(|report| is_overview(&report.name)).cloned().collect();
    let shown = OutputArgs { max_rows: 15, ..OutputArgs::default() };
    Output::new(&shown, PageFacts::default())?.write(&overview)?;
    if let Some(out) = out {
        let args = OutputArgs { out: Some(out.to_owned()), ..OutputArgs::default() };
        for path in Output::new(&args, lake.facts())?.write(&reports)? {
            context.ui.note(format!("wrote {}", path.display()));
        }
    }
    Ok(())
}

fn is_overview(name: &str) -> bool {
    OVERVIEW.contains(&name)
}

/// A folder under the prefix that no other run writes to: Pinpoint does not tell which files a job wrote, so what lies
/// under a prefix must be one job's.
fn folder_of_this_run(prefix: &str) -> anyhow::Result<String> {
    let url: S3Url = prefix.parse().map_err(|error| CliError::usage(format!("--s3-url-prefix: {error}")))?;
    let folder = url.folder_prefix();
    Ok(format!("s3://{}/{folder}{}/", url.bucket(), Utc::now().format("%Y-%m-%dT%H%M%S%3fZ")))
}

fn print_plan(context: &Context, asked: &ExportRequest, is_exact: bool) -> anyhow::Result<()> {
    use std::io::Write as _;
    let mut export = asked.clone();
    if !is_exact {
        export.s3_url_prefix = folder_of_this_run(&asked.s3_url_prefix)?;
    }
    let mut out = std::io::stdout().lock();
    let what = match &export.segment_id {
        Some(segment) => format!("segment {segment} of application {}", export.application_id),
        None => format!("application {}", export.application_id),
    };
    writeln!(out, "export\t{what} to {} as {}", export.s3_url_prefix, export.role_arn)?;
    writeln!(out, "read\tevery piece under {}", export.s3_url_prefix)?;
    writeln!(
        out,
        "write\ta snapshot named for the job's completion into {}",
        context.settings.lake.display()
    )?;
    Ok(out.flush()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_run_has_a_folder_of_its_own() {
        let folder = folder_of_this_run("s3://bucket/exports").unwrap();
        assert!(folder.starts_with("s3://bucket/exports/2"), "{folder}");
        assert!(folder.ends_with("Z/"), "{folder}");
        assert!(folder_of_this_run("bucket/exports").is_err());
    }
}
