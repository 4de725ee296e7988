//! Values for a statement's placeholders: of the declared type, or of the one that the planner infers.

use std::collections::{BTreeMap, BTreeSet};

use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::common::{ParamValues, ScalarValue};
use datafusion::logical_expr::{Expr, LogicalPlan};

use super::{DefaultValue, Parameter, ParameterError, ParameterType};
use crate::nearness::did_you_mean;

/// A parameter's value in one run, as a reader is shown it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsedParameter {
    /// The parameter's name.
    pub name: String,
    /// Its value as text; None for null.
    pub value: Option<String>,
    /// Whether it was given, rather than the default.
    pub given: bool,
}

/// Values for a statement's placeholders.
#[derive(Debug, Clone, Default)]
pub struct Bindings {
    typed: BTreeMap<String, ScalarValue>,
    texts: BTreeMap<String, String>,
}

impl Bindings {
    /// No values.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// Values whose types the planner infers, for SQL that declares nothing.
    #[must_use]
    pub fn inferred(given: BTreeMap<String, String>) -> Self {
        Self { typed: BTreeMap::new(), texts: given }
    }

    /// Values for declared parameters: what is given, else the default. Every given name must be declared.
    pub fn for_parameters(
        parameters: &[Parameter],
        given: &BTreeMap<String, String>,
    ) -> Result<(Self, Vec<UsedParameter>), ParameterError> {
        let available = || parameters.iter().map(Parameter::usage).collect::<Vec<_>>().join(", ");
        if let Some(name) = given.keys().find(|name| !parameters.iter().any(|known| &known.name == *name)) {
            let names = parameters.iter().map(|parameter| parameter.name.as_str());
            let near = did_you_mean(name, names);
            return Err(ParameterError::Unknown { name: name.clone(), near, available: available() });
        }
        let mut bindings = Self::none();
        let mut used = Vec::with_capacity(parameters.len());
        for parameter in parameters {
            let name = parameter.name.clone();
            let text = match (given.get(&name), &parameter.default) {
                (Some(text), _) | (None, DefaultValue::Value(text)) => Some(text.clone()),
                (None, DefaultValue::Null) => None,
                (None, DefaultValue::Required) => {
                    return Err(ParameterError::Missing { name, available: available() });
                }
            };
            let value =
                text.as_ref().map_or_else(|| Ok(parameter.kind.null()), |text| parameter.parse(text))?;
            bindings.typed.insert(name.clone(), value);
            used.push(UsedParameter { given: given.contains_key(&name), name, value: text });
        }
        Ok((bindings, used))
    }

    /// Leaves the type of a value to the planner.
    pub(crate) fn leave_to_planner(&mut self, name: &str, text: String) {
        self.typed.remove(name);
        self.texts.insert(name.to_owned(), text);
    }

    /// The value of a declared parameter.
    pub(crate) fn value(&self, name: &str) -> Option<&ScalarValue> {
        self.typed.get(name)
    }

    /// The values for every placeholder of a plan.
    pub(crate) fn resolve(&self, plan: &LogicalPlan) -> Result<ParamValues, ParameterError> {
        let mut values: Vec<(String, ScalarValue)> =
            self.typed.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
        let mut asked: Vec<String> = plan.get_parameter_names().unwrap_or_default().into_iter().collect();
        asked.sort_unstable();
        // The planner may infer two types for one placeholder; then it is text, which coerces to either.
        let types = plan.get_parameter_types().unwrap_or_default();
        let counted = limits(plan);
        let listed = lists(plan);
        for placeholder in asked {
            let name = placeholder.trim_start_matches('$').to_owned();
            if self.typed.contains_key(&name) {
                continue;
            }
            let Some(text) = self.texts.get(&name) else {
                let available = self.names();
                return Err(ParameterError::Missing { name, available });
            };
            let kind = if counted.contains(&placeholder) {
                ParameterType::Integer
            } else if listed.contains(&placeholder) {
                ParameterType::ListOfText
            } else {
                ParameterType::inferred(types.get(&placeholder).and_then(Option::as_ref))
            };
            let value = kind.parse(text).ok_or_else(|| ParameterError::WrongType {
                name: name.clone(),
                kind,
                given: text.clone(),
            })?;
            values.push((name, value));
        }
        Ok(ParamValues::from(values))
    }

    fn names(&self) -> String {
        self.typed.keys().chain(self.texts.keys()).cloned().collect::<Vec<_>>().join(", ")
    }
}

/// The placeholders of LIMIT and OFFSET, for which the planner infers no type.
fn limits(plan: &LogicalPlan) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let _ = plan.apply_with_subqueries(|node| {
        if let LogicalPlan::Limit(limit) = node {
            for expression in [&limit.skip, &limit.fetch].into_iter().flatten() {
                if let Expr::Placeholder(placeholder) = expression.as_ref() {
                    found.insert(placeholder.id.clone());
                }
            }
        }
        Ok(TreeNodeRecursion::Continue)
    });
    found
}

/// The placeholders that stand where a function of lists takes its list, for which the planner infers no type. `= ANY($x)` is
/// such a function too.
fn lists(plan: &LogicalPlan) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let _ = plan.apply_with_subqueries(|node| {
        node.apply_expressions(|expression| {
            expression.apply(|part| {
                if let Expr::ScalarFunction(call) = part
                    && (call.name().starts_with("array_") || call.name().starts_with("list_"))
                    && let Some(Expr::Placeholder(placeholder)) = call.args.first()
                {
                    found.insert(placeholder.id.clone());
                }
                Ok(TreeNodeRecursion::Continue)
            })
        })
    });
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parameter(name: &str, kind: ParameterType, default: DefaultValue) -> Parameter {
        Parameter { name: name.into(), kind, default, choices: Vec::new(), about: String::new() }
    }

    fn given(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn what_is_not_given_takes_the_default() {
        let parameters = [
            parameter("days", ParameterType::Integer, DefaultValue::Value("90".into())),
            parameter("as_of", ParameterType::Timestamp, DefaultValue::Null),
        ];
        let (bindings, used) = Bindings::for_parameters(&parameters, &given(&[])).expect("defaults bind");
        assert_eq!(bindings.value("days"), Some(&ScalarValue::Int64(Some(90))));
        assert_eq!(used[1], UsedParameter { name: "as_of".into(), value: None, given: false });
    }

    #[test]
    fn wrong_names_and_values_list_the_right_ones() {
        let mut grain = parameter("grain", ParameterType::Text, DefaultValue::Value("month".into()));
        grain.choices = vec!["day".into(), "month".into()];
        let parameters = [grain, parameter("name", ParameterType::Text, DefaultValue::Required)];
        let error = |pairs| Bindings::for_parameters(&parameters, &given(pairs)).map(|_| ()).unwrap_err();
        assert_eq!(
            error(&[("grian", "day")]).to_string(),
            "unknown parameter \"grian\" (did you mean \"grain\"?); \
             it takes: grain (text, default month), name (text, required)"
        );
        assert_eq!(
            error(&[("grain", "year"), ("name", "x")]).to_string(),
            "parameter \"grain\" takes one of day, month, not \"year\""
        );
        assert!(error(&[]).to_string().starts_with("parameter \"name\" needs a value"));
    }
}
