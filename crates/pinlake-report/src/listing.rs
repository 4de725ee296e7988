//! What there is to run: the catalogue as a table or JSON, and one report described as either.

mod description;

use std::io::Write;

use serde::Serialize;
use serde_json::Value as Json;

pub use description::{describe, describe_json};

use crate::catalogue::Catalogue;
use crate::parameters::{DefaultValue, Parameter, ParameterType};
use crate::render::{RenderError, RenderOptions, terminal::Grid};

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
