//! `pinlake report`.

use std::collections::BTreeMap;
use std::io::{self, Write as _};
use std::path::Path;

use pinlake_report::{
    Catalogue, Format, Level, Report, Template, describe, list_json, list_table, run as run_template,
};

use super::Context;
use super::analysis::OpenLake;
use super::output::Output;
use crate::args::{ReportArgs, chosen};
use crate::exit::CliError;
use crate::ui::Unit;

/// Lists, describes or runs reports.
pub(crate) async fn run(context: &Context, args: &ReportArgs) -> anyhow::Result<()> {
    let catalogue = catalogue(context, args.queries.as_deref())?;
    if args.list {
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
    let given: BTreeMap<String, String> = args.output.params.iter().cloned().collect();
    let reports = run_all(context, &lake, &templates, &given).await?;
    let written = Output::new(&args.output, lake.facts())?.write(&reports)?;
    for path in written {
        context.ui.note(format!("wrote {}", path.display()));
    }
    if args.fail_on_check { judge(&reports) } else { Ok(()) }
}

/// The built-in reports and those of the user's folder, which replace them by name.
pub(super) fn catalogue(context: &Context, folder: Option<&Path>) -> anyhow::Result<Catalogue> {
    let catalogue = Catalogue::builtin()?;
    match folder.or(context.settings.config.queries.as_deref()) {
        Some(folder) => Ok(catalogue.with_folder(folder)?),
        None => Ok(catalogue),
    }
}

fn list(catalogue: &Catalogue, args: &ReportArgs) -> anyhow::Result<()> {
    let output = Output::new(&args.output, pinlake_report::PageFacts::default())?;
    let mut out = io::stdout();
    match output.format {
        Format::Json => list_json(catalogue, &mut out)?,
        Format::Table => list_table(catalogue, &output.options, &mut out)?,
        other => {
            return Err(CliError::usage(format!("--list is written as table or json, not as {other}")).into());
        }
    }
    Ok(out.flush()?)
}

async fn tell(context: &Context, template: &Template, args: &ReportArgs) -> anyhow::Result<()> {
    let lake = open(context, args).await?;
    let output = Output::new(&args.output, pinlake_report::PageFacts::default())?;
    let mut out = io::stdout();
    describe(&lake.session, template, &output.options, &mut out).await?;
    Ok(out.flush()?)
}

async fn open(context: &Context, args: &ReportArgs) -> anyhow::Result<OpenLake> {
    let snapshot = chosen(args.output.snapshot.as_deref())?;
    OpenLake::open(&context.settings.lake, snapshot, &context.settings).await
}

/// Every report that runs without being told a parameter.
fn unasked(context: &Context, catalogue: &Catalogue) -> Vec<Template> {
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

/// Runs reports one after the other. A value given with `--param` goes to every report that has such a parameter, and must
/// be one that some report has; values of the config file go where they fit.
pub(crate) async fn run_all(
    context: &Context,
    lake: &OpenLake,
    templates: &[Template],
    given: &BTreeMap<String, String>,
) -> anyhow::Result<Vec<Report>> {
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
    let mut reports = Vec::with_capacity(templates.len());
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
        reports.push(run_template(&lake.session, template, &mine).await?);
    }
    Ok(reports)
}

/// Exit code 9 where a check of level error does not hold.
fn judge(reports: &[Report]) -> anyhow::Result<()> {
    let failed: Vec<String> = reports
        .iter()
        .flat_map(|report| {
            report.failed(Level::Error).map(move |verdict| format!("{}: {}", report.name, verdict.text()))
        })
        .collect();
    if failed.is_empty() { Ok(()) } else { Err(CliError::CheckFailed(failed).into()) }
}
