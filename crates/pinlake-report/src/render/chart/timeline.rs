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
        return whole_numbers(data);
    }
    leave_out_none(data);
    let days: Vec<NaiveDate> = data.categories.iter().filter_map(|category| category.day).collect();
    let Some((step, timeline)) = periods(days) else { return };
    for series in &mut data.series {
        spread(series, &data.categories, &timeline, data.additive);
    }
    data.months = match step {
        Step::Months(months) => Some(months as usize),
        Step::Days(_) => None,
    };
    let label = |day: NaiveDate| match step {
        Step::Months(12) => day.year().to_string(),
        Step::Months(_) => month(day),
        Step::Days(_) => day.format("%-d %b %Y").to_string(),
    };
    let labelled = |day| Category { label: label(day), day: Some(day), is_rest: false };
    data.categories = timeline.into_iter().map(labelled).collect();
}

/// Fills in whole numbers that no row has, so that 15 stands as far from 5 as it is. Only few, and only in columns.
fn whole_numbers(data: &mut ChartData) {
    const MOST: u64 = 40;
    let stands_on_numbers = matches!(data.kind, ChartKind::Column | ChartKind::Histogram) && data.additive;
    let numbers: Option<Vec<i64>> =
        data.categories.iter().map(|category| category.label.parse().ok()).collect();
    let Some(numbers) = numbers.filter(|_| stands_on_numbers) else { return };
    let (Some(first), Some(last)) = (numbers.iter().min(), numbers.iter().max()) else { return };
    if last.abs_diff(*first) >= MOST {
        return;
    }
    let place = |number: i64| numbers.iter().position(|found| *found == number);
    for series in &mut data.series {
        let value = |number| place(number).and_then(|place| series.values[place]);
        series.values = (*first..=*last).map(value).collect();
    }
    let category = |number: i64| Category { label: number.to_string(), day: None, is_rest: false };
    data.categories = (*first..=*last).map(category).collect();
}

/// How a period that begins on a day is called.
pub(super) fn month(day: NaiveDate) -> String {
    day.format("%b %Y").to_string()
}

/// Every period from the first to the last; None where there is no regular one, or too many of them.
fn periods(mut days: Vec<NaiveDate>) -> Option<(Step, Vec<NaiveDate>)> {
    days.sort_unstable();
    let (first, last) = (*days.first()?, *days.last()?);
    let step = step(&days);
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

/// The periods that people count in: years, quarters, months, weeks, days; the longest that begins on every one of the days.
fn step(days: &[NaiveDate]) -> Step {
    let all = |is_begun: &dyn Fn(&NaiveDate) -> bool| days.iter().all(is_begun);
    let first_weekday = days.first().map(Datelike::weekday);
    if all(&|day| day.day() == 1) {
        let lengths = [12, 3].into_iter().find(|length| all(&|day| day.month0().is_multiple_of(*length)));
        return Step::Months(lengths.unwrap_or(1));
    }
    Step::Days(if all(&|day| Some(day.weekday()) == first_weekday) { 7 } else { 1 })
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
        None => format!("Rows without a {what} are left out."),
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

/// Which categories have their label written, so that labels so wide stand apart: each, or regular ones; years by their number.
pub(super) fn labels(data: &ChartData, room: f32, width: f32) -> Vec<(usize, String)> {
    const GAP: f32 = 12.0;
    /// In months, and in anything else.
    const STEPS: [&[usize]; 2] =
        [&[1, 2, 3, 6, 12, 24, 60, 120, 240], &[1, 2, 3, 4, 5, 7, 10, 14, 20, 28, 50, 100, 200, 500]];
    let per_category = data.months.unwrap_or(1);
    let steps = STEPS[usize::from(data.months.is_none())].iter().copied();
    let is_wide_enough = |step: &usize| {
        step.is_multiple_of(per_category) && (step / per_category) as f32 * room >= width + GAP
    };
    let step = steps.clone().find(is_wide_enough).or(steps.last()).unwrap_or(1);
    let years = data.months.is_some() && step >= 12;
    let number = |place: usize, day: Option<NaiveDate>| match day.filter(|_| data.months.is_some()) {
        Some(day) => day.year().unsigned_abs() as usize * 12 + day.month0() as usize,
        None => place,
    };
    let mut labels = Vec::new();
    for (place, category) in data.categories.iter().enumerate() {
        if number(place, category.day).is_multiple_of(step) {
            let year = category.day.filter(|_| years).map(|day| day.year().to_string());
            labels.push((place, year.unwrap_or_else(|| category.label.clone())));
        }
    }
    if labels.is_empty() {
        labels.extend(data.categories.first().map(|category| (0, category.label.clone())));
    }
    labels
}
