//! Lines and areas: one through the values of each series, from edge to edge. A null breaks a line; in a stack it adds nothing.

use super::columns::{base, category_labels, frame, height};
use super::data::ChartData;
use super::scale::Scale;
use super::sheet::{Area, Sheet};
use crate::chart::ChartKind;

/// Draws lines, or areas.
pub(super) fn draw(data: &ChartData, width: f32) -> Sheet {
    let mut sheet = Sheet::new(width, height(width));
    let scale = Scale::over(data.extents().into_iter(), data.unit, 4.0);
    let plot = frame(&mut sheet, data, &scale, width, 14.0);
    let steps = data.categories.len().saturating_sub(1).max(1) as f32;
    let band = plot.width / steps;
    let single = data.categories.len() == 1;
    let across =
        |place: usize| if single { plot.left + plot.width / 2.0 } else { plot.left + place as f32 * band };

    let mut floor = vec![0.0; data.categories.len()];
    for (number, series) in data.series.iter().enumerate() {
        let values = series.values.iter();
        let tops: Vec<Option<f64>> = if data.stacked {
            values.zip(&floor).map(|(value, floor)| Some(floor + value.unwrap_or(0.0))).collect()
        } else {
            values.copied().collect()
        };
        let place = Placed { plot, scale: &scale, across: &across };
        for stretch in stretches(&tops) {
            place.stretch(&mut sheet, data, &series.class(number), (&stretch, &floor));
        }
        if data.stacked {
            floor = tops.into_iter().flatten().collect();
        }
    }
    base(&mut sheet, &scale, plot);
    category_labels(&mut sheet, data, (plot, band), across);
    sheet
}

/// Values without a gap between them, with their places.
fn stretches(values: &[Option<f64>]) -> Vec<Vec<(usize, f64)>> {
    let mut stretches = vec![Vec::new()];
    for (place, value) in values.iter().enumerate() {
        match (value, stretches.last_mut()) {
            (Some(value), Some(stretch)) => stretch.push((place, *value)),
            _ => stretches.push(Vec::new()),
        }
    }
    stretches.retain(|stretch| !stretch.is_empty());
    stretches
}

struct Placed<'a> {
    plot: Area,
    scale: &'a Scale,
    across: &'a dyn Fn(usize) -> f32,
}

impl Placed<'_> {
    fn point(&self, place: usize, value: f64) -> (f32, f32) {
        ((self.across)(place), self.plot.bottom() - self.scale.place(value) * self.plot.height)
    }

    fn stretch(
        &self,
        sheet: &mut Sheet,
        data: &ChartData,
        class: &str,
        (stretch, floor): (&[(usize, f64)], &[f64]),
    ) {
        let top: Vec<(f32, f32)> = stretch.iter().map(|(place, value)| self.point(*place, *value)).collect();
        if let [point] = top[..] {
            sheet.dot(class, point);
            return;
        }
        let is_layer = data.kind == ChartKind::Area && data.stacked && data.series.len() > 1;
        if data.kind == ChartKind::Area {
            let bottom = stretch.iter().rev().map(|(place, _)| self.point(*place, floor[*place]));
            let outline: Vec<(f32, f32)> = top.iter().copied().chain(bottom).collect();
            sheet.outline(&format!("{class} {}", if is_layer { "layer" } else { "veil" }), &outline);
        }
        if !is_layer {
            sheet.line(&format!("{class} stroke"), &top);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_null_breaks_a_line() {
        let values = [None, Some(1.0), Some(2.0), None, None, Some(3.0)];
        assert_eq!(stretches(&values), [vec![(1, 1.0), (2, 2.0)], vec![(5, 3.0)]]);
        assert!(stretches(&[None, None]).is_empty() && stretches(&[]).is_empty());
    }
}
