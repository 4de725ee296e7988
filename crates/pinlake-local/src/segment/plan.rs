//! A segment with everything that it stands on, resolved: criteria, groups, source segments, imported members.

use std::cell::Cell;
use std::collections::HashSet;

use chrono::{DateTime, Utc};

use super::Criteria;
use crate::audience::Refusal;
use crate::model::{
    EndpointResponse, Quantifier, SegmentDimensions, SegmentGroup, SegmentGroupList, SegmentReference,
};

/// How deep segments may stand on others; deeper ones are refused, and with them those that stand on themselves.
const DEPTH: usize = 8;

/// Segments that one may stand on in all, each counted as often as it is named.
const SOURCES: usize = 1_000;

/// What a segment is by its own words.
#[derive(Debug, Clone)]
pub(crate) enum Definition {
    /// Criteria that all have to hold; without any it is everybody.
    Dimensions(Box<SegmentDimensions>),
    /// Groups of criteria over other segments.
    Groups(SegmentGroupList),
    /// The endpoints of an import, by their ids in lower case.
    Imported(HashSet<String>),
}

/// Finds the definition of a segment that another stands on.
pub(crate) trait Resolver {
    /// The definition of a segment, in this version or the newest.
    fn resolve(&self, reference: &SegmentReference) -> Result<Definition, Refusal>;
}

/// What plans are made from.
struct Foundation<'a> {
    resolver: &'a dyn Resolver,
    resolved: Cell<usize>,
}

impl Foundation<'_> {
    fn plan(&self, definition: Definition, depth: usize) -> Result<Plan, Refusal> {
        Ok(match definition {
            Definition::Dimensions(dimensions) => Plan::Criteria(Criteria::compile(&dimensions)?),
            Definition::Imported(ids) => Plan::Imported(ids),
            Definition::Groups(list) => Plan::Groups {
                include: list.include.unwrap_or_default(),
                groups: list.groups.iter().map(|group| self.group(group, depth)).collect::<Result<_, _>>()?,
            },
        })
    }

    fn group(&self, group: &SegmentGroup, depth: usize) -> Result<GroupPlan, Refusal> {
        Ok(GroupPlan {
            source_type: group.source_type.unwrap_or_default(),
            sources: group
                .source_segments
                .iter()
                .map(|reference| self.source(reference, depth + 1))
                .collect::<Result<_, _>>()?,
            criteria_type: group.dimensions_type.unwrap_or_default(),
            criteria: group.dimensions.iter().map(Criteria::compile).collect::<Result<_, _>>()?,
        })
    }

    fn source(&self, reference: &SegmentReference, depth: usize) -> Result<Plan, Refusal> {
        self.resolved.set(self.resolved.get() + 1);
        if depth > DEPTH || self.resolved.get() > SOURCES {
            return Err(Refusal(format!(
                "Segments stand on one another more than {DEPTH} deep, or one on itself, or on more than {SOURCES} in all."
            )));
        }
        self.plan(self.resolver.resolve(reference)?, depth)
    }
}

/// A segment ready for evaluation.
#[derive(Debug)]
pub(crate) enum Plan {
    Criteria(Criteria),
    Groups { include: Quantifier, groups: Vec<GroupPlan> },
    Imported(HashSet<String>),
}

/// One group: an endpoint belongs if it belongs to the sources and meets the criteria.
#[derive(Debug)]
pub(crate) struct GroupPlan {
    source_type: Quantifier,
    sources: Vec<Plan>,
    criteria_type: Quantifier,
    criteria: Vec<Criteria>,
}

impl Plan {
    /// Makes a definition ready, with all segments that it stands on.
    pub(crate) fn of(definition: Definition, resolver: &dyn Resolver) -> Result<Self, Refusal> {
        Foundation { resolver, resolved: Cell::new(0) }.plan(definition, 0)
    }

    /// Whether it is everybody, whatever they are like.
    pub(crate) fn is_everyone(&self) -> bool {
        matches!(self, Plan::Criteria(criteria) if criteria.is_empty())
    }

    /// Whether an endpoint belongs.
    pub(crate) fn includes(&self, endpoint: &EndpointResponse, now: DateTime<Utc>) -> bool {
        match self {
            Plan::Criteria(criteria) => criteria.hold(endpoint, now),
            Plan::Imported(ids) => endpoint.id.as_ref().is_some_and(|id| ids.contains(&id.to_lowercase())),
            Plan::Groups { include, groups } => include.of(groups, |group| group.includes(endpoint, now)),
        }
    }
}

impl GroupPlan {
    fn includes(&self, endpoint: &EndpointResponse, now: DateTime<Utc>) -> bool {
        self.source_type.of(&self.sources, |source| source.includes(endpoint, now))
            && self.criteria_type.of(&self.criteria, |criteria| criteria.hold(endpoint, now))
    }
}

