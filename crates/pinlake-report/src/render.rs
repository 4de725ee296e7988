//! Reports in every format, one file each.
//!
//! Formats are of two kinds. Machine formats (CSV, JSON, NDJSON, Parquet) hold typed values and nothing else, are never cut and
//! can be written as the rows come; what a report's checks say goes beside them ([`render_checks`]). Pages (terminal,
//! Markdown, HTML, XLSX) are for eyes: grouped digits, percentages, `(none)` for null, verdicts, long results cut with a line
//! that says so. The same rows give the same bytes; nothing tells the time of rendering.

mod chart;
mod csv;
mod html;
mod json;
mod markdown;
mod page;
mod parquet;
pub(crate) mod terminal;
mod verdicts;
mod xlsx;

use std::borrow::Cow;
use std::fmt;
use std::io::{self, Write};
use std::path::Path;
use std::str::FromStr;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;

pub use verdicts::render_checks;

use crate::error::ReportError;
use crate::kind::ErrorKind;
use crate::report::Report;
use crate::session::{QueryResult, QueryStream};

/// How results are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// Aligned columns for a terminal.
    Table,
    /// RFC 4180, with a header line and CRLF.
    Csv,
    /// One result: an array of row objects. Several: an object of such arrays by name.
    Json,
    /// A row object a line; of several results with a leading member `report`.
    Ndjson,
    /// Tables as GitHub renders them.
    Markdown,
    /// One self-contained page.
    Html,
    /// A workbook, a sheet a report.
    Xlsx,
    /// A Parquet file.
    Parquet,
}

const FORMATS: [(Format, &str); 8] = [
    (Format::Table, "table"),
    (Format::Csv, "csv"),
    (Format::Json, "json"),
    (Format::Ndjson, "ndjson"),
    (Format::Markdown, "markdown"),
    (Format::Html, "html"),
    (Format::Xlsx, "xlsx"),
    (Format::Parquet, "parquet"),
];

impl Format {
    /// Whether it is laid out as a whole, for eyes. The others are written as the rows come and are never cut.
    pub(crate) fn is_page(self) -> bool {
        matches!(self, Self::Table | Self::Markdown | Self::Html)
    }

    /// The names of all formats.
    pub fn names() -> impl Iterator<Item = &'static str> {
        FORMATS.iter().map(|(_, name)| *name)
    }

    /// The format that a file's ending stands for.
    #[must_use]
    pub fn of_path(path: &Path) -> Option<Self> {
        match path.extension()?.to_str()?.to_ascii_lowercase().as_str() {
            "txt" => Some(Self::Table),
            "md" => Some(Self::Markdown),
            "jsonl" => Some(Self::Ndjson),
            "htm" => Some(Self::Html),
            ending => ending.parse().ok(),
        }
    }

    /// The ending of its files, without the dot.
    #[must_use]
    pub fn extension(self) -> &'static str {
        match self {
            Self::Table => "txt",
            Self::Markdown => "md",
            _ => FORMATS.iter().find(|(format, _)| *format == self).map_or("txt", |(_, name)| name),
        }
    }

    /// Whether one output can hold several reports.
    #[must_use]
    pub fn holds_several(self) -> bool {
        !matches!(self, Self::Csv | Self::Parquet)
    }

    /// Whether it shows what a report's checks say. A format that does not holds rows alone.
    #[must_use]
    pub fn shows_checks(self) -> bool {
        matches!(self, Self::Table | Self::Markdown | Self::Html | Self::Xlsx)
    }

    /// Whether a terminal can show it.
    #[must_use]
    pub fn is_text(self) -> bool {
        !matches!(self, Self::Xlsx | Self::Parquet)
    }
}

impl FromStr for Format {
    type Err = RenderError;

    fn from_str(text: &str) -> Result<Self, RenderError> {
        let found = FORMATS.into_iter().find(|(_, name)| *name == text).map(|(format, _)| format);
        found.ok_or_else(|| RenderError::UnknownFormat { given: text.to_owned() })
    }
}

impl fmt::Display for Format {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = FORMATS.iter().find(|(format, _)| format == self).map_or("table", |(_, name)| name);
        out.write_str(name)
    }
}

/// How pages and files are to look.
#[derive(Debug, Clone)]
pub struct RenderOptions {
    /// Columns of the terminal that a table must fit in. None: as wide as it is.
    pub width: Option<usize>,
    /// Whether the terminal's table may use colour.
    pub color: bool,
    /// Rows that the terminal shows of a result. None: all.
    pub max_rows: Option<usize>,
    /// Rows that HTML and Markdown show of a result. None: all.
    pub page_rows: Option<usize>,
    /// In CSV, put `'` before text that a spreadsheet would take for a formula.
    pub csv_safe: bool,
    /// What the HTML page and the workbook tell about the data they stand on.
    pub facts: PageFacts,
    /// Bytes that a workbook's cells may take, since it is built in memory. None: unbounded.
    pub memory_limit_bytes: Option<usize>,
}

