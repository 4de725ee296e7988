//! What is left out of a chart that has more than an eye can tell apart, and what the chart says of it.

use chrono::{Datelike, NaiveDate};

use super::data::{Category, ChartData, MAX_SERIES, OTHERS, Series, day};
use super::timeline;
use crate::chart::ChartKind;
use crate::render::page::{NONE, grouped};

impl ChartData {
    /// Leaves out what is too much, series first, and fills in what time has.
    pub(super) fn limit(&mut self) {
        match self.kind {
            ChartKind::Heatmap => self.limit_rows(),
            _ => self.limit_series(),
        }
        timeline::complete(self);
        self.limit_categories();
        if self.kind == ChartKind::Heatmap {
            name_months(&mut self.series);
        }
    }

    /// The largest series first, so that a colour means the same in charts of the same data; what has none of its own becomes one,
    /// where sums mean something.
    fn limit_series(&mut self) {
        self.series.sort_by(|left, right| right.total().total_cmp(&left.total()));
        if self.series.len() <= MAX_SERIES {
            return;
        }
        let what = self.names.series.clone().unwrap_or_default().to_lowercase();
        let all = self.series.len();
        let rest = self.series.split_off(MAX_SERIES);
        // Whoever stacks series says that their sum means something.
        if !self.additive && !self.stacked {
            let count = grouped(&all.to_string());
            self.notes.push(format!("The {MAX_SERIES} largest of {count} values of {what}."));
            return;
        }
        let name = match &rest[..] {
            [series] => series.name.clone(),
            several => grouped(&several.len().to_string()) + OTHERS,
        };
        let mut sum = Series { name, values: vec![None; self.categories.len()], is_rest: true };
        for series in rest {
            add(&mut sum.values, &series.values);
        }
        self.series.push(sum);
    }

    fn limit_categories(&mut self) {
        let all = self.categories.len();
        let rows = if self.stacked { 1 } else { self.series.len().max(1) };
        let (most, keep) = match self.kind {
            ChartKind::Bar | ChartKind::Table => ((36 / rows).clamp(4, 16), Keep::Largest),
            ChartKind::Pie => (MAX_SERIES, Keep::Largest),
            ChartKind::Column => ((96 / rows).clamp(12, 96), Keep::Newest),
            ChartKind::Histogram => (80, Keep::First),
            ChartKind::Line | ChartKind::Area => (400, Keep::Newest),
            ChartKind::Heatmap => (24, Keep::First),
        };
        // A single other is as well drawn by its name.
        if all <= most + usize::from(keep == Keep::Largest) {
            return;
        }
        let is_kept = match keep {
            Keep::Largest => largest((0..all).map(|place| self.total_at(place).unwrap_or(0.0)), most),
            Keep::Newest if self.categories[0].day.is_some() => {
                (0..all).map(|place| place >= all - most).collect()
            }
            Keep::First | Keep::Newest => (0..all).map(|place| place < most).collect(),
        };
        let is_newest = !is_kept[0] && keep == Keep::Newest;
        let what = self.names.category.to_lowercase();
        let count = grouped(&all.to_string());
        let sums_the_rest = self.additive && keep == Keep::Largest;
        self.notes.push(match keep {
            _ if sums_the_rest => {
                format!("The {most} largest of {count} values of {what}; the rest is summed.")
            }
            Keep::Largest => format!("The {most} largest of {count} values of {what}."),
            _ if is_newest => format!("The last {most} of {count} values of {what}."),
            _ => format!("The first {most} of {count} values of {what}."),
        });
        for series in &mut self.series {
            let values = std::mem::take(&mut series.values);
            let (kept, rest): (Vec<_>, Vec<_>) =
                values.into_iter().zip(&is_kept).partition(|(_, is_kept)| **is_kept);
            series.values = kept.into_iter().map(|(value, _)| value).collect();
            if sums_the_rest {
                let rest: Vec<f64> = rest.into_iter().filter_map(|(value, _)| value).collect();
                series.values.push((!rest.is_empty()).then(|| rest.iter().sum()));
            }
        }
        let mut place = 0;
        self.categories.retain(|_| {
            place += 1;
            is_kept[place - 1]
        });
        if sums_the_rest {
            let others = grouped(&(all - most).to_string());
            self.categories.push(Category { label: others + OTHERS, is_rest: true, day: None });
        }
    }

    /// Rows of a heatmap: the newest where they are dates, else the first.
    fn limit_rows(&mut self) {
        let all = self.series.len();
        let are_dates = self.series.iter().all(|series| series.name == NONE || day(&series.name).is_some());
        let most = if are_dates { 24 } else { 36 };
        if all <= most {
            return;
        }
        if are_dates {
            self.series.drain(..all - most);
        } else {
            self.series.truncate(most);
        }
        let (which, what) =
            (if are_dates { "last" } else { "first" }, self.names.series.clone().unwrap_or_default());
        let count = grouped(&all.to_string());
        self.notes.push(format!("The {which} {most} of {count} values of {}.", what.to_lowercase()));
    }
}

/// Which categories stay where there are too many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Keep {
    Largest,
    First,
    Newest,
}

/// Which of some sizes are among the largest; of equal ones the first.
fn largest(sizes: impl Iterator<Item = f64>, most: usize) -> Vec<bool> {
    let mut places: Vec<(usize, f64)> = sizes.map(f64::abs).enumerate().collect();
    let mut kept = vec![false; places.len()];
    places.sort_by(|(_, left), (_, right)| right.total_cmp(left));
    for (place, _) in places.into_iter().take(most) {
        kept[place] = true;
    }
    kept
}

fn add(sums: &mut [Option<f64>], values: &[Option<f64>]) {
    for (sum, value) in sums.iter_mut().zip(values) {
        if let Some(value) = value {
            *sum = Some(sum.unwrap_or(0.0) + value);
        }
    }
}

/// Calls rows that are first days of months by their months.
fn name_months(series: &mut [Series]) {
    let days: Vec<Option<NaiveDate>> = series.iter().map(|series| day(&series.name)).collect();
    if days.iter().flatten().all(|day| day.day() == 1) {
        for (series, day) in series.iter_mut().zip(days) {
            series.name = day.map_or_else(|| series.name.clone(), timeline::month);
        }
    }
}
