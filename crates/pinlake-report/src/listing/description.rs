//! One report described: what it takes, what it gives, how it is drawn and checked, and its SQL.

use std::io::Write;

use arrow::datatypes::{DataType, SchemaRef};
use serde::Serialize;

use super::{ListedParameter, listed_parameter};
use crate::chart::{Chart, ChartKind};
use crate::checks::Level;
use crate::error::ReportError;
use crate::parameters::{DefaultValue, Parameter};
use crate::render::{
    RenderError, RenderOptions,
    terminal::{Grid, write_heading},
};
use crate::session::Session;
use crate::template::Template;

#[derive(Serialize)]
struct Described<'a> {
    name: &'a str,
    title: &'a str,
    about: &'a str,
    params: Vec<DescribedParameter<'a>>,
    columns: Vec<Column<'a>>,
    chart: Option<Drawn<'a>>,
    checks: Vec<Condition<'a>>,
    sql: &'a str,
}

#[derive(Serialize)]
struct DescribedParameter<'a> {
    #[serde(flatten)]
    listed: ListedParameter<'a>,
    choices: &'a [String],
}

#[derive(Serialize)]
struct Column<'a> {
    name: &'a str,
    #[serde(rename = "type")]
    kind: String,
}

#[derive(Serialize)]
struct Drawn<'a> {
    kind: String,
    x: Option<&'a str>,
    y: Option<&'a str>,
    series: Option<&'a str>,
    value: Option<&'a str>,
    stacked: bool,
}

#[derive(Serialize)]
struct Condition<'a> {
    check: &'a str,
    level: Level,
    message: &'a str,
}

/// One report as JSON: `{"name","title","about","params","columns":[{"name","type"}],"chart","checks","sql"}`; `params` as in the
/// list, each with its `choices`.
pub async fn describe_json(
    session: &Session,
    template: &Template,
    out: &mut (dyn Write + Send),
) -> Result<(), ReportError> {
    let columns = columns(session, template).await?;
    let described = Described {
        name: &template.name,
        title: &template.title,
        about: &template.about,
        params: template
            .parameters
            .iter()
            .map(|parameter| DescribedParameter {
                listed: listed_parameter(parameter),
                choices: &parameter.choices,
            })
            .collect(),
        columns: columns
            .fields()
            .iter()
            .map(|field| Column { name: field.name(), kind: type_name(field.data_type()) })
            .collect(),
        chart: template.chart.as_ref().map(drawn),
        checks: template
            .checks
            .iter()
            .map(|check| Condition { check: &check.condition, level: check.level, message: &check.message })
            .collect(),
        sql: &template.sql,
    };
    let text = serde_json::to_string_pretty(&described).map_err(|error| RenderError::write(error.into()))?;
    writeln!(out, "{text}").map_err(RenderError::write)?;
    Ok(())
}

/// One report for a terminal: its parameters, the columns that it gives on this session, its chart, its checks and its SQL.
pub async fn describe(
    session: &Session,
    template: &Template,
    options: &RenderOptions,
    out: &mut (dyn Write + Send),
) -> Result<(), ReportError> {
    let columns = columns(session, template).await?;
    let write = |out: &mut (dyn Write + Send)| -> std::io::Result<()> {
        write_heading(&template.title, &template.about, options, out)?;
        writeln!(out)?;
        if !template.parameters.is_empty() {
            parameters(&template.parameters).write(options, out)?;
            writeln!(out)?;
        }
        let mut listed = Grid::texts(&["column", "type"]);
        for field in columns.fields() {
            listed.push(&[field.name().clone(), type_name(field.data_type())]);
        }
        listed.write(options, out)?;
        if let Some(chart) = template.chart.as_ref().filter(|chart| chart.kind != ChartKind::Table) {
            let mut grid = Grid::texts(&["chart", "columns"]);
            grid.push(&[kind(chart), chart_columns(chart)]);
            writeln!(out)?;
            grid.write(options, out)?;
        }
        if !template.checks.is_empty() {
            let mut grid = Grid::texts(&["check", "level", "meaning"]);
            for check in &template.checks {
                grid.push(&[check.condition.clone(), word(check.level).to_owned(), check.message.clone()]);
            }
            writeln!(out)?;
            grid.write(options, out)?;
        }
        writeln!(out, "\n{}", template.sql.trim_end())
    };
    write(out).map_err(RenderError::write)?;
    Ok(())
}

async fn columns(session: &Session, template: &Template) -> Result<SchemaRef, ReportError> {
    let columns = session.columns(&template.sql).await;
    columns.map_err(|source| ReportError::Query { origin: template.origin.clone(), source })
}

fn parameters(parameters: &[Parameter]) -> Grid {
    let mut grid = Grid::texts(&["parameter", "type", "default", "about"]);
    for parameter in parameters {
        let default = match &parameter.default {
            DefaultValue::Required => "(required)".to_owned(),
            DefaultValue::Null => "(none)".to_owned(),
            DefaultValue::Value(value) => value.clone(),
        };
        grid.push(&[parameter.name.clone(), parameter.kind.to_string(), default, explained(parameter)]);
    }
    grid
}

fn drawn(chart: &Chart) -> Drawn<'_> {
    Drawn {
        kind: chart.kind.to_string(),
        x: chart.x.as_deref(),
        y: chart.y.as_deref(),
        series: chart.series.as_deref(),
        value: chart.value.as_deref(),
        stacked: chart.stacked,
    }
}

fn kind(chart: &Chart) -> String {
    if chart.stacked { format!("{}, stacked", chart.kind) } else { chart.kind.to_string() }
}

fn chart_columns(chart: &Chart) -> String {
    let named = [("x", &chart.x), ("y", &chart.y), ("series", &chart.series), ("value", &chart.value)];
    let told = named.iter().filter_map(|(key, column)| Some(format!("{key}={}", column.as_ref()?)));
    told.collect::<Vec<_>>().join(" ")
}

fn word(level: Level) -> &'static str {
    match level {
        Level::Warn => "warn",
        Level::Error => "error",
    }
}

fn explained(parameter: &Parameter) -> String {
    if parameter.choices.is_empty() {
        return parameter.about.clone();
    }
    format!("{} (one of {})", parameter.about, parameter.choices.join(", ")).trim().to_owned()
}

/// The name of a type in words of SQL rather than of Arrow.
pub(super) fn type_name(data_type: &DataType) -> String {
    match data_type {
        DataType::Utf8 | DataType::Utf8View | DataType::LargeUtf8 => "text".to_owned(),
        DataType::Dictionary(_, values) => type_name(values),
        DataType::Int64 => "bigint".to_owned(),
        DataType::Float64 => "double".to_owned(),
        DataType::Boolean => "boolean".to_owned(),
        DataType::Date32 => "date".to_owned(),
        DataType::Timestamp(_, Some(_)) => "timestamp (UTC)".to_owned(),
        DataType::List(item) | DataType::LargeList(item) => format!("list<{}>", type_name(item.data_type())),
        DataType::Map(entries, _) => match entries.data_type() {
            DataType::Struct(fields) if fields.len() == 2 => {
                format!("map<{}, {}>", type_name(fields[0].data_type()), type_name(fields[1].data_type()))
            }
            _ => "map".to_owned(),
        },
        other => other.to_string().to_lowercase(),
    }
}
