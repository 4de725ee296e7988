//! `pinlake export`: export jobs, printed as `aws pinpoint` prints them.

use std::io::{self, Write as _};

use pinlake_source::{Aws, ExportJob, ExportJobs, ExportRequest, SourceError, WaitOptions};
use serde_json::json;

use super::Context;
use crate::args::{ExportCommand, ExportTarget, JobArgs};
use crate::exit::CliError;
use crate::ui::{Ui, Unit};

/// Creates, shows, awaits or lists jobs.
pub(crate) async fn run(context: &Context, command: &ExportCommand) -> anyhow::Result<()> {
    match command {
        ExportCommand::Create { target, request } => {
            let options = context.settings.aws_options(request.timeout, request.retry_for);
            let jobs = ExportJobs::new(Aws::connect(&options).await);
            let job = jobs.create(&export_request(context, target)?).await?;
            print_job(&job)
        }
        ExportCommand::Status { job, request } => {
            let options = context.settings.aws_options(request.timeout, request.retry_for);
            let jobs = ExportJobs::new(Aws::connect(&options).await);
            let application = application(context, job.application_id.as_deref())?;
            print_job(&jobs.get(&application, &job.job_id).await?)
        }
        ExportCommand::Wait { job, timeout, retry_for } => {
            let options = context.settings.aws_options(None, *retry_for);
            let jobs = ExportJobs::new(Aws::connect(&options).await);
            let application = application(context, job.application_id.as_deref())?;
            context.ui.note(format!("waiting for export job {}", job.job_id));
            let wait = WaitOptions { timeout: *timeout, ..WaitOptions::default() };
            print_job(&await_job(context.ui, &jobs, (&application, &job.job_id), &wait).await?)
        }
        ExportCommand::List { application_id, segment_id, request } => {
            let options = context.settings.aws_options(request.timeout, request.retry_for);
            let jobs = ExportJobs::new(Aws::connect(&options).await);
            let application = application(context, application_id.as_deref())?;
            let found = match segment_id {
                Some(segment) => jobs.list_of_segment(&application, segment).await?,
                None => jobs.list(&application).await?,
            };
            print(&json!({ "ExportJobsResponse": { "Item": found } }))
        }
    }
}

/// The job of `convert --job-id`, which must have completed.
pub(super) async fn completed_job(context: &Context, aws: Aws, job: &JobArgs) -> anyhow::Result<ExportJob> {
    let application = application(context, job.application_id.as_deref())?;
    let found = ExportJobs::new(aws).get(&application, &job.job_id).await?;
    if found.is_failed() {
        let job = Box::new(found);
        return Err(SourceError::from(pinlake_source::ExportError::JobFailed { job }).into());
    }
    if !found.is_completed() {
        let message = format!(
            "export job {} is {}: wait for it with `pinlake export wait`",
            job.job_id,
            found.status()
        );
        return Err(CliError::usage(message).into());
    }
    Ok(found)
}

/// Waits for a job's end and shows how many of its pieces are done.
pub(super) async fn await_job(
    ui: Ui,
    jobs: &ExportJobs,
    (application, job): (&str, &str),
    wait: &WaitOptions,
) -> Result<ExportJob, SourceError> {
    let mut meter = ui.meter("export", Unit::Things("pieces"));
    let number = |count: Option<i32>| count.and_then(|count| u64::try_from(count).ok()).unwrap_or(0);
    jobs.wait(application, job, wait, |job| {
        meter.show(number(job.completed_pieces), number(job.total_pieces), job.status());
    })
    .await
}

/// The request that flags, environment and config file make together.
pub(super) fn export_request(context: &Context, target: &ExportTarget) -> anyhow::Result<ExportRequest> {
    let config = &context.settings.config;
    let needed = |given: &Option<String>, configured: &Option<String>, flag: &str| {
        given
            .clone()
            .or_else(|| configured.clone())
            .ok_or_else(|| CliError::usage(format!("--{flag} is needed, or `{flag}` in pinlake.toml")))
    };
    Ok(ExportRequest {
        application_id: application(context, target.application_id.as_deref())?,
        s3_url_prefix: needed(&target.s3_url_prefix, &config.s3_url_prefix, "s3-url-prefix")?,
        role_arn: needed(&target.role_arn, &config.role_arn, "role-arn")?,
        segment_id: target.segment_id.clone(),
        segment_version: target.segment_version,
    })
}

/// The application that was given or configured.
pub(super) fn application(context: &Context, given: Option<&str>) -> Result<String, CliError> {
    given.map(str::to_owned).or_else(|| context.settings.config.application_id.clone()).ok_or_else(|| {
        CliError::usage(
            "--application-id is needed, or PINLAKE_APPLICATION_ID, or `application-id` in pinlake.toml",
        )
    })
}

fn print_job(job: &ExportJob) -> anyhow::Result<()> {
    print(&json!({ "ExportJobResponse": job }))
}

/// Four spaces of indentation, as the AWS CLI has it.
fn print(value: &serde_json::Value) -> anyhow::Result<()> {
    let mut text = Vec::new();
    let formatter = serde_json::ser::PrettyFormatter::with_indent(b"    ");
    let mut serializer = serde_json::Serializer::with_formatter(&mut text, formatter);
    serde::Serialize::serialize(value, &mut serializer)?;
    text.push(b'\n');
    Ok(io::stdout().write_all(&text)?)
}
