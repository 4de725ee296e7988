//! What can go wrong on the way from a template to a rendered report, in one type.

use crate::catalogue::CatalogueError;
use crate::checks::CheckError;
use crate::kind::ErrorKind;
use crate::parameters::ParameterError;
use crate::render::RenderError;
use crate::session::QueryError;
use crate::template::TemplateError;

/// Why a report could not be made: each part's own error, with the report that it belongs to.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// There is no such report, or a folder of reports cannot be read.
    #[error(transparent)]
    Catalogue(#[from] CatalogueError),
    /// A file is no report.
    #[error(transparent)]
    Template(#[from] TemplateError),
    /// A parameter is unknown, missing or wrong.
    #[error("report {name:?} cannot run")]
    Parameter {
        /// The report.
        name: String,
        /// Which parameter, and how.
        #[source]
        source: ParameterError,
    },
    /// Its SQL failed.
    #[error("{origin} failed")]
    Query {
        /// The file.
        origin: String,
        /// How.
        #[source]
        source: QueryError,
    },
    /// Ad-hoc SQL failed while its rows were written.
    #[error(transparent)]
    Sql(#[from] QueryError),
    /// Its chart does not fit its columns.
    #[error("{origin}: {message}")]
    Chart {
        /// The file.
        origin: String,
        /// What does not fit.
        message: String,
    },
    /// One of its checks cannot be evaluated.
    #[error("{origin} has a check that does not work")]
    Check {
        /// The file.
        origin: String,
        /// Which, and why.
        #[source]
        source: CheckError,
    },
    /// It could not be rendered.
    #[error(transparent)]
    Render(#[from] RenderError),
}

impl ReportError {
    /// What kind of failure it is.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Catalogue(error) => error.kind(),
            Self::Template(error) => error.kind(),
            Self::Parameter { source, .. } => source.kind(),
            Self::Query { source, .. } | Self::Sql(source) => source.kind(),
            Self::Chart { .. } | Self::Check { .. } => ErrorKind::Usage,
            Self::Render(error) => error.kind(),
        }
    }
}
