//! Typed parameters of a report and their values, bound to a statement's `$name` placeholders.
//!
//! A value never becomes part of the SQL text: it is parsed into a scalar of the declared type and handed to the planner as
//! such. A placeholder that no header declares takes the type that the planner infers for it, text where it infers none.

mod bindings;
mod types;

use datafusion::common::ScalarValue;

pub use bindings::{Bindings, UsedParameter};
pub use types::ParameterType;

use crate::kind::ErrorKind;

/// What a parameter takes when it is not given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DefaultValue {
    /// It must be given.
    Required,
    /// Null, which the SQL gives a meaning to.
    Null,
    /// This text, which is known to parse.
    Value(String),
}

/// A parameter as a report declares it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameter {
    /// Its name, without the `$`.
    pub name: String,
    /// Its type.
    pub kind: ParameterType,
    /// What holds when it is not given.
    pub default: DefaultValue,
    /// The only values that it takes, if the header lists them; else empty.
    pub choices: Vec<String>,
    /// What it means, in a sentence.
    pub about: String,
}

impl Parameter {
    /// Parses a value for it, and holds it against the choices.
    pub fn parse(&self, text: &str) -> Result<ScalarValue, ParameterError> {
        let value = self.kind.parse(text).ok_or_else(|| ParameterError::WrongType {
            name: self.name.clone(),
            kind: self.kind,
            given: text.to_owned(),
        })?;
        if !self.choices.is_empty() && !self.choices.iter().any(|choice| choice == text) {
            return Err(ParameterError::NoSuchChoice {
                name: self.name.clone(),
                given: text.to_owned(),
                choices: self.choices.join(", "),
            });
        }
        Ok(value)
    }

    fn usage(&self) -> String {
        match &self.default {
            DefaultValue::Required => format!("{} ({}, required)", self.name, self.kind),
            DefaultValue::Null => format!("{} ({}, optional)", self.name, self.kind),
            DefaultValue::Value(value) => format!("{} ({}, default {value})", self.name, self.kind),
        }
    }
}

/// Why a parameter cannot be bound.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParameterError {
    /// No such parameter is declared.
    #[error("unknown parameter {name:?}{}; it takes: {}", suggestion(near.as_ref()), or_none(available))]
    Unknown {
        /// The name given.
        name: String,
        /// A declared name that is much like it.
        near: Option<String>,
        /// The declared parameters.
        available: String,
    },
    /// A value is needed.
    #[error("parameter {name:?} needs a value; it takes: {}", or_none(available))]
    Missing {
        /// The parameter.
        name: String,
        /// The declared parameters.
        available: String,
    },
    /// The value has another type.
    #[error("parameter {name:?} takes {}, not {given:?}", kind.example())]
    WrongType {
        /// The parameter.
        name: String,
        /// What it takes.
        kind: ParameterType,
        /// What was given.
        given: String,
    },
    /// The value is not among the allowed ones.
    #[error("parameter {name:?} takes one of {choices}, not {given:?}")]
    NoSuchChoice {
        /// The parameter.
        name: String,
        /// What was given.
        given: String,
        /// What it takes.
        choices: String,
    },
}

impl ParameterError {
    /// Always a matter of usage.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        ErrorKind::Usage
    }
}

fn suggestion(near: Option<&String>) -> String {
    near.map(|name| format!(" (did you mean {name:?}?)")).unwrap_or_default()
}

fn or_none(available: &str) -> &str {
    if available.is_empty() { "no parameters" } else { available }
}
