//! The figures of a chart: categories down, series across, as many as an eye can tell apart.
//!
//! Rows of the same category and series are summed. Categories keep the order of the report; of too many the first are drawn,
//! of days the last. Of too many series the largest are drawn, and the others together where they are stacked. What is left
//! out is said.
//! The grids lie side by side on one hidden sheet, so that a filter on the report's rows does not tear its chart.

use std::collections::HashMap;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type};
use chrono::{NaiveDate, NaiveTime};
use rust_xlsxwriter::{Worksheet, XlsxError};

use super::super::page::{cell, heading, is_share, printable};
use super::cells::{Value, fitting, instant};
use super::names::FIGURES;
use super::styles::Styles;
use super::table::column;
use crate::chart::{Chart, ChartKind};
use crate::report::Report;

/// How many of each are drawn. A heatmap is a grid of cells, which takes more than a picture does.
const MOST_BARS: usize = 25;
const MOST_SLICES: usize = 10;
const MOST_POINTS: usize = 240;
const MOST_SERIES: usize = 8;
const MOST_SIDE_BY_SIDE: usize = 5;
const MOST_GRID_ROWS: usize = 400;
const MOST_GRID_COLUMNS: usize = 120;
/// What the rest is called.
const OTHERS: &str = "(others)";
/// Columns of the hidden sheet that are filled; a sheet has 16,384.
const MOST_COLUMNS: usize = 16_000;

/// The figures of one chart.
#[derive(Debug, PartialEq)]
pub(super) struct Figures {
    /// What is measured, by what, and what is not drawn.
    pub(super) title: String,
    pub(super) categories: Vec<String>,
    /// The categories as days, where all of them are.
    pub(super) days: Option<Vec<NaiveDate>>,
    pub(super) series: Vec<Series>,
    /// Whether the figures are shares.
    pub(super) is_share: bool,
    /// Whether series are put on top of one another.
    pub(super) is_stacked: bool,
}

/// One series: a figure for each category, or none.
#[derive(Debug, PartialEq)]
pub(super) struct Series {
    pub(super) name: String,
    pub(super) values: Vec<Option<f64>>,
}

/// A report's rows summed by category and series.
#[derive(Default)]
struct Grid {
    categories: Names,
    series: Names,
    sums: HashMap<(usize, usize), f64>,
}

/// Names by the order of their first row, with the day that each is.
#[derive(Default)]
struct Names {
    places: HashMap<String, usize>,
    texts: Vec<String>,
    days: Vec<Option<NaiveDate>>,
}

impl Names {
    fn place(&mut self, key: String, name: &str, day: Option<NaiveDate>) -> usize {
        *self.places.entry(key).or_insert_with(|| {
            self.texts.push(name.to_owned());
            self.days.push(day);
            self.texts.len() - 1
        })
    }
}

impl Figures {
    /// The figures that a report's chart shows; none where it shows nothing.
    pub(super) fn of(report: &Report, chart: &Chart) -> Option<Self> {
        let measure = chart.measure()?;
        let (down, across) = match chart.kind {
            ChartKind::Heatmap => (chart.y.as_deref()?, chart.x.as_deref()),
            _ => (chart.x.as_deref()?, chart.series.as_deref()),
        };
        let grid = Grid::of(report, (down, across, measure))?;
        let by = across.map(|across| format!(" and {}", words(across))).unwrap_or_default();
        let title = format!("{} by {}{by}", heading(&printable(measure)), words(down));
        let is_share = is_share(report.result.schema.field_with_name(measure).ok()?);
        let drawn = grid.drawn(chart, &title, is_share);
        (!drawn.categories.is_empty() && !drawn.series.is_empty()).then_some(drawn)
    }

    /// The highest figure, or the highest stack of them.
    pub(super) fn highest(&self) -> f64 {
        let of = |at: usize| self.series.iter().filter_map(move |series| series.values[at]);
        let heights = (0..self.categories.len())
            .map(|at| if self.is_stacked { of(at).sum() } else { of(at).fold(0.0, f64::max) });
        heights.fold(0.0, f64::max)
    }
}

