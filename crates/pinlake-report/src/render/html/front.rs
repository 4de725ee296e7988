//! The front of the page: what the figures stand on, the key figures, the audience at a glance, and what checks found.
//!
//! All of it is taken from reports that are in the run; what is not there is left out.

use std::collections::HashMap;

use arrow::array::{Array, AsArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type, Int64Type};
use serde::Serialize;

use super::super::chart::{self, ChartData, OTHERS, Picture};
use super::super::page::{NONE, PageColumn, PageTable, cell, heading, percentage, printable};
use super::super::{PageFacts, Reconciliation};
use super::section::Judged;
use super::{Named, RenderError, anchor, whole};
use crate::chart::ChartKind;
use crate::report::Report;

/// The report whose single row makes the key figures.
const KEY_FIGURES: &str = "audience-summary";
/// Its counts that are parts of all endpoints, and are told as percentages too.
const PARTS: [&str; 4] = ["anonymous_endpoints", "targetable", "opted_out", "inactive"];
/// Channels and countries that are drawn one by one.
const MOST: usize = 7;

/// The front.
#[derive(Debug, Serialize)]
pub(super) struct Front {
    title: String,
    facts: Vec<Named>,
    reconciliation: Vec<Reconciliation>,
    /// How many of its checks differ.
    differing: usize,
    figures: Vec<Figure>,
    panels: Vec<Panel>,
    /// What did not hold, with the section that tells more.
    findings: Vec<Finding>,
}

#[derive(Debug, Serialize)]
struct Figure {
    name: String,
    value: String,
    share: Option<String>,
}

#[derive(Debug, Serialize)]
struct Panel {
    title: &'static str,
    section: String,
    chart: Picture,
}

#[derive(Debug, Serialize)]
struct Finding {
    title: String,
    section: String,
    verdict: Judged,
}

impl Front {
    /// The front of a page of these reports.
    pub(super) fn of(reports: &[Report], facts: &PageFacts) -> Result<Self, RenderError> {
        let fact =
            |(name, value): &(String, String)| Named { name: printable(name), value: printable(value) };
        let figures = reports.iter().find(|report| report.name == KEY_FIGURES);
        let figures = figures.map(|report| Ok(key_figures(&*whole(report)?))).transpose()?;
        Ok(Self {
            title: if facts.title.is_empty() { "Audience report".to_owned() } else { facts.title.clone() },
            facts: facts.lines.iter().map(fact).collect(),
            differing: facts.reconciliation.iter().filter(|check| !check.ok).count(),
            reconciliation: facts.reconciliation.clone(),
            figures: figures.unwrap_or_default(),
            panels: panels(reports)?,
            findings: reports.iter().flat_map(findings).collect(),
        })
    }
}

fn findings(report: &Report) -> impl Iterator<Item = Finding> + '_ {
    let failed = report.checks.iter().filter(|verdict| !verdict.held());
    failed.map(|verdict| Finding {
        title: report.title.clone().unwrap_or_else(|| heading(&report.name)),
        section: anchor(&report.name),
        verdict: Judged::of(verdict),
    })
}

fn key_figures(report: &Report) -> Vec<Figure> {
    let table = PageTable::of(report, Some(1));
    let values = table.rows.into_iter().next().unwrap_or_default();
    let named = table.columns.iter().zip(values).filter(|(_, value)| value != NONE);
    let figure = |(column, value): (&PageColumn, String)| Figure {
        name: heading(&column.name),
        value: without_clock(value),
        share: if PARTS.contains(&column.name.as_str()) { share(report, &column.name) } else { None },
    };
    named.map(figure).collect()
}

/// What part of all endpoints a count is.
fn share(report: &Report, column: &str) -> Option<String> {
    let batch = report.result.batches.first()?;
    let count = |name: &str| Some(batch.column_by_name(name)?.as_primitive_opt::<Int64Type>()?.value(0));
    let (part, all) = (count(column)?, count("endpoints")?);
    (all > 0).then(|| percentage(part as f64 / all as f64))
}

/// A key figure tells a day; the minute stands in the report itself.
fn without_clock(value: String) -> String {
    match value.split_once(' ') {
        Some((day, clock)) if day.len() == 10 && clock.len() == 8 => day.to_owned(),
        _ => value,
    }
}

