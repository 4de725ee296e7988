//! Categories and series of a report's rows: what a chart draws, and what it says that it leaves out.
//!
//! A null measure is a gap. A null category or series is called `(none)`, as in the tables. Rows that fall on the same mark are
//! summed where the measure is a count or a share of all; of other measures the first is drawn.

use std::collections::{HashMap, HashSet};

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Float64Type};
use chrono::NaiveDate;

use super::scale::Unit;
use super::timeline;
use crate::chart::{Chart, ChartKind};
use crate::render::page::{NONE, beginning, cell, heading, printable};
use crate::report::Report;

/// Series that an eye can tell apart by colour; the stylesheet has as many classes.
pub(super) const MAX_SERIES: usize = 6;
/// How the sum of what is not drawn by itself is called, behind its number.
pub(in crate::render) const OTHERS: &str = " others";

/// What a chart draws.
#[derive(Debug, Clone)]
pub(in crate::render) struct ChartData {
    pub(super) kind: ChartKind,
    /// Whether series stand on one another.
    pub(super) stacked: bool,
    pub(super) unit: Unit,
    /// Whether values may be summed.
    pub(super) additive: bool,
    /// What is measured, by what, and split by what.
    pub(super) names: Names,
    pub(super) categories: Vec<Category>,
    /// A heatmap's rows are its series.
    pub(super) series: Vec<Series>,
    /// How many months each category is, where they are months without a gap.
    pub(super) months: Option<usize>,
    /// What was left out.
    pub(super) notes: Vec<String>,
}

/// What the columns of a chart are called.
#[derive(Debug, Clone)]
pub(in crate::render) struct Names {
    pub(super) measure: String,
    pub(super) category: String,
    pub(super) series: Option<String>,
}

/// A place along a chart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::render) struct Category {
    pub(super) label: String,
    /// The day it begins with, if it is one.
    pub(super) day: Option<NaiveDate>,
    /// Whether it is the sum of what is not drawn by itself.
    pub(super) is_rest: bool,
}

/// Values for each category.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::render) struct Series {
    pub(super) name: String,
    pub(super) values: Vec<Option<f64>>,
    /// Whether it is the sum of those that have no colour of their own.
    pub(super) is_rest: bool,
}

impl Series {
    /// The class that gives it its colour.
    pub(super) fn class(&self, place: usize) -> String {
        color_class(place, self.is_rest)
    }

    /// The sum of its values.
    pub(super) fn total(&self) -> f64 {
        self.values.iter().flatten().sum()
    }
}

/// The class of the series at a place, or of the rest.
pub(super) fn color_class(place: usize, is_rest: bool) -> String {
    if is_rest { "s-rest".to_owned() } else { format!("s{}", place % MAX_SERIES) }
}

/// One row of the result.
struct Mark {
    category: Category,
    series: Option<String>,
    value: Option<f64>,
}

impl ChartData {
    /// The rows of a report as its chart has them; None where there is nothing to draw.
    pub(in crate::render) fn of(report: &Report, chart: &Chart) -> Option<Self> {
        let schema = &report.result.schema;
        let measure = schema.field_with_name(chart.measure()?).ok()?;
        let (category, series) = match chart.kind {
            ChartKind::Heatmap => (chart.x.as_deref()?, chart.y.as_deref()),
            _ => (chart.x.as_deref()?, chart.series.as_deref()),
        };
        let marks = marks(report, category, series, measure.name());
        let is_total = measure.data_type().is_integer() || measure.name() == "share";
        let mut data = Self {
            kind: chart.kind,
            stacked: chart.stacked,
            unit: Unit::of(measure),
            additive: is_total,
            names: Names {
                measure: heading(&printable(measure.name())),
                category: heading(&printable(category)),
                series: series.map(|name| heading(&printable(name))),
            },
            categories: Vec::new(),
            series: Vec::new(),
            months: None,
            notes: Vec::new(),
        };
        data.fill(&marks);
        data.limit();
        let is_empty = data.series.iter().all(|series| series.values.iter().all(Option::is_none));
        (!is_empty).then_some(data)
    }

    /// A chart of figures that no header describes.
    pub(in crate::render) fn made(
        kind: ChartKind,
        names: [&str; 2],
        categories: Vec<String>,
        series: Vec<(&str, Vec<Option<f64>>)>,
    ) -> Self {
        let category = |label: String| Category { day: day(&label), is_rest: label.ends_with(OTHERS), label };
        let series =
            series.into_iter().map(|(name, values)| Series { name: name.to_owned(), values, is_rest: false });
        let [measure, by] = names.map(str::to_owned);
        let mut data = Self {
            kind,
            stacked: true,
            unit: Unit::Count,
            additive: true,
            names: Names { measure, category: by, series: None },
            categories: categories.into_iter().map(category).collect(),
            series: series.collect(),
            months: None,
            notes: Vec::new(),
        };
        timeline::complete(&mut data);
        data
    }

    /// Every value that is there.
    pub(super) fn values(&self) -> impl Iterator<Item = f64> {
        self.series.iter().flat_map(|series| series.values.iter().flatten().copied())
    }

