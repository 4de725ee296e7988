//! The segments of an application, each with all of its versions, and what they stand on.

use std::collections::{BTreeMap, HashSet};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::audience::Refusal;
use crate::model::{SegmentDimensions, SegmentGroupList, SegmentImportResource, SegmentReference};
use crate::segment::{Definition, Plan, Resolver};
use crate::state::{Kind, State, StateError};

/// Ids of members in one document.
const IDS_IN_A_DOCUMENT: usize = 10_000;

/// One version of a segment, as the state keeps it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct SegmentVersion {
    pub(super) id: String,
    /// The segment's number within the application, in the order of creation.
    pub(super) sequence: u64,
    /// From 1.
    pub(super) version: u32,
    pub(super) name: Option<String>,
    /// When the segment was made.
    pub(super) created: DateTime<Utc>,
    /// When this version was made.
    pub(super) modified: DateTime<Utc>,
    pub(super) tags: BTreeMap<String, String>,
    pub(super) dimensions: Option<SegmentDimensions>,
    pub(super) groups: Option<SegmentGroupList>,
    /// Of an imported segment: which import it is of.
    pub(super) import: Option<SegmentImportResource>,
}

/// The segments of one application. Every change is in the state before it is here.
#[derive(Debug)]
pub(super) struct Segments {
    application_id: String,
    state: State,
    /// The versions of each, the oldest first.
    by_sequence: BTreeMap<u64, Vec<SegmentVersion>>,
}

impl Segments {
    /// The segments that the state has.
    pub(super) fn open(state: &State, application_id: &str) -> Result<Self, StateError> {
        let mut by_sequence: BTreeMap<u64, Vec<SegmentVersion>> = BTreeMap::new();
        for version in state.all::<SegmentVersion>(Kind::Segment, application_id)? {
            by_sequence.entry(version.sequence).or_default().push(version);
        }
        Ok(Segments { application_id: application_id.to_owned(), state: state.clone(), by_sequence })
    }

    /// The number of the next segment.
    pub(super) fn next_sequence(&self) -> u64 {
        self.by_sequence.last_key_value().map_or(0, |(sequence, _)| sequence + 1)
    }

    /// The newest version of each segment, the oldest segment first.
    pub(super) fn newest(&self) -> impl Iterator<Item = &SegmentVersion> {
        self.by_sequence.values().filter_map(|versions| versions.last())
    }

    /// All versions of a segment, the oldest first; none where there is no such segment.
    pub(super) fn versions(&self, id: &str) -> &[SegmentVersion] {
        let found =
            self.by_sequence.values().find(|versions| versions.iter().any(|version| version.id == id));
        found.map(Vec::as_slice).unwrap_or_default()
    }

    /// One version of a segment, or the newest.
    pub(super) fn get(&self, id: &str, version: Option<u32>) -> Option<&SegmentVersion> {
        let versions = self.versions(id);
        match version {
            Some(wanted) => versions.iter().find(|version| version.version == wanted),
            None => versions.last(),
        }
    }

    /// Adds a version, of a new segment or of one that is there.
    pub(super) fn add(&mut self, version: SegmentVersion) -> Result<(), StateError> {
        let key = document_key(&version.id, version.version);
        self.state.put(Kind::Segment, &self.application_id, &key, &version)?;
        self.by_sequence.entry(version.sequence).or_default().push(version);
        Ok(())
    }

    /// Adds a version of an imported segment with its members, by their ids.
    pub(super) fn add_imported(
        &mut self,
        version: SegmentVersion,
        ids: &HashSet<String>,
    ) -> Result<(), StateError> {
        let ids: Vec<&String> = ids.iter().collect();
        for (number, ids) in ids.chunks(IDS_IN_A_DOCUMENT).enumerate() {
            let key = format!("{}/{number:06}", document_key(&version.id, version.version));
            self.state.put(Kind::SegmentMembers, &self.application_id, &key, &ids)?;
        }
        self.add(version)
    }

    /// The ids that a version of an imported segment holds, in lower case.
    pub(super) fn members(&self, version: &SegmentVersion) -> Result<HashSet<String>, StateError> {
        let key = format!("{}/", document_key(&version.id, version.version));
        let documents: Vec<Vec<String>> =
            self.state.with_prefix(Kind::SegmentMembers, &self.application_id, &key)?;
        Ok(documents.into_iter().flatten().collect())
    }

    /// Removes a segment with all of its versions.
    pub(super) fn remove(&mut self, id: &str) -> Result<(), StateError> {
        let key = format!("{id}/");
        self.state.remove(Kind::SegmentMembers, &self.application_id, &key)?;
        self.state.remove(Kind::Segment, &self.application_id, &key)?;
        self.by_sequence.retain(|_, versions| versions.iter().all(|version| version.id != id));
        Ok(())
    }

    /// Refuses a version to be added that cannot be evaluated, because it would stand on itself, too.
    pub(super) fn check(&self, candidate: &SegmentVersion) -> Result<(), Refusal> {
        Plan::of(self.definition(candidate)?, &WithCandidate { segments: self, candidate }).map(drop)
    }

    /// A version ready for evaluation, with all segments that it stands on.
    pub(super) fn plan(&self, version: &SegmentVersion) -> Result<Plan, Refusal> {
        Plan::of(self.definition(version)?, self)
    }

    fn definition(&self, version: &SegmentVersion) -> Result<Definition, Refusal> {
        if version.import.is_some() {
            let members = self.members(version);
            return members.map(Definition::Imported).map_err(|error| Refusal(error.to_string()));
        }
        Ok(match (&version.groups, &version.dimensions) {
            (Some(groups), _) => Definition::Groups(groups.clone()),
            (None, dimensions) => Definition::Dimensions(Box::new(dimensions.clone().unwrap_or_default())),
        })
    }
}

impl Resolver for Segments {
    fn resolve(&self, reference: &SegmentReference) -> Result<Definition, Refusal> {
        let found = self.get(&reference.id, reference.version);
        self.definition(found.ok_or_else(|| Refusal(format!("Segment {} was not found.", reference.id)))?)
    }
}

/// The segments as they would be with one version more.
struct WithCandidate<'a> {
    segments: &'a Segments,
    candidate: &'a SegmentVersion,
}

impl Resolver for WithCandidate<'_> {
    fn resolve(&self, reference: &SegmentReference) -> Result<Definition, Refusal> {
        let is_candidate = reference.id == self.candidate.id
            && reference.version.is_none_or(|version| version == self.candidate.version);
        if is_candidate {
            return self.segments.definition(self.candidate);
        }
        self.segments.resolve(reference)
    }
}

/// Where a version is kept: by id, so that a segment can be removed whole.
fn document_key(id: &str, version: u32) -> String {
    format!("{id}/{version:010}")
}
