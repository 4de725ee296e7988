//! `pinlake report`.

use std::collections::BTreeMap;
use std::io::{self, Write as _};
use std::path::Path;

use pinlake_report::{
    Catalogue, ErrorKind, Format, Level, Report, ReportError, Template, Verdict, describe, describe_json,
    list_json, list_table, run as run_template,
};

use super::Context;
use super::analysis::{OpenLake, rendering_bytes};
use super::output::Output;
use crate::args::{ReportArgs, chosen};
use crate::exit::{CliError, with_causes};
use crate::ui::{Unit, count};

/// Lists, describes or runs reports.
pub(crate) async fn run(context: &Context, args: &ReportArgs) -> anyhow::Result<()> {
    let catalogue = catalogue(context, args.queries.as_deref())?;
    if args.list {
        warn_of_broken(context, &catalogue);
        return list(&catalogue, args);
    }
    if let Some(name) = &args.describe {
        return tell(context, &template(&catalogue, name)?, args).await;
    }
    let templates = if args.all { unasked(context, &catalogue) } else { named(&catalogue, &args.names)? };
    let lake = open(context, args).await?;
    if lake.snapshot.is_none() {
        let message = format!("the lake {} has no snapshot yet to report on", lake.lake.root().display());
        return Err(CliError::usage(message).into());
    }
    let output = Output::new(&args.output, lake.facts())?.within(rendering_bytes(&context.settings));
    output.check()?;
    let given: BTreeMap<String, String> = args.output.params.iter().cloned().collect();
    let keep_going = args.all;
    let ran = run_each(context, &lake, &templates, &given, keep_going).await?;
    for path in output.write(&ran.reports)? {
        context.ui.note(format!("wrote {}", path.display()));
    }
    if output.hides_checks() {
        tell_checks(context, &ran.reports);
    }
    let mut broken = ran.broken;
    if args.all {
        broken.extend(catalogue.broken().iter().map(|broken| broken.name.clone()));
    }
    let judged = if args.fail_on_check { judge(&ran.reports) } else { Ok(()) };
    if broken.is_empty() {
        return judged;
    }
    if let Err(failed) = judged {
        context.ui.note(failed.to_string());
    }
    let these = if broken.len() == 1 { "this report is" } else { "these reports are" };
    Err(CliError::usage(format!("{these} broken, and all others ran: {}", broken.join(", "))).into())
}

/// The built-in reports and those of the user's folder, which replace them by name.
pub(super) fn catalogue(context: &Context, folder: Option<&Path>) -> anyhow::Result<Catalogue> {
    let catalogue = Catalogue::builtin()?;
    match folder.or(context.settings.config.queries.as_deref()) {
        Some(folder) => Ok(catalogue.with_folder(folder)?),
        None => Ok(catalogue),
    }
}

/// Names the files that are no reports, each with the place of what is wrong.
fn warn_of_broken(context: &Context, catalogue: &Catalogue) {
    for broken in catalogue.broken() {
        warn(context, broken.error.as_ref());
    }
}

fn warn(context: &Context, error: &(dyn std::error::Error + 'static)) {
    context.ui.note(format!("warning: {}", with_causes(error)));
}

fn list(catalogue: &Catalogue, args: &ReportArgs) -> anyhow::Result<()> {
    let output = Output::new(&args.output, pinlake_report::PageFacts::default())?;
    let mut out = io::stdout();
    match output.one_format("the list")? {
        Format::Json => list_json(catalogue, &mut out)?,
        Format::Table => list_table(catalogue, &output.options, &mut out)?,
        other => {
            return Err(CliError::usage(format!("--list is written as table or json, not as {other}")).into());
        }
    }
    Ok(out.flush()?)
}

async fn tell(context: &Context, template: &Template, args: &ReportArgs) -> anyhow::Result<()> {
    let output = Output::new(&args.output, pinlake_report::PageFacts::default())?;
    let format = output.one_format("the description")?;
    if !matches!(format, Format::Json | Format::Table) {
        let message = format!("--describe is written as table or json, not as {format}");
        return Err(CliError::usage(message).into());
    }
    let lake = open(context, args).await?;
    let mut out = io::stdout();
    if format == Format::Json {
        describe_json(&lake.session, template, &mut out).await?;
    } else {
        describe(&lake.session, template, &output.options, &mut out).await?;
    }
    Ok(out.flush()?)
}

async fn open(context: &Context, args: &ReportArgs) -> anyhow::Result<OpenLake> {
    let snapshot = chosen(args.output.snapshot.as_deref())?;
    OpenLake::open(&context.settings.lake, snapshot, &context.settings).await
}

/// Every report that runs without being told a parameter.
fn unasked(context: &Context, catalogue: &Catalogue) -> Vec<Template> {
    warn_of_broken(context, catalogue);
    let (run, left_out): (Vec<&Template>, Vec<&Template>) =
        catalogue.list().iter().partition(|template| template.runs_unasked());
    if !left_out.is_empty() {
        let names: Vec<&str> = left_out.iter().map(|template| template.name.as_str()).collect();
        context.ui.note(format!("left out, since they need a parameter: {}", names.join(", ")));
    }
    run.into_iter().cloned().collect()
}

fn named(catalogue: &Catalogue, names: &[String]) -> anyhow::Result<Vec<Template>> {
    if names.is_empty() {
        return Err(CliError::usage(
            "which report? Name one or more, or use --all; `pinlake report --list` lists them",
        )
        .into());
    }
    names.iter().map(|name| template(catalogue, name)).collect()
}

/// A report by its name, or a file with its path.
fn template(catalogue: &Catalogue, name: &str) -> anyhow::Result<Template> {
    let path = Path::new(name);
    let is_file = path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("sql"));
    if is_file { Ok(Template::read(path)?) } else { Ok(catalogue.get(name)?.clone()) }
}

