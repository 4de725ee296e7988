//! Why a segment cannot be evaluated.

use crate::kind::ErrorKind;
use crate::session::QueryError;

/// Why a segment cannot be evaluated. `segment` is what a definition is called: its id, or the file that it was read from.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SegmentError {
    /// A file is no JSON, or holds something that the model of segments has no word for.
    #[error("{name} is no segment definition")]
    Unreadable {
        /// The file.
        name: String,
        /// What is wrong, with line and column.
        #[source]
        source: serde_json::Error,
    },
    /// A file says nothing of who belongs.
    #[error(
        "{name} holds no segment: it has neither Dimensions nor SegmentGroups, and everybody is {{\"Dimensions\": {{}}}}"
    )]
    NoSegment {
        /// The file.
        name: String,
    },
    /// A file holds segments in several forms side by side.
    #[error("{name} holds more than one segment side by side: {}", .forms.join(", "))]
    SeveralForms {
        /// The file.
        name: String,
        /// The members that hold one each.
        forms: Vec<&'static str>,
    },
    /// One segment is wanted.
    #[error(
        "{name} holds {count} segments; give a file with the one to evaluate, and this one with --segments"
    )]
    NotOne {
        /// The file.
        name: String,
        /// How many it holds.
        count: usize,
    },
    /// Two forms of rules in one definition.
    #[error("{segment} has {forms}, and a segment has one of them")]
    SeveralRules {
        /// The definition.
        segment: String,
        /// Which.
        forms: &'static str,
    },
    /// Two definitions of one version.
    #[error("segment {id} is given twice, with different rules{}", of_version(*.version))]
    Conflict {
        /// The segment.
        id: String,
        /// The version.
        version: Option<u32>,
    },
    /// A segment that another stands on was not given.
    #[error("{}", missing(.segment, .id, *.version, .given))]
    Missing {
        /// The definition that names it.
        segment: String,
        /// The segment.
        id: String,
        /// The version, if one is named.
        version: Option<u32>,
        /// The versions of it that were given.
        given: Vec<u32>,
    },
    /// An imported segment, whose members no definition tells.
    #[error(
        "segment {id} was imported, and no definition tells its members; convert an export of it to a snapshot of the lake and give \
         --members {id}=SNAPSHOT"
    )]
    Imported {
        /// The segment.
        id: String,
    },
    /// Members were given of a segment that needs none.
    #[error(
        "--members {id}: no imported segment of that id is part of the one to evaluate; it has {}", listed(.needed)
    )]
    UnusedMembers {
        /// The segment.
        id: String,
        /// The imported segments that are part of it.
        needed: Vec<String>,
    },
    /// Segments stand on one another too deep, or one on itself.
    #[error("segments stand on one another more than {limit} deep, or one on itself: {}", .chain.join(" > "))]
    Depth {
        /// The bound.
        limit: usize,
        /// From the one to evaluate downwards.
        chain: Vec<String>,
    },
    /// A segment stands on too many.
    #[error("{segment} stands on more than {limit} segments, each counted as often as it is named")]
    Sources {
        /// The one to evaluate.
        segment: String,
        /// The bound.
        limit: usize,
    },
    /// A segment has, with those that it stands on, too many sets of dimensions.
    #[error(
        "{segment} has more than {limit} sets of dimensions in all, each counted as often as it is named"
    )]
    Sets {
        /// The one to evaluate.
        segment: String,
        /// The bound.
        limit: usize,
    },
    /// A dimension that means nothing.
    #[error("{segment}: the dimension {dimension} must have {wanted}")]
    Dimension {
        /// The definition.
        segment: String,
        /// The dimension, as `Attributes.plan`.
        dimension: String,
        /// What it must have.
        wanted: &'static str,
    },
    /// Too many dimensions.
    #[error("{segment} has {count} dimensions, and a set of them has at most {limit}")]
    Dimensions {
        /// The definition.
        segment: String,
        /// How many.
        count: usize,
        /// The bound.
        limit: usize,
    },
    /// There is no such snapshot.
    #[error("there is no snapshot {given:?}; the lake has {}", listed(.known))]
    UnknownSnapshot {
        /// What was asked for.
        given: String,
        /// The snapshots of the lake.
        known: Vec<String>,
    },
    /// There is no such column.
    #[error("there is no column {given:?}; there are {}", listed(.known))]
    UnknownColumn {
        /// What was asked for.
        given: String,
        /// The columns of `endpoints`.
        known: Vec<String>,
    },
    /// The lake cannot be read.
    #[error(transparent)]
    Query(#[from] QueryError),
}

impl SegmentError {
    /// What kind of failure it is.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Query(error) => error.kind(),
            _ => ErrorKind::Usage,
        }
    }
}

fn of_version(version: Option<u32>) -> String {
    version.map(|version| format!(" for version {version}")).unwrap_or_default()
}

fn listed(known: &[String]) -> String {
    if known.is_empty() { "none".to_owned() } else { known.join(", ") }
}

fn missing(segment: &str, id: &str, version: Option<u32>, given: &[u32]) -> String {
    let (command, flag, which) = match version {
        Some(version) => {
            ("get-segment-version", format!(" --segment-version {version}"), format!(" in version {version}"))
        }
        None => ("get-segment", String::new(), String::new()),
    };
    let given: Vec<String> = given.iter().map(u32::to_string).collect();
    let given = match given[..] {
        [] => String::new(),
        _ => format!(" (given are versions {})", given.join(", ")),
    };
    format!(
        "{segment} stands on segment {id}{which}, which was not given{given}; get it with \
         `aws pinpoint {command} --application-id ID --segment-id {id}{flag} > {id}.json` and give --segments {id}.json"
    )
}
