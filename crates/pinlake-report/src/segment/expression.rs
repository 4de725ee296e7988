//! A resolved segment as an expression over the columns of `endpoints`.
//!
//! Values of the definition are literals or parts of functions, and never become SQL text. Every part is true or false, never null, as
//! `NOT` of null would lose members. Criteria are a conjunction of a dozen parts at most. How many of several have to hold is a function of
//! all of them: `AND` and `OR` of thousands would be a chain as deep as it is wide, which the engine makes of a balanced tree too, and
//! walks by recursion (docs/adr/0026).

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::datatypes::{DataType, Schema};
use chrono::{DateTime, SubsecRound as _, TimeDelta, Utc};
use datafusion::common::ScalarValue;
use datafusion::logical_expr::{Expr, ident, lit};

use super::criteria::{ACTIVITY, ActivityTest, Criteria, PLACE, TextTest};
use super::functions::{self, Ids};
use super::plan::{Group, Plan};
use super::shapes::Quantifier;

/// What segments become expressions with.
pub(super) struct Translation<'a> {
    /// The columns of `endpoints` as the session reads them.
    pub(super) schema: &'a Schema,
    /// The moment of evaluation.
    pub(super) at: DateTime<Utc>,
    /// The members of imported segments, by the segment's id.
    pub(super) members: &'a BTreeMap<String, Arc<Ids>>,
}

impl Translation<'_> {
    /// Whether an endpoint belongs.
    pub(super) fn membership(&self, plan: &Plan) -> Expr {
        match plan {
            Plan::Criteria(criteria) => self.criteria(criteria),
            Plan::Groups { include, groups } => {
                quantified(*include, groups.iter().map(|group| self.group(group)).collect())
            }
            Plan::Imported(id) => {
                let ids = self.members.get(id);
                // Resolving asks for the members of each.
                let nobody = || lit(false);
                let is_one_of = |ids: &Arc<Ids>| functions::is_one_of(Arc::clone(ids), self.data_type("id"));
                ids.map_or_else(nobody, |ids| is_one_of(ids).call(vec![ident("id")]))
            }
        }
    }

    fn group(&self, group: &Group) -> Expr {
        let sources = group.sources.iter().map(|source| self.membership(source)).collect();
        let criteria = group.criteria.iter().map(|criteria| self.criteria(criteria)).collect();
        let (sources, criteria) =
            (quantified(group.source_type, sources), quantified(group.criteria_type, criteria));
        quantified(Quantifier::All, vec![sources, criteria])
    }

    /// Columns that are cheap to test come first: where they decide, the engine leaves out the others.
    fn criteria(&self, criteria: &Criteria) -> Expr {
        let mut parts: Vec<Expr> = criteria.texts.iter().map(text).collect();
        parts.extend(criteria.activity.map(|test| activity(test, self.at)));
        if let Some(circle) = criteria.circle {
            parts.push(functions::within(circle).call(PLACE.map(ident).to_vec()));
        }
        if !criteria.metrics.is_empty() {
            let test =
                functions::metrics("metrics_pass", self.data_type("metrics"), criteria.metrics.clone());
            parts.push(test.call(vec![ident("metrics")]));
        }
        for (column, tests) in
            [("attributes", &criteria.attributes), ("user_attributes", &criteria.user_attributes)]
        {
            if !tests.is_empty() {
                let name = format!("{column}_pass");
                let test = functions::lists(&name, self.data_type(column), Arc::clone(tests));
                parts.push(test.call(vec![ident(column)]));
            }
        }
        parts.into_iter().reduce(Expr::and).unwrap_or_else(|| lit(true))
    }

    /// A column's type; null for one that is not there, which planning refuses by its name.
    fn data_type(&self, column: &str) -> DataType {
        self.schema.field_with_name(column).map_or(DataType::Null, |field| field.data_type().clone())
    }
}

fn text(test: &TextTest) -> Expr {
    let Some(column) = test.column else { return lit(test.is_excluded) };
    let values = test.values.iter().map(|value| lit(value.as_str())).collect();
    let is_one = ident(column).in_list(values, false);
    if test.is_excluded { is_one.is_not_true() } else { is_one.is_true() }
}

fn activity(test: ActivityTest, at: DateTime<Utc>) -> Expr {
    let since = at.checked_sub_signed(test.within).unwrap_or(DateTime::<Utc>::MIN_UTC);
    // The column has microseconds: the first of them that is not before.
    let micros = since.trunc_subsecs(6);
    let micros = if micros < since { micros + TimeDelta::microseconds(1) } else { micros };
    let since = ScalarValue::TimestampMicrosecond(Some(micros.timestamp_micros()), Some("UTC".into()));
    let is_recent = ident(ACTIVITY).gt_eq(lit(since));
    if test.is_excluded { is_recent.is_not_true() } else { is_recent.is_true() }
}

/// Whether as many hold as asked for. Of nothing it is always true: a group without sources starts from everybody, and one without
/// criteria leaves everybody in.
fn quantified(quantifier: Quantifier, mut parts: Vec<Expr>) -> Expr {
    match (quantifier, parts.len()) {
        (_, 0) => lit(true),
        (Quantifier::All | Quantifier::Any, 1) => parts.swap_remove(0),
        (_, count) => functions::quantifier(quantifier, count).call(parts),
    }
}
