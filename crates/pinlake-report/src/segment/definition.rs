//! Definitions of segments as files hold them, and all that were given by id and version.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::SegmentError;
use super::shapes::{Dimensions, Object, SegmentGroups, SegmentReference, object, objects};

/// One version of a segment: who belongs to it.
#[derive(Debug, Clone)]
pub struct SegmentDefinition {
    /// What messages call it: its id, else the file that it was read from.
    pub(super) label: String,
    pub(super) id: Option<String>,
    version: Option<u32>,
    pub(super) rules: Rules,
}

/// What a segment is by its own words.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Rules {
    /// Criteria that all have to hold; without any it is everybody.
    Dimensions(Box<Dimensions>),
    /// Groups of criteria over other segments.
    Groups(SegmentGroups),
    /// The endpoints of an import.
    Imported,
}

/// Which forms of a segment a file has, by the members that tell.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", default)]
#[derive(Default)]
struct Forms {
    segment_response: Option<IgnoredAny>,
    write_segment_request: Option<IgnoredAny>,
    segments_response: Option<IgnoredAny>,
    item: Option<IgnoredAny>,
    dimensions: Option<IgnoredAny>,
    segment_groups: Option<IgnoredAny>,
    import_definition: Option<IgnoredAny>,
    segment_type: Option<IgnoredAny>,
}

impl Forms {
    /// The members that hold segments; `""` for the file's own object.
    fn present(&self) -> Vec<&'static str> {
        let own = [&self.dimensions, &self.segment_groups, &self.import_definition, &self.segment_type];
        [
            ("SegmentResponse", self.segment_response.is_some()),
            ("WriteSegmentRequest", self.write_segment_request.is_some()),
            ("SegmentsResponse", self.segments_response.is_some()),
            ("Item", self.item.is_some()),
            (OWN, own.iter().any(|member| member.is_some())),
        ]
        .into_iter()
        .filter_map(|(form, is_there)| is_there.then_some(form))
        .collect()
    }
}

/// What the form is called that has no wrapper.
const OWN: &str = "a segment without a wrapper";

/// `SegmentResponse`, or the body of `WriteSegmentRequest`. Other members say nothing of who belongs.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase", default)]
struct Written {
    id: Option<String>,
    version: Option<u32>,
    segment_type: Option<SegmentType>,
    import_definition: Option<IgnoredAny>,
    #[serde(deserialize_with = "object")]
    dimensions: Option<Dimensions>,
    #[serde(deserialize_with = "object")]
    segment_groups: Option<SegmentGroups>,
}

/// `SegmentType`.
#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum SegmentType {
    Dimensional,
    Import,
}

/// `SegmentsResponse`.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase", default)]
struct Page {
    #[serde(deserialize_with = "objects")]
    item: Vec<Written>,
}

/// The forms in which the AWS CLI and SDKs print and take a segment.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase", default)]
struct Wrapped {
    #[serde(deserialize_with = "object")]
    segment_response: Option<Written>,
    #[serde(deserialize_with = "object")]
    write_segment_request: Option<Written>,
    #[serde(deserialize_with = "object")]
    segments_response: Option<Page>,
}

impl SegmentDefinition {
    /// Reads the one segment of a file: the answer of `GetSegment`, with the AWS CLI's wrapper or without, or the body of a
    /// `WriteSegmentRequest`. `name` is what messages call the file.
    pub fn parse(name: &str, text: &str) -> Result<Self, SegmentError> {
        let mut found = parse(name, text)?;
        match (found.len(), found.pop()) {
            (1, Some(definition)) => Ok(definition),
            (count, _) => Err(SegmentError::NotOne { name: name.to_owned(), count }),
        }
    }

