//! Charts as inline SVG: what a report's header asks for, made of the report's rows.
//!
//! A chart goes three ways: [`data`] makes categories and series of the rows and leaves out what no eye could tell apart, one of the
//! kinds lays it out on a [`sheet`], and [`words`] says the same for those who do not see it. Nothing in a drawing has a colour: shapes have
//! classes, and the page's stylesheet says what those look like in light and dark and on paper. Each chart is drawn twice, for a
//! wide page and for a phone, because text in a drawing shrinks with it; the stylesheet shows one.

mod bars;
mod columns;
mod data;
mod heatmap;
mod limits;
mod lines;
mod pie;
mod scale;
mod sheet;
#[cfg(test)]
mod tests;
mod timeline;
mod words;

use serde::Serialize;

pub(super) use data::{ChartData, OTHERS, Series};
pub(super) use scale::Unit;

use self::sheet::Sheet;
use crate::chart::ChartKind;
use crate::report::Report;

/// Units of a drawing are pixels at these widths.
const SECTION_WIDTHS: [f32; 2] = [860.0, 340.0];
const PANEL_WIDTHS: [f32; 2] = [440.0, 330.0];
/// Shades that a heatmap tells apart; the stylesheet has as many classes.
const SHADES: usize = 8;

/// A chart as the page shows it.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Picture {
    /// What is drawn, in a line.
    caption: String,
    /// The drawing for a wide page.
    wide: String,
    /// The same for a phone.
    narrow: String,
    legend: Vec<LegendEntry>,
    /// What was left out.
    note: String,
}

/// A colour of a chart and what it stands for.
#[derive(Debug, Clone, Serialize)]
pub(super) struct LegendEntry {
    class: String,
    name: String,
    /// Its figure, where the drawing itself does not tell it.
    value: String,
}

/// The chart of a report, if it has one and there is anything to draw.
pub(super) fn draw(report: &Report, id: &str) -> Result<Option<Picture>, charts_rs::Error> {
    let Some(chart) = report.chart.as_ref().filter(|chart| chart.kind != ChartKind::Table) else {
        return Ok(None);
    };
    let Some(data) = ChartData::of(report, chart) else { return Ok(None) };
    let title = report.title.as_deref().unwrap_or(&report.name);
    picture(&data, title, id, SECTION_WIDTHS).map(Some)
}

/// A small chart for the front of the page.
pub(super) fn panel(data: &ChartData, title: &str, id: &str) -> Result<Picture, charts_rs::Error> {
    picture(data, title, id, PANEL_WIDTHS)
}

fn picture(data: &ChartData, title: &str, id: &str, widths: [f32; 2]) -> Result<Picture, charts_rs::Error> {
    let alternative = words::alternative(data, title);
    let [wide, narrow] = widths;
    let shape = if data.kind == ChartKind::Pie { " ring" } else { "" };
    let finished = |width: f32, form: &str| {
        laid_out(data, width).finish(&alternative, &format!("{id}-{form}"), &format!("{form}{shape}"))
    };
    Ok(Picture {
        caption: words::caption(data),
        wide: finished(wide, "wide")?,
        narrow: finished(narrow, "narrow")?,
        legend: legend(data),
        note: data.notes.join(" "),
    })
}

fn laid_out(data: &ChartData, width: f32) -> Sheet {
    match data.kind {
        ChartKind::Bar | ChartKind::Table => bars::draw(data, width),
        ChartKind::Column | ChartKind::Histogram => columns::draw(data, width),
        ChartKind::Line | ChartKind::Area => lines::draw(data, width),
        ChartKind::Pie => pie::draw(data, width),
        ChartKind::Heatmap => heatmap::draw(data, width),
    }
}

fn legend(data: &ChartData) -> Vec<LegendEntry> {
    match data.kind {
        ChartKind::Pie => pie::legend(data),
        ChartKind::Heatmap => heatmap::legend(data),
        _ if data.series.len() > 1 => {
            let entries = data.series.iter().enumerate().map(|(place, series)| LegendEntry {
                class: series.class(place),
                name: series.name.clone(),
                value: String::new(),
            });
            entries.collect()
        }
        _ => Vec::new(),
    }
}