/// What stands side by side takes more room than what is stacked or crosses.
fn most_series(kind: ChartKind, is_stacked: bool) -> usize {
    match kind {
        ChartKind::Heatmap => MOST_GRID_COLUMNS,
        ChartKind::Bar | ChartKind::Column if !is_stacked => MOST_SIDE_BY_SIDE,
        _ => MOST_SERIES,
    }
}

fn words(column: &str) -> String {
    printable(&column.replace('_', " "))
}

impl Grid {
    fn of(report: &Report, (down, across, measure): (&str, Option<&str>, &str)) -> Option<Self> {
        let mut grid = Self::default();
        let mut row_number = 0_usize;
        for batch in &report.result.batches {
            let labels = |name: &str| {
                let field = batch.schema_ref().field_with_name(name).ok()?.clone();
                let array = batch.column_by_name(name)?.clone();
                Some((days(&array), move |row| cell(&field, &array, row)))
            };
            let (category_days, category) = labels(down)?;
            let series = match across {
                Some(name) => Some(labels(name)?),
                None => None,
            };
            let values = cast(batch.column_by_name(measure)?, &DataType::Float64).ok()?;
            let values = values.as_primitive::<Float64Type>();
            for row in 0..batch.num_rows() {
                let name = category(row);
                // Without series each row is drawn by itself, whatever it is called.
                let key = if across.is_some() { name.clone() } else { row_number.to_string() };
                row_number += 1;
                let at_category = grid.categories.place(key, &name, category_days[row]);
                let series = series.as_ref().map(|(days, label)| (label(row), days[row]));
                let (name, day) = series.unwrap_or_else(|| (measure.to_owned(), None));
                let at_series = grid.series.place(name.clone(), &name, day);
                if values.is_valid(row) && values.value(row).is_finite() {
                    *grid.sums.entry((at_category, at_series)).or_default() += values.value(row);
                }
            }
        }
        Some(grid)
    }

    /// What is drawn of it.
    fn drawn(&self, chart: &Chart, title: &str, is_share: bool) -> Figures {
        let mut notes = Vec::new();
        let (mut categories, days) = self.drawn_categories(chart.kind, &mut notes);
        let is_stacked = chart.stacked || !is_share && self.stands_alone(chart.kind, &categories);
        let ranked =
            if chart.kind == ChartKind::Heatmap { self.by_name() } else { self.by_size(&categories) };
        let mut kept = ranked[..ranked.len().min(most_series(chart.kind, is_stacked))].to_vec();
        if chart.kind != ChartKind::Heatmap {
            kept.sort_unstable();
        }
        let others = &ranked[kept.len()..];
        if !others.is_empty() && !is_stacked {
            notes.push(format!("{} of {} series", kept.len(), ranked.len()));
            if days.is_none() {
                // A category of left out series alone would be an empty place.
                categories.retain(|at| kept.iter().any(|series| self.sums.contains_key(&(*at, *series))));
            }
        }
        let of = |places: &[usize]| categories.iter().map(|at| self.sum(*at, places)).collect::<Vec<_>>();
        let mut series: Vec<Series> = kept
            .iter()
            .map(|place| Series { name: self.series.texts[*place].clone(), values: of(&[*place]) })
            .collect();
        if !others.is_empty() && is_stacked {
            series.push(Series { name: OTHERS.to_owned(), values: of(others) });
        }
        let mut names: Vec<String> = categories.iter().map(|at| self.categories.texts[*at].clone()).collect();
        if days.is_none() && categories.len() < self.categories.texts.len() {
            if chart.kind == ChartKind::Pie {
                names.push(OTHERS.to_owned());
                self.add_rest(&categories, (&mut series, &kept));
            } else {
                notes.insert(0, format!("{} of {}", categories.len(), self.categories.texts.len()));
            }
        }
        let note = if notes.is_empty() { String::new() } else { format!(" ({})", notes.join(", ")) };
        Figures { title: format!("{title}{note}"), categories: names, days, series, is_share, is_stacked }
    }