    /// The ends of the stacks of each category, or every value where nothing is stacked.
    pub(super) fn extents(&self) -> Vec<f64> {
        if !self.stacked {
            return self.values().collect();
        }
        let ends = (0..self.categories.len()).flat_map(|place| {
            let of_place = || self.series.iter().filter_map(move |series| series.values[place]);
            [of_place().filter(|value| *value > 0.0).sum(), of_place().filter(|value| *value < 0.0).sum()]
        });
        ends.collect()
    }

    /// The sum of a category's values; None where there are none.
    pub(super) fn total_at(&self, place: usize) -> Option<f64> {
        let values = self.series.iter().filter_map(|series| series.values[place]);
        values.fold(None, |sum, value| Some(sum.unwrap_or(0.0) + value))
    }

    fn fill(&mut self, marks: &[Mark]) {
        let names_its_category = !self.stacked && self.kind == ChartKind::Bar && is_a_name(marks);
        let (mut places, mut rows) = (HashMap::new(), HashMap::new());
        let mut fell_together = false;
        for mark in marks {
            let (category, series) = match &mark.series {
                Some(series) if names_its_category => {
                    let label = named(&mark.category.label, series);
                    (Category { label, ..mark.category.clone() }, None)
                }
                series => (mark.category.clone(), series.clone()),
            };
            // What is told apart by its end stays apart, even if the ends are not shown.
            let place = *places.entry(category.label.clone()).or_insert_with(|| {
                self.categories.push(Category { label: readable(category.label), ..category });
                self.categories.len() - 1
            });
            let row = *rows.entry(series.clone()).or_insert_with(|| {
                let name = series.map_or_else(|| self.names.measure.clone(), readable);
                self.series.push(Series { name, values: Vec::new(), is_rest: false });
                self.series.len() - 1
            });
            let values = &mut self.series[row].values;
            values.resize(values.len().max(place + 1), None);
            let held = &mut values[place];
            match (*held, mark.value) {
                (Some(sum), Some(value)) if self.additive => *held = Some(sum + value),
                (Some(_), Some(_)) => fell_together = true,
                (None, value) => *held = value,
                (Some(_), None) => {}
            }
        }
        for series in &mut self.series {
            series.values.resize(self.categories.len(), None);
        }
        if let Some(series) = self.names.series.take_if(|_| names_its_category) {
            self.names.category = format!("{} and {}", self.names.category, series.to_lowercase());
        }
        if fell_together {
            self.notes.push("Several rows fall on the same mark; the first of them is drawn.".to_owned());
        }
    }
}

/// Whether the series only says more about the category, as a country does about a city, so that side by side most bars would be
/// missing: most categories have one series, or most pairs do not occur.
fn is_a_name(marks: &[Mark]) -> bool {
    let mut of_category: HashMap<&str, HashSet<&str>> = HashMap::new();
    let mut all = HashSet::new();
    for mark in marks {
        let Some(series) = &mark.series else { return false };
        of_category.entry(&mark.category.label).or_default().insert(series);
        all.insert(series);
    }
    let alone = of_category.values().filter(|series| series.len() == 1).count();
    let pairs: usize = of_category.values().map(HashSet::len).sum();
    alone * 5 >= of_category.len() * 4 || pairs * 2 < of_category.len() * all.len()
}

/// A label as drawings and words have it: a value may be as long as a line of an export.
fn readable(label: String) -> String {
    beginning(&label, 200).unwrap_or(label)
}

/// A category with what its series says of it.
fn named(category: &str, series: &str) -> String {
    match (category, series) {
        (NONE, NONE) => NONE.to_owned(),
        _ => format!("{category} · {series}"),
    }
}

fn marks(report: &Report, category: &str, series: Option<&str>, measure: &str) -> Vec<Mark> {
    let schema = &report.result.schema;
    let (Ok(category_field), Ok(measure_at)) = (schema.field_with_name(category), schema.index_of(measure))
    else {
        return Vec::new();
    };
    let series_field = series.and_then(|name| schema.field_with_name(name).ok());
    let mut marks = Vec::with_capacity(report.result.rows());
    for batch in &report.result.batches {
        let values = cast(batch.column(measure_at), &DataType::Float64).ok();
        let label = |field: &Field, row: usize| {
            batch.column_by_name(field.name()).map(|array| shown(field, array, row))
        };
        for row in 0..batch.num_rows() {
            let label_of_category = label(category_field, row).unwrap_or_default();
            let temporal = category_field.data_type().is_temporal();
            let day = if temporal { day(&label_of_category) } else { None };
            let value = values.as_ref().filter(|values| values.is_valid(row));
            let value = value.map(|values| values.as_primitive::<Float64Type>().value(row));
            marks.push(Mark {
                category: Category { label: label_of_category, day, is_rest: false },
                series: series_field.and_then(|field| label(field, row)),
                value: value.filter(|value| value.is_finite()),
            });
        }
    }
    marks
}

/// A value as the table shows it; of an instant at midnight the day.
fn shown(field: &Field, array: &ArrayRef, row: usize) -> String {
    let text = cell(field, array, row);
    let is_instant = matches!(field.data_type(), DataType::Timestamp(_, _));
    match text.strip_suffix(" 00:00:00") {
        Some(day) if is_instant => day.to_owned(),
        _ if text.is_empty() => "(empty)".to_owned(),
        _ => text,
    }
}

/// The day that a label is.
pub(super) fn day(label: &str) -> Option<NaiveDate> {
    NaiveDate::parse_from_str(label, "%Y-%m-%d").ok()
}
