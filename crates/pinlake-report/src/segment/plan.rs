//! A segment with everything that it stands on, found and checked: criteria, groups, source segments, imported members.

use std::collections::{BTreeMap, BTreeSet};

use super::SegmentError;
use super::criteria::{ACTIVITY, Criteria};
use super::definition::{Rules, SegmentBook, SegmentDefinition};
use super::shapes::{Dimensions, Quantifier, SegmentGroup, SegmentGroups, SegmentReference};

/// How deep segments may stand on others; deeper ones are refused, and with them those that stand on themselves.
const DEPTH: usize = 8;

/// Segments that one may stand on in all, each counted as often as it is named.
const SOURCES: usize = 1_000;

/// Sets of dimensions in all, each counted as often as it is named. So many over 2,000 endpoints took 98 s and 343 MB in an unoptimised
/// build on a busy machine, and fewer took less in proportion (2026-11-25).
const SETS: usize = 10_000;

/// A segment that is ready to be evaluated.
#[derive(Debug)]
pub struct Segment {
    pub(super) plan: Plan,
    /// The snapshots that hold the members of imported segments, by the segment's id.
    pub(super) members: BTreeMap<String, String>,
    fields: BTreeSet<String>,
}

/// Who belongs.
#[derive(Debug)]
pub(super) enum Plan {
    Criteria(Box<Criteria>),
    Groups {
        include: Quantifier,
        groups: Vec<Group>,
    },
    /// The members of the imported segment of this id.
    Imported(String),
}

/// One group: an endpoint belongs if it belongs to the sources and meets the criteria.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) source_type: Quantifier,
    pub(super) sources: Vec<Plan>,
    pub(super) criteria_type: Quantifier,
    pub(super) criteria: Vec<Criteria>,
}

impl Segment {
    /// Finds and checks all that a segment stands on. `book` has the segments that it names, `members` the snapshots that hold
    /// the members of imported ones, by the segment's id.
    pub fn resolve(
        definition: &SegmentDefinition,
        book: &SegmentBook,
        members: &BTreeMap<String, String>,
    ) -> Result<Self, SegmentError> {
        let book = book.clone().with(definition);
        let mut foundation = Foundation {
            book: &book,
            members,
            chain: vec![definition.label.clone()],
            sources: 0,
            sets: 0,
            needed: BTreeSet::new(),
            fields: BTreeSet::new(),
        };
        let plan = foundation.plan(definition)?;
        let Foundation { needed, fields, .. } = foundation;
        if let Some(id) = members.keys().find(|id| !needed.contains(*id)) {
            let needed = needed.into_iter().collect();
            return Err(SegmentError::UnusedMembers { id: id.clone(), needed });
        }
        Ok(Self { plan, members: members.clone(), fields })
    }

    /// Whether it matters when it is evaluated.
    #[must_use]
    pub fn has_recency(&self) -> bool {
        self.fields.contains(ACTIVITY)
    }

    /// What of an endpoint it looks at: columns, and of maps `COLUMN.ENTRY`.
    pub fn fields(&self) -> impl Iterator<Item = &str> {
        self.fields.iter().map(String::as_str)
    }
}

/// What a segment is resolved with, and what is met on the way.
struct Foundation<'a> {
    book: &'a SegmentBook,
    members: &'a BTreeMap<String, String>,
    /// The definitions from the one to evaluate to the one at hand.
    chain: Vec<String>,
    sources: usize,
    sets: usize,
    /// Imported segments that were met.
    needed: BTreeSet<String>,
    /// What the criteria look at.
    fields: BTreeSet<String>,
}

impl Foundation<'_> {
    fn plan(&mut self, definition: &SegmentDefinition) -> Result<Plan, SegmentError> {
        match &definition.rules {
            Rules::Dimensions(dimensions) => {
                Ok(Plan::Criteria(Box::new(self.criteria(dimensions, definition)?)))
            }
            Rules::Groups(list) => self.groups(list, definition),
            Rules::Imported => {
                let id = definition.id.clone().unwrap_or_else(|| definition.label.clone());
                self.imported(id)
            }
        }
    }

    fn groups(&mut self, list: &SegmentGroups, of: &SegmentDefinition) -> Result<Plan, SegmentError> {
        let groups = list.groups.iter().map(|group| self.group(group, of)).collect::<Result<_, _>>()?;
        Ok(Plan::Groups { include: list.include.unwrap_or_default(), groups })
    }

    fn group(&mut self, group: &SegmentGroup, of: &SegmentDefinition) -> Result<Group, SegmentError> {
        let sources = group.source_segments.iter();
        let sources = sources.map(|reference| self.source(reference, of)).collect::<Result<_, _>>()?;
        let criteria = group.dimensions.iter();
        let criteria = criteria.map(|dimensions| self.criteria(dimensions, of)).collect::<Result<_, _>>()?;
        Ok(Group {
            source_type: group.source_type.unwrap_or_default(),
            sources,
            criteria_type: group.dimensions_type.unwrap_or_default(),
            criteria,
        })
    }

    fn criteria(
        &mut self,
        dimensions: &Dimensions,
        of: &SegmentDefinition,
    ) -> Result<Criteria, SegmentError> {
        self.sets += 1;
        if self.sets > SETS {
            return Err(SegmentError::Sets { segment: self.evaluated(), limit: SETS });
        }
        let criteria = Criteria::compile(dimensions, &of.label)?;
        self.fields.extend(criteria.fields());
        Ok(criteria)
    }

    fn source(&mut self, reference: &SegmentReference, of: &SegmentDefinition) -> Result<Plan, SegmentError> {
        self.sources += 1;
        if self.sources > SOURCES {
            return Err(SegmentError::Sources { segment: self.evaluated(), limit: SOURCES });
        }
        let book = self.book;
        let Some(definition) = book.get(reference) else {
            if self.members.contains_key(&reference.id) && book.versions(&reference.id).is_empty() {
                return self.imported(reference.id.clone());
            }
            return Err(SegmentError::Missing {
                segment: of.label.clone(),
                id: reference.id.clone(),
                version: reference.version,
                given: book.versions(&reference.id),
            });
        };
        self.chain.push(reference.id.clone());
        if self.chain.len() > DEPTH + 1 {
            return Err(SegmentError::Depth { limit: DEPTH, chain: self.chain.clone() });
        }
        let plan = self.plan(definition)?;
        self.chain.pop();
        Ok(plan)
    }

    /// What the segment to evaluate is called.
    fn evaluated(&self) -> String {
        self.chain.first().cloned().unwrap_or_default()
    }

    /// Members that no definition tells; a segment that was not given at all is as good, where its members are.
    fn imported(&mut self, id: String) -> Result<Plan, SegmentError> {
        if !self.members.contains_key(&id) {
            return Err(SegmentError::Imported { id });
        }
        self.fields.insert("id".to_owned());
        self.needed.insert(id.clone());
        Ok(Plan::Imported(id))
    }
}
