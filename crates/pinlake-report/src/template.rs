//! A report as a file: a header of `--` lines, then one SQL statement.
//!
//! The file stays one text from first to last byte, header included, so that line numbers in errors are those of the file. A file
//! without a header is a template too: its title is its name and its parameters are its placeholders.

mod header;

use std::collections::BTreeSet;
use std::io::Read as _;
use std::path::Path;

use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::tokenizer::{Token, Tokenizer};

pub use header::HeaderError;

use crate::chart::Chart;
use crate::checks::Check;
use crate::kind::ErrorKind;
use crate::parameters::{DefaultValue, Parameter, ParameterType};
use crate::session::MAX_SQL_BYTES;

/// A report that can be run on any lake.
#[derive(Debug, Clone)]
pub struct Template {
    /// Its name: the file's, without `.sql`.
    pub name: String,
    /// Where it came from, for messages: a path, or `NAME.sql` for a built-in one.
    pub origin: String,
    /// What it is called on a page.
    pub title: String,
    /// What it tells, in a sentence or two; may be empty.
    pub about: String,
    /// Its parameters: the declared ones in order, then placeholders that are declared nowhere.
    pub parameters: Vec<Parameter>,
    /// How it is drawn, if it is.
    pub chart: Option<Chart>,
    /// What must hold of its rows.
    pub checks: Vec<Check>,
    /// The whole file.
    pub sql: String,
    undeclared: BTreeSet<String>,
}

impl Template {
    /// Parses the text of a report; `origin` is what messages call it.
    pub fn parse(name: &str, origin: &str, text: &str) -> Result<Self, TemplateError> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let located = |source| TemplateError::Header { origin: origin.to_owned(), source };
        let header = header::parse(text).map_err(located)?;
        let mut parameters = header.parameters;
        let mut undeclared = BTreeSet::new();
        for placeholder in placeholders(text) {
            if !parameters.iter().any(|parameter| parameter.name == placeholder) {
                undeclared.insert(placeholder.clone());
                parameters.push(undeclared_parameter(placeholder));
            }
        }
        Ok(Self {
            name: name.to_owned(),
            origin: origin.to_owned(),
            title: header.title.unwrap_or_else(|| name.to_owned()),
            about: header.about,
            parameters,
            chart: header.chart,
            checks: header.checks,
            sql: text.to_owned(),
            undeclared,
        })
    }

    /// Reads and parses a file.
    pub fn read(path: &Path) -> Result<Self, TemplateError> {
        let text = read_bounded(path)
            .map_err(|source| TemplateError::Unreadable { path: path.to_owned(), source })?;
        Self::parse(&Self::name_of(path), &path.display().to_string(), &text)
    }

    /// The name of the report in a file: the file's, without the ending.
    #[must_use]
    pub fn name_of(path: &Path) -> String {
        path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default()
    }

    /// Whether it runs without being given anything.
    #[must_use]
    pub fn runs_unasked(&self) -> bool {
        self.parameters.iter().all(|parameter| parameter.default != DefaultValue::Required)
    }

    /// Whether a parameter is only a placeholder in the SQL, whose type is the planner's to infer.
    pub(crate) fn infers(&self, parameter: &str) -> bool {
        self.undeclared.contains(parameter)
    }
}

/// Why a file is no report.
#[derive(Debug, thiserror::Error)]
pub enum TemplateError {
    /// The file cannot be read.
    #[error("report {} cannot be read", path.display())]
    Unreadable {
        /// The file.
        path: std::path::PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// Its header is wrong.
    #[error("the header of {origin} is wrong")]
    Header {
        /// The file.
        origin: String,
        /// Where and how.
        #[source]
        source: HeaderError,
    },
}

impl TemplateError {
    /// A report that cannot be used is a matter of usage.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        ErrorKind::Usage
    }
}