impl Quantifier {
    /// Whether the test holds for as many as asked for. Of nothing it always does: a group without sources starts from
    /// everybody, and one without criteria leaves everybody in.
    fn of<T>(self, items: &[T], test: impl FnMut(&T) -> bool) -> bool {
        match self {
            _ if items.is_empty() => true,
            Quantifier::All => items.iter().all(test),
            Quantifier::Any => items.iter().any(test),
            Quantifier::None => !items.iter().any(test),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;
    use crate::model::SegmentGroupList;

    /// Segments by id.
    struct Book(HashMap<&'static str, Definition>);

    impl Resolver for Book {
        fn resolve(&self, reference: &SegmentReference) -> Result<Definition, Refusal> {
            let found = self.0.get(reference.id.as_str()).cloned();
            found.ok_or_else(|| Refusal(format!("Segment {} was not found.", reference.id)))
        }
    }

    fn groups(json: &str) -> Definition {
        Definition::Groups(
            serde_json::from_str::<SegmentGroupList>(json).expect("a test's own JSON is sound"),
        )
    }

    fn with_a(value: &str) -> SegmentDimensions {
        serde_json::from_str(&format!(r#"{{"Attributes":{{"a":{{"Values":["{value}"]}}}}}}"#))
            .expect("a test's own JSON is sound")
    }

    fn endpoint(id: &str, values: &[&str]) -> EndpointResponse {
        let lists = [("a".to_owned(), values.iter().map(|value| (*value).to_owned()).collect())];
        EndpointResponse {
            id: Some(id.to_owned()),
            attributes: Some(lists.into()),
            ..EndpointResponse::default()
        }
    }

    #[test]
    fn groups_join_sources_and_criteria() -> Result<(), Refusal> {
        let book = Book(HashMap::from([
            ("one", Definition::Dimensions(Box::new(with_a("1")))),
            ("two", Definition::Dimensions(Box::new(with_a("2")))),
            ("imported", Definition::Imported(["e".to_owned(), "f".to_owned()].into())),
        ]));
        let sources = |quantifier: &str| {
            format!(r#"{{"SourceSegments":[{{"Id":"one"}},{{"Id":"two"}}],"SourceType":"{quantifier}"}}"#)
        };
        let criteria = |quantifier: &str| {
            format!(
                r#"{{"Dimensions":[{{"Attributes":{{"a":{{"Values":["1"]}}}}}},{{"Attributes":{{"a":{{"Values":["2"]}}}}}}],"Type":"{quantifier}"}}"#
            )
        };
        let people = [endpoint("E", &["1"]), endpoint("f", &["1", "2"]), endpoint("g", &["3"])];
        for (list, expected) in [
            ("{}".to_owned(), [true, true, true]),
            (format!(r#"{{"Groups":[{}]}}"#, sources("ALL")), [false, true, false]),
            (format!(r#"{{"Groups":[{}]}}"#, sources("ANY")), [true, true, false]),
            (format!(r#"{{"Groups":[{}]}}"#, sources("NONE")), [false, false, true]),
            (format!(r#"{{"Groups":[{}]}}"#, criteria("ALL")), [false, true, false]),
            (format!(r#"{{"Groups":[{}]}}"#, criteria("ANY")), [true, true, false]),
            (format!(r#"{{"Groups":[{}]}}"#, criteria("NONE")), [false, false, true]),
            (format!(r#"{{"Groups":[{},{}],"Include":"ALL"}}"#, sources("ANY"), criteria("ALL")), [false, true, false]),
            (format!(r#"{{"Groups":[{},{}],"Include":"ANY"}}"#, sources("NONE"), criteria("ALL")), [false, true, true]),
            (format!(r#"{{"Groups":[{},{}],"Include":"NONE"}}"#, sources("ANY"), criteria("ALL")), [false, false, true]),
            (r#"{"Groups":[{"SourceSegments":[{"Id":"imported"}],"Dimensions":[{"Attributes":{"a":{"Values":["2"]}}}]}]}"#.to_owned(), [false, true, false]),
            (r#"{"Groups":[{"SourceSegments":[{"Id":"imported"}]}]}"#.to_owned(), [true, true, false]),
        ] {
            let plan = Plan::of(groups(&list), &book)?;
            let included = people.clone().map(|endpoint| plan.includes(&endpoint, Utc::now()));
            assert_eq!(included, expected, "{list}");
        }
        Ok(())
    }

    #[test]
    fn a_segment_that_stands_on_itself_or_on_nothing_is_refused() {
        let itself = groups(r#"{"Groups":[{"SourceSegments":[{"Id":"loop"}]}]}"#);
        let book = Book(HashMap::from([("loop", itself.clone())]));
        assert!(Plan::of(itself, &book).is_err_and(|refusal| refusal.0.contains("deep")));
        let missing = groups(r#"{"Groups":[{"SourceSegments":[{"Id":"none"}]}]}"#);
        assert!(Plan::of(missing, &book).is_err_and(|refusal| refusal.0.contains("not found")));
    }
}
