//! What there is: the catalogue as a table or JSON, one report described as either, and the tables of a session with their columns.

mod description;

use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use arrow::array::{ArrayRef, RecordBatch, StringArray};
use serde::Serialize;
use serde_json::Value as Json;

use description::type_name;
pub use description::{describe, describe_json};

use crate::catalogue::Catalogue;
use crate::parameters::{DefaultValue, Parameter, ParameterType};
use crate::render::{RenderError, RenderOptions, terminal::Grid};
use crate::report::Report;
use crate::session::{QueryError, QueryResult, Session};

#[derive(Serialize)]
struct ListedReport<'a> {
    name: &'a str,
    title: &'a str,
    about: &'a str,
    params: Vec<ListedParameter<'a>>,
}

#[derive(Serialize)]
struct ListedParameter<'a> {
    name: &'a str,
    #[serde(rename = "type")]
    kind: &'static str,
    default: Json,
    required: bool,
    about: &'a str,
}

/// The catalogue as JSON: `[{"name","title","about","params":[{"name","type","default","required","about"}]}]`. A default has
/// its own JSON type; null where there is none.
pub fn list_json(catalogue: &Catalogue, out: &mut dyn Write) -> Result<(), RenderError> {
    let listed: Vec<ListedReport> = catalogue
        .list()
        .iter()
        .map(|template| ListedReport {
            name: &template.name,
            title: &template.title,
            about: &template.about,
            params: template.parameters.iter().map(listed_parameter).collect(),
        })
        .collect();
    let text = serde_json::to_string_pretty(&listed).map_err(|error| RenderError::write(error.into()))?;
    writeln!(out, "{text}").map_err(RenderError::write)
}

/// The catalogue as a table for a terminal.
pub fn list_table(
    catalogue: &Catalogue,
    options: &RenderOptions,
    out: &mut dyn Write,
) -> Result<(), RenderError> {
    let mut grid = Grid::texts(&["name", "title", "parameters"]);
    for template in catalogue.list() {
        let parameters: Vec<String> = template.parameters.iter().map(short).collect();
        grid.push(&[template.name.clone(), template.title.clone(), parameters.join(", ")]);
    }
    grid.write(options, out).map_err(RenderError::write)
}

/// The tables and views of a session with the names of their columns, as a result to render.
pub async fn list_tables(session: &Session) -> Result<Report, QueryError> {
    let names = session.view_names();
    let mut columns = Vec::with_capacity(names.len());
    for name in &names {
        let schema = session.table_schema(name).await?;
        let listed: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
        columns.push(listed.join(", "));
    }
    texts("tables", [("table", names.into_iter().map(str::to_owned).collect()), ("columns", columns)])
}

/// The columns of a table or view with their types, as a result to render.
pub async fn list_columns(session: &Session, table: &str) -> Result<Report, QueryError> {
    let schema = session.table_schema(table).await?;
    let fields = || schema.fields().iter();
    let names = fields().map(|field| field.name().clone()).collect();
    let types = fields().map(|field| type_name(field.data_type())).collect();
    let nulls =
        fields().map(|field| if field.is_nullable() { "" } else { "never null" }.to_owned()).collect();
    texts("columns", [("column", names), ("type", types), ("nulls", nulls)])
}

fn texts<const N: usize>(name: &str, columns: [(&str, Vec<String>); N]) -> Result<Report, QueryError> {
    let columns = columns.map(|(name, values)| (name, Arc::new(StringArray::from(values)) as ArrayRef));
    let batch = RecordBatch::try_from_iter(columns)
        .map_err(|error| QueryError::Unexpected { message: error.to_string() })?;
    let result = QueryResult::new(batch.schema(), vec![batch], Duration::ZERO);
    Ok(Report::untitled(name, result))
}

fn listed_parameter(parameter: &Parameter) -> ListedParameter<'_> {
    ListedParameter {
        name: &parameter.name,
        kind: parameter.kind.name(),
        default: default_json(parameter),
        required: parameter.default == DefaultValue::Required,
        about: &parameter.about,
    }
}

fn default_json(parameter: &Parameter) -> Json {
    let DefaultValue::Value(text) = &parameter.default else { return Json::Null };
    match parameter.kind {
        ParameterType::Integer | ParameterType::Number | ParameterType::Boolean => {
            serde_json::from_str(text.trim()).unwrap_or_else(|_| Json::String(text.clone()))
        }
        ParameterType::ListOfText if text.trim().starts_with('[') => {
            serde_json::from_str(text).unwrap_or_else(|_| Json::String(text.clone()))
        }
        ParameterType::ListOfText => {
            Json::Array(text.split(',').map(|item| Json::String(item.trim().to_owned())).collect())
        }
        ParameterType::Text | ParameterType::Date | ParameterType::Timestamp => Json::String(text.clone()),
    }
}

fn short(parameter: &Parameter) -> String {
    match &parameter.default {
        DefaultValue::Required => format!("{} (required)", parameter.name),
        DefaultValue::Null => parameter.name.clone(),
        DefaultValue::Value(value) => format!("{}={value}", parameter.name),
    }
}
