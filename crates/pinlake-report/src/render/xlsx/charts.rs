//! Native charts beside a report's rows, and heatmaps as grids of shaded cells.

use rust_xlsxwriter::{
    Chart as NativeChart, ChartAxisCrossing, ChartEmptyCells, ChartFont, ChartLegendPosition, ChartType,
    Color, ConditionalFormat3ColorScale, ConditionalFormatType, Worksheet, XlsxError,
};

use super::cells::{Value, fitting, text_width};
use super::figures::{FigureSheet, Figures, Spot};
use super::styles::Styles;
use crate::chart::{Chart, ChartKind};

/// A chart's size in pixels: so wide, so high, and what each bar adds to its height.
const WIDTH: u32 = 720;
const HEIGHT: u32 = 360;
const TALLEST: u32 = 1_200;
const BAR_HEIGHT: u32 = 22;

/// Draws a chart with its upper left corner at the row below `(row, column)`, which is the header's.
pub(super) fn draw(
    sheet: &mut Worksheet,
    (row, column): (u32, u16),
    (chart, drawn): (&Chart, &Figures),
    figures: &mut FigureSheet,
    styles: &Styles,
) -> Result<(), XlsxError> {
    if chart.kind == ChartKind::Heatmap {
        return draw_grid(sheet, (row, column), (chart, drawn), styles);
    }
    let Some(spot) = figures.put(drawn, styles)? else { return Ok(()) };
    let native = native(chart, drawn, &spot);
    // Below the header, which is frozen: a picture across the edge would be torn when rows move.
    sheet.insert_chart(row + 1, column, &native)?;
    Ok(())
}

fn native(chart: &Chart, drawn: &Figures, spot: &Spot) -> NativeChart {
    let name = FigureSheet::NAME;
    let (first_row, last_row) = (FigureSheet::FIRST_ROW, spot.last_row);
    let mut native = NativeChart::new(native_type(chart.kind, drawn.is_stacked));
    let columns = spot.first_column + 1..=spot.first_column + spot.series;
    for column in columns {
        let series = native.add_series();
        series
            .set_name((name, FigureSheet::NAME_ROW, column))
            .set_categories((name, first_row, spot.first_column, last_row, spot.first_column))
            .set_values((name, first_row, column, last_row, column));
        match chart.kind {
            ChartKind::Histogram => {
                series.set_gap(0);
            }
            ChartKind::Bar | ChartKind::Column => {
                series.set_gap(60);
                if drawn.is_stacked {
                    series.set_overlap(100);
                }
            }
            _ => {}
        }
    }
    native.title().set_name((name, FigureSheet::TITLE_ROW, spot.first_column)).set_font(&title_font());
    if drawn.series.len() > 1 || chart.kind == ChartKind::Pie {
        native.legend().set_position(ChartLegendPosition::Bottom);
    } else {
        native.legend().set_hidden();
    }
    axes(&mut native, chart, drawn);
    native.show_hidden_data().show_empty_cells_as(ChartEmptyCells::Gaps);
    if drawn.is_stacked && chart.kind == ChartKind::Area {
        native.show_empty_cells_as(ChartEmptyCells::Zero);
    }
    native.set_width(WIDTH).set_height(height(chart, drawn)).set_alt_text(&drawn.title);
    native
}

fn native_type(kind: ChartKind, is_stacked: bool) -> ChartType {
    match (kind, is_stacked) {
        (ChartKind::Bar, false) => ChartType::Bar,
        (ChartKind::Bar, true) => ChartType::BarStacked,
        (ChartKind::Column, true) => ChartType::ColumnStacked,
        (ChartKind::Line, _) => ChartType::Line,
        (ChartKind::Area, false) => ChartType::Area,
        (ChartKind::Area, true) => ChartType::AreaStacked,
        (ChartKind::Pie, _) => ChartType::Pie,
        _ => ChartType::Column,
    }
}

fn title_font() -> ChartFont {
    let mut font = ChartFont::new();
    font.set_size(11);
    font
}

