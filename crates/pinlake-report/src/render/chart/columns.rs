//! Columns and histograms: upright bars on an axis of round numbers. A histogram's touch, for its categories are ranges.

use super::data::ChartData;
use super::scale::Scale;
use super::sheet::{Anchor, Area, Sheet, TEXT_SIZE, fitted, widest, width_of};
use super::timeline;
use crate::chart::ChartKind;

/// Room for the labels below.
const FOOT: f32 = 26.0;
/// A column of a chart with few is no wider than this.
const WIDEST: f32 = 56.0;

/// Draws columns.
pub(super) fn draw(data: &ChartData, width: f32) -> Sheet {
    let mut sheet = Sheet::new(width, height(width));
    let scale = Scale::over(data.extents().into_iter(), data.unit, 4.0);
    let plot = frame(&mut sheet, data, &scale, width, 4.0);
    let count = data.categories.len().max(1) as f32;
    let band = plot.width / count;
    let gap = if data.kind == ChartKind::Histogram { 1.0 } else { (band * 0.28).max(1.0) };
    let bar_width = (band - gap).clamp(1.0, if data.kind == ChartKind::Histogram { band } else { WIDEST });
    let centre = |place: usize| plot.left + (place as f32 + 0.5) * band;

    for place in 0..data.categories.len() {
        let bar = Area { left: centre(place) - bar_width / 2.0, width: bar_width, ..plot };
        column(&mut sheet, data, place, (bar, &scale));
    }
    base(&mut sheet, &scale, plot);
    category_labels(&mut sheet, data, (plot, band), centre);
    sheet
}

/// How high a chart with an axis is: the wider, the flatter.
pub(super) fn height(width: f32) -> f32 {
    (width * 0.34).max((width * 0.55).min(225.0)).clamp(190.0, 270.0)
}

/// The axis of numbers with its rules; what is left for the plot.
pub(super) fn frame(sheet: &mut Sheet, data: &ChartData, scale: &Scale, width: f32, right: f32) -> Area {
    let ticks: Vec<(f64, String)> =
        scale.ticks().into_iter().map(|tick| (tick, data.unit.short(tick))).collect();
    let left = widest(ticks.iter().map(|(_, text)| text.as_str())) + 10.0;
    let top = TEXT_SIZE * 0.7;
    let plot =
        Area { left, top, width: (width - left - right).max(20.0), height: height(width) - top - FOOT };
    for (tick, text) in &ticks {
        let y = plot.bottom() - scale.place(*tick) * plot.height;
        sheet.line("rule", &[(plot.left, y), (plot.right(), y)]);
        sheet.text("tick", (plot.left - 8.0, y), Anchor::End, text);
    }
    plot
}

/// The line at zero.
pub(super) fn base(sheet: &mut Sheet, scale: &Scale, plot: Area) {
    let y = plot.bottom() - scale.place(0.0) * plot.height;
    sheet.line("base", &[(plot.left, y), (plot.right(), y)]);
}

/// Names below the plot, as many as there is room for.
pub(super) fn category_labels(
    sheet: &mut Sheet,
    data: &ChartData,
    (plot, band): (Area, f32),
    centre: impl Fn(usize) -> f32,
) {
    const SHORTEST: f32 = 44.0;
    let width = widest(data.categories.iter().map(|category| category.label.as_str()));
    let is_time = data.categories.iter().any(|category| category.day.is_some());
    // Where the bands are wide enough for something, every name is cut to its band; where they are not, some are left out.
    let room = if !is_time && band >= SHORTEST { band - 6.0 } else { width.min(plot.width / 3.0) };
    let labels = timeline::labels(data, band, room.min(width) - if room < width { 6.0 } else { 0.0 });
    for (place, label) in labels {
        let label = fitted(&label, room.max(SHORTEST));
        let half = width_of(&label) / 2.0;
        let x = centre(place).clamp(half, (plot.right() + 4.0 - half).max(half));
        sheet.text("tick", (x, plot.bottom() + FOOT * 0.6), Anchor::Middle, &label);
    }
}

fn column(sheet: &mut Sheet, data: &ChartData, place: usize, (bar, scale): (Area, &Scale)) {
    let series_count = if data.stacked { 1.0 } else { data.series.len() as f32 };
    let width = bar.width / series_count;
    let (mut above, mut below) = (0.0, 0.0);
    for (number, series) in data.series.iter().enumerate() {
        let Some(value) = series.values[place].filter(|value| *value != 0.0) else { continue };
        let (begin, left) = if data.stacked {
            (if value > 0.0 { above } else { below }, bar.left)
        } else {
            (0.0, bar.left + number as f32 * width)
        };
        *(if value > 0.0 { &mut above } else { &mut below }) += value;
        let [first, second] =
            [begin, begin + value].map(|value| bar.bottom() - scale.place(value) * bar.height);
        // What is there is seen, however little it is.
        let height = (second - first).abs().max(0.7);
        let area = Area { left, top: first.min(second), width, height };
        let label = &data.categories[place].label;
        let exact = data.unit.exact(value);
        let title = if data.series.len() == 1 {
            format!("{label}: {exact}")
        } else {
            format!("{label}, {}: {exact}", series.name)
        };
        sheet.rect(&series.class(number), area, Some(title));
    }
}
