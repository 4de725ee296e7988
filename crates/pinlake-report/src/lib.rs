//! SQL over a lake: views, report templates, and their renderings.
//!
//! The only crate that links DataFusion. It is handed plain facts about a lake ([`LakeTables`]), opens a [`Session`] on exactly
//! the files that the table's log names, runs reports from a [`Catalogue`] or ad-hoc SQL, and renders the
//! rows. It knows neither the export that they came from nor how the lake is written, so reports run on any lake. Pieces are
//! tables too (`read_pieces`), read by whoever hands it a [`PieceReader`].
//!
//! ```text
//! LakeTables ─▶ Session ─▶ run(Template, parameters) ─▶ Report ─▶ render(…, Format, …)
//!                  ├─────▶ stream(sql) ─▶ QueryStream ──────────▶ render_stream(…)
//!                  └─────▶ members(Segment) ─▶ QueryStream ─────▶ render_stream(…)
//! ```

#[cfg(test)]
mod builtin_tests;
mod catalogue;
mod chart;
mod checks;
mod diff;
mod error;
mod kind;
mod listing;
mod nearness;
mod parameters;
mod render;
#[cfg(test)]
mod render_tests;
mod report;
mod segment;
mod session;
#[cfg(test)]
mod session_tests;
mod template;
#[cfg(test)]
mod test_lake;

pub use catalogue::{BrokenReport, Catalogue, CatalogueError};
pub use chart::{Chart, ChartKind};
pub use checks::{Check, CheckError, Level, Verdict};
pub use diff::{DiffError, DiffRequest, DiffTotals, diff};
pub use error::ReportError;
pub use kind::ErrorKind;
pub use listing::{describe, describe_json, list_columns, list_json, list_table, list_tables};
pub use nearness::did_you_mean;
pub use parameters::{Bindings, DefaultValue, Parameter, ParameterError, ParameterType, UsedParameter};
pub use render::{
    Format, PageFacts, Reconciliation, RenderError, RenderOptions, render, render_checks, render_stream,
};
pub use report::{Report, run};
pub use segment::{MembersRequest, Segment, SegmentBook, SegmentDefinition, SegmentError, members};
pub use session::{
    CountFact, DataFileError, LakeTables, MAX_SQL_BYTES, OutsideError, PieceFact, PieceReader, PieceRequest,
    Place, QueryError, QueryResult, QueryStream, RowPart, RunFacts, Session, SessionOptions, SnapshotFact,
    TableFile,
};
pub use template::{HeaderError, Template, TemplateError};
