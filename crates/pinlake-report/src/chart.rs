//! How a report is drawn: the kind of chart and the columns that feed it.
//!
//! A chart is checked against the columns of the report's result before anything is rendered. Formats without pictures draw
//! it as bars beside the rows.

use std::fmt;
use std::str::FromStr;

use arrow::datatypes::{DataType, Schema};

/// The kind of a chart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ChartKind {
    /// Horizontal bars, a category each.
    Bar,
    /// Vertical bars, usually along time.
    Column,
    /// A line along time.
    Line,
    /// A filled line along time.
    Area,
    /// Parts of a whole.
    Pie,
    /// A grid of shades.
    Heatmap,
    /// Counts by range.
    Histogram,
    /// No drawing.
    Table,
}

const KINDS: [(ChartKind, &str); 8] = [
    (ChartKind::Bar, "bar"),
    (ChartKind::Column, "column"),
    (ChartKind::Line, "line"),
    (ChartKind::Area, "area"),
    (ChartKind::Pie, "pie"),
    (ChartKind::Heatmap, "heatmap"),
    (ChartKind::Histogram, "histogram"),
    (ChartKind::Table, "table"),
];

impl FromStr for ChartKind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        KINDS.into_iter().find(|(_, name)| *name == text).map(|(kind, _)| kind).ok_or_else(|| {
            let known = KINDS.map(|(_, name)| name).join(", ");
            format!("a chart is one of {known}")
        })
    }
}

impl fmt::Display for ChartKind {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = KINDS.iter().find(|(kind, _)| kind == self).map_or("table", |(_, name)| name);
        out.write_str(name)
    }
}

/// A chart and the names of its columns. `bar`, `column`, `line`, `area`, `pie` and `histogram` need x and y; `heatmap` x, y and value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chart {
    /// Its kind.
    pub kind: ChartKind,
    /// The categories or the time.
    pub x: Option<String>,
    /// The size; of a heatmap the second category.
    pub y: Option<String>,
    /// What splits it into series.
    pub series: Option<String>,
    /// The shade of a heatmap.
    pub value: Option<String>,
    /// Whether series are put on top of one another rather than side by side; bars, columns and areas only.
    pub stacked: bool,
}

impl Chart {
    /// A chart whose columns are still to be set.
    pub(crate) fn new(kind: ChartKind) -> Self {
        Self { kind, x: None, y: None, series: None, value: None, stacked: false }
    }

    /// Sets one of its columns, or how series stand.
    pub(crate) fn set(&mut self, key: &str, column: &str) -> Result<(), String> {
        if key == "stacked" {
            self.stacked = match (self.kind, column) {
                (ChartKind::Bar | ChartKind::Column | ChartKind::Area, "true") => true,
                (ChartKind::Bar | ChartKind::Column | ChartKind::Area, "false") => false,
                (ChartKind::Bar | ChartKind::Column | ChartKind::Area, _) => {
                    return Err("stacked is true or false".to_owned());
                }
                (kind, _) => return Err(format!("a {kind} chart cannot be stacked")),
            };
            return Ok(());
        }
        let place = match key {
            "x" => &mut self.x,
            "y" => &mut self.y,
            "series" => &mut self.series,
            "value" => &mut self.value,
            _ => return Err(format!("a chart has x, y, series, value and stacked, not {key}")),
        };
        if column.is_empty() || place.is_some() {
            return Err(format!("{key} takes one column"));
        }
        *place = Some(column.to_owned());
        Ok(())
    }

    /// Whether it has the columns that its kind needs.
    pub(crate) fn complete(&self) -> Result<(), String> {
        let missing = match self.kind {
            ChartKind::Table => None,
            _ if self.x.is_none() => Some("x"),
            _ if self.y.is_none() => Some("y"),
            ChartKind::Heatmap if self.value.is_none() => Some("value"),
            _ => None,
        };
        missing.map_or(Ok(()), |key| Err(format!("a {} chart needs {key}=COLUMN", self.kind)))
    }

    /// The numeric column that bars show, if it is drawn at all.
    #[must_use]
    pub fn measure(&self) -> Option<&str> {
        match self.kind {
            ChartKind::Table => None,
            ChartKind::Heatmap => self.value.as_deref(),
            _ => self.y.as_deref(),
        }
    }

    /// Whether a result has its columns, the measured one numeric. The error is a message.
    pub(crate) fn fits(&self, schema: &Schema) -> Result<(), String> {
        for column in [&self.x, &self.y, &self.series, &self.value].into_iter().flatten() {
            let field = schema.field_with_name(column).map_err(|_| {
                let known: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
                format!("the chart names column {column:?}; the report has {}", known.join(", "))
            })?;
            let numeric = field.data_type().is_numeric() || *field.data_type() == DataType::Null;
            if self.measure() == Some(column.as_str()) && !numeric {
                return Err(format!("the chart measures column {column:?}, which is no number"));
            }
        }
        Ok(())
    }
}
