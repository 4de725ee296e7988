//! From method and path to an operation, by the table of Pinpoint's model.

mod table;

use std::borrow::Cow;

use hyper::Method;
use percent_encoding::percent_decode_str;

use super::failure::Failure;

/// An operation that is served, by AWS's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operation {
    CreateApp,
    GetApp,
    GetApps,
    DeleteApp,
    UpdateEndpoint,
    UpdateEndpointsBatch,
    GetEndpoint,
    DeleteEndpoint,
    GetUserEndpoints,
    DeleteUserEndpoints,
    CreateSegment,
    GetSegment,
    GetSegments,
    GetSegmentVersion,
    GetSegmentVersions,
    UpdateSegment,
    DeleteSegment,
    CreateImportJob,
    GetImportJob,
    GetImportJobs,
    GetSegmentImportJobs,
    CreateExportJob,
    GetExportJob,
    GetExportJobs,
    GetSegmentExportJobs,
}

/// A request's way: an operation and what its path names, or why there is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Route<'path> {
    Found(Operation, Labels<'path>),
    /// An operation that the model has and this server has not.
    Unserved(&'static str),
    Refused(Failure),
}

/// What a path has in the places that the model gives a label, such as `application-id`; percent-decoded.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Labels<'path>(Vec<(&'static str, Cow<'path, str>)>);

impl Labels<'_> {
    /// What stands in the place of a label; empty where the path has no such place.
    pub(super) fn get(&self, label: &str) -> &str {
        self.0.iter().find(|(name, _)| *name == label).map_or("", |(_, value)| value)
    }
}

impl<'path> Route<'path> {
    /// The way of a request.
    pub(super) fn of(method: &Method, path: &'path str) -> Self {
        let parts: Vec<&str> = path.trim_start_matches('/').trim_end_matches('/').split('/').collect();
        let is = |wanted: &str| method.as_str() == wanted;
        let mut is_other_method = false;
        for (wanted, pattern, operation) in table::SERVED {
            match matched(pattern, &parts) {
                Some(labels) if is(wanted) => return Route::Found(operation, labels),
                found => is_other_method |= found.is_some(),
            }
        }
        for (wanted, pattern, name) in table::UNSERVED {
            match matched(pattern, &parts) {
                Some(_) if is(wanted) => return Route::Unserved(name),
                found => is_other_method |= found.is_some(),
            }
        }
        Route::Refused(if is_other_method {
            Failure::method_not_allowed(method, path)
        } else {
            Failure::no_such_path(method, path)
        })
    }

    /// The operation with its labels, or the refusal as an error.
    pub(super) fn operation(self) -> Result<(Operation, Labels<'path>), Failure> {
        match self {
            Route::Found(operation, labels) => Ok((operation, labels)),
            Route::Unserved(name) => Err(Failure::unserved(name)),
            Route::Refused(failure) => Err(failure),
        }
    }

    /// AWS's name of the operation, or `Other`.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Route::Found(operation, _) => operation.name(),
            Route::Unserved(name) => name,
            Route::Refused(_) => "Other",
        }
    }
}

impl Operation {
    /// AWS's name.
    pub(super) fn name(self) -> &'static str {
        match self {
            Operation::CreateApp => "CreateApp",
            Operation::GetApp => "GetApp",
            Operation::GetApps => "GetApps",
            Operation::DeleteApp => "DeleteApp",
            Operation::UpdateEndpoint => "UpdateEndpoint",
            Operation::UpdateEndpointsBatch => "UpdateEndpointsBatch",
            Operation::GetEndpoint => "GetEndpoint",
            Operation::DeleteEndpoint => "DeleteEndpoint",
            Operation::GetUserEndpoints => "GetUserEndpoints",
            Operation::DeleteUserEndpoints => "DeleteUserEndpoints",
            Operation::CreateSegment => "CreateSegment",
            Operation::GetSegment => "GetSegment",
            Operation::GetSegments => "GetSegments",
            Operation::GetSegmentVersion => "GetSegmentVersion",
            Operation::GetSegmentVersions => "GetSegmentVersions",
            Operation::UpdateSegment => "UpdateSegment",
            Operation::DeleteSegment => "DeleteSegment",
            Operation::CreateImportJob => "CreateImportJob",
            Operation::GetImportJob => "GetImportJob",
            Operation::GetImportJobs => "GetImportJobs",
            Operation::GetSegmentImportJobs => "GetSegmentImportJobs",
            Operation::CreateExportJob => "CreateExportJob",
            Operation::GetExportJob => "GetExportJob",
            Operation::GetExportJobs => "GetExportJobs",
            Operation::GetSegmentExportJobs => "GetSegmentExportJobs",
        }
    }
}

