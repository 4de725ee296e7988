//! The grammar of a report's header, one kind of line each:
//!
//! ```text
//! -- title: TEXT                     once
//! -- about: TEXT                     more than one are joined
//! -- param: NAME TYPE [= DEFAULT] [{CHOICE, …}]  ABOUT
//! -- chart: KIND x=COLUMN y=COLUMN [series=COLUMN] [value=COLUMN] [stacked=true]
//! -- check: CONDITION warn|error  [MESSAGE]
//! ```
//!
//! The header is every comment before the first line of SQL. Two spaces or a tab end a default and begin the about text;
//! single quotes hold a default that has such in it; the default `null` makes a parameter optional. Other comments are
//! just comments, unless their first word is nearly one of these five, which is taken for a slip and refused.

use crate::chart::Chart;
use crate::checks::{Check, Level};
use crate::nearness::did_you_mean;
use crate::parameters::{DefaultValue, Parameter, ParameterType};
use crate::session::Place;

const KEYS: [&str; 5] = ["title", "about", "param", "chart", "check"];

/// What a header says.
#[derive(Debug, Default)]
pub(super) struct Header {
    pub(super) title: Option<String>,
    pub(super) about: String,
    pub(super) parameters: Vec<Parameter>,
    pub(super) chart: Option<Chart>,
    pub(super) checks: Vec<Check>,
}

/// A header line that cannot be understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {}, column {}: {message}\n{place}", place.line, place.column)]
pub struct HeaderError {
    /// What is wrong.
    pub message: String,
    /// Where.
    pub place: Place,
}

/// A part of a line that knows its column.
#[derive(Clone, Copy)]
struct Part<'a> {
    line: &'a str,
    number: usize,
    start: usize,
    end: usize,
}

impl<'a> Part<'a> {
    fn text(self) -> &'a str {
        &self.line[self.start..self.end]
    }

    fn trimmed(self) -> Self {
        let text = self.text();
        let start = self.start + (text.len() - text.trim_start().len());
        Self { start, end: start + text.trim().len(), ..self }
    }

    /// The part before and the part from byte `at` of this one on.
    fn split(self, at: usize) -> (Self, Self) {
        (Self { end: self.start + at, ..self }, Self { start: self.start + at, ..self })
    }

    /// The first word and what follows it.
    fn word(self) -> (Self, Self) {
        let part = self.trimmed();
        let end = part.text().find(char::is_whitespace).unwrap_or(part.text().len());
        part.split(end)
    }

    fn error(self, message: impl Into<String>) -> HeaderError {
        let column = self.line[..self.start].chars().count() + 1;
        let place = Place { line: self.number, column, text: self.line.to_owned() };
        HeaderError { message: message.into(), place }
    }
}

/// Reads the header of a report.
pub(super) fn parse(text: &str) -> Result<Header, HeaderError> {
    let mut header = Header::default();
    for (index, line) in text.lines().enumerate() {
        let indent = line.len() - line.trim_start().len();
        let Some(comment) = line.trim_start().strip_prefix("--") else {
            if line.trim().is_empty() {
                continue;
            }
            break;
        };
        let start = indent + 2;
        let comment = Part { line, number: index + 1, start, end: start + comment.len() }.trimmed();
        let Some(colon) = comment.text().find(':') else { continue };
        let (key, rest) = comment.split(colon);
        if key.text().is_empty() || key.text().contains(|c: char| !c.is_ascii_alphabetic()) {
            continue;
        }
        let value = rest.split(1).1.trimmed();
        read_line(&mut header, key, value)?;
    }
    Ok(header)
}

fn read_line(header: &mut Header, key: Part, value: Part) -> Result<(), HeaderError> {
    if KEYS.contains(&key.text()) && value.text().is_empty() {
        return Err(key.error(format!("`{}:` needs a value", key.text())));
    }
    match key.text() {
        "title" if header.title.is_some() => return Err(key.error("a report has one title")),
        "title" => header.title = Some(value.text().to_owned()),
        "about" if header.about.is_empty() => value.text().clone_into(&mut header.about),
        "about" => {
            header.about.push(' ');
            header.about.push_str(value.text());
        }
        "param" => {
            let parameter = parameter(value)?;
            if header.parameters.iter().any(|known| known.name == parameter.name) {
                return Err(value.error(format!("parameter `{}` is declared twice", parameter.name)));
            }
            header.parameters.push(parameter);
        }
        "chart" if header.chart.is_some() => return Err(key.error("a report has one chart")),
        "chart" => header.chart = Some(chart(value)?),
        "check" => header.checks.push(check(value)?),
        other => {
            if let Some(meant) = did_you_mean(other, KEYS.into_iter()) {
                return Err(key.error(format!("`{other}:` is no header line; did you mean `{meant}:`?")));
            }
        }
    }
    Ok(())
}