    fn sum(&self, category: usize, series: &[usize]) -> Option<f64> {
        let sums = series.iter().filter_map(|series| self.sums.get(&(category, *series)));
        sums.copied().reduce(|sum, value| sum + value)
    }

    /// Slices are parts of one whole, so that those left out must be in it too.
    fn add_rest(&self, categories: &[usize], (series, kept): (&mut [Series], &[usize])) {
        for (series, place) in series.iter_mut().zip(kept) {
            let rest = (0..self.categories.texts.len()).filter(|at| !categories.contains(at));
            series.values.push(Some(rest.filter_map(|at| self.sums.get(&(at, *place))).sum()));
        }
    }

    /// Whether bars hardly ever stand side by side: then places for those beside them would leave them thin, and on top of
    /// one another they are as long as they would be.
    fn stands_alone(&self, kind: ChartKind, categories: &[usize]) -> bool {
        let series = self.series.texts.len();
        let is_bar = matches!(kind, ChartKind::Bar | ChartKind::Column);
        let figures_of =
            |at: usize| (0..series).filter(|series| self.sums.contains_key(&(at, *series))).count();
        let alone = categories.iter().filter(|at| figures_of(**at) <= 1).count();
        is_bar && series > 1 && 5 * alone >= 4 * categories.len()
    }

    fn drawn_categories(
        &self,
        kind: ChartKind,
        notes: &mut Vec<String>,
    ) -> (Vec<usize>, Option<Vec<NaiveDate>>) {
        let all: Vec<usize> = (0..self.categories.texts.len()).collect();
        let most = match kind {
            ChartKind::Heatmap => MOST_GRID_ROWS,
            ChartKind::Bar => MOST_BARS,
            ChartKind::Pie => MOST_SLICES,
            _ => MOST_POINTS,
        };
        let is_axis = matches!(kind, ChartKind::Line | ChartKind::Area | ChartKind::Column);
        if is_axis && self.categories.days.iter().any(Option::is_some) {
            let dated: Vec<usize> =
                all.iter().copied().filter(|at| self.categories.days[*at].is_some()).collect();
            if dated.len() < all.len() {
                notes.push("without those of no date".to_owned());
            }
            let kept = dated[dated.len().saturating_sub(most)..].to_vec();
            if kept.len() < dated.len() {
                notes.push(format!("the last {} of {}", kept.len(), dated.len()));
            }
            let days = kept.iter().filter_map(|at| self.categories.days[*at]).collect();
            return (kept, Some(days));
        }
        let kept = all[..all.len().min(most)].to_vec();
        (kept, None)
    }

    /// Series by the size of what they have in the categories drawn, the largest first.
    fn by_size(&self, categories: &[usize]) -> Vec<usize> {
        let size = |series: &usize| -> f64 {
            categories.iter().filter_map(|at| self.sums.get(&(*at, *series))).map(|value| value.abs()).sum()
        };
        let mut ranked: Vec<usize> = (0..self.series.texts.len()).collect();
        ranked.sort_by(|left, right| size(right).total_cmp(&size(left)));
        ranked
    }

    /// The columns of a heatmap: by their numbers, where they are numbers, else in the order of the report.
    fn by_name(&self) -> Vec<usize> {
        let mut ranked: Vec<usize> = (0..self.series.texts.len()).collect();
        let numbers: Option<Vec<f64>> =
            self.series.texts.iter().map(|name| name.replace(',', "").parse().ok()).collect();
        if let Some(numbers) = numbers {
            ranked.sort_by(|left, right| numbers[*left].total_cmp(&numbers[*right]));
        }
        ranked
    }
}

