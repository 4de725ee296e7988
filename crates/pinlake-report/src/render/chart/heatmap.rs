//! A grid of shades, rows and columns as they came. Ours from the first line: the library's fills absent cells with a pattern of
//! its own and takes shades from two colours, which one stylesheet cannot turn around for the dark.

use super::data::ChartData;
use super::sheet::{Anchor, Area, Sheet, fitted, widest, width_of};
use super::{LegendEntry, SHADES};

/// Part of the width that names of rows may take.
const NAMES: f32 = 0.32;
/// Room for the names of columns below.
const FOOT: f32 = 26.0;
/// How far a slanted name goes down for its length.
const SLANT: f32 = 0.66;
/// Between two cells.
const GAP: f32 = 2.0;

/// Draws a grid.
pub(super) fn draw(data: &ChartData, width: f32) -> Sheet {
    let rows = data.series.len() as f32;
    let names = widest(data.series.iter().map(|series| series.name.as_str())).min(width * NAMES);
    let left = names + 8.0;
    let count = data.categories.len().max(1) as f32;
    // A grid of few columns is no wider than it need be.
    let cell_width = ((width - left) / count).min(96.0);
    let cell_height = if rows > 14.0 { 20.0 } else { 24.0 };
    let labels = data.categories.iter().map(|category| fitted(&category.label, width * NAMES));
    let labels: Vec<String> = labels.collect();
    let widest_label = widest(labels.iter().map(String::as_str));
    let is_slanted =
        widest_label + 4.0 > cell_width && data.categories.iter().any(|category| category.label.len() > 4);
    let foot = if is_slanted { widest_label * SLANT + 16.0 } else { FOOT };
    let mut sheet = Sheet::new(width, rows * cell_height + foot);
    let brief = |value: f64| data.unit.brief(value);
    let figures = data.values().map(brief).collect::<Vec<_>>();
    let tells_figures = widest(figures.iter().map(String::as_str)) + 6.0 <= cell_width - GAP;

    for (row, series) in data.series.iter().enumerate() {
        let top = row as f32 * cell_height;
        let middle = top + (cell_height - GAP) / 2.0;
        sheet.text("name", (names, middle), Anchor::End, &fitted(&series.name, names));
        for (place, value) in series.values.iter().enumerate() {
            let cell = Area {
                left: left + place as f32 * cell_width,
                top,
                width: cell_width - GAP,
                height: cell_height - GAP,
            };
            let Some(value) = *value else { continue };
            let shade = shade(data, value);
            let column = &data.categories[place].label;
            let title = format!("{}, {column}: {}", series.name, data.unit.exact(value));
            sheet.rect(&format!("h{shade}"), cell, (!tells_figures).then_some(title));
            if tells_figures {
                sheet.text(
                    &format!("cell t{shade}"),
                    (cell.left + cell.width / 2.0, middle),
                    Anchor::Middle,
                    &brief(value),
                );
            }
        }
    }
    let bottom = rows * cell_height;
    let room = if is_slanted { 16.0 } else { widest_label + 8.0 };
    let every =
        (1..=labels.len()).find(|step| *step as f32 * cell_width >= room).unwrap_or(labels.len().max(1));
    for (place, label) in labels.iter().enumerate().step_by(every) {
        let x = left + (place as f32 + 0.5) * cell_width;
        if is_slanted {
            sheet.slanted("tick", (x + 4.0, bottom + 14.0), label);
        } else {
            let x = x.min(width - width_of(label) / 2.0);
            sheet.text("tick", (x, bottom + FOOT / 2.0), Anchor::Middle, label);
        }
    }
    sheet
}

/// The shades at both ends.
pub(super) fn legend(data: &ChartData) -> Vec<LegendEntry> {
    let (least, most) = range(data);
    let end = |shade: usize, value: f64| LegendEntry {
        class: format!("h{shade}"),
        name: data.unit.exact(value),
        value: String::new(),
    };
    if least < most { vec![end(0, least), end(SHADES - 1, most)] } else { vec![end(shade(data, most), most)] }
}

/// Shares are shaded from nothing to everything, other values from the least to the largest.
fn range(data: &ChartData) -> (f64, f64) {
    let ends = |(least, most): (f64, f64), value: f64| (least.min(value), most.max(value));
    let (least, most) = data.values().fold((f64::INFINITY, f64::NEG_INFINITY), ends);
    if data.unit == super::Unit::Percent && least >= 0.0 && most > 0.5 && most <= 1.0 {
        return (0.0, 1.0);
    }
    if least >= 0.0 { (0.0, most) } else { (least, most) }
}

fn shade(data: &ChartData, value: f64) -> usize {
    let (least, most) = range(data);
    let share = (value / 2.0 - least / 2.0) / (most / 2.0 - least / 2.0);
    let share = if share.is_finite() { share } else { 0.0 };
    // The first whose upper end the value does not pass.
    (0..SHADES).find(|shade| share * SHADES as f64 <= (shade + 1) as f64).unwrap_or(SHADES - 1)
}
