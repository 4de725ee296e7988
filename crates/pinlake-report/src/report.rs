//! Running a template on a session: bind, query, hold the chart and the checks against the result.

use std::collections::BTreeMap;

use crate::chart::Chart;
use crate::checks::{Level, Verdict};
use crate::error::ReportError;
use crate::parameters::{Bindings, UsedParameter};
use crate::session::{QueryResult, Session};
use crate::template::Template;

/// A report that ran: what every format renders.
#[derive(Debug, Clone)]
pub struct Report {
    /// The template's name; the key in formats that hold several reports.
    pub name: String,
    /// Its title; None for ad-hoc SQL, which is rendered without a heading.
    pub title: Option<String>,
    /// Its about text; may be empty.
    pub about: String,
    /// The parameters with the values that held in this run.
    pub parameters: Vec<UsedParameter>,
    /// The rows; large ones may have been put aside on the disk ([`QueryResult::loaded`]).
    pub result: QueryResult,
    /// Rows of the query that are not in `result`, where only as many were kept as a page shows; else 0.
    pub further_rows: usize,
    /// The checks' verdicts, in the header's order.
    pub checks: Vec<Verdict>,
    /// How to draw it; its columns exist.
    pub chart: Option<Chart>,
}

impl Report {
    /// A result of ad-hoc SQL as a report without a heading.
    #[must_use]
    pub fn untitled(name: &str, result: QueryResult) -> Self {
        Self {
            name: name.to_owned(),
            title: None,
            about: String::new(),
            parameters: Vec::new(),
            result,
            further_rows: 0,
            checks: Vec::new(),
            chart: None,
        }
    }

    /// The checks that failed at a level.
    pub fn failed(&self, level: Level) -> impl Iterator<Item = &Verdict> {
        self.checks.iter().filter(move |verdict| !verdict.held() && verdict.check.level == level)
    }
}

/// Runs a template with the values given for its parameters.
pub async fn run(
    session: &Session,
    template: &Template,
    given: &BTreeMap<String, String>,
) -> Result<Report, ReportError> {
    let origin = || template.origin.clone();
    let (mut bindings, parameters) = Bindings::for_parameters(&template.parameters, given)
        .map_err(|source| ReportError::Parameter { name: template.name.clone(), source })?;
    for used in &parameters {
        if let Some(value) = used.value.as_ref().filter(|_| template.infers(&used.name)) {
            bindings.leave_to_planner(&used.name, value.clone());
        }
    }
    let mut result = session
        .query(&template.sql, &bindings)
        .await
        .map_err(|source| ReportError::Query { origin: origin(), source })?;
    if let Some(chart) = &template.chart {
        let schema = &result.schema;
        chart.fits(schema).map_err(|message| ReportError::Chart { origin: origin(), message })?;
    }
    let mut checks = Vec::with_capacity(template.checks.len());
    for check in &template.checks {
        let verdict = check.verdict(session.context(), &result, &bindings);
        checks.push(verdict.map_err(|source| ReportError::Check { origin: origin(), source })?);
    }
    session.put_aside(&mut result).map_err(|source| ReportError::Query { origin: origin(), source })?;
    Ok(Report {
        name: template.name.clone(),
        title: Some(template.title.clone()),
        about: template.about.clone(),
        parameters,
        result,
        further_rows: 0,
        checks,
        chart: template.chart.clone(),
    })
}