/// The day of each row, where a column holds days, or times that are all midnights.
fn days(array: &ArrayRef) -> Vec<Option<NaiveDate>> {
    let none = || vec![None; array.len()];
    match array.data_type() {
        DataType::Date32 | DataType::Date64 => {
            let Ok(dates) = cast(array, &DataType::Date32) else { return none() };
            let dates = dates.as_primitive::<arrow::datatypes::Date32Type>().clone();
            (0..dates.len())
                .map(|row| if dates.is_null(row) { None } else { dates.value_as_date(row) })
                .collect()
        }
        DataType::Timestamp(unit, _) => {
            let Ok(ticks) = cast(array, &DataType::Int64) else { return none() };
            let ticks = ticks.as_primitive::<arrow::datatypes::Int64Type>().clone();
            let times = ticks.iter().map(|ticks| ticks.and_then(|ticks| instant(*unit, ticks)));
            let times: Vec<_> = times.collect();
            if times.iter().flatten().any(|time| time.time() != NaiveTime::MIN) {
                return none();
            }
            times.into_iter().map(|time| time.map(|time| time.date())).collect()
        }
        _ => none(),
    }
}

/// The hidden sheet with the figures of all charts.
pub(super) struct FigureSheet {
    sheet: Worksheet,
    next_column: usize,
}

/// Where figures lie on the hidden sheet: the title in the first row, names in the second, figures from the third on.
pub(super) struct Spot {
    pub(super) first_column: u16,
    pub(super) series: u16,
    pub(super) last_row: u32,
}

impl FigureSheet {
    pub(super) const NAME: &str = FIGURES;
    pub(super) const TITLE_ROW: u32 = 0;
    pub(super) const NAME_ROW: u32 = 1;
    pub(super) const FIRST_ROW: u32 = 2;

    pub(super) fn new() -> Self {
        Self { sheet: Worksheet::new(), next_column: 0 }
    }

    /// Puts the figures of a chart beside those that are there; None where the sheet is full.
    pub(super) fn put(&mut self, figures: &Figures, styles: &Styles) -> Result<Option<Spot>, XlsxError> {
        let columns = figures.series.len() + 1;
        if self.next_column + columns > MOST_COLUMNS {
            return Ok(None);
        }
        let first_column = column(self.next_column)?;
        self.next_column += columns + 1;
        let sheet = &mut self.sheet;
        sheet.write_string_with_format(
            Self::TITLE_ROW,
            first_column,
            &*fitting(&figures.title),
            &styles.bold,
        )?;
        for (row, name) in (Self::FIRST_ROW..).zip(&figures.categories) {
            sheet.write_string(row, first_column, &*fitting(name))?;
        }
        for (row, day) in (Self::FIRST_ROW..).zip(figures.days.iter().flatten()) {
            Value::Day(*day).write(sheet, (row, first_column), styles)?;
        }
        for (at_column, series) in (first_column + 1..).zip(&figures.series) {
            sheet.write_string_with_format(
                Self::NAME_ROW,
                at_column,
                &*fitting(&series.name),
                &styles.header,
            )?;
            for (row, value) in (Self::FIRST_ROW..).zip(&series.values) {
                let Some(value) = value else { continue };
                let value = if figures.is_share { Value::Share(*value) } else { Value::Double(*value) };
                value.write(sheet, (row, at_column), styles)?;
            }
        }
        let last_row = Self::NAME_ROW + u32::try_from(figures.categories.len()).unwrap_or(0);
        Ok(Some(Spot { first_column, series: column(figures.series.len())?, last_row }))
    }

    /// The sheet, if anything was put on it.
    pub(super) fn into_sheet(mut self) -> Result<Option<Worksheet>, XlsxError> {
        if self.next_column == 0 {
            return Ok(None);
        }
        self.sheet.set_name(Self::NAME)?.set_hidden(true);
        Ok(Some(self.sheet))
    }
}

#[cfg(test)]
mod tests;