/// The labels of a path that has this pattern. A label takes one part, which is not empty.
fn matched<'path>(pattern: &'static str, parts: &[&'path str]) -> Option<Labels<'path>> {
    let mut labels = Vec::new();
    let mut rest = parts.iter();
    for wanted in pattern.trim_start_matches('/').split('/') {
        let part = *rest.next()?;
        match wanted.strip_prefix('{').and_then(|label| label.strip_suffix('}')) {
            Some(label) if !part.is_empty() => {
                labels.push((label, percent_decode_str(part).decode_utf8_lossy()));
            }
            None if part == wanted => {}
            _ => return None,
        }
    }
    rest.next().is_none().then_some(Labels(labels))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_models_paths_lead_to_operations() {
        for (method, path, name) in [
            (Method::POST, "/v1/apps", "CreateApp"),
            (Method::GET, "/v1/apps/", "GetApps"),
            (Method::DELETE, "/v1/apps/a", "DeleteApp"),
            (Method::POST, "/v1/apps/a/jobs/export", "CreateExportJob"),
            (Method::GET, "/v1/apps/a/jobs/export/j", "GetExportJob"),
            (Method::GET, "/v1/apps/a/segments/s/jobs/export", "GetSegmentExportJobs"),
            (Method::PUT, "/v1/apps/a/endpoints/e%2F1", "UpdateEndpoint"),
            (Method::PUT, "/v1/apps/a/endpoints", "UpdateEndpointsBatch"),
            (Method::GET, "/v1/apps/a/campaigns", "GetCampaigns"),
            (Method::PUT, "/v1/apps/a/channels/adm", "UpdateAdmChannel"),
            (Method::GET, "/v2/apps", "Other"),
            (Method::GET, "/v1/apps/a/endpoints/e/1", "Other"),
        ] {
            assert_eq!(Route::of(&method, path).name(), name, "{method} {path}");
        }
    }

    #[test]
    fn labels_are_decoded() -> Result<(), Failure> {
        let (operation, labels) =
            Route::of(&Method::GET, "/v1/apps/a%2Fb/endpoints/%2b%E3%81%82").operation()?;
        assert_eq!(operation, Operation::GetEndpoint);
        assert_eq!((labels.get("application-id"), labels.get("endpoint-id")), ("a/b", "+\u{3042}"));
        assert_eq!(labels.get("job-id"), "");
        Ok(())
    }

    #[test]
    fn a_wrong_method_is_told_from_a_wrong_path_and_from_what_is_not_served() {
        let code = |method, path| {
            Route::of(&method, path).operation().err().map(|failure| failure.code().to_owned())
        };
        let not_allowed = Some("MethodNotAllowedException".to_owned());
        assert_eq!(code(Method::PATCH, "/v1/apps/a/jobs/export"), not_allowed);
        assert_eq!(code(Method::PUT, "/v1/apps"), not_allowed);
        let not_found = Some("NotFoundException".to_owned());
        assert_eq!(code(Method::GET, "/v1/apps/a/nothing"), not_found);
        assert_eq!(code(Method::GET, "/v1/apps/a/campaigns"), not_found);
    }
}
