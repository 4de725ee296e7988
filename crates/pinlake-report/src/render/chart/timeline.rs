//! Categories that are days: in order, without gaps, and labelled as people write months.
//!
//! A report leaves empty periods out; a chart that did so would show a year of silence as a step. Counts are zero there, other measures
//! have a gap.

use chrono::{Datelike, Days, Months, NaiveDate};

use super::data::{Category, ChartData, Series};
use crate::chart::ChartKind;
use crate::render::page::NONE;

/// Categories that a filled timeline may have.
const MAX_PERIODS: usize = 2_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Months(u32),
    Days(u64),
}

impl Step {
    fn after(self, day: NaiveDate) -> Option<NaiveDate> {
        match self {
            Self::Months(months) => day.checked_add_months(Months::new(months)),
            Self::Days(days) => day.checked_add_days(Days::new(days)),
        }
    }
}

/// Makes a timeline of the categories if all are days, but for one that is null.
pub(super) fn complete(data: &mut ChartData) {
    let runs_along_time = matches!(data.kind, ChartKind::Column | ChartKind::Line | ChartKind::Area);
    let are_days = data.categories.iter().all(|category| category.day.is_some() || category.label == NONE);
    if !runs_along_time || !are_days {
        return;
    }
    leave_out_none(data);
    let days: Vec<NaiveDate> = data.categories.iter().filter_map(|category| category.day).collect();
    let Some((step, timeline)) = periods(days) else { return };
    for series in &mut data.series {
        spread(series, &data.categories, &timeline, data.additive);
    }
    data.monthly = matches!(step, Step::Months(_));
    let label = if data.monthly { "%b %Y" } else { "%-d %b %Y" };
    let labelled = |day: NaiveDate| Category { label: day.format(label).to_string(), day: Some(day) };
    data.categories = timeline.into_iter().map(labelled).collect();
}

/// Every period from the first to the last; None where there is no regular one, or too many of them.
fn periods(mut days: Vec<NaiveDate>) -> Option<(Step, Vec<NaiveDate>)> {
    days.sort_unstable();
    let (first, last) = (*days.first()?, *days.last()?);
    let step = step(&days)?;
    let mut timeline = vec![first];
    let mut day = first;
    while day < last {
        day = step.after(day)?;
        timeline.push(day);
        if timeline.len() > MAX_PERIODS {
            return None;
        }
    }
    Some((step, timeline))
}

/// The largest step that meets every day.
fn step(days: &[NaiveDate]) -> Option<Step> {
    let first = days.first()?;
    let divisor = |distances: Vec<u64>| distances.into_iter().fold(0, greatest_common_divisor).max(1);
    if days.iter().all(|day| day.day() == 1) {
        let months = |day: &NaiveDate| i64::from(day.year()) * 12 + i64::from(day.month());
        let steps = divisor(days.iter().map(|day| months(day).abs_diff(months(first))).collect());
        return Some(Step::Months(u32::try_from(steps).ok()?));
    }
    let distances = days.iter().map(|day| u64::try_from((*day - *first).num_days()).unwrap_or(0));
    Some(Step::Days(divisor(distances.collect())))
}

fn greatest_common_divisor(left: u64, right: u64) -> u64 {
    if right == 0 { left } else { greatest_common_divisor(right, left % right) }
}

/// Takes the null category out, which lies nowhere in time.
fn leave_out_none(data: &mut ChartData) {
    let Some(place) = data.categories.iter().position(|category| category.day.is_none()) else { return };
    let what = data.names.category.to_lowercase();
    let left_out = data.total_at(place).filter(|_| data.additive);
    data.categories.remove(place);
    for series in &mut data.series {
        series.values.remove(place);
    }
    data.notes.push(match left_out {
        Some(value) => format!("{} without a {what} are left out.", data.unit.exact(value)),
        None => format!("What has no {what} is left out."),
    });
}

fn spread(series: &mut Series, categories: &[Category], timeline: &[NaiveDate], additive: bool) {
    let mut values = vec![additive.then_some(0.0); timeline.len()];
    for (category, value) in categories.iter().zip(&series.values) {
        let place = category.day.and_then(|day| timeline.binary_search(&day).ok());
        if let (Some(place), Some(value)) = (place, value) {
            values[place] = Some(*value);
        }
    }
    series.values = values;
}

/// Which categories have their label written, so that labels so wide stand apart: each, or regular ones, years from January.
pub(super) fn labels(data: &ChartData, room: f32, width: f32) -> Vec<(usize, String)> {
    const GAP: f32 = 12.0;
    let steps: &[usize] = if data.monthly {
        &[1, 2, 3, 6, 12, 24, 60, 120, 240]
    } else {
        &[1, 2, 3, 4, 5, 7, 10, 14, 20, 28, 50, 100, 200]
    };
    let count = data.categories.len();
    let is_wide_enough = |step: &&usize| **step as f32 * room >= width + GAP;
    let step = steps.iter().find(is_wide_enough).copied().unwrap_or(count.max(1));
    // Years stand for themselves and need less room.
    let years = data.monthly && step >= 12;
    let is_labelled = |place: usize, day: Option<NaiveDate>| match day {
        Some(day) if years => day.month() == 1 && day.year().unsigned_abs() as usize % (step / 12) == 0,
        Some(day) if data.monthly => day.month0() as usize % step == 0,
        _ => place % step == 0,
    };
    let mut labels = Vec::new();
    for (place, category) in data.categories.iter().enumerate() {
        if is_labelled(place, category.day) {
            let year = category.day.filter(|_| years).map(|day| day.year().to_string());
            labels.push((place, year.unwrap_or_else(|| category.label.clone())));
        }
    }
    if labels.is_empty() && count > 0 {
        labels.push((0, data.categories[0].label.clone()));
    }
    labels
}