fn parameter(value: Part) -> Result<Parameter, HeaderError> {
    let (name, rest) = value.word();
    let starts_well = name.text().starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    if !starts_well || name.text().contains(|c: char| !c.is_ascii_alphanumeric() && c != '_') {
        return Err(name.error("a parameter's name has letters, digits and `_`, and begins with no digit"));
    }
    let (type_name, rest) = rest.word();
    let kind = type_name.text().parse::<ParameterType>().map_err(|()| {
        let known = ParameterType::ALL.map(ParameterType::name).join(", ");
        type_name.error(format!("a parameter's type is one of {known}"))
    })?;
    let (default, rest) = default_value(rest)?;
    let (choices, about) = choices(rest)?;
    let parameter = Parameter {
        name: name.text().to_owned(),
        kind,
        default: DefaultValue::Required,
        choices,
        about: about.text().to_owned(),
    };
    let default = match default {
        None => DefaultValue::Required,
        Some((_, None)) => DefaultValue::Null,
        Some((part, Some(text))) => {
            let hint = if text.contains(' ') { "; two spaces end a default" } else { "" };
            parameter.parse(&text).map_err(|error| part.error(format!("{error}{hint}")))?;
            DefaultValue::Value(text)
        }
    };
    Ok(Parameter { default, ..parameter })
}

type Default<'a> = Option<(Part<'a>, Option<String>)>;

/// The default with its place, if there is one, and what follows. A default of None is null.
fn default_value(rest: Part) -> Result<(Default, Part), HeaderError> {
    let part = rest.trimmed();
    if !part.text().starts_with('=') {
        return Ok((None, part));
    }
    let value = part.split(1).1.trimmed();
    if value.text().starts_with('\'') {
        let text = value.text();
        let closing = text[1..].find('\'').ok_or_else(|| value.error("the quoted default does not end"))?;
        let (quoted, rest) = value.split(closing + 2);
        let inner = quoted.text()[1..=closing].to_owned();
        return Ok((Some((quoted, Some(inner))), rest.trimmed()));
    }
    let ends = ["  ", "\t", " {"];
    let end = ends.iter().filter_map(|end| value.text().find(end)).min().unwrap_or(value.text().len());
    let (default, rest) = value.split(end);
    let default = default.trimmed();
    match default.text() {
        "" => Err(value.error("a default is missing behind `=`")),
        "null" => Ok((Some((default, None)), rest.trimmed())),
        text => Ok((Some((default, Some(text.to_owned()))), rest.trimmed())),
    }
}

fn choices(part: Part) -> Result<(Vec<String>, Part), HeaderError> {
    if !part.text().starts_with('{') {
        return Ok((Vec::new(), part));
    }
    let closing = part.text().find('}').ok_or_else(|| part.error("the list of choices does not end"))?;
    let (listed, rest) = part.split(closing + 1);
    let listed = listed.text()[1..closing].split(',').map(|choice| choice.trim().to_owned());
    Ok((listed.filter(|choice| !choice.is_empty()).collect(), rest.trimmed()))
}

fn chart(value: Part) -> Result<Chart, HeaderError> {
    let (kind, mut rest) = value.word();
    let kind_named = kind.text().parse().map_err(|message: String| kind.error(message))?;
    let mut chart = Chart::new(kind_named);
    while !rest.trimmed().text().is_empty() {
        let (setting, after) = rest.word();
        let Some((key, column)) = setting.text().split_once('=') else {
            return Err(setting.error("a chart's columns are given as x=COLUMN y=COLUMN"));
        };
        chart.set(key, column).map_err(|message| setting.error(message))?;
        rest = after;
    }
    chart.complete().map_err(|message| value.error(message))?;
    Ok(chart)
}

/// The level is the last word of the condition's part, which two spaces or the line's end close.
fn check(value: Part) -> Result<Check, HeaderError> {
    let text = value.text();
    for (word, level) in [(" warn", Level::Warn), (" error", Level::Error)] {
        for (at, _) in text.match_indices(word) {
            let behind = &text[at + word.len()..];
            if behind.is_empty() || behind.starts_with("  ") || behind.starts_with('\t') {
                return Ok(Check {
                    condition: text[..at].trim().to_owned(),
                    level,
                    message: behind.trim().to_owned(),
                    line: value.number,
                });
            }
        }
    }
    Err(value.error("a check is CONDITION, then `warn` or `error`, then two spaces and a message"))
}