fn axes(native: &mut NativeChart, chart: &Chart, drawn: &Figures) {
    if chart.kind == ChartKind::Pie {
        return;
    }
    // The library calls x what lies flat, whatever it shows.
    let is_bar = chart.kind == ChartKind::Bar;
    let measure = if is_bar { native.x_axis() } else { native.y_axis() };
    measure.set_num_format(if drawn.is_share { "0%" } else { "#,##0" });
    if drawn.series.iter().flat_map(|series| &series.values).flatten().all(|value| *value >= 0.0) {
        measure.set_min(0);
    }
    if drawn.is_share && (0.8..1.000_001).contains(&drawn.highest()) {
        measure.set_max(1);
    }
    if is_bar {
        // The first row stands at the top, and the numbers stay below.
        native.y_axis().set_reverse().set_crossing(ChartAxisCrossing::Max);
    } else if let Some(days) = &drawn.days {
        let are_months = days.iter().all(|day| day.format("%d").to_string() == "01");
        native.x_axis().set_date_axis(true).set_num_format(if are_months { "yyyy-mm" } else { "yyyy-mm-dd" });
    }
}

/// Bars need room each; side by side they need more.
fn height(chart: &Chart, drawn: &Figures) -> u32 {
    if chart.kind != ChartKind::Bar {
        return HEIGHT;
    }
    let side_by_side = if drawn.is_stacked { 1 } else { drawn.series.len().div_ceil(2) };
    let bars = u32::try_from(drawn.categories.len() * side_by_side).unwrap_or(TALLEST);
    (120 + bars.saturating_mul(BAR_HEIGHT)).clamp(HEIGHT, TALLEST)
}

/// A heatmap: its title in the row above the header's, names in the header's row and down the first column, shaded figures.
fn draw_grid(
    sheet: &mut Worksheet,
    (row, column): (u32, u16),
    (chart, drawn): (&Chart, &Figures),
    styles: &Styles,
) -> Result<(), XlsxError> {
    if let Some(above) = row.checked_sub(1) {
        sheet.write_string_with_format(above, column, &*fitting(&drawn.title), &styles.bold)?;
    }
    let corner = chart.y.as_deref().unwrap_or_default();
    sheet.write_string_with_format(row, column, &*fitting(corner), &styles.header)?;
    let widest = drawn.categories.iter().map(|name| text_width(name)).max().unwrap_or(0);
    sheet.set_column_width(column, widest.max(text_width(corner)).clamp(7, 40) as f64 + 2.0)?;
    for (at_row, name) in (row + 1..).zip(&drawn.categories) {
        sheet.write_string_with_format(at_row, column, &*fitting(name), &styles.bold)?;
    }
    for (at_column, series) in (column + 1..).zip(&drawn.series) {
        sheet.write_string_with_format(row, at_column, &*fitting(&series.name), &styles.header_right)?;
        sheet.set_column_width(at_column, text_width(&series.name).clamp(6, 16) as f64 + 1.0)?;
        for (at_row, value) in (row + 1..).zip(&series.values) {
            let Some(value) = value else { continue };
            let value = if drawn.is_share { Value::Share(*value) } else { Value::Double(*value) };
            value.write(sheet, (at_row, at_column), styles)?;
        }
    }
    let last_row = row + u32::try_from(drawn.categories.len()).unwrap_or(0);
    let last_column = column + u16::try_from(drawn.series.len()).unwrap_or(0);
    sheet.add_conditional_format(row + 1, column + 1, last_row, last_column, &shades())?;
    Ok(())
}

/// From white over a light to a strong blue, the middle at the median: dark on all of them stays readable.
fn shades() -> ConditionalFormat3ColorScale {
    ConditionalFormat3ColorScale::new()
        .set_minimum_color(Color::RGB(0x00FF_FFFF))
        .set_midpoint(ConditionalFormatType::Percentile, 50)
        .set_midpoint_color(Color::RGB(0x00C6_DBEF))
        .set_maximum_color(Color::RGB(0x006B_AED6))
}