impl RenderOptions {
    /// How many rows of a result a format shows. None: all, as those do that are no pages.
    pub(crate) fn rows_shown(&self, format: Format) -> Option<usize> {
        match format {
            Format::Table => self.max_rows,
            Format::Markdown | Format::Html => self.page_rows,
            Format::Csv | Format::Json | Format::Ndjson | Format::Parquet | Format::Xlsx => None,
        }
    }
}

impl Default for RenderOptions {
    fn default() -> Self {
        Self {
            width: None,
            color: false,
            max_rows: None,
            page_rows: Some(200),
            csv_safe: false,
            facts: PageFacts::default(),
            memory_limit_bytes: None,
        }
    }
}

/// What a page or a workbook says at its beginning about where its figures come from.
#[derive(Debug, Clone, Default, serde::Serialize)]
pub struct PageFacts {
    /// The page's heading; "Audience report" where empty.
    pub title: String,
    /// Names and values: source, snapshot, tool.
    pub lines: Vec<(String, String)>,
    /// The checks of counts that the conversion made.
    pub reconciliation: Vec<Reconciliation>,
}

/// One check of counts.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Reconciliation {
    /// What was compared.
    pub check: String,
    /// What it had to be.
    pub expected: String,
    /// What it was.
    pub actual: String,
    /// Whether the two agree.
    pub ok: bool,
}

/// Writes reports in a format.
pub fn render(
    reports: &[Report],
    format: Format,
    options: &RenderOptions,
    out: &mut (dyn Write + Send),
) -> Result<(), RenderError> {
    if let (false, [_, second, ..]) = (format.holds_several(), reports) {
        return Err(RenderError::OneEach { format, name: second.name.clone() });
    }
    match format {
        Format::Table => one_below_another(reports, out, |report, out| terminal::write(report, options, out)),
        Format::Markdown => {
            one_below_another(reports, out, |report, out| markdown::write(report, options, out))
        }
        Format::Html => html::write(reports, options, out),
        Format::Xlsx => xlsx::write(reports, options, out),
        Format::Json => match reports {
            [report] => json::write_rows(&*loaded(report)?, out),
            several => json::write_named(several, out),
        },
        Format::Ndjson => match reports {
            [report] => json::write_lines(&*loaded(report)?, None, out),
            several => several
                .iter()
                .try_for_each(|report| json::write_lines(&*loaded(report)?, Some(&report.name), out)),
        },
        Format::Csv | Format::Parquet => {
            let Some(report) = reports.first() else { return Ok(()) };
            let mut writer = row_writer(format, &report.result.schema, options, out)?;
            loaded(report)?.batches.iter().try_for_each(|batch| writer.write(batch))?;
            writer.finish()
        }
    }
}

/// Writes reports with an empty line between them, one in memory at a time.
fn one_below_another(
    reports: &[Report],
    out: &mut (dyn Write + Send),
    write: impl Fn(&Report, &mut dyn Write) -> io::Result<()>,
) -> Result<(), RenderError> {
    for (place, report) in reports.iter().enumerate() {
        if place > 0 {
            writeln!(out).map_err(RenderError::write)?;
        }
        write(&*whole(report)?, out).map_err(RenderError::write)?;
    }
    Ok(())
}

/// A report with its rows in memory.
fn whole(report: &Report) -> Result<Cow<'_, Report>, RenderError> {
    Ok(match loaded(report)? {
        Cow::Borrowed(_) => Cow::Borrowed(report),
        Cow::Owned(result) => Cow::Owned(Report { result, ..report.clone() }),
    })
}

/// The rows of a report, wherever they are.
fn loaded(report: &Report) -> Result<Cow<'_, QueryResult>, RenderError> {
    report.result.loaded().map_err(|source| RenderError::Reread { name: report.name.clone(), source })
}