/// The small charts. A user's report of the same name has other columns, and then there is none.
fn panels(reports: &[Report]) -> Result<Vec<Panel>, RenderError> {
    type Make = fn(&Report) -> Option<ChartData>;
    let all: [(&'static str, &str, Make); 4] = [
        ("The audience over time", "growth", over_time),
        ("Who can be reached", "targetable", reach),
        ("Where the audience is", "geography", countries),
        ("How fresh it is", "recency", freshness),
    ];
    let mut panels = Vec::new();
    for (title, name, make) in all {
        let Some(report) = reports.iter().find(|report| report.name == name) else { continue };
        let Some(data) = make(&*whole(report)?) else { continue };
        let id = format!("glance-{name}");
        let chart = chart::panel(&data, title, &id).map_err(|error| RenderError::chart(name, &error))?;
        panels.push(Panel { title, section: anchor(name), chart });
    }
    Ok(panels)
}

/// All endpoints there were by the end of each period.
fn over_time(report: &Report) -> Option<ChartData> {
    let mut new = sums(report, "period", &["new_endpoints"])?;
    new.retain(|(period, _)| period != NONE);
    let mut total = 0.0;
    let mut totals = Vec::with_capacity(new.len());
    for (_, counts) in &new {
        total += counts[0];
        totals.push(Some(total));
    }
    let periods: Vec<String> = new.into_iter().map(|(period, _)| period).collect();
    (periods.len() > 1).then(|| {
        ChartData::made(ChartKind::Area, ["Endpoints", "Period"], periods, vec![("Endpoints", totals)])
    })
}

fn reach(report: &Report) -> Option<ChartData> {
    let channels = shortened(sums(report, "channel_type", &["endpoints", "targetable"])?);
    let names = channels.iter().map(|(name, _)| name.clone()).collect();
    let targetable = channels.iter().map(|(_, counts)| Some(counts[1])).collect();
    let others = channels.iter().map(|(_, counts)| Some(counts[0] - counts[1])).collect();
    let series = vec![("Can be reached", targetable), ("Cannot", others)];
    (!channels.is_empty()).then(|| ChartData::made(ChartKind::Bar, ["Endpoints", "Channel"], names, series))
}

fn countries(report: &Report) -> Option<ChartData> {
    bars(shortened(sums(report, "country", &["endpoints"])?), "Country")
}

/// The largest by their first sum, and the others as one.
fn shortened(mut sums: Vec<(String, Vec<f64>)>) -> Vec<(String, Vec<f64>)> {
    sums.sort_by(|(_, left), (_, right)| right[0].total_cmp(&left[0]));
    if sums.len() > MOST + 1 {
        let others = sums.split_off(MOST);
        let sum = |place: usize| others.iter().map(|(_, counts)| counts[place]).sum();
        let all = (0..others[0].1.len()).map(sum).collect();
        sums.push((others.len().to_string() + OTHERS, all));
    }
    sums
}

fn freshness(report: &Report) -> Option<ChartData> {
    bars(sums(report, "band", &["endpoints"])?, "Days since the last update")
}

fn bars(counts: Vec<(String, Vec<f64>)>, by: &str) -> Option<ChartData> {
    let (names, values): (Vec<String>, Vec<Option<f64>>) =
        counts.into_iter().map(|(name, counts)| (name, Some(counts[0]))).unzip();
    (!names.is_empty())
        .then(|| ChartData::made(ChartKind::Bar, ["Endpoints", by], names, vec![("Endpoints", values)]))
}

/// The sums of some columns for each value of another, in the order in which those come.
fn sums(report: &Report, by: &str, columns: &[&str]) -> Option<Vec<(String, Vec<f64>)>> {
    let field = report.result.schema.field_with_name(by).ok()?;
    let mut places: HashMap<String, usize> = HashMap::new();
    let mut sums: Vec<(String, Vec<f64>)> = Vec::new();
    for batch in &report.result.batches {
        let keys = batch.column_by_name(by)?;
        let mut measured = Vec::with_capacity(columns.len());
        for column in columns {
            measured.push(cast(batch.column_by_name(column)?, &DataType::Float64).ok()?);
        }
        for row in 0..batch.num_rows() {
            let key = cell(field, keys, row);
            let place = *places.entry(key.clone()).or_insert_with(|| {
                sums.push((key, vec![0.0; columns.len()]));
                sums.len() - 1
            });
            for (sum, values) in sums[place].1.iter_mut().zip(&measured) {
                if values.is_valid(row) {
                    *sum += values.as_primitive::<Float64Type>().value(row);
                }
            }
        }
    }
    Some(sums)
}
