//! Segments: `CreateSegment`, `GetSegment`, `GetSegments`, `GetSegmentVersion`, `GetSegmentVersions`, `UpdateSegment`,
//! `DeleteSegment`.

use std::collections::HashSet;

use chrono::Utc;
use hyper::StatusCode;
use uuid::Uuid;

use super::Answer;
use super::application::{Application, Applications};
use super::failure::Failure;
use super::paging::PageRequest;
use super::segments::SegmentVersion;
use crate::model::{self, Items, SegmentDimensions, SegmentResponse, SegmentType, WriteSegmentRequest};

/// Characters of a segment's name.
const NAME_CHARACTERS: usize = 64;

/// `CreateSegment`: 201.
pub(super) fn create(
    applications: &Applications,
    application_id: &str,
    body: &[u8],
) -> Result<Answer, Failure> {
    applications.with(application_id, |application| {
        let request: WriteSegmentRequest = super::read(body)?;
        check(&request)?;
        let now = Utc::now();
        let mut segment = SegmentVersion {
            id: Uuid::new_v4().simple().to_string(),
            sequence: application.segments.next_sequence(),
            version: 1,
            name: request.name,
            created: now,
            modified: now,
            tags: request.tags,
            dimensions: request.dimensions,
            groups: request.segment_groups,
            import: None,
        };
        if segment.groups.is_none() {
            segment.dimensions.get_or_insert_with(SegmentDimensions::default);
        }
        add(application, segment, StatusCode::CREATED)
    })
}

/// `UpdateSegment`: 200, and a further version. An imported segment can get another name only.
pub(super) fn update(
    applications: &Applications,
    application_id: &str,
    segment_id: &str,
    body: &[u8],
) -> Result<Answer, Failure> {
    applications.with(application_id, |application| {
        let newest = known(application, segment_id)?.clone();
        let request: WriteSegmentRequest = super::read(body)?;
        check(&request)?;
        let is_criteria = request.dimensions.is_some() || request.segment_groups.is_some();
        if newest.import.is_some() && is_criteria {
            return Err(Failure::bad_request("An imported segment can be renamed, and has no dimensions."));
        }
        let members =
            if newest.import.is_some() { application.segments.members(&newest)? } else { HashSet::new() };
        let mut segment = SegmentVersion {
            version: newest.version + 1,
            modified: Utc::now(),
            name: request.name.or(newest.name),
            ..newest
        };
        // Either form of criteria takes the place of the other; without both they stay as they are.
        if is_criteria {
            (segment.dimensions, segment.groups) = (request.dimensions, request.segment_groups);
        }
        if segment.import.is_some() {
            application.segments.add_imported(segment, &members)?;
            return shown(application, segment_id, StatusCode::OK);
        }
        add(application, segment, StatusCode::OK)
    })
}

/// `GetSegment`, or `GetSegmentVersion` where there is a version: 200.
pub(super) fn get(
    applications: &Applications,
    application_id: &str,
    segment_id: &str,
    version: Option<&str>,
) -> Result<Answer, Failure> {
    applications.with(application_id, |application| {
        known(application, segment_id)?;
        let number = version.map(|version| version.parse::<u32>().unwrap_or(0));
        let unknown = || Failure::not_found(&format!("Segment {segment_id} has no such version."));
        let found = application.segments.get(segment_id, number).ok_or_else(unknown)?;
        Answer::new(StatusCode::OK, &response(application, found))
    })
}

/// `GetSegments`: 200, paged, the oldest first.
pub(super) fn list(
    applications: &Applications,
    application_id: &str,
    query: &str,
) -> Result<Answer, Failure> {
    let request = PageRequest::parse(query)?;
    applications.with(application_id, |application| {
        let all = application.segments.newest();
        let (item, next_token) =
            request.cut(all.map(|segment| (segment.sequence, response(application, segment))));
        Answer::new(StatusCode::OK, &Items { item, next_token })
    })
}

/// `GetSegmentVersions`: 200, paged, the oldest first.
pub(super) fn versions(
    applications: &Applications,
    application_id: &str,
    segment_id: &str,
    query: &str,
) -> Result<Answer, Failure> {
    let request = PageRequest::parse(query)?;
    applications.with(application_id, |application| {
        known(application, segment_id)?;
        let all = application.segments.versions(segment_id).iter();
        let (item, next_token) =
            request.cut(all.map(|segment| (u64::from(segment.version), response(application, segment))));
        Answer::new(StatusCode::OK, &Items { item, next_token })
    })
}

/// `DeleteSegment`: 200, with the segment that was.
pub(super) fn delete(
    applications: &Applications,
    application_id: &str,
    segment_id: &str,
) -> Result<Answer, Failure> {
    applications.with(application_id, |application| {
        let answer = shown(application, segment_id, StatusCode::OK)?;
        application.segments.remove(segment_id)?;
        Ok(answer)
    })
}

/// 404 for a segment that does not exist.
pub(super) fn known<'a>(
    application: &'a Application,
    segment_id: &str,
) -> Result<&'a SegmentVersion, Failure> {
    let found = application.segments.get(segment_id, None);
    found.ok_or_else(|| Failure::not_found(&format!("Segment {segment_id} was not found.")))
}

/// Adds a version whose criteria mean something, and shows it.
fn add(
    application: &mut Application,
    segment: SegmentVersion,
    status: StatusCode,
) -> Result<Answer, Failure> {
    application.segments.check(&segment).map_err(|refusal| Failure::bad_request(&refusal.0))?;
    let id = segment.id.clone();
    application.segments.add(segment)?;
    shown(application, &id, status)
}

fn shown(application: &Application, segment_id: &str, status: StatusCode) -> Result<Answer, Failure> {
    Answer::new(status, &response(application, known(application, segment_id)?))
}

/// Refuses what no segment may be, whatever its criteria.
fn check(request: &WriteSegmentRequest) -> Result<(), Failure> {
    if request.name.as_ref().is_some_and(|name| name.is_empty() || name.chars().count() > NAME_CHARACTERS) {
        return Err(Failure::bad_request(&format!("Name must have 1 to {NAME_CHARACTERS} characters.")));
    }
    if request.dimensions.is_some() && request.segment_groups.is_some() {
        return Err(Failure::bad_request("A segment has either Dimensions or SegmentGroups."));
    }
    Ok(())
}

/// How the API shows a version.
pub(super) fn response(application: &Application, segment: &SegmentVersion) -> SegmentResponse {
    SegmentResponse {
        application_id: application.id().to_owned(),
        arn: format!("{}/segments/{}", application.arn(), segment.id),
        creation_date: model::date(segment.created),
        id: segment.id.clone(),
        last_modified_date: model::date(segment.modified),
        segment_type: if segment.import.is_some() { SegmentType::Import } else { SegmentType::Dimensional },
        version: segment.version,
        name: segment.name.clone(),
        dimensions: segment.dimensions.clone(),
        segment_groups: segment.groups.clone(),
        import_definition: segment.import.clone(),
        tags: segment.tags.clone(),
    }
}
