//! Parts of a whole as a ring. Names and figures stand in the legend, where they have room, and the whole in the middle.

use super::LegendEntry;
use super::data::{ChartData, MAX_SERIES, color_class};
use super::sheet::{Anchor, Sheet, Slice};

/// Draws a ring.
pub(super) fn draw(data: &ChartData, width: f32) -> Sheet {
    const RADIUS: f32 = 105.0;
    let side = (RADIUS * 2.0 + 4.0).min(width);
    let mut sheet = Sheet::new(side, side);
    let (centre, radius) = ((side / 2.0, side / 2.0), side / 2.0 - 2.0);
    let parts = parts(data);
    let mut begin = 0.0;
    for (place, part) in parts.iter().enumerate() {
        let slice = Slice { begin, share: part.share, radius, hole: radius * 0.62 };
        let title = format!("{}: {}", part.name, part.figure);
        sheet.slice(&color_class(place, part.is_rest), centre, slice, title);
        begin += part.share;
    }
    if data.additive {
        let whole = data.unit.exact(data.values().filter(|value| *value > 0.0).sum());
        sheet.text("whole", centre, Anchor::Middle, &whole);
    }
    sheet
}

/// The parts with their figures.
pub(super) fn legend(data: &ChartData) -> Vec<LegendEntry> {
    let entry = |(place, part): (usize, &Part)| LegendEntry {
        class: color_class(place, part.is_rest),
        name: part.name.clone(),
        value: part.figure.clone(),
    };
    parts(data).iter().enumerate().map(entry).collect()
}

struct Part {
    name: String,
    figure: String,
    share: f32,
    is_rest: bool,
}

/// What is above zero of each category, all series together.
fn parts(data: &ChartData) -> Vec<Part> {
    let sizes: Vec<f64> =
        (0..data.categories.len()).map(|place| data.total_at(place).unwrap_or(0.0).max(0.0)).collect();
    let whole: f64 = sizes.iter().sum();
    let part = |(place, size): (usize, &f64)| {
        let share = if whole > 0.0 { size / whole } else { 0.0 };
        let exact = data.unit.exact(*size);
        let percentage = super::Unit::Percent.exact(share);
        #[expect(clippy::cast_possible_truncation, reason = "an angle needs no more digits")]
        let angle = share as f32;
        Part {
            name: data.categories[place].label.clone(),
            figure: if exact == percentage { exact } else { format!("{exact} ({percentage})") },
            share: angle,
            is_rest: data.categories[place].is_rest || place >= MAX_SERIES,
        }
    };
    sizes.iter().enumerate().map(part).collect()
}