/// The text of a file that is no longer than a query may be. Nothing else than a file is opened, for a pipe may never say a word.
fn read_bounded(path: &Path) -> std::io::Result<String> {
    let refused = |problem: &str| std::io::Error::new(std::io::ErrorKind::InvalidData, problem.to_owned());
    if !std::fs::metadata(path)?.is_file() {
        return Err(refused("it is not a regular file"));
    }
    let mut text = String::new();
    std::fs::File::open(path)?.take(MAX_SQL_BYTES as u64 + 1).read_to_string(&mut text)?;
    if text.len() > MAX_SQL_BYTES {
        return Err(refused("it is longer than 1 MiB, which is more than a query may be"));
    }
    Ok(text)
}

fn undeclared_parameter(name: String) -> Parameter {
    Parameter {
        name,
        kind: ParameterType::Text,
        default: DefaultValue::Required,
        choices: Vec::new(),
        about: String::new(),
    }
}

/// The names of the placeholders in order of their first use. SQL that does not tokenise has none; running it tells why.
fn placeholders(sql: &str) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for token in Tokenizer::new(&GenericDialect {}, sql).tokenize().unwrap_or_default() {
        if let Token::Placeholder(placeholder) = token
            && let Some(name) = placeholder.strip_prefix('$')
            && !names.iter().any(|known| known == name)
        {
            names.push(name.to_owned());
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPT_OUT: &str = "\
-- title: Opt-out by channel
-- about: Share of endpoints
-- about: whose owner refuses.
-- param: since date = 1970-01-01    Count only endpoints created on or after this day
-- param: grain text = month {day, week, month}  Length of a period
-- param: label text = 'two  spaces'  Shown above
-- param: name text  The attribute
-- chart: bar x=channel_type y=opt_out_share series=country
-- check: opt_out_share <= 0.5 warn  More than half of a group has opted out
-- check: endpoints > 0 error
SELECT $since, $grain, $label, $name, '$no', $other -- $nor this
";

    #[test]
    fn a_header_is_read_whole() {
        let template = Template::parse("opt-out", "opt-out.sql", OPT_OUT).expect("parses");
        assert_eq!(template.title, "Opt-out by channel");
        assert_eq!(template.about, "Share of endpoints whose owner refuses.");
        let names: Vec<&str> = template.parameters.iter().map(|p| p.name.as_str()).collect();
        assert_eq!(names, ["since", "grain", "label", "name", "other"]);
        assert_eq!(template.parameters[1].choices, ["day", "week", "month"]);
        assert_eq!(template.parameters[2].default, DefaultValue::Value("two  spaces".into()));
        assert_eq!(template.parameters[3].default, DefaultValue::Required);
        assert!(template.infers("other") && !template.infers("name") && !template.runs_unasked());
        insta::assert_debug_snapshot!((&template.chart, &template.checks));
    }

    #[test]
    fn a_file_without_a_header_is_a_report() {
        let template = Template::parse("mine", "mine.sql", "\u{feff}-- counts\nSELECT 1").expect("parses");
        assert_eq!((template.title.as_str(), template.about.as_str()), ("mine", ""));
        assert!(template.runs_unasked());
        assert_eq!(template.sql, "-- counts\nSELECT 1");
    }

    #[test]
    fn a_bad_header_points_at_its_place() {
        let bad = [
            "-- title: a\n-- param: since dat = 1970-01-01  x\nSELECT 1",
            "-- param: since date = 1970-02-30  x\nSELECT 1",
            "-- param: grain text = year {day, month}  x\nSELECT 1",
            "-- param: n integer = 1 Leave out groups\nSELECT 1",
            "-- param: n integer = 1\n-- param: n text = a\nSELECT 1",
            "-- parm: n integer = 1\nSELECT 1",
            "-- chart: bra x=a y=b\nSELECT 1",
            "-- chart: bar x=a z=b\nSELECT 1",
            "-- check: a > 1 fatal  Oh\nSELECT 1",
            "-- title: a\n-- title: b\nSELECT 1",
        ];
        let told: Vec<String> = bad
            .iter()
            .map(|text| match Template::parse("bad", "bad.sql", text) {
                Err(TemplateError::Header { source, .. }) => source.to_string(),
                other => format!("{other:?}"),
            })
            .collect();
        insta::assert_snapshot!(told.join("\n\n"));
    }
}
