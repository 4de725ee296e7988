//! The chart in words, for those who do not see it: what it shows, and its main figures. All figures are in the table beside it.

use super::data::ChartData;
use super::sheet::Alternative;
use crate::chart::ChartKind;

/// Figures that are told one by one.
const MOST: usize = 8;

/// What a chart shows, in a line above it.
pub(super) fn caption(data: &ChartData) -> String {
    let names = &data.names;
    let by = names.category.to_lowercase();
    match (&names.series, data.kind) {
        (Some(rows), ChartKind::Heatmap) => format!("{} by {} and {by}", names.measure, rows.to_lowercase()),
        (Some(series), _) if data.series.len() > 1 => {
            format!("{} by {by} and {}", names.measure, series.to_lowercase())
        }
        _ => format!("{} by {by}", names.measure),
    }
}

/// The name and the description of a drawing.
pub(super) fn alternative(data: &ChartData, title: &str) -> Alternative {
    let kind = match (data.kind, data.stacked && data.series.len() > 1) {
        (ChartKind::Bar | ChartKind::Table, false) => "Bar chart",
        (ChartKind::Bar | ChartKind::Table, true) => "Stacked bar chart",
        (ChartKind::Column, false) => "Column chart",
        (ChartKind::Column, true) => "Stacked column chart",
        (ChartKind::Line, _) => "Line chart",
        (ChartKind::Area, false) => "Area chart",
        (ChartKind::Area, true) => "Stacked area chart",
        (ChartKind::Pie, _) => "Pie chart",
        (ChartKind::Heatmap, _) => "Heatmap",
        (ChartKind::Histogram, _) => "Histogram",
    };
    let mut said = vec![format!("{kind}: {}.", caption(data))];
    let runs_along_time = data.categories.iter().any(|category| category.day.is_some());
    match data.kind {
        ChartKind::Heatmap => said.push(extremes_of_cells(data)),
        _ if runs_along_time => said.extend(along_time(data)),
        _ if data.additive || data.series.len() == 1 => said.extend(by_category(data)),
        _ => said.push(ranges(data)),
    }
    if data.series.len() > 1 && data.additive && data.kind != ChartKind::Heatmap {
        said.push(by_series(data));
    }
    said.retain(|sentence| !sentence.is_empty());
    Alternative { title: title.to_owned(), description: said.join(" ") }
}

fn listed(entries: impl Iterator<Item = (String, f64)>, data: &ChartData) -> String {
    let mut entries: Vec<(String, f64)> = entries.collect();
    let further = entries.len().saturating_sub(MOST);
    entries.truncate(MOST);
    let told: Vec<String> =
        entries.iter().map(|(name, value)| format!("{name} {}", data.unit.exact(*value))).collect();
    let further = if further > 0 { format!("; {further} more") } else { String::new() };
    format!("{}{further}.", told.join("; "))
}

fn totals(data: &ChartData) -> Vec<(String, f64)> {
    let total = |(place, label): (usize, &str)| Some((label.to_owned(), data.total_at(place)?));
    data.categories.iter().map(|category| category.label.as_str()).enumerate().filter_map(total).collect()
}

fn by_category(data: &ChartData) -> Option<String> {
    let totals = totals(data);
    (!totals.is_empty()).then(|| listed(totals.into_iter(), data))
}

fn by_series(data: &ChartData) -> String {
    let split = data.names.series.as_deref().unwrap_or("series");
    let totals = data.series.iter().map(|series| (series.name.clone(), series.total()));
    format!("By {}: {}", split.to_lowercase(), listed(totals, data))
}

fn along_time(data: &ChartData) -> Option<String> {
    if data.series.len() > 1 && !data.additive {
        return Some(ranges(data));
    }
    let totals = totals(data);
    let (first, last) = (totals.first()?, totals.last()?);
    let highest = totals.iter().max_by(|(_, left), (_, right)| left.total_cmp(right))?;
    let told = |(label, value): &(String, f64)| format!("{} in {label}", data.unit.exact(*value));
    Some(format!("From {} to {}; the highest is {}.", told(first), told(last), told(highest)))
}

/// From where to where each series goes.
fn ranges(data: &ChartData) -> String {
    let range = |series: &super::Series| {
        let values = || series.values.iter().flatten().copied();
        let (least, most) =
            (values().fold(f64::INFINITY, f64::min), values().fold(f64::NEG_INFINITY, f64::max));
        let [least, most] = [least, most].map(|value| data.unit.exact(value));
        format!("{} from {least} to {most}", series.name)
    };
    let told: Vec<String> =
        data.series.iter().filter(|series| series.values.iter().any(Option::is_some)).map(range).collect();
    format!("{}.", told.join("; "))
}

fn extremes_of_cells(data: &ChartData) -> String {
    let cells = data.series.iter().flat_map(|series| {
        let cell = |(category, value): (&super::data::Category, &Option<f64>)| {
            Some((format!("{}, {}", series.name, category.label), (*value)?))
        };
        data.categories.iter().zip(&series.values).filter_map(cell)
    });
    let cells: Vec<(String, f64)> = cells.collect();
    let by_value = |(_, left): &&(String, f64), (_, right): &&(String, f64)| left.total_cmp(right);
    let (Some(least), Some(most)) = (cells.iter().min_by(by_value), cells.iter().max_by(by_value)) else {
        return String::new();
    };
    let told = |(name, value): &(String, f64)| format!("{} ({name})", data.unit.exact(*value));
    format!(
        "{} rows and {} columns; the lowest is {}, the highest {}.",
        data.series.len(),
        data.categories.len(),
        told(least),
        told(most)
    )
}
