//! Conditions that every row of a report must hold, and their verdicts.
//!
//! A condition is one SQL expression over the result's columns and the report's parameters. It is parsed as an expression, so it can
//! neither end early nor read another table. As with SQL's own CHECK, a row where it is null holds.

use std::sync::Arc;

use arrow::array::{Array, AsArray};
use arrow::datatypes::DataType;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{DFSchema, DataFusionError};
use datafusion::logical_expr::Expr;
use datafusion::logical_expr::expr::Placeholder;
use datafusion::physical_plan::PhysicalExpr;
use datafusion::prelude::SessionContext;

use crate::parameters::Bindings;
use crate::session::{QueryResult, check_text, message_on_rows, message_on_text};

/// How grave a failed check is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Worth a look.
    Warn,
    /// The data is not fit for use.
    Error,
}

/// A check as a header states it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// The condition in SQL.
    pub condition: String,
    /// How grave it is when a row fails.
    pub level: Level,
    /// What a failure means; may be empty.
    pub message: String,
    /// The header's line, from 1.
    pub line: usize,
}

/// What a check found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// The check.
    pub check: Check,
    /// Rows that fail it; 0 when it held.
    pub failed_rows: usize,
    /// Rows it was held against.
    pub rows: usize,
}

impl Verdict {
    /// Whether every row held.
    #[must_use]
    pub fn held(&self) -> bool {
        self.failed_rows == 0
    }

    /// The check's message, or its condition where it has none.
    #[must_use]
    pub fn text(&self) -> &str {
        if self.check.message.is_empty() { &self.check.condition } else { &self.check.message }
    }
}

/// Why a check could not be held against a result.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: the check {condition:?} cannot be evaluated: {message}")]
pub struct CheckError {
    /// The header's line, from 1.
    pub line: usize,
    /// The condition.
    pub condition: String,
    /// What is wrong with it.
    pub message: String,
}

/// Of a condition that does not work, how much is shown.
const SHOWN_CHARACTERS: usize = 200;

impl Check {
    /// Holds the check against every row.
    pub(crate) fn verdict(
        &self,
        context: &SessionContext,
        result: &QueryResult,
        bindings: &Bindings,
    ) -> Result<Verdict, CheckError> {
        let shown: String = self.condition.chars().take(SHOWN_CHARACTERS).collect();
        let failed = |message| CheckError { line: self.line, condition: shown.clone(), message };
        check_text(&self.condition).map_err(|error| failed(error.to_string()))?;
        let condition =
            self.condition(context, result, bindings).map_err(|error| failed(message_on_text(&error)))?;
        let failed_rows = failed_rows(&condition, result).map_err(|error| failed(message_on_rows(&error)))?;
        Ok(Verdict { check: self.clone(), failed_rows, rows: result.rows() })
    }

    fn condition(
        &self,
        context: &SessionContext,
        result: &QueryResult,
        bindings: &Bindings,
    ) -> Result<Arc<dyn PhysicalExpr>, DataFusionError> {
        let schema = DFSchema::try_from(result.schema.as_ref().clone())?;
        let bound = context
            .parse_sql_expr(&self.condition, &schema)?
            .transform_up(|expression| Ok(bind(expression, bindings)))?
            .data;
        let condition = context.create_physical_expr(bound, &schema)?;
        if condition.data_type(&result.schema)? != DataType::Boolean {
            return Err(DataFusionError::Plan("it is no condition, its value is not true or false".into()));
        }
        Ok(condition)
    }
}

fn failed_rows(condition: &Arc<dyn PhysicalExpr>, result: &QueryResult) -> Result<usize, DataFusionError> {
    let mut failed = 0;
    for batch in &result.batches {
        let held = condition.evaluate(batch)?.into_array(batch.num_rows())?;
        let held = held.as_boolean();
        failed += (0..held.len()).filter(|row| held.is_valid(*row) && !held.value(*row)).count();
    }
    Ok(failed)
}

fn bind(expression: Expr, bindings: &Bindings) -> Transformed<Expr> {
    if let Expr::Placeholder(Placeholder { id, .. }) = &expression
        && let Some(value) = bindings.value(id.trim_start_matches('$'))
    {
        return Transformed::yes(Expr::Literal(value.clone(), None));
    }
    Transformed::no(expression)
}
