//! The types of parameters, and how text becomes a value of each.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use arrow::array::ListArray;
use arrow::datatypes::{DataType, Field};
use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Utc};
use datafusion::common::ScalarValue;

/// The type of a parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ParameterType {
    /// Any text.
    Text,
    /// A whole number of 64 bits.
    Integer,
    /// A finite double.
    Number,
    /// A day, `2026-10-29`.
    Date,
    /// An instant: RFC 3339, or a day or a day and time, which are taken as UTC.
    Timestamp,
    /// `true` or `false`.
    Boolean,
    /// Texts separated by commas, or a JSON array of texts.
    ListOfText,
}

impl ParameterType {
    /// Every type, in the order in which they are listed.
    pub const ALL: [Self; 7] = [
        Self::Text,
        Self::Integer,
        Self::Number,
        Self::Date,
        Self::Timestamp,
        Self::Boolean,
        Self::ListOfText,
    ];

    /// As it is written in a header.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Integer => "integer",
            Self::Number => "number",
            Self::Date => "date",
            Self::Timestamp => "timestamp",
            Self::Boolean => "boolean",
            Self::ListOfText => "list<text>",
        }
    }

    /// Parses a value; None when the text is none of this type.
    #[must_use]
    pub fn parse(self, text: &str) -> Option<ScalarValue> {
        let trimmed = text.trim();
        Some(match self {
            Self::Text => ScalarValue::Utf8(Some(text.to_owned())),
            Self::Integer => ScalarValue::Int64(Some(trimmed.parse().ok()?)),
            Self::Number => {
                ScalarValue::Float64(Some(trimmed.parse().ok().filter(|value: &f64| value.is_finite())?))
            }
            Self::Date => ScalarValue::Date32(Some(days_since_epoch(trimmed.parse().ok()?))),
            Self::Timestamp => {
                ScalarValue::TimestampMicrosecond(Some(instant(trimmed)?.timestamp_micros()), Some(utc()))
            }
            Self::Boolean => ScalarValue::Boolean(Some(trimmed.parse().ok()?)),
            Self::ListOfText => list_of_text(&split_list(text)?),
        })
    }

    /// The null of this type.
    pub(super) fn null(self) -> ScalarValue {
        match self {
            Self::Text => ScalarValue::Utf8(None),
            Self::Integer => ScalarValue::Int64(None),
            Self::Number => ScalarValue::Float64(None),
            Self::Date => ScalarValue::Date32(None),
            Self::Timestamp => ScalarValue::TimestampMicrosecond(None, Some(utc())),
            Self::Boolean => ScalarValue::Boolean(None),
            Self::ListOfText => {
                let item = Arc::new(Field::new_list_field(DataType::Utf8, true));
                ScalarValue::List(Arc::new(ListArray::new_null(item, 1)))
            }
        }
    }

    /// An example in words, for messages.
    pub(super) fn example(self) -> &'static str {
        match self {
            Self::Text => "a text",
            Self::Integer => "a whole number",
            Self::Number => "a number",
            Self::Date => "a date such as 2026-10-29",
            Self::Timestamp => "an instant such as 2026-10-29T12:00:00Z, or a date",
            Self::Boolean => "true or false",
            Self::ListOfText => "a list such as a,b,c or [\"a\",\"b,c\"]",
        }
    }

    /// The type for a placeholder that is declared nowhere.
    pub(super) fn inferred(data_type: Option<&DataType>) -> Self {
        match data_type {
            Some(data_type) if data_type.is_integer() => Self::Integer,
            Some(data_type) if data_type.is_floating() => Self::Number,
            Some(DataType::Date32 | DataType::Date64) => Self::Date,
            Some(DataType::Timestamp(_, _)) => Self::Timestamp,
            Some(DataType::Boolean) => Self::Boolean,
            Some(DataType::List(_)) => Self::ListOfText,
            _ => Self::Text,
        }
    }
}

impl fmt::Display for ParameterType {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.name())
    }
}

impl FromStr for ParameterType {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|kind| kind.name() == text).ok_or(())
    }
}

fn utc() -> Arc<str> {
    "UTC".into()
}

fn days_since_epoch(date: NaiveDate) -> i32 {
    i32::try_from(date.signed_duration_since(NaiveDate::default()).num_days()).unwrap_or(i32::MAX)
}

fn instant(text: &str) -> Option<DateTime<Utc>> {
    if let Ok(instant) = DateTime::parse_from_rfc3339(text) {
        return Some(instant.to_utc());
    }
    let day = |date: NaiveDate| date.and_time(NaiveTime::MIN);
    let forms = ["%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M"];
    let local = text
        .parse::<NaiveDate>()
        .map(day)
        .or_else(|_| NaiveDateTime::parse_from_str(text, forms[0]))
        .or_else(|_| NaiveDateTime::parse_from_str(text, forms[1]))
        .or_else(|_| NaiveDateTime::parse_from_str(text, forms[2]));
    local.ok().map(|local| local.and_utc())
}

fn split_list(text: &str) -> Option<Vec<String>> {
    let trimmed = text.trim();
    if trimmed.starts_with('[') {
        return serde_json::from_str(trimmed).ok();
    }
    if trimmed.is_empty() {
        return Some(Vec::new());
    }
    Some(trimmed.split(',').map(|item| item.trim().to_owned()).collect())
}

fn list_of_text(items: &[String]) -> ScalarValue {
    let items: Vec<ScalarValue> = items.iter().map(|item| ScalarValue::from(item.as_str())).collect();
    ScalarValue::List(ScalarValue::new_list(&items, &DataType::Utf8, true))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_parse_by_their_type() {
        let micros = |kind: ParameterType, text: &str| kind.parse(text).map(|value| value.to_string());
        assert_eq!(micros(ParameterType::Integer, " 42 ").as_deref(), Some("42"));
        assert_eq!(micros(ParameterType::Integer, "4.2"), None);
        assert_eq!(micros(ParameterType::Number, "inf"), None);
        assert_eq!(ParameterType::Date.parse("1970-01-02"), Some(ScalarValue::Date32(Some(1))));
        assert_eq!(ParameterType::Date.parse("2026-02-30"), None);
        let noon = ScalarValue::TimestampMicrosecond(Some(43_200_000_000), Some("UTC".into()));
        for text in ["1970-01-01T13:00:00+01:00", "1970-01-01 12:00:00", "1970-01-01T12:00:00.000"] {
            assert_eq!(ParameterType::Timestamp.parse(text), Some(noon.clone()), "{text}");
        }
        assert_eq!(split_list("a, b"), Some(vec!["a".into(), "b".into()]));
        assert_eq!(split_list("[\"a,b\"]"), Some(vec!["a,b".into()]));
        assert_eq!(split_list("[1]"), None);
    }
}
