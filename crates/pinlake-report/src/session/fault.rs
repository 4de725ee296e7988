//! Why a query gave no rows, and the place in its text.

use std::error::Error;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use datafusion::common::DataFusionError;

use crate::kind::ErrorKind;
use crate::parameters::ParameterError;

/// A place in a text, with the line as it stands there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// The line's text, without its end.
    pub text: String,
}

impl Place {
    /// The place at a line and column of `text`; None when there is no such line.
    #[must_use]
    pub fn in_text(text: &str, line: usize, column: usize) -> Option<Self> {
        let found = text.lines().nth(line.checked_sub(1)?)?;
        Some(Self { line, column: column.max(1), text: found.to_owned() })
    }
}

/// The line with its number, and a caret below the column.
impl fmt::Display for Place {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = self.line.to_string();
        writeln!(out, "  {number} | {}", self.text)?;
        let indent: String = self
            .text
            .chars()
            .take(self.column - 1)
            .map(|character| if character == '\t' { '\t' } else { ' ' })
            .collect();
        write!(out, "  {:width$} | {indent}^", "", width = number.len())
    }
}

/// Why a query gave no rows.
#[derive(Debug, thiserror::Error)]
pub enum QueryError {
    /// The SQL does not parse, or names what is not there.
    #[error("{}", invalid_text(message, place.as_ref()))]
    Invalid {
        /// What is wrong with it.
        message: String,
        /// Where, if DataFusion tells.
        place: Option<Place>,
    },
    /// The SQL is no query.
    #[error(
        "{statement} is refused: queries are read-only, they start with SELECT, WITH, VALUES, SHOW, DESCRIBE or EXPLAIN"
    )]
    ReadOnly {
        /// The kind of statement.
        statement: String,
    },
    /// A parameter is missing or wrong.
    #[error(transparent)]
    Parameter(#[from] ParameterError),
    /// The query failed on the data. The message holds no values.
    #[error("the query failed on the data: {message}")]
    Execution {
        /// What failed, with values left out.
        message: String,
    },
    /// Memory or disk ran out.
    #[error(
        "the query needs more memory or disk than it may use; more memory (--memory-limit), or fewer threads that share it (--threads 1), \
         may do: {message}"
    )]
    Resources {
        /// What could not be had.
        message: String,
    },
    /// A data file of the lake cannot be read.
    #[error(transparent)]
    DataFile(#[from] DataFileError),
    /// What the query reads from outside the lake cannot be had.
    #[error(transparent)]
    Outside(#[from] OutsideError),
    /// A bug in DataFusion or here.
    #[error("the query engine failed unexpectedly: {message}")]
    Unexpected {
        /// What it said.
        message: String,
    },
}

/// An error of whoever provides a table from outside the lake. It tells what that error tells, and has it as its source.
#[derive(Debug, Clone)]
pub struct OutsideError(Arc<dyn Error + Send + Sync>);

impl OutsideError {
    /// Takes an error of another crate along.
    pub fn new(error: impl Error + Send + Sync + 'static) -> Self {
        Self(Arc::new(error))
    }
}

impl fmt::Display for OutsideError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(out)
    }
}

impl Error for OutsideError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&*self.0)
    }
}

/// A file of the lake that is not what the log says.
#[derive(Debug, thiserror::Error)]
pub enum DataFileError {
    /// The file cannot be opened or read.
    #[error("data file {} cannot be read", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The file has another length than the log says.
    #[error("data file {} has {actual_bytes} bytes where the table's log says {expected_bytes}", path.display())]
    Length {
        /// The file.
        path: PathBuf,
        /// Its length in the log.
        expected_bytes: u64,
        /// Its length on disk.
        actual_bytes: u64,
    },
    /// The file is not the Parquet file that was written.
    #[error("data file {} is damaged: {message}", path.display())]
    Damaged {
        /// The file, or the folder where it could not be told which.
        path: PathBuf,
        /// What the reader said.
        message: String,
    },
}

impl QueryError {
    /// A query that can go on only with more memory.
    pub(super) fn out_of_memory() -> Self {
        let message = "one part of it runs so far ahead of another that the rows between them do not fit";
        Self::Resources { message: message.to_owned() }
    }

    /// An error of looking at rows outside a query.
    pub(crate) fn on_rows(error: &DataFusionError) -> Self {
        super::diagnosis::while_running(error, "", &[])
    }

    /// What kind of failure it is.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Invalid { .. } | Self::ReadOnly { .. } | Self::Parameter(_) | Self::Execution { .. } => {
                ErrorKind::Usage
            }
            Self::Resources { .. } => ErrorKind::Resource,
            Self::DataFile(_) => ErrorKind::Integrity,
            Self::Outside(_) => ErrorKind::Outside,
            Self::Unexpected { .. } => ErrorKind::Unexpected,
        }
    }
}

fn invalid_text(message: &str, place: Option<&Place>) -> String {
    match place {
        Some(place) => format!("line {}, column {}: {message}\n{place}", place.line, place.column),
        None => message.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_points_at_its_column() {
        let place = Place::in_text("SELECT\n\tfoo FROM x", 2, 2).expect("there is a line 2");
        assert_eq!(place.to_string(), "  2 | \tfoo FROM x\n    | \t^");
        assert_eq!(Place::in_text("one line", 2, 1), None);
    }
}
