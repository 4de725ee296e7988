//! Horizontal bars: a row for each category, its name before it and its figure behind it, so that no axis is needed.

use super::data::{ChartData, color_class};
use super::scale::{Scale, Unit};
use super::sheet::{Anchor, Area, Sheet, fitted, widest};

/// Between a name and its bar, and a bar and its figure.
const GAP: f32 = 10.0;
/// Part of the width that names may take.
const NAMES: f32 = 0.36;
/// Between two categories.
const SPACE: f32 = 10.0;

/// Draws bars.
pub(super) fn draw(data: &ChartData, width: f32) -> Sheet {
    let bar_height = if data.stacked || data.series.len() == 1 { 18.0 } else { 15.0 };
    let bars = if data.stacked { 1 } else { data.series.len() };
    let row_height = bars as f32 * bar_height + SPACE;
    let mut sheet = Sheet::new(width, data.categories.len() as f32 * row_height + 2.0);

    let figures = figures(data);
    let names = widest(data.categories.iter().map(|category| category.label.as_str())).min(width * NAMES);
    let left = names + GAP;
    let plot_width = width - left - GAP - widest(figures.iter().flatten().map(String::as_str));
    let plot = Area { left, top: 0.0, width: plot_width.max(20.0), height: bar_height };
    let extents = data.extents().into_iter();
    // Rates end at a round one; of anything else nobody reads round numbers, for the figures stand beside it.
    let scale = if data.unit == Unit::Percent {
        Scale::over(extents, data.unit, 4.0)
    } else {
        Scale::between(extents)
    };

    for (place, category) in data.categories.iter().enumerate() {
        let top = place as f32 * row_height + SPACE / 2.0;
        let middle = top + bars as f32 * bar_height / 2.0;
        sheet.text("name", (names, middle), Anchor::End, &fitted(&category.label, names));
        let row = Area { top, ..plot };
        if data.stacked {
            stack(&mut sheet, data, place, (row, &scale));
            figure(&mut sheet, &figures[place][0], (scale_end(data, place, &scale, row), middle));
        } else {
            group(&mut sheet, data, place, (row, &scale), &figures[place]);
        }
    }
    let zero = plot.left + scale.place(0.0) * plot.width;
    let bottom = data.categories.len() as f32 * row_height;
    sheet.line("base", &[(zero, SPACE / 2.0 - 3.0), (zero, bottom - SPACE / 2.0 + 3.0)]);
    sheet
}

/// The texts behind the bars of each category: one for a stack, else one for each series.
fn figures(data: &ChartData) -> Vec<Vec<String>> {
    let text = |value: Option<f64>| value.map_or_else(|| "–".to_owned(), |value| data.unit.read(value));
    let of_place = |place: usize| -> Vec<String> {
        if data.stacked {
            return vec![text(data.total_at(place))];
        }
        data.series.iter().map(|series| text(series.values[place])).collect()
    };
    (0..data.categories.len()).map(of_place).collect()
}

fn stack(sheet: &mut Sheet, data: &ChartData, place: usize, (row, scale): (Area, &Scale)) {
    let (mut above, mut below) = (0.0, 0.0);
    for (number, series) in data.series.iter().enumerate() {
        let Some(value) = series.values[place].filter(|value| *value != 0.0) else { continue };
        let end = if value > 0.0 { &mut above } else { &mut below };
        let begin = *end;
        *end += value;
        let category = &data.categories[place];
        let title = format!("{}, {}: {}", category.label, series.name, data.unit.exact(value));
        let is_rest = series.is_rest || (category.is_rest && data.series.len() == 1);
        sheet.rect(&color_class(number, is_rest), between(row, scale, [begin, *end]), Some(title));
    }
}

fn group(
    sheet: &mut Sheet,
    data: &ChartData,
    place: usize,
    (row, scale): (Area, &Scale),
    figures: &[String],
) {
    for (number, series) in data.series.iter().enumerate() {
        let bar = Area { top: row.top + number as f32 * row.height, ..row };
        let middle = bar.top + bar.height / 2.0;
        let Some(value) = series.values[place] else {
            figure(sheet, &figures[number], (row.left, middle));
            continue;
        };
        let filled = between(bar, scale, [0.0, value]);
        if data.unit == Unit::Percent && data.series.len() == 1 {
            sheet.rect("track", bar, None);
        }
        let is_rest = series.is_rest || data.categories[place].is_rest;
        sheet.rect(&color_class(number, is_rest), filled, None);
        // With a track behind it every figure stands at the same place.
        let end =
            if data.unit == Unit::Percent && data.series.len() == 1 { bar.right() } else { filled.right() };
        figure(sheet, &figures[number], (end, middle));
    }
}

fn figure(sheet: &mut Sheet, text: &str, (end, middle): (f32, f32)) {
    sheet.text("value", (end + GAP * 0.7, middle), Anchor::Start, text);
}

fn scale_end(data: &ChartData, place: usize, scale: &Scale, row: Area) -> f32 {
    let sum = data.series.iter().filter_map(|series| series.values[place]).filter(|value| *value > 0.0).sum();
    row.left + scale.place(sum) * row.width
}

/// The part of a row between two values; never so thin that what is there cannot be seen.
fn between(row: Area, scale: &Scale, values: [f64; 2]) -> Area {
    let [first, second] = values.map(|value| row.left + scale.place(value) * row.width);
    let width = (second - first).abs();
    let is_nothing = (values[1] - values[0]).abs() <= 0.0;
    let width = if is_nothing { 0.0 } else { width.max(1.0) };
    Area { left: first.min(second), width, ..row }
}