/// Writes the rows of a query as they come, and returns how many there were. A page keeps only the rows in memory that it
/// shows, a machine format one batch; a workbook keeps all of them.
pub async fn render_stream(
    mut stream: QueryStream,
    format: Format,
    options: &RenderOptions,
    out: &mut (dyn Write + Send),
) -> Result<u64, ReportError> {
    let mut rows = 0;
    let schema = stream.schema();
    if format.is_page() {
        let cap = options.rows_shown(format);
        let mut batches = Vec::new();
        let mut kept = 0;
        while let Some(batch) = stream.next().await? {
            rows += batch.num_rows() as u64;
            if cap.is_none_or(|cap| kept < cap) {
                kept += batch.num_rows();
                batches.push(batch);
            }
        }
        let result = QueryResult::new(schema, batches, std::time::Duration::ZERO);
        let further_rows = usize::try_from(rows).unwrap_or(usize::MAX).saturating_sub(kept);
        let report = Report { further_rows, ..Report::untitled("query", result) };
        render(&[report], format, options, out)?;
        return Ok(rows);
    }
    let mut writer = row_writer(format, &schema, options, out)?;
    while let Some(batch) = stream.next().await? {
        rows += batch.num_rows() as u64;
        writer.write(&batch)?;
    }
    writer.finish()?;
    Ok(rows)
}

/// Writes rows batch by batch.
pub(crate) trait RowWriter: Send {
    /// Writes the rows of a batch.
    fn write(&mut self, batch: &RecordBatch) -> Result<(), RenderError>;
    /// Writes what stands behind the last row. Without it the output is not whole.
    fn finish(self: Box<Self>) -> Result<(), RenderError>;
}

/// A writer of rows in a format that is written as they come.
pub(crate) fn row_writer<'a>(
    format: Format,
    schema: &SchemaRef,
    options: &RenderOptions,
    out: &'a mut (dyn Write + Send),
) -> Result<Box<dyn RowWriter + 'a>, RenderError> {
    Ok(match format {
        Format::Csv => Box::new(csv::CsvWriter::begin(schema, options.csv_safe, out)?),
        Format::Parquet => Box::new(parquet::ParquetFile::begin(schema, out)?),
        Format::Xlsx => Box::new(xlsx::QuerySheet::begin(schema, options, out)?),
        Format::Ndjson => Box::new(json::Lines::begin(out)),
        _ => Box::new(json::Rows::begin(out)),
    })
}

/// Why nothing, or not all, was written.
#[derive(Debug, thiserror::Error)]
pub enum RenderError {
    /// The output does not take more: a closed pipe, a full disk.
    #[error("the output cannot be written")]
    Write {
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A value has no form in the format.
    #[error("a column cannot be written as {format}: {message}")]
    Value {
        /// The format.
        format: Format,
        /// What is in the way, without values.
        message: String,
    },
    /// No such format.
    #[error(
        "no format is called {given:?}; there are table, csv, json, ndjson, markdown, html, xlsx and parquet"
    )]
    UnknownFormat {
        /// What was asked for.
        given: String,
    },
    /// The format holds one result.
    #[error("{format} holds one report; {name:?} needs a file of its own")]
    OneEach {
        /// The format.
        format: Format,
        /// The second report.
        name: String,
    },
    /// It would take more memory than it may.
    #[error(
        "{format} is built in memory and needs more than the {limit_bytes} bytes of --memory-limit; take fewer rows or columns, or CSV or Parquet"
    )]
    TooLarge {
        /// The format.
        format: Format,
        /// The limit.
        limit_bytes: usize,
    },
    /// Rows were put aside to spare memory, and the disk does not give them back.
    #[error("the rows of {name}, which were put aside on the disk, cannot be read again")]
    Reread {
        /// The report.
        name: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A chart cannot be drawn, which is a bug.
    #[error("the chart of {name} cannot be drawn: {message}")]
    Chart {
        /// The report.
        name: String,
        /// What the library said.
        message: String,
    },
    /// The page's template failed, which is a bug.
    #[error("the page cannot be laid out: {message}")]
    Page {
        /// What the template engine said.
        message: String,
    },
}

impl RenderError {
    pub(crate) fn write(source: io::Error) -> Self {
        Self::Write { source }
    }

    fn chart(name: &str, error: &charts_rs::Error) -> Self {
        Self::Chart { name: name.to_owned(), message: error.to_string() }
    }

    pub(crate) fn arrow(format: Format, error: ArrowError) -> Self {
        match error {
            ArrowError::IoError(_, source) => Self::Write { source },
            other => Self::Value { format, message: other.to_string() },
        }
    }

    /// Whether the reader went away, which ends a command quietly.
    #[must_use]
    pub fn is_closed_pipe(&self) -> bool {
        matches!(self, Self::Write { source } if source.kind() == io::ErrorKind::BrokenPipe)
    }

    /// What kind of failure it is.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Write { .. } | Self::TooLarge { .. } | Self::Reread { .. } => ErrorKind::Resource,
            Self::UnknownFormat { .. } | Self::OneEach { .. } | Self::Value { .. } => ErrorKind::Usage,
            Self::Chart { .. } | Self::Page { .. } => ErrorKind::Unexpected,
        }
    }
}