/// Reports that ran, and the names of those whose file does not run.
struct Ran {
    reports: Vec<Report>,
    broken: Vec<String>,
}

/// Runs reports one after the other, and ends at the first that fails.
pub(crate) async fn run_all(
    context: &Context,
    lake: &OpenLake,
    templates: &[Template],
    given: &BTreeMap<String, String>,
) -> anyhow::Result<Vec<Report>> {
    Ok(run_each(context, lake, templates, given, false).await?.reports)
}

/// Runs reports one after the other. A value given with `--param` goes to every report that has such a parameter, and must
/// be one that some report has; values of the config file go where they fit. With `keep_going`, a report whose file is
/// at fault is told as a warning and the next one runs.
async fn run_each(
    context: &Context,
    lake: &OpenLake,
    templates: &[Template],
    given: &BTreeMap<String, String>,
    keep_going: bool,
) -> anyhow::Result<Ran> {
    let declares =
        |template: &Template, name: &str| template.parameters.iter().any(|parameter| parameter.name == name);
    if let [_, _, ..] = templates
        && let Some(stray) =
            given.keys().find(|name| !templates.iter().any(|template| declares(template, name)))
    {
        return Err(CliError::usage(format!("none of these reports has a parameter `{stray}`")).into());
    }
    let mut values = context.settings.config.param_texts();
    values.retain(|name, _| !given.contains_key(name));
    let mut meter = context.ui.meter("reports", Unit::Things("reports"));
    let mut ran = Ran { reports: Vec::with_capacity(templates.len()), broken: Vec::new() };
    for (done, template) in templates.iter().enumerate() {
        meter.show(done as u64, templates.len() as u64, &template.name);
        let mut mine: BTreeMap<String, String> = values
            .iter()
            .filter(|(name, _)| declares(template, name))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        let wanted = |name: &String| templates.len() == 1 || declares(template, name);
        mine.extend(
            given.iter().filter(|(name, _)| wanted(name)).map(|(name, value)| (name.clone(), value.clone())),
        );
        match run_template(&lake.session, template, &mine).await {
            Ok(report) => {
                let milliseconds = u64::try_from(report.result.elapsed.as_millis()).unwrap_or(u64::MAX);
                tracing::info!(report = report.name, rows = report.result.rows(), milliseconds, "report ran");
                ran.reports.push(report);
            }
            Err(error) if keep_going && is_at_fault(&error) => {
                warn(context, &error);
                ran.broken.push(template.name.clone());
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(ran)
}

/// Whether it is the report's own file that is wrong, and not the lake, the machine or a value that was given.
fn is_at_fault(error: &ReportError) -> bool {
    error.kind() == ErrorKind::Usage && !matches!(error, ReportError::Parameter { .. })
}

/// What the checks say, for readers of formats that hold rows alone.
fn tell_checks(context: &Context, reports: &[Report]) {
    let verdicts =
        || reports.iter().flat_map(|report| report.checks.iter().map(move |verdict| (report, verdict)));
    for (report, verdict) in verdicts().filter(|(_, verdict)| !verdict.held()) {
        let level = match verdict.check.level {
            Level::Warn => "warning",
            Level::Error => "error",
        };
        context.ui.note(format!("check {level}: {}", told(report, verdict)));
    }
    let (all, held) = (verdicts().count(), verdicts().filter(|(_, verdict)| verdict.held()).count());
    if all > 0 {
        context.ui.note(format!("checks: {held} of {all} hold"));
    }
}

/// `report: message (failed rows of rows)`.
fn told(report: &Report, verdict: &Verdict) -> String {
    let (failed, rows) = (count(verdict.failed_rows as u64), count(verdict.rows as u64));
    format!("{}: {} ({failed} of {rows} rows)", report.name, verdict.text())
}

/// Exit code 9 where a check of level error does not hold.
fn judge(reports: &[Report]) -> anyhow::Result<()> {
    let failed: Vec<String> = reports
        .iter()
        .flat_map(|report| report.failed(Level::Error).map(move |verdict| told(report, verdict)))
        .collect();
    if failed.is_empty() { Ok(()) } else { Err(CliError::CheckFailed(failed).into()) }
}