    fn new(written: Written, name: &str) -> Result<Self, SegmentError> {
        let label = match &written.id {
            Some(id) => format!("segment {id}"),
            None => name.to_owned(),
        };
        let several = |forms| SegmentError::SeveralRules { segment: label.clone(), forms };
        // An answer may have what it does not use, with nothing in it.
        let dimensions = written
            .dimensions
            .filter(|rules| *rules != Dimensions::default() || written.segment_groups.is_none());
        let groups = written.segment_groups.filter(|rules| !rules.groups.is_empty() || dimensions.is_none());
        let is_imported =
            written.import_definition.is_some() || written.segment_type == Some(SegmentType::Import);
        let is_open = |dimensions: &Option<Dimensions>| {
            dimensions.as_ref().is_none_or(|rules| *rules == Dimensions::default())
        };
        let rules = match (dimensions, groups) {
            (dimensions, None) if is_imported && is_open(&dimensions) => Rules::Imported,
            _ if is_imported => return Err(several("an ImportDefinition and rules of its own")),
            (Some(_), Some(_)) => return Err(several("Dimensions and SegmentGroups")),
            (Some(dimensions), None) => Rules::Dimensions(Box::new(dimensions)),
            (None, Some(groups)) => Rules::Groups(groups),
            (None, None) => return Err(SegmentError::NoSegment { name: label }),
        };
        Ok(Self { label, id: written.id, version: written.version, rules })
    }
}

/// The segments of a file, in any of the forms.
fn parse(name: &str, text: &str) -> Result<Vec<SegmentDefinition>, SegmentError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let forms = read::<Forms>(name, text)?.present();
    let written = match forms[..] {
        [] => return Err(SegmentError::NoSegment { name: name.to_owned() }),
        [OWN] => vec![read::<Written>(name, text)?],
        ["Item"] => read::<Page>(name, text)?.item,
        [_] => {
            let wrapped = read::<Wrapped>(name, text)?;
            let one = wrapped.segment_response.or(wrapped.write_segment_request);
            one.into_iter().chain(wrapped.segments_response.unwrap_or_default().item).collect()
        }
        _ => return Err(SegmentError::SeveralForms { name: name.to_owned(), forms }),
    };
    written.into_iter().map(|written| SegmentDefinition::new(written, name)).collect()
}

fn read<'a, T: Deserialize<'a>>(name: &str, text: &'a str) -> Result<T, SegmentError> {
    let read: Result<Object<T>, _> = serde_json::from_str(text);
    Ok(read.map_err(|source| SegmentError::Unreadable { name: name.to_owned(), source })?.0)
}

/// Segments that others may stand on, by id and version.
#[derive(Debug, Clone, Default)]
pub struct SegmentBook {
    /// A version that a file does not tell comes before all others.
    by_id: BTreeMap<String, BTreeMap<Option<u32>, SegmentDefinition>>,
}

impl SegmentBook {
    /// Takes in the segments of a file: what [`SegmentDefinition::parse`] takes, or the answer of `GetSegments` or
    /// `GetSegmentVersions` with all of them. One without an id is passed over, as nothing can name it.
    pub fn add(&mut self, name: &str, text: &str) -> Result<(), SegmentError> {
        for definition in parse(name, text)? {
            let Some(id) = definition.id.clone() else { continue };
            let version = definition.version;
            let versions = self.by_id.entry(id.clone()).or_default();
            if versions.get(&version).is_some_and(|known| known.rules != definition.rules) {
                return Err(SegmentError::Conflict { id, version });
            }
            versions.insert(version, definition);
        }
        Ok(())
    }

    /// With one more, unless that version is there already: a segment is itself one that others may stand on.
    pub(super) fn with(mut self, definition: &SegmentDefinition) -> Self {
        if let Some(id) = &definition.id {
            let versions = self.by_id.entry(id.clone()).or_default();
            versions.entry(definition.version).or_insert_with(|| definition.clone());
        }
        self
    }

    /// A segment in the version that is named, or the newest.
    pub(super) fn get(&self, reference: &SegmentReference) -> Option<&SegmentDefinition> {
        let versions = self.by_id.get(&reference.id)?;
        match reference.version {
            Some(_) => versions.get(&reference.version),
            None => versions.values().next_back(),
        }
    }

    /// The versions of a segment that are there.
    pub(super) fn versions(&self, id: &str) -> Vec<u32> {
        self.by_id.get(id).into_iter().flat_map(|versions| versions.keys().flatten().copied()).collect()
    }
}
